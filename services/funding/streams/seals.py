"""Seals what was booked, each minute, by one of the workers."""

import asyncio

from services.funding import domain
from services.funding.domain import Chain
from services.funding.store import Tx
from services.kit.decision import Decision
from services.kit.service import Context

SEAL_EVERY_S = 60.0
# As many as one unit of work can read and hash in a moment.
_ENTRIES_A_SEAL = 5000


async def seal_each_minute(context: Context) -> None:
    """Until another leads."""
    async with context.leader("seals") as lease:
        while not lease.lost:
            await seal_all(context)
            await asyncio.sleep(SEAL_EVERY_S)


async def seal_all(context: Context) -> None:
    """All that is booked by now."""
    while await context.transact(_seal_next, "ledger-sealer"):
        pass


async def _seal_next(tx: Tx) -> Decision[Chain | None]:
    chain = await tx.get(Chain, Chain().id) or Chain()
    since = await tx.entries_after(chain.until_no, _ENTRIES_A_SEAL)
    return domain.seal_entries(chain, since)
