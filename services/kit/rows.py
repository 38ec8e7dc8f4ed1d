"""What an event looks like in the outbox: ready bytes, so that the relay sends what was decided, unchanged."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from schemas.envelope import CONTENT_TYPE, Envelope, Event, dataschema_of, source_of
from services.kit.clock import rfc3339
from services.kit.decision import Record
from services.kit.ids import new_id


@dataclass(frozen=True)
class Cause:
    """Why a unit of work runs: a command or an event, and the chain that it belongs to."""

    service: str
    actor: str
    correlationid: str
    causationid: str
    traceparent: str | None = None

    @property
    def chain(self) -> dict[str, str | None]:
        """What a state keeps of it, for what a later unit does because of the same command."""
        return {
            "correlationid": self.correlationid,
            "causationid": self.causationid,
            "traceparent": self.traceparent,
        }


def event_row(event: Event, sequence: int, cause: Cause, now: datetime) -> dict[str, Any]:
    """The outbox row of an event. `time` is when it happened, `recordedtime` when we learnt it."""
    id = new_id()
    envelope = Envelope(
        id=id,
        source=source_of(cause.service),
        type=event.TYPE,
        subject=event.subject,
        time=getattr(event, "occurred_at", None) or rfc3339(now),
        recordedtime=rfc3339(now),
        dataschema=dataschema_of(type(event)),
        sequence=sequence,
        actor=cause.actor,
        correlationid=cause.correlationid,
        causationid=cause.causationid,
        traceparent=cause.traceparent,
        data=event.data(),
    )
    headers = {"content-type": CONTENT_TYPE.encode()}
    if cause.traceparent:
        headers["traceparent"] = cause.traceparent.encode()
    return {
        "_id": id,
        "topic": event.TOPIC,
        "key": event.subject.encode(),
        "sequence": sequence,
        "value": orjson.dumps(envelope.to_dict()),
        "headers": headers,
        "at": now,
        "sent": False,
    }


def record_rows(records: Iterable[Record], now: datetime) -> list[dict[str, Any]]:
    """Outbox rows of records that go out as they are; they are not numbered."""
    return [
        {
            "_id": new_id(),
            "topic": record.topic,
            "key": record.key,
            "value": record.value,
            "headers": dict(record.headers),
            "at": now,
            "sent": False,
        }
        for record in records
    ]
