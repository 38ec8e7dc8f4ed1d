"""Funding's own settings: its two ports."""

from pydantic import AliasChoices, Field

from services.kit import settings


class Settings(settings.Settings):
    port: int = Field(8003, validation_alias=AliasChoices("JIEDUI_FUNDING_PORT", "port"))
    worker_port: int = Field(8103, validation_alias=AliasChoices("JIEDUI_FUNDING_WORKER_PORT", "worker_port"))
