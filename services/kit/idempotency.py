"""Idempotency-Key: the same command sent again gets the first answer again.

The key is written with its answer in the command's own transaction, before all else that it writes.
Who comes second is let through by no write (the key is unique), or is refused by a rule because the
first was done; both times it finds the kept answer. A refused command leaves no key, so that it can
be tried again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pymongo import ASCENDING, IndexModel, InsertOne

from services.kit import mongo
from services.kit.decision import Invalid
from services.kit.transact import Tx

KEPT = timedelta(days=30)
COLLECTION = "idempotency"
INDEXES = {COLLECTION: [IndexModel([("at", ASCENDING)], expireAfterSeconds=int(KEPT.total_seconds()))]}
LONGEST_KEY = 255


@dataclass(frozen=True)
class Reply:
    """A finished answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class KeyReused(Invalid):
    """The same key with another body."""


@dataclass(frozen=True)
class Key:
    """One subject's key on one route, and what was sent with it."""

    id: str
    fingerprint: str

    @classmethod
    def of(cls, sub: str, route: str, header: str, sent: bytes) -> "Key":
        """
        Raises:
            Invalid: the header is empty or too long.
        """
        key = header[1:-1] if len(header) >= 2 and header[0] == header[-1] == '"' else header
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Invalid({"Idempotency-Key": f"give 1 to {LONGEST_KEY} characters"})
        return cls(_hash(sub, route, key), hashlib.sha256(sent).hexdigest())

    async def find(self, database: mongo.Database) -> Reply | None:
        """The kept answer, if there is one.

        Raises:
            KeyReused: it was another command.
        """
        kept = await database[COLLECTION].find_one({"_id": self.id})
        if kept is None:
            return None
        if kept["fingerprint"] != self.fingerprint:
            raise KeyReused({"Idempotency-Key": f"was used for another body at {kept['at'].isoformat()}"})
        return Reply(kept["status"], kept["body"], kept["headers"])

    def keep(self, tx: Tx, reply: Reply) -> None:
        """The unit fails as a duplicate where the command was done already."""
        kept: mongo.Document = {"_id": self.id, "fingerprint": self.fingerprint, "at": tx.now}
        kept |= {"status": reply.status, "body": reply.body, "headers": dict(reply.headers)}
        tx.mark(COLLECTION, InsertOne(kept))

    @staticmethod
    def is_taken(error: BaseException) -> bool:
        """Whether a unit failed because its key is there already."""
        return mongo.is_duplicate(error, of=COLLECTION)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
