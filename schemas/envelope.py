"""The CloudEvents 1.0 envelope (https://github.com/cloudevents/spec) and the register of event types.

An event class is a frozen dataclass of plain JSON values, named in the past tense. `@event` gives
it its `type`, topic and subject. An envelope is written once, by the service that decided, and is
never changed on the way.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, dataclass_transform

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
MAX_RECORD_BYTES = 1024 * 1024
ATTRIBUTES = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "recordedtime",
    "datacontenttype",
    "dataschema",
    "sequence",
    "actor",
    "correlationid",
    "causationid",
    "traceparent",
)


class Unreadable(ValueError):
    """A record that no reader of this version can take in; the message says why."""


class Event:
    """Base of all event classes; see `event`."""

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]
    VERSION: ClassVar[int]
    SUBJECT: ClassVar[str]
    NAMES: ClassVar[tuple[str, ...]]
    # JSON Schema keywords for what no single field's type can say.
    RULES: ClassVar[Mapping[str, Any]] = {}

    @property
    def subject(self) -> str:
        """Kafka key and CloudEvents `subject`: the id of what the event speaks of."""
        return str(getattr(self, self.SUBJECT))

    def data(self) -> dict[str, Any]:
        """The CloudEvents `data`; what is not there is left out, never null."""
        return {name: value for name in self.NAMES if (value := getattr(self, name)) is not None}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From `data` that fits the class's JSON Schema. Unknown fields are ignored.

        Raises:
            Unreadable: a required field is missing.
        """
        try:
            return cls(**{name: data[name] for name in cls.NAMES if name in data})
        except TypeError as error:
            raise Unreadable(f"{cls.TYPE}: {error}") from error


EVENTS: dict[str, type[Event]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(type_: str, *, topic: str, subject: str, version: int = 1) -> Callable[[type], Any]:
    """Makes a class an event: `type_` in full, its topic, and the field that is its subject."""

    def register(cls: type) -> type:
        made: type[Event] = dataclass(frozen=True, kw_only=True)(cls)
        made.TYPE, made.TOPIC, made.SUBJECT, made.VERSION = type_, topic, subject, version
        made.NAMES = tuple(f.name for f in fields(made))  # type: ignore[arg-type]
        if type_ in EVENTS:
            raise ValueError(f"{type_} is registered twice")
        EVENTS[type_] = made
        return made

    return register


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One event as it stands on its topic. Instants are RFC 3339 in UTC."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    recordedtime: str
    dataschema: str
    sequence: int
    actor: str
    correlationid: str
    causationid: str
    traceparent: str | None
    data: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Structured-mode JSON, attributes in the order of the specification."""
        attributes: dict[str, Any] = {
            "specversion": SPEC_VERSION,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
            "recordedtime": self.recordedtime,
            "datacontenttype": "application/json",
            "dataschema": self.dataschema,
            "sequence": f"{self.sequence:010d}",
            "actor": self.actor,
            "correlationid": self.correlationid,
            "causationid": self.causationid,
        }
        if self.traceparent:
            attributes["traceparent"] = self.traceparent
        return attributes | {"data": dict(self.data)}

    @classmethod
    def of(cls, raw: object) -> Self:
        """Reads a parsed JSON value; unknown attributes are ignored.

        Raises:
            Unreadable: it is not a sound envelope of a version we know.
        """
        if not isinstance(raw, Mapping):
            raise Unreadable("the record is not a JSON object")
        if raw.get("specversion") != SPEC_VERSION:
            raise Unreadable(f"specversion is {raw.get('specversion')!r}, not {SPEC_VERSION!r}")
        texts: dict[str, str] = {}
        for name in _TEXTS:
            value = raw.get(name)
            if not isinstance(value, str) or not value:
                raise Unreadable(f"attribute {name} is missing or not a text")
            texts[name] = value
        for name in ("time", "recordedtime"):
            if not _is_instant(texts[name]):
                raise Unreadable(f"attribute {name} is not an instant by RFC 3339")
        sequence = raw.get("sequence")
        if not isinstance(sequence, str) or not _SEQUENCE.fullmatch(sequence) or int(sequence) < 1:
            raise Unreadable("attribute sequence is not ten digits that count from 1")
        data = raw.get("data")
        if not isinstance(data, Mapping):
            raise Unreadable("data is missing or not an object")
        traceparent = raw.get("traceparent")
        return cls(
            **texts,
            sequence=int(sequence),
            traceparent=traceparent if isinstance(traceparent, str) else None,
            data=data,
        )


def _is_instant(text: str) -> bool:
    try:
        # The year 1 of an offset ahead of UTC has no UTC instant.
        return bool(_RFC_3339.fullmatch(text)) and datetime.fromisoformat(text).astimezone(UTC) is not None
    except (ValueError, OverflowError):
        return False


_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")
_SEQUENCE = re.compile("[0-9]{10}")
_TEXTS = (
    "id",
    "source",
    "type",
    "subject",
    "time",
    "recordedtime",
    "dataschema",
    "actor",
    "correlationid",
    "causationid",
)


def source_of(service: str) -> str:
    """The CloudEvents `source` of a service."""
    return f"/jiedui/{service}"


def dataschema_of(cls: type[Event]) -> str:
    """Where the JSON Schema of an event class is found, and its major version."""
    return f"/schemas/json/{cls.TYPE}.json#v{cls.VERSION}"
