"""All databases as of one moment: with what is written meanwhile, every check would find what is merely on its way."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession

from services.kit import idempotency, inbox, outbox

Document = dict[str, Any]
# Each step of a saga shows within 30 s, even after a fault.
SETTLED_AFTER = timedelta(seconds=30)
_AT_ONCE = 1000
_BOOKS = outbox.INDEXES.keys() | inbox.INDEXES.keys() | idempotency.INDEXES.keys()


@dataclass(frozen=True)
class Published:
    """An event on a topic: its first place, and whether it has been there long enough to be everywhere."""

    place: str
    settled: bool


@dataclass(frozen=True)
class Cut:
    """Reads of one snapshot. What happened after `settled_by` may still be on its way."""

    client: MongoClient[Document]
    session: ClientSession
    settled_by: datetime
    published: Mapping[str, Published] = field(default_factory=dict)
    """What is on the topics, by id."""

    @property
    def unsettled_rows(self) -> Document:
        """Rows of an outbox whose events may still be on their way."""
        return {"$or": [{"sent": False}, {"sent_at": {"$gte": self.settled_by}}]}

    def find(self, service: str, collection: str, filter: Mapping[str, Any], *fields: str) -> Iterator[Document]:
        """The documents' `fields`, sorted by the first of them, or their ids alone."""
        documents = self.client[f"jiedui_{service}"][collection]
        return documents.find(filter, list(fields) or ["_id"], session=self.session).sort((*fields, "_id")[0])

    def aggregate(self, service: str, collection: str, stages: Sequence[Mapping[str, Any]]) -> Iterator[Document]:
        documents = self.client[f"jiedui_{service}"][collection]
        return iter(documents.aggregate(stages, session=self.session, allowDiskUse=True))

    def collections(self, service: str) -> list[str]:
        """Of the service's own states."""
        return sorted(set(self.client[f"jiedui_{service}"].list_collection_names()) - _BOOKS)

    def dead_lettered(self, service: str) -> Iterator[tuple[str, int]]:
        """Stream and number of each event that this service could not take in, as far as they can be read."""
        for letter in self.find("notify", "dead_letters", {"service": service}, "value"):
            with suppress(ValueError, TypeError, KeyError):
                envelope = json.loads(letter["value"])
                yield f"{envelope['source']} {envelope['subject']}", int(envelope["sequence"])

    def missing(self, service: str, collection: str, ids: Iterable[Any]) -> Iterator[Any]:
        """Those of `ids` that are not there."""
        wanted = list(ids)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            there = {document["_id"] for document in self.find(service, collection, {"_id": {"$in": some}})}
            yield from (id for id in some if id not in there)


@contextmanager
def cut(uri: str, now: datetime, read_topics: Callable[[], Mapping[str, Published]]) -> Iterator[Cut]:
    client: MongoClient[Document]
    with (
        MongoClient(uri, tz_aware=True, serverSelectionTimeoutMS=5000) as client,
        client.start_session(snapshot=True) as session,
    ):
        # The snapshot is taken by the first read; what it says was sent is on the topics by then.
        client.jiedui_notify.positions.find_one({}, session=session)
        yield Cut(client, session, now - SETTLED_AFTER, read_topics())
