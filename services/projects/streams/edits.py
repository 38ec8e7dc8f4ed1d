"""Edits that wait for another one: settled as soon as it is here, refused when it does not come."""

import logging
from collections.abc import Sequence

from services.kit import mongo
from services.kit.decision import Decision
from services.kit.ids import new_id
from services.kit.rows import Cause
from services.kit.service import Context
from services.kit.transact import Transactor
from services.projects import domain
from services.projects.domain import Edit
from services.projects.store import Tx

log = logging.getLogger(__name__)

_LOOKS_EVERY_S = 30
_AT_ONCE = 100


async def release(transactor: Transactor, edits: Sequence[Edit]) -> list[Edit]:
    """Settles what waited for these edits, and what waited for that; answers all of them."""
    released: list[Edit] = []
    settled = edits
    while over := [edit.id for edit in settled if edit.is_over]:
        tx: Tx = transactor.reading()  # type: ignore[assignment]
        settled = [await _settle(transactor, waiting) for waiting in await tx.waiting_for(over)]
        released += settled
    return released


async def release_edits(ctx: Context) -> None:
    """Settles edits whose wait is over and that were not released at once. Never ends.

    That happens where a program died in between, where two edits came at the same moment, and when
    the time is up.
    """
    async with ctx.leader("edits") as lease:
        async for _ in ctx.changes(Edit, every_s=_LOOKS_EVERY_S):
            if lease.lost:
                return
            await release_overdue(ctx)


async def release_overdue(ctx: Context) -> None:
    """One look at all of them."""
    while found := await ctx.reading().can_go_on(_AT_ONCE):
        for edit in found:
            await release(ctx.transactor, [await _settle(ctx.transactor, edit)])


async def _settle(transactor: Transactor, edit: Edit) -> Edit:
    """In a unit of its own, as an act of the one who made it. One on which we fail is refused, and stops no other."""
    id = new_id()
    cause = Cause(transactor.service, edit.who, id, id)

    async def work(tx: Tx) -> Decision[Edit]:
        known = await tx.need(Edit, edit.id)
        if known.is_over:
            return Decision(known)
        return domain.settle_edit(known, await tx.around(known), conflict_id=tx.new_id(), now=tx.now)

    async def refuse(tx: Tx) -> Decision[Edit]:
        failed = domain.became(await tx.need(Edit, edit.id), "refused", domain.FAILED, tx.now)
        return Decision(failed, (failed,))

    try:
        return await transactor.transact(work, cause, locks=(edit.project_id,))
    except Exception as error:
        if mongo.is_infrastructure(error):
            raise
        log.exception("an edit that waited failed", extra={"edit": edit.id})
        return await transactor.transact(refuse, cause)
