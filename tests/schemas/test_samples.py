"""The samples are what was really published once; today's code must read every one of them, for ever."""

import hashlib
import json
from pathlib import Path

import jsonschema_rs
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat

from schemas import jsonschema, topics
from schemas.catalogue import EVENTS
from schemas.envelope import CONTENT_TYPE, Envelope, dataschema_of, source_of

SAMPLES = Path(jsonschema.__file__).parent / "samples"
FILES = sorted(SAMPLES.glob("*.json"))
every_sample = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_each_event_type_has_a_sample_of_its_current_version() -> None:
    missing = [type_ for type_, cls in EVENTS.items() if SAMPLES / f"{type_}.v{cls.VERSION}.json" not in FILES]
    assert not missing, "add a sample of what is published now; older ones stay"


def test_no_sample_was_edited_after_it_was_added() -> None:
    kept = dict(reversed(line.split()) for line in (SAMPLES / "SHA256SUMS").read_text().splitlines())
    assert kept == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FILES}


@every_sample
def test_a_sample_is_read_into_its_event_and_back(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    envelope = Envelope.of(raw)
    cls = EVENTS[envelope.type]
    event = cls.of(envelope.data)
    assert envelope.to_dict() == raw
    assert event.data() == raw["data"]
    assert event.subject == envelope.subject
    assert envelope.dataschema == dataschema_of(cls)
    assert envelope.source == source_of(*topics.WRITERS[cls.TOPIC])


@every_sample
def test_a_sample_fits_its_schema_as_committed(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(jsonschema.load(raw["type"]), validate_formats=True)
    assert [error.message for error in validator.iter_errors(raw["data"])] == []


@every_sample
def test_a_sample_is_a_cloudevent_to_the_cloudevents_library(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    message = KafkaMessage(headers={"content-type": CONTENT_TYPE.encode()}, key=raw["subject"], value=path.read_bytes())
    read = from_structured(message, JSONFormat())
    assert (read.get_id(), read.get_type(), read.get_source()) == (raw["id"], raw["type"], raw["source"])
    assert read.get_subject() == read.get_extension("partitionkey") == raw["subject"]
    assert read.get_extension("sequence") == raw["sequence"]
    assert read.get_data() == raw["data"]
