"""Each subject's events are numbered 1, 2, 3 … in the archive, as far as its state has counted."""

from collections.abc import Iterator
from itertools import pairwise

from deploy.verify.cut import Cut
from schemas.topics import SERVICES, WRITERS

_WRITE_EVENTS = tuple(service for service in SERVICES if any(service in by for by in WRITERS.values()))


def numbers_have_no_gaps(cut: Cut) -> Iterator[str]:
    """A number may be missing where it was dead-lettered or noted as skipped, and nowhere else."""
    excused = _excused(cut)
    for stream in cut.aggregate("notify", "events", [_BY_STREAM, {"$match": {"$expr": {"$ne": ["$count", "$last"]}}}]):
        id = f"{stream['_id']['source']} {stream['_id']['subject']}"
        numbers = sorted(_numbers(cut, stream["_id"]["source"], stream["_id"]["subject"]))
        for before, number in pairwise([0, *numbers]):
            if number == before:
                yield f"archive: number {number} of {id} is there twice"
            for missing in range(before + 1, number):
                if (id, missing) not in excused:
                    yield f"archive: number {missing} of {id} is not there"


def states_have_their_events(cut: Cut) -> Iterator[str]:
    """What a state has counted is archived, or still in the outbox or on its way."""
    last = {
        (stream["_id"]["source"], stream["_id"]["subject"]): stream["last"]
        for stream in cut.aggregate("notify", "events", [_BY_STREAM])
    }
    for service in _WRITE_EVENTS:
        on_their_way = {row["key"].decode() for row in cut.find(service, "outbox", cut.unsettled_rows, "key")}
        for collection in cut.collections(service):
            for state in cut.find(service, collection, {"sequence": {"$gt": 0}}, "_id", "sequence"):
                id, counted = str(state["_id"]), state["sequence"]
                if counted > last.get((f"/jiedui/{service}", id), 0) and id not in on_their_way:
                    yield f"{service}: event {counted} of {id} ({collection}) is neither in the outbox nor archived"


_BY_STREAM = {
    "$group": {
        "_id": {"source": "$envelope.source", "subject": "$subject"},
        "count": {"$sum": 1},
        "last": {"$max": {"$toInt": "$envelope.sequence"}},
    }
}


def _numbers(cut: Cut, source: str, subject: str) -> Iterator[int]:
    for event in cut.find("notify", "events", {"subject": subject, "envelope.source": source}, "envelope.sequence"):
        yield int(event["envelope"]["sequence"])


def _excused(cut: Cut) -> set[tuple[str, int]]:
    skipped = {
        (row["stream"], number)
        for row in cut.find("notify", "skipped", {}, "stream", "first", "last")
        for number in range(row["first"], row["last"] + 1)
    }
    return skipped | set(cut.dead_lettered("notify"))
