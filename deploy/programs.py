"""The children of one run: what is started, with which command, environment and ports."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from deploy import kafka, mongod, probe, zipkin
from deploy.checks import free_from
from deploy.home import Home
from deploy.settings import Settings
from deploy.supervisor import Child
from schemas.topics import SERVICES

_CONTROLLER_PORT = 9093


@dataclass(frozen=True, kw_only=True)
class Infrastructure:
    """Ports of the servers to start, None where one is given; and where clients find them."""

    kafka_port: int | None
    mongodb_port: int | None
    zipkin_port: int
    kafka_bootstrap: str
    mongodb_uri: str

    @classmethod
    def of(cls, settings: Settings) -> "Infrastructure":
        ports = {name: _port(settings, name) for name in ("kafka_port", "mongodb_port", "zipkin_port")}
        return cls(
            kafka_port=None if settings.kafka_bootstrap else ports["kafka_port"],
            mongodb_port=None if settings.mongodb_uri else ports["mongodb_port"],
            zipkin_port=ports["zipkin_port"],
            kafka_bootstrap=settings.kafka_bootstrap or f"127.0.0.1:{ports['kafka_port']}",
            mongodb_uri=settings.mongodb_uri or mongod.uri(ports["mongodb_port"]),
        )


def _port(settings: Settings, name: str) -> int:
    wanted: int = getattr(settings, name)
    return free_from(wanted) if settings.moved_aside(name) else wanted


def listening(settings: Settings, infrastructure: Infrastructure) -> Iterator[tuple[str, int]]:
    """Each port that must be free, after the setting that moves it."""
    for name in ("kafka_port", "mongodb_port", "zipkin_port"):
        if (port := getattr(infrastructure, name)) is not None:
            yield f"JIEDUI_{name.upper()}", port
    for service in SERVICES:
        yield f"JIEDUI_{service.upper()}_PORT", settings.api_ports[service]
        yield f"JIEDUI_{service.upper()}_WORKER_PORT", settings.worker_ports[service]


def servers(home: Home, settings: Settings, infrastructure: Infrastructure) -> list[Child]:
    """Kafka and MongoDB, as far as they are not given. Formats Kafka's directory on first use (a second)."""
    children = []
    if (port := infrastructure.kafka_port) is not None:
        controller_port = free_from(_CONTROLLER_PORT, but=[taken for _, taken in listening(settings, infrastructure)])
        children.append(
            Child(
                name="kafka",
                command=kafka.command(home.data / "kafka", port=port, controller_port=controller_port),
                ready=partial(kafka.is_ready, infrastructure.kafka_bootstrap),
                env=os.environ,
                ports=[port, controller_port],
            )
        )
    if (port := infrastructure.mongodb_port) is not None:
        children.append(
            Child(
                name="mongodb",
                command=mongod.command(home.data / "mongodb", port=port),
                ready=partial(mongod.is_ready, port),
                env=os.environ,
                ports=[port],
            )
        )
    return children


def programs(settings: Settings, infrastructure: Infrastructure) -> list[Child]:
    """The eight programs, and Zipkin, whose start they need not wait for."""
    env = environment(
        settings,
        kafka_bootstrap=infrastructure.kafka_bootstrap,
        mongodb_uri=infrastructure.mongodb_uri,
        zipkin_port=infrastructure.zipkin_port,
    )
    ports = {"api": settings.api_ports, "worker": settings.worker_ports}
    return [
        *(
            Child(
                name=f"{service}-{kind}",
                command=program(service, kind),
                ready=partial(probe.answers, ports[kind][service], "/readyz"),
                env=env,
                ports=[ports[kind][service]],
            )
            for service in SERVICES
            for kind in ("api", "worker")
        ),
        Child(
            name="zipkin",
            command=zipkin.command(port=infrastructure.zipkin_port),
            ready=partial(zipkin.is_ready, infrastructure.zipkin_port),
            env=os.environ,
            ports=[infrastructure.zipkin_port],
        ),
    ]


def program(service: str, kind: str) -> list[str]:
    return [sys.executable, "-m", f"services.{service}.main", kind]


def environment(settings: Settings, *, kafka_bootstrap: str, mongodb_uri: str, zipkin_port: int) -> Mapping[str, str]:
    """The environment of the programs: ours as it is, with the addresses of this run.

    Traces go to Zipkin unless the environment sends them elsewhere.
    """
    viewer = zipkin.url(zipkin_port)
    env = {
        "JIEDUI_WEBHOOK_ALLOW": "127.0.0.0/8",
        "JIEDUI_TRACE_URL": f"{viewer}/zipkin/traces/{{trace_id}}",
        "JIEDUI_CONSOLE_ORIGIN": f"http://127.0.0.1:{settings.notify_port}",
        **os.environ,
        "JIEDUI_HOME": str(settings.home),
        "JIEDUI_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "JIEDUI_MONGODB_URI": mongodb_uri,
        "JIEDUI_WORKER_SLOT": "0",
        "PYTHONUNBUFFERED": "1",
    }
    if not any(name.startswith(("OTEL_EXPORTER_", "OTEL_TRACES_EXPORTER")) for name in env):
        env["OTEL_TRACES_EXPORTER"] = "zipkin"
        env["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] = f"{viewer}/api/v2/spans"
    return env
