"""Idempotency-Key: the same command sent again gets the first answer again.

The key is inserted first in the command's own transaction, its answer last. Who comes second waits
(MongoDB lets only one of two inserts of one key through) and finds the kept answer; a refused
command leaves no key, so that it can be tried again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.kit import mongo
from services.kit.decision import Invalid
from services.kit.transact import Tx

KEPT = timedelta(days=30)
INDEXES = {"idempotency": [IndexModel([("at", ASCENDING)], expireAfterSeconds=int(KEPT.total_seconds()))]}
LONGEST_KEY = 255


@dataclass(frozen=True)
class Reply:
    """A finished answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class DoneAlready(Exception):
    """The key is taken; it leaves the transaction, and the kept answer is read outside."""


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
        kept = await database.idempotency.find_one({"_id": self.id})
        if kept is None:
            return None
        if kept["fingerprint"] != self.fingerprint:
            raise KeyReused({"Idempotency-Key": f"was used for another body at {kept['at'].isoformat()}"})
        return Reply(kept["status"], kept["body"], kept["headers"])

    async def claim(self, tx: Tx) -> None:
        """
        Raises:
            DoneAlready: the command was done.
        """
        row = {"_id": self.id, "fingerprint": self.fingerprint, "at": tx.now}
        try:
            await tx.database.idempotency.insert_one(row, session=tx.session)
        except Exception as error:
            if mongo.is_duplicate(error):
                raise DoneAlready from error
            raise

    async def keep(self, tx: Tx, reply: Reply) -> None:
        kept: dict[str, Any] = {"status": reply.status, "body": reply.body, "headers": dict(reply.headers)}
        await tx.database.idempotency.update_one({"_id": self.id}, {"$set": kept}, session=tx.session)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
