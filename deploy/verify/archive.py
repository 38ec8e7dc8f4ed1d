"""notify's archive has every event once, numbered without gaps."""

from collections.abc import Iterator

from deploy.verify.cut import Cut
from schemas.topics import DOMAIN, SERVICES


def positions_have_no_gaps(cut: Cut) -> Iterator[str]:
    expected = 1
    for event in cut.find("notify", "events", {}, "position"):
        if event["position"] > expected:
            yield f"archive: no event at position {_span(expected, event['position'] - 1)}"
        elif event["position"] < expected:
            yield f"archive: position {event['position']} is taken twice"
        expected = event["position"] + 1
    for counter in cut.find("notify", "positions", {}, "newest"):
        if counter["newest"] >= expected:
            yield f"archive: no event at position {_span(expected, counter['newest'])}"


def sent_events_are_archived(cut: Cut) -> Iterator[str]:
    # A replayed record has no number: it is an event that came before.
    sent = {
        "sent": True,
        "topic": {"$in": DOMAIN},
        "sequence": {"$exists": True},
        "sent_at": {"$lt": cut.settled_by},
    }
    for service in SERVICES:
        ids = (row["_id"] for row in cut.find(service, "outbox", sent))
        for id in cut.missing("notify", "events", ids):
            yield f"archive: event {id}, which {service} has sent, is not there"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
