"""Notify's own settings: its two ports."""

from pydantic import Field

from services.kit import settings


class Settings(settings.Settings):
    port: int = Field(8004, validation_alias="JIEDUI_NOTIFY_PORT")
    worker_port: int = Field(8104, validation_alias="JIEDUI_NOTIFY_WORKER_PORT")
