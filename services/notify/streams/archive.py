"""Every event of every domain topic into the archive, unknown types too."""

from typing import Any

import orjson

from services.kit.clock import instant
from services.kit.decision import Decision
from services.kit.records import Received
from services.notify import domain
from services.notify.domain import ArchivedEvent
from services.notify.store import Tx


async def archive_event(event: Received[Any], tx: Tx) -> Decision[ArchivedEvent]:
    # The record's own JSON, since attributes that this version does not know are kept as well.
    envelope = orjson.loads(event.record.value or b"")
    recorded_at = instant(event.envelope.recordedtime)
    return domain.archive(envelope, await tx.positions(), time=event.time, recorded_at=recorded_at, now=tx.now)
