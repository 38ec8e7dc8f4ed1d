"""The archive: every event once, numbered in the order in which it was kept.

`position` counts 1, 2, 3 … without gaps. A batch reads `Positions` and writes it back in the same
transaction as its events, so two batches cannot take the same numbers, and whoever sees a position
can see all before it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.catalogue import EVENTS
from schemas.envelope import Event
from services.kit.decision import Decision
from services.notify.domain.visibility import audience

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Positions:
    """The newest position given out so far; there is one such document."""

    id: str = "positions"
    newest: int = 0
    archived_at: datetime | None = None
    """When the newest was archived; None before the first."""


@dataclass(frozen=True, kw_only=True)
class ArchivedEvent:
    """An event as it came, and beside it what it is filtered and guarded by."""

    id: str
    position: int
    envelope: dict[str, Any]
    type: str
    subject: str
    correlationid: str
    category: str | None
    county_code: str | None
    partner_id: str | None
    project_id: str | None
    pairing_id: str | None
    commitment_id: str | None
    audience: tuple[str, ...]
    """Who but the programme's staff may see it; see `visibility`."""
    time: datetime
    """When it happened."""
    recorded_at: datetime
    archived_at: datetime
    trace_id: str | None

    @property
    def number(self) -> int:
        """Its `sequence` within its source and subject."""
        return int(self.envelope["sequence"])

    @property
    def data(self) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self.envelope["data"]
        return data

    def read(self) -> Event | None:
        """As an event class; None where this version does not know the type."""
        kind = EVENTS.get(self.type)
        return kind.of(self.data) if kind else None


def archive(
    envelope: Mapping[str, Any], positions: Positions, *, time: datetime, recorded_at: datetime, now: datetime
) -> Decision[ArchivedEvent]:
    """Gives an event the next position. `envelope` is the JSON that came; `time` and `recorded_at` are read from it."""
    positions = Positions(newest=positions.newest + 1, archived_at=now)
    data = envelope["data"]
    event = ArchivedEvent(
        id=envelope["id"],
        position=positions.newest,
        envelope=dict(envelope),
        type=envelope["type"],
        subject=envelope["subject"],
        correlationid=envelope["correlationid"],
        category=_text(data, "category"),
        county_code=_text(data, "county_code"),
        partner_id=_text(data, "partner_id"),
        project_id=_text(data, "project_id"),
        pairing_id=_text(data, "pairing_id"),
        commitment_id=_text(data, "commitment_id"),
        audience=audience(envelope["type"], data),
        time=time,
        recorded_at=recorded_at,
        archived_at=now,
        trace_id=_trace_id(envelope.get("traceparent")),
    )
    return Decision(event, saves=(positions, event))


def _text(data: Mapping[str, Any], name: str) -> str | None:
    # The data of an unknown type has no schema: anything may stand there.
    value = data.get(name)
    return value if isinstance(value, str) else None


def _trace_id(traceparent: object) -> str | None:
    found = _TRACEPARENT.match(traceparent) if isinstance(traceparent, str) else None
    return found.group(1) if found else None
