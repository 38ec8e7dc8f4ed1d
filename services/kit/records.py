"""Kafka records as a consumer sees them: sound events, or what is wrong with them.

A record is read once, tolerantly: unknown attributes and fields are ignored, unknown types let
through. What no reader could take in (broken JSON, a null value, a key that is not the subject, more
than 1 MiB, an unknown major version, an impossible value) is `Broken`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

import jsonschema_rs
import orjson

from schemas.catalogue import EVENTS
from schemas.envelope import MAX_RECORD_BYTES, Envelope, Event, Unreadable
from schemas.jsonschema import load
from services.kit.clock import instant

REPLAY_FOR = "jiedui-replay-for"
_MAJOR = re.compile(r"#v(\d+)$")
# The ids that every event carries as far as they exist for it; by them early events find what they waited for.
_IDS = ("partner_id", "commitment_id", "pairing_id", "project_id", "county_code", "round_id", "rule_id")

E = TypeVar("E", bound=Event, covariant=True)


@dataclass(frozen=True)
class RawRecord:
    """A record as it lies on its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    timestamp: int

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class ConsumerRecord(Protocol):
    """What aiokafka hands out."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any
    timestamp: int


def raw(record: ConsumerRecord) -> RawRecord:
    headers = {name: value or b"" for name, value in record.headers}
    return RawRecord(record.topic, record.partition, record.offset, record.key, record.value, headers, record.timestamp)


@dataclass(frozen=True)
class Received(Generic[E]):
    """A sound event with its record; `data` is None where the type is not known here."""

    envelope: Envelope
    data: E
    record: RawRecord
    time: datetime
    """When it happened."""
    recorded_at: datetime
    """When it was learnt."""
    json: Mapping[str, Any]
    """The envelope as it came, with attributes that are not known here."""

    @property
    def id(self) -> str:
        return self.envelope.id

    @property
    def actor(self) -> str:
        return self.envelope.actor

    @property
    def sequence(self) -> int:
        return self.envelope.sequence

    def mentions(self) -> set[str]:
        """All ids that it speaks of."""
        data = self.envelope.data
        return {self.envelope.subject, *(data[name] for name in _IDS if isinstance(data.get(name), str))}


@dataclass(frozen=True)
class Broken:
    """A record that goes to the dead letters, and as much of it as could be read."""

    record: RawRecord
    error: str
    message: str
    envelope: Envelope | None = None


def is_for(record: RawRecord, service: str) -> bool:
    """A record that is played again for one service is passed over by the others."""
    return record.headers.get(REPLAY_FOR) in (None, service.encode())


def is_replay(record: RawRecord) -> bool:
    return REPLAY_FOR in record.headers


def read(record: RawRecord) -> Received[Any] | Broken:
    """What a record says."""
    envelope: Envelope | None = None
    try:
        json = _json(record)
        envelope = Envelope.of(json)
        # The key decides the partition, and with it the order.
        if record.key != envelope.subject.encode():
            raise Unreadable("the key is not the subject")
        return received(envelope, _event(envelope), record, json)
    except Unreadable as error:
        return Broken(record, "unreadable", str(error), envelope)


def received(envelope: Envelope, data: Any, record: RawRecord, json: Mapping[str, Any]) -> Received[Any]:
    return Received(envelope, data, record, instant(envelope.time), instant(envelope.recordedtime), json)


def _json(record: RawRecord) -> Any:
    if record.value is None:
        raise Unreadable("the value is null")
    if len(record.value) > MAX_RECORD_BYTES:
        raise Unreadable(f"the record has {len(record.value)} bytes, {MAX_RECORD_BYTES} are taken")
    try:
        return orjson.loads(record.value)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error}") from error


def _event(envelope: Envelope) -> Event | None:
    kind = EVENTS.get(envelope.type)
    if kind is None:
        return None
    major = _MAJOR.search(envelope.dataschema)
    if major is None or int(major.group(1)) != kind.VERSION:
        raise Unreadable(f"dataschema {envelope.dataschema!r} is of no version that is known here")
    fault = next(_validator(envelope.type).iter_errors(envelope.data), None)
    if fault is not None:
        path = "/".join(str(step) for step in fault.instance_path)
        raise Unreadable(f"data/{path}: {fault.message}")
    event = kind.of(envelope.data)
    if event.subject != envelope.subject:
        raise Unreadable(f"data speaks of {event.subject!r}, not of the subject {envelope.subject!r}")
    return event


@cache
def _validator(type_: str) -> Any:
    return jsonschema_rs.validator_for(load(type_), validate_formats=True)
