"""Funding's own settings: its two ports."""

from pydantic import Field

from services.kit import settings


class Settings(settings.Settings):
    port: int = Field(8003, validation_alias="JIEDUI_FUNDING_PORT")
    worker_port: int = Field(8103, validation_alias="JIEDUI_FUNDING_WORKER_PORT")
