"""The read models, kept behind the archive by one worker.

It reads the archive by position and writes the read models together with the position that they
have reached, so each event counts in them exactly once, whatever dies in between.
"""

import logging
from typing import Any

from services.kit.decision import Decision
from services.kit.service import Context
from services.notify import domain
from services.notify.domain import Positions, Projection
from services.notify.domain.rebuild import Rebuild, emptied, folded_until
from services.notify.store import Tx

log = logging.getLogger(__name__)

BATCH = 500


async def project(context: Context) -> None:
    """Keeps the read models up to date, in the one worker that leads."""
    async with context.leader("projection") as lease:

        async def work(tx: Tx) -> Decision[Any]:
            decision = await step(tx)
            if decision.saves or decision.deletes:
                # A leader that slept through its lease must not write into what another empties.
                await tx.hold(lease)
            return decision

        async for _ in context.changes(Positions):
            while await context.transact(work, "projection"):
                pass
            if lease.lost:
                return


async def step(tx: Tx) -> Decision[Any]:
    """The next events folded, or, of a rebuild, the next states thrown away; nothing where nothing is to be done."""
    rebuild = await tx.rebuild()
    if rebuild.status == "emptying":
        if states := await tx.some_read_models(BATCH):
            return Decision(rebuild, deletes=states)
        begun = emptied(rebuild)
        return Decision(begun, saves=(begun,))
    return await _fold_next(tx, rebuild)


async def _fold_next(tx: Tx, rebuild: Rebuild) -> Decision[Any]:
    projection = await tx.projection()
    events = await tx.events_after(projection.position, {}, BATCH)
    reached = Projection(position=events[-1].position, time=events[-1].archived_at) if events else projection
    after = folded_until(rebuild, reached.position)
    saves: list[Any] = [after] if after != rebuild else []
    if events:
        changed, passed_over = domain.fold(events, await tx.states(domain.keys(events)))
        for event in passed_over:
            log.error("an event is not in the read models", extra={"event_id": event.id, "error": event.error})
        saves += [reached, *changed.values(), *passed_over]
    return Decision(reached if saves else None, saves=saves)
