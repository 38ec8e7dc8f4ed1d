"""All databases as of one moment: with what is written meanwhile, every check would find what is merely on its way."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession

Document = dict[str, Any]
# Each step of a saga shows within 30 s, even after a fault.
SETTLED_AFTER = timedelta(seconds=30)
_AT_ONCE = 1000


@dataclass(frozen=True)
class Cut:
    """Reads of one snapshot. What happened after `settled_by` may still be on its way."""

    client: MongoClient[Document]
    session: ClientSession
    settled_by: datetime

    def find(self, service: str, collection: str, filter: Mapping[str, Any], *fields: str) -> Iterator[Document]:
        """The documents' `fields`, sorted by the first of them, or their ids alone."""
        documents = self.client[f"jiedui_{service}"][collection]
        return documents.find(filter, list(fields) or ["_id"], session=self.session).sort((*fields, "_id")[0])

    def missing(self, service: str, collection: str, ids: Iterable[Any]) -> Iterator[Any]:
        """Those of `ids` that are not there."""
        wanted = list(ids)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            there = {document["_id"] for document in self.find(service, collection, {"_id": {"$in": some}})}
            yield from (id for id in some if id not in there)


@contextmanager
def cut(uri: str, now: datetime) -> Iterator[Cut]:
    client: MongoClient[Document]
    with (
        MongoClient(uri, tz_aware=True, serverSelectionTimeoutMS=5000) as client,
        client.start_session(snapshot=True) as session,
    ):
        yield Cut(client, session, now - SETTLED_AFTER)
