"""`jiedui rebuild notify`: notify's read models dropped and folded again, beside what runs.

The worker that leads does it. Where none runs this process takes the lead, by the same loops.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from services.kit.decision import Decision
from services.kit.service import Context
from services.kit.supervise import forever
from services.notify.domain.rebuild import Rebuild, begin_rebuild
from services.notify.main import service
from services.notify.settings import Settings
from services.notify.store import Tx
from services.notify.streams import project, tell

_LOOK_S = 0.2


@dataclass(frozen=True)
class Rebuilt:
    """How many events were folded again, and how many deliveries were not made again."""

    events: int
    suppressed: int


async def rebuild_notify(mongodb_uri: str, home: Path) -> Rebuilt:
    """Returns when the read models are where they were, and the archive was looked through in silence.

    Raises:
        PyMongoError: the database cannot be reached.
    """
    settings = Settings(mongodb_uri=mongodb_uri, home=home)  # type: ignore[call-arg]
    context = Context.of(service(), settings, "rebuild")
    await context.prepare()
    return await rebuild(context)


async def rebuild(context: Context) -> Rebuilt:
    """As `rebuild_notify`, in a database that is prepared."""

    async def begin(tx: Tx) -> Decision[Rebuild]:
        return begin_rebuild(await tx.rebuild(), await tx.projection(), await tx.telling())

    begun = await context.transact(begin, "rebuild")
    loops = [asyncio.create_task(forever(loop.__name__, lambda loop=loop: loop(context))) for loop in (project, tell)]  # type: ignore[misc]
    try:
        while True:
            tx: Tx = context.reading()
            telling = await tx.telling()
            if not (await tx.rebuild()).is_under_way and telling.position >= begun.until:
                return Rebuilt(begun.until, telling.suppressed - begun.suppressed_before)
            await asyncio.sleep(_LOOK_S)
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
