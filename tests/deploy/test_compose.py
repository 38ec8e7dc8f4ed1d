"""docker-compose.yml says in another language what the code says; here the two are held together."""

import base64
import importlib
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from deploy import kafka
from schemas import topics

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
PROGRAMS = [(service, program) for service in topics.SERVICES for program in ("api", "worker")]
ISSUER = "https://login.example.org"


def environment_of(part: str) -> dict[str, str]:
    """As compose would set it, with JIEDUI_OIDC_ISSUER given."""
    found = {name: str(value) for name, value in PARTS[part]["environment"].items()}
    return {name: re.sub(r"\$\{(\w+):[?-](.*)}", _given, value) for name, value in found.items()}


def _given(variable: re.Match[str]) -> str:
    return ISSUER if variable[1] == "JIEDUI_OIDC_ISSUER" else variable[2]


def settings_of(service: str) -> type[BaseSettings]:
    found: type[BaseSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def names_read_by(settings: type[BaseSettings]) -> set[str]:
    names = set()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias or f"{settings.model_config['env_prefix']}{name}".upper()
        names |= set(alias.choices) if isinstance(alias, AliasChoices) else {alias}
    return {str(name) for name in names}


def test_the_programs_are_the_two_of_each_service_and_nothing_else_is_built() -> None:
    assert {f"{service}-{program}" for service, program in PROGRAMS} == {
        n for n, part in PARTS.items() if "build" in part
    }


@pytest.mark.parametrize(("service", "program"), PROGRAMS)
def test_a_program_is_built_and_started_as_what_it_is(service: str, program: str) -> None:
    part = PARTS[f"{service}-{program}"]
    assert part["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile", "args": {"SERVICE": service}}
    assert part["command"] == [program]
    assert part["restart"] == "unless-stopped"


@pytest.mark.parametrize(("service", "program"), PROGRAMS)
def test_a_program_takes_its_settings_from_what_compose_sets(
    service: str, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = environment_of(f"{service}-{program}")
    unread = {name for name in environment if name.startswith("JIEDUI_")} - names_read_by(settings_of(service))
    assert not unread
    for name in [name for name in os.environ if name.startswith("JIEDUI_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings: Any = settings_of(service)()
    assert (settings.env, settings.host) == ("production", "0.0.0.0")
    assert settings.kafka_bootstrap == PARTS["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split("//")[1]
    assert settings.mongodb_uri == "mongodb://mongodb:27017/?replicaSet=rs0"
    assert (settings.oidc_issuer, settings.oidc_audience) == (ISSUER, "jiedui")


@pytest.mark.parametrize("service", topics.SERVICES)
def test_a_variable_that_is_not_ours_changes_no_setting(service: str) -> None:
    """`PORT` is set on many machines."""
    assert all(name.startswith("JIEDUI_") for name in names_read_by(settings_of(service)))


@pytest.mark.parametrize(("service", "program"), PROGRAMS)
def test_a_program_is_looked_at_where_it_listens(service: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part = PARTS[f"{service}-{program}"]
    for name, value in environment_of(f"{service}-{program}").items():
        monkeypatch.setenv(name, value)
    settings: Any = settings_of(service)()
    port = settings.port if program == "api" else settings.worker_port
    number = topics.SERVICES.index(service) + 1
    assert port == (8000 if program == "api" else 8100) + number
    assert part["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}/readyz"
    assert part.get("ports") == ([f"127.0.0.1:{port}:{port}"] if program == "api" else None)


@pytest.mark.parametrize(("service", "program"), PROGRAMS)
def test_a_program_starts_after_what_it_cannot_do_without(service: str, program: str) -> None:
    healthy = {"condition": "service_healthy"}
    worker = {"kafka": healthy, "topics": {"condition": "service_completed_successfully"}}
    assert PARTS[f"{service}-{program}"]["depends_on"] == {"mongodb": healthy} | (worker if program == "worker" else {})


def test_the_issuer_must_be_given() -> None:
    assert "${JIEDUI_OIDC_ISSUER:?" in PARTS["pairing-api"]["environment"]["JIEDUI_OIDC_ISSUER"]


def test_traces_go_to_jaeger() -> None:
    endpoints = {environment_of(f"{s}-{p}")["OTEL_EXPORTER_OTLP_ENDPOINT"] for s, p in PROGRAMS}
    assert endpoints == {"http://jaeger:4318"}


def test_the_topics_are_those_of_the_code() -> None:
    sizes = yaml.safe_load(kafka.TOPICS.read_text("utf-8"))["local"]
    environment = PARTS["topics"]["environment"]
    lines = [line.split() for line in environment["TOPICS"].splitlines()]
    assert lines == [[topic.name, topic.cleanup_policy, str(topic.max_message_bytes)] for topic in topics.ALL]
    assert {topic.retention_ms for topic in topics.ALL} == {-1}
    assert "--config retention.ms=-1" in PARTS["topics"]["command"][0]
    assert environment["PARTITIONS"] == sizes["partitions"]
    assert environment["REPLICATION"] == sizes["replication"]


def test_kafka_takes_what_the_largest_topic_takes() -> None:
    environment = PARTS["kafka"]["environment"]
    largest = max(topic.max_message_bytes for topic in topics.ALL)
    assert environment["KAFKA_MESSAGE_MAX_BYTES"] > largest
    assert environment["KAFKA_REPLICA_FETCH_MAX_BYTES"] > largest


def test_kafka_runs_in_kraft_mode_and_makes_no_topic_by_itself() -> None:
    environment = PARTS["kafka"]["environment"]
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert len(base64.urlsafe_b64decode(environment["CLUSTER_ID"] + "==")) == 16
    assert f"{environment['KAFKA_NODE_ID']}@kafka:9093" == environment["KAFKA_CONTROLLER_QUORUM_VOTERS"]


def test_kafka_is_of_the_version_that_the_tests_run_on() -> None:
    pom = (ROOT / "deploy/embedded/pom.xml").read_text("utf-8")
    version = PARTS["kafka"]["image"].split(":")[1]
    assert version in re.findall(r">([0-9.]+)<", pom)
    assert PARTS["topics"]["image"] == PARTS["kafka"]["image"]


def test_mongodb_becomes_a_replica_set() -> None:
    part = PARTS["mongodb"]
    assert part["image"].startswith("mongo:8.0.")
    assert part["command"][:2] == ["--replSet", "rs0"]
    assert "rs.initiate" in part["healthcheck"]["test"][-1]


def test_each_image_is_pinned_to_a_whole_version() -> None:
    of_others = {name: part["image"] for name, part in PARTS.items() if "build" not in part}
    assert of_others
    assert all(re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+", image) for image in of_others.values()), of_others


def test_each_part_that_stays_has_a_health_check_and_comes_back() -> None:
    for name, part in PARTS.items():
        if name != "topics":
            assert part["healthcheck"]["test"][0] == "CMD", name
            assert part["restart"] == "unless-stopped", name


def test_only_what_people_open_is_published_and_on_this_machine_alone() -> None:
    published = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert published.keys() == {f"{service}-api" for service in topics.SERVICES} | {"jaeger"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_what_must_outlive_a_container_is_on_a_named_volume() -> None:
    mounted = {volume.split(":")[0] for part in PARTS.values() for volume in part.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])
    assert PARTS["kafka"]["environment"]["KAFKA_LOG_DIRS"] in PARTS["kafka"]["volumes"][0]
