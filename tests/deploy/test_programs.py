"""Which ports and which environment the children of a run get."""

import os
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from deploy.checks import free_from
from deploy.home import Home
from deploy.more import run_worker
from deploy.programs import Infrastructure, environment, listening, programs
from deploy.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("JIEDUI_", "OTEL_"))]:
        monkeypatch.delenv(name)


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_from(port) > port


def test_a_second_run_beside_another_finds_ports_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.programs.free_from", lambda port, *, but=(): port + 1000)
    monkeypatch.setenv("JIEDUI_HOME", str(tmp_path))
    monkeypatch.setenv("JIEDUI_ZIPKIN_PORT", "9411")
    infrastructure = Infrastructure.of(Settings())
    assert infrastructure.kafka_bootstrap == "127.0.0.1:10092"
    assert infrastructure.mongodb_uri == "mongodb://127.0.0.1:28017/?replicaSet=rs0"
    assert infrastructure.zipkin_port == 9411, "it was asked for"


def test_given_servers_are_used_and_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIEDUI_KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setenv("JIEDUI_MONGODB_URI", "mongodb://db.example/?replicaSet=rs0")
    infrastructure = Infrastructure.of(Settings())
    assert (infrastructure.kafka_port, infrastructure.mongodb_port) == (None, None)
    assert not {"JIEDUI_KAFKA_PORT", "JIEDUI_MONGODB_PORT"} & {
        name for name, _ in listening(Settings(), infrastructure)
    }
    env = programs(Settings(), infrastructure)[0].env
    assert env["JIEDUI_KAFKA_BOOTSTRAP"] == "kafka.example:9092"
    assert env["JIEDUI_MONGODB_URI"] == "mongodb://db.example/?replicaSet=rs0"


def test_eight_programs_and_zipkin_listen_where_the_contract_says() -> None:
    children = programs(Settings(), Infrastructure.of(Settings()))
    assert {child.name: list(child.ports) for child in children} == {
        "pairing-api": [8001],
        "pairing-worker": [8101],
        "projects-api": [8002],
        "projects-worker": [8102],
        "funding-api": [8003],
        "funding-worker": [8103],
        "notify-api": [8004],
        "notify-worker": [8104],
        "zipkin": [9411],
    }


def test_programs_get_our_environment_and_traces_go_to_zipkin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIEDUI_CLOCK_OFFSET", "20d")
    env = environment(Settings(), kafka_bootstrap="k", mongodb_uri="m", zipkin_port=9411)
    assert env["JIEDUI_CLOCK_OFFSET"] == "20d"
    assert env["JIEDUI_WEBHOOK_ALLOW"] == "127.0.0.0/8"
    assert env["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] == "http://127.0.0.1:9411/api/v2/spans"


def test_traces_go_where_the_environment_sends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger.example:4318")
    monkeypatch.setenv("JIEDUI_WEBHOOK_ALLOW", "10.0.0.0/8")
    env = environment(Settings(), kafka_bootstrap="k", mongodb_uri="m", zipkin_port=9411)
    assert "OTEL_TRACES_EXPORTER" not in env
    assert env["JIEDUI_WEBHOOK_ALLOW"] == "10.0.0.0/8"


def test_one_more_worker_takes_the_smallest_free_slot_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"HOME": tmp_path, "KAFKA_BOOTSTRAP": "k:1", "MONGODB_URI": "mongodb://m/"}.items():
        monkeypatch.setenv(f"JIEDUI_{name}", str(value))
    started: list[dict[str, str]] = []
    monkeypatch.setattr("os.execvpe", lambda file, command, env: started.append(env))

    def fail(reason: str) -> NoReturn:
        raise AssertionError(reason)

    for _ in range(2):
        run_worker("funding", Settings(), fail=fail)
    assert [env["JIEDUI_WORKER_SLOT"] for env in started] == ["1", "2"]
    assert len({env["JIEDUI_FUNDING_WORKER_PORT"] for env in started} - {"8103"}) == 2
    assert Home(tmp_path).lock("funding-worker-1") is None, "it is kept by the file that the worker inherits"
