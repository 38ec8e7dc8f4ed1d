"""What is generated is current, and valid by the judgement of others."""

import subprocess
import sys
from pathlib import Path

import yaml

import schemas
from schemas import topics
from schemas.catalogue import EVENTS
from schemas.check import asyncapi_faults, stale
from schemas.generate import HERE


def test_the_committed_files_are_what_the_classes_say() -> None:
    assert stale() == []


def test_each_event_module_is_in_the_catalogue() -> None:
    publishing = {path.stem for path in HERE.glob("*.py") if "@event(" in path.read_text("utf-8")} - {"envelope"}
    assert {f"schemas.{name}" for name in publishing} == {cls.__module__ for cls in EVENTS.values()}


def test_each_event_goes_to_a_topic_that_is_created_and_has_one_publisher() -> None:
    created = {topic.name for topic in topics.ALL}
    assert topics.WRITERS.keys() == topics.READERS.keys() == created
    assert {cls.TOPIC for cls in EVENTS.values()} == set(topics.DOMAIN)
    assert all(len(topics.WRITERS[topic]) == 1 for topic in topics.DOMAIN)


def test_the_asyncapi_document_has_a_message_for_each_type_and_is_valid() -> None:
    path = HERE / "asyncapi.yaml"
    messages = yaml.safe_load(path.read_text("utf-8"))["components"]["messages"]
    assert messages.keys() == EVENTS.keys() | {"heartbeat", "deadLetter"}
    assert asyncapi_faults(path) == []


def test_a_wrong_asyncapi_document_is_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    text = (HERE / "asyncapi.yaml").read_text("utf-8")
    wrong.write_text(text.replace("$ref: '#/channels/jiedui.funding.v1'", "$ref: '#/channels/gone'"), "utf-8")
    assert asyncapi_faults(wrong)


def test_the_event_classes_need_nothing_but_the_standard_library() -> None:
    """So that any reader of the topics can use them."""
    root = str(Path(schemas.__file__).parents[1])
    code = "import schemas.catalogue, schemas.money; from schemas.jsonschema import load; load('jiedui.fund.spent')"
    subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({root!r}); {code}"], check=True)
