"""Settings of pairing's two programs."""

from pydantic import Field

from services.kit import settings


class Settings(settings.Settings):
    port: int = Field(8001, alias="JIEDUI_PAIRING_PORT")
    worker_port: int = Field(8101, alias="JIEDUI_PAIRING_WORKER_PORT")
