"""Commitments whose last day has passed."""

from services.kit.decision import Decision
from services.kit.service import Context
from services.pairing import domain
from services.pairing.domain import Commitment
from services.pairing.store import Tx

_AT_ONCE = 100


async def expire_commitments(ctx: Context) -> None:
    """Lets them expire, within about a second of midnight in Shanghai. Never ends."""
    async with ctx.leader("expiry") as lease:
        async for _ in ctx.changes(Commitment):
            if lease.lost:
                return
            for commitment in await ctx.reading().overdue_commitments(_AT_ONCE):
                await ctx.transact(lambda tx, id=commitment.id: _expire(tx, id), "expiry")  # type: ignore[misc]


async def _expire(tx: Tx, id: str) -> Decision[Commitment]:
    commitment = await tx.need(Commitment, id)
    if commitment.terms.valid_until >= tx.today:
        return Decision(commitment)
    return domain.expire_commitment(commitment, await tx.proposals_of(id))
