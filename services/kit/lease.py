"""One leader among the workers of a service, with a fencing number.

The lease is a document in the service's own database and runs on the database's clock, so that no
clock of a worker matters. Whoever begins to lead raises `fence`; whatever the leader writes under its
lease first touches that document in the same transaction (`guard`), so a leader that slept
through its lease can no longer write. It cannot be stopped from sending to Kafka; readers absorb
that by event id.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.kit import mongo

LEASE_S = 6
_RENEW_S = 2
_UNTIL = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LEASE_S}}


class LeaseLost(Exception):
    """Another worker leads now."""


@dataclass
class Lease:
    """`fence` grows by one with each new leader."""

    name: str
    holder: str
    fence: int
    database: mongo.Database
    lost: bool = False

    async def guard(self, session: mongo.Session) -> None:
        """Ties a transaction to this lease.

        Raises:
            LeaseLost: another holds it.
        """
        mine = {"_id": self.name, "holder": self.holder, "fence": self.fence}
        touched = await self.database.leases.update_one(mine, {"$inc": {"used": 1}}, session=session)
        if not touched.matched_count:
            self.lost = True
            raise LeaseLost(self.name)

    async def renew(self) -> None:
        """For some seconds more, unless it has run out and another leads."""
        mine = {"_id": self.name, "holder": self.holder, "fence": self.fence}
        found = await self.database.leases.update_one(mine, [{"$set": {"until": _UNTIL}}])
        self.lost = found.matched_count == 0


async def _take(database: mongo.Database, name: str, holder: str) -> int | None:
    """The fence under which `holder` begins to lead, or None while another does."""
    # Its own lease is free to a worker that was killed and started again.
    free = {"$or": [{"$eq": ["$holder", holder]}, {"$lt": [{"$ifNull": ["$until", 0]}, "$$NOW"]}]}
    taken = {
        "holder": {"$cond": [free, holder, "$holder"]},
        "until": {"$cond": [free, _UNTIL, "$until"]},
        "fence": {"$cond": [free, {"$add": [{"$ifNull": ["$fence", 0]}, 1]}, "$fence"]},
    }
    try:
        found = await database.leases.find_one_and_update(
            {"_id": name}, [{"$set": taken}], upsert=True, return_document=ReturnDocument.AFTER
        )
    except DuplicateKeyError:
        return None
    return int(found["fence"]) if found["holder"] == holder else None


@asynccontextmanager
async def leading(database: mongo.Database, name: str, holder: str) -> AsyncIterator[Lease]:
    """Waits until this worker leads `name`, renews meanwhile, gives it back at the end."""
    fence = await _wait_for(database, name, holder)
    lease = Lease(name, holder, fence, database)
    renewing = asyncio.create_task(_keep(lease))
    try:
        yield lease
    finally:
        renewing.cancel()
        with suppress(PyMongoError):
            await database.leases.update_one(
                {"_id": name, "holder": holder, "fence": fence}, [{"$set": {"until": "$$NOW"}}]
            )


async def _wait_for(database: mongo.Database, name: str, holder: str) -> int:
    while True:
        fence = await _take(database, name, holder)
        if fence is not None:
            return fence
        await asyncio.sleep(_RENEW_S / 4)


async def _keep(lease: Lease) -> None:
    while not lease.lost:
        await asyncio.sleep(_RENEW_S)
        # An error leaves the lease to run out; `guard` is what decides.
        with suppress(PyMongoError):
            await lease.renew()
