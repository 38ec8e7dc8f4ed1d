"""Settings that every program has; each service adds its two ports.

They are read once, in `main.py`, from `JIEDUI_…` variables and passed on as values.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.clock import offset


class Settings(BaseSettings):
    """Environment of one program. A wrong value stops it with one line (see `explain`)."""

    model_config = SettingsConfigDict(env_prefix="JIEDUI_", frozen=True, extra="ignore", populate_by_name=True)

    port: int
    worker_port: int
    host: str = "127.0.0.1"
    """Where the programs listen; `0.0.0.0` in a container."""
    env: Literal["local", "production"] = "local"
    home: Path = Path(".jiedui")
    kafka_bootstrap: str = "127.0.0.1:9092"
    mongodb_uri: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    clock_offset: Annotated[timedelta, BeforeValidator(offset)] = timedelta()
    oidc_issuer: str | None = None
    oidc_audience: str = "jiedui"
    console_origin: str | None = None
    crash_at: str | None = None
    worker_slot: int = 0
    """A worker's place in its consumer group: started again in the same slot it gets its partitions back at once."""


def explain(error: ValidationError) -> str:
    """One line that names each wrong setting."""
    faults = (
        f"JIEDUI_{str(fault['loc'][0]).removeprefix('JIEDUI_').upper()}: {fault['msg']}" for fault in error.errors()
    )
    return "; ".join(faults)
