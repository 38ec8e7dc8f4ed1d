"""What a reader of the feed asks for, and the order of a story."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.notify.domain.archive import ArchivedEvent


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """All that is given must hold. `since` is included, `until` is not; both are about when things happened."""

    type: str | None = None
    category: str | None = None
    county_code: str | None = None
    partner_id: str | None = None
    project_id: str | None = None
    subject: str | None = None
    correlationid: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def columns(self) -> dict[str, str]:
        """The columns of an archived event that must have a certain value."""
        return {name: value for name in COLUMNS if (value := getattr(self, name)) is not None}

    def matches(self, event: ArchivedEvent) -> bool:
        return (
            all(getattr(event, name) == value for name, value in self.columns().items())
            and (self.since is None or event.time >= self.since)
            and (self.until is None or event.time < self.until)
        )


COLUMNS = ("type", "category", "county_code", "partner_id", "project_id", "subject", "correlationid")


def in_causal_order(events: Iterable[ArchivedEvent]) -> list[ArchivedEvent]:
    """Each event after what caused it, otherwise by when it happened.

    In the archive an effect may stand before its cause, since order holds within one subject only.
    """
    there = {event.id: event for event in events}
    effects: dict[str, list[ArchivedEvent]] = {}
    ready: list[tuple[datetime, int, str]] = []
    for event in there.values():
        cause = event.envelope.get("causationid")
        if cause in there and cause != event.id:
            effects.setdefault(cause, []).append(event)
        else:
            ready.append((event.time, event.position, event.id))
    heapq.heapify(ready)
    story: list[ArchivedEvent] = []
    while ready:
        story.append(there.pop(heapq.heappop(ready)[2]))
        for event in effects.get(story[-1].id, ()):
            heapq.heappush(ready, (event.time, event.position, event.id))
    # Only events that name each other as their causes are left; none of ours do.
    return story + sorted(there.values(), key=lambda event: event.position)
