"""Each service has taken in, once, what is on the topics that it reads."""

from collections.abc import Iterator

from deploy.verify.cut import Cut
from schemas.catalogue import EVENTS
from schemas.topics import READERS, SERVICES


def archived_events_are_taken_in(cut: Cut) -> Iterator[str]:
    """A dead letter is known by its id too, with a word before it."""
    for service in SERVICES:
        types = [type_ for type_, event in EVENTS.items() if service in READERS[event.TOPIC]]
        archived = {"type": {"$in": types}, "archived_at": {"$lt": cut.settled_by}}
        ids = [event["_id"] for event in cut.find("notify", "events", archived)]
        dead = [f"dead {id}" for id in cut.missing(service, "inbox", ids)]
        for id in cut.missing(service, "inbox", dead):
            yield f"{service}: event {id.removeprefix('dead ')} was not taken in"
