"""Settings of `make run` and of the `jiedui` command, out of `JIEDUI_…` variables."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import SERVICES
from services.kit.clock import offset

REPOSITORY = Path(__file__).resolve().parents[1]
Port = Annotated[int, Field(ge=1, le=65535)]
# Absolute, since the programs and the `jiedui` command may be started from anywhere.
Home = Annotated[Path, AfterValidator(Path.absolute)]


class Settings(BaseSettings):
    """The environment as the runner reads it; what only the programs read is passed on to them as it is."""

    model_config = SettingsConfigDict(env_prefix="JIEDUI_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Home = REPOSITORY / ".jiedui"
    env: Literal["local", "production"] = "local"
    clock_offset: Annotated[timedelta, BeforeValidator(offset)] = timedelta()
    detach: bool = False
    min_free_mb: Annotated[int, Field(ge=0)] = 2048

    oidc_issuer: str | None = None
    oidc_audience: str = "jiedui"
    kafka_bootstrap: str | None = None
    mongodb_uri: str | None = None
    kafka_port: Port = 9092
    mongodb_port: Port = 27017
    zipkin_port: Port = 9411

    pairing_port: Port = 8001
    projects_port: Port = 8002
    funding_port: Port = 8003
    notify_port: Port = 8004
    pairing_worker_port: Port = 8101
    projects_worker_port: Port = 8102
    funding_worker_port: Port = 8103
    notify_worker_port: Port = 8104

    @property
    def api_ports(self) -> Mapping[str, int]:
        return {service: getattr(self, f"{service}_port") for service in SERVICES}

    @property
    def worker_ports(self) -> Mapping[str, int]:
        return {service: getattr(self, f"{service}_worker_port") for service in SERVICES}

    def moved_aside(self, name: str) -> bool:
        """Whether port `name` may give way: nobody asked for it, and a moved home may mean a second run beside one."""
        return "home" in self.model_fields_set and name not in self.model_fields_set
