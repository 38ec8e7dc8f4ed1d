"""The read models, kept behind the archive by one worker.

It reads the archive by position and writes the read models together with the position that they
have reached, so each event counts in them exactly once, whatever dies in between.
"""

import logging

from services.kit.decision import Decision
from services.kit.service import Context
from services.notify import domain
from services.notify.domain import Positions, Projection
from services.notify.store import Tx

log = logging.getLogger(__name__)

BATCH = 500


async def project(context: Context) -> None:
    async with context.leader("projection") as lease:
        async for _ in context.changes(Positions):
            while await context.transact(_fold_next, "projection"):
                pass
            if lease.lost:
                return


async def _fold_next(tx: Tx) -> Decision[Projection | None]:
    """The next events folded; nothing where there are none."""
    projection = await tx.projection()
    events = await tx.events_after(projection.position, {}, BATCH)
    if not events:
        return Decision(None)
    changed, passed_over = domain.fold(events, await tx.states(domain.keys(events)))
    for event in passed_over:
        log.error("an event is not in the read models", extra={"event_id": event.id, "error": event.error})
    reached = Projection(position=events[-1].position, time=events[-1].archived_at)
    return Decision[Projection | None](reached, saves=(reached, *changed.values(), *passed_over))
