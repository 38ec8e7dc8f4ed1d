"""Every event of every domain topic into the archive, unknown types too."""

from typing import Any

from services.kit.decision import Decision
from services.kit.records import Received
from services.notify import domain
from services.notify.domain import ArchivedEvent
from services.notify.store import Tx


async def archive_event(event: Received[Any], tx: Tx) -> Decision[ArchivedEvent]:
    # As it came, since attributes that this version does not know are kept as well.
    return domain.archive(event.json, await tx.positions(), time=event.time, recorded_at=event.recorded_at, now=tx.now)
