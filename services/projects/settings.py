"""Settings of projects."""

from pydantic import Field

from services.kit import settings


class Settings(settings.Settings):
    port: int = Field(8002, validation_alias="JIEDUI_PROJECTS_PORT")
    worker_port: int = Field(8102, validation_alias="JIEDUI_PROJECTS_WORKER_PORT")
