"""What a service takes in: each event once, a subject's in order, nothing lost.

A batch of records is ONE unit of work (`transact.py`):

1. their ids go into the inbox; those that are there already drop out;
2. each new event is applied by its handler, in order;
3. states, outbox rows, the next expected numbers and what is parked are written together.

The offsets are committed after it (`consumer.py`). A crash in between brings the records again, and
the inbox drops them.

Order. Within a stream, one (source, subject), numbers grow by one. The expected one is applied. A
higher one is held until the missing have come; a gap older than `GAP_S` is noted as skipped. A lower
one with a new id (played again, or late) goes to its handler, which applies it if the state still
allows. A stream begins with the first number that is seen.

Early. A handler that does not know yet what an event speaks of raises `NotYet`. The event is parked,
tried again whenever an event mentions that id, and is a dead letter after `EARLY_S`.

Poison. A batch that fails is taken again one by one; what fails alone `ATTEMPTS` times goes to the
dead-letter topic, by the outbox, and counts as come, so that those behind it go on. A database or a
broker that is away is nobody's fault: it is waited for and dead-letters nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from prometheus_client import Counter
from pymongo import ASCENDING, IndexModel

from services.kit import crash, mongo, tracing
from services.kit.batch import Batch, HeldElsewhere, Listener, overdue
from services.kit.records import Broken, RawRecord, Received, is_for, read
from services.kit.transact import Transactor, Tx

log = logging.getLogger(__name__)

ATTEMPTS = 3
_PAUSE_S = 0.1

_DUPLICATES = Counter("jiedui_duplicates", "Records that had been taken in before and were passed over")

INDEXES = {
    "inbox": [],
    "streams": [IndexModel([("gap_since", ASCENDING)], partialFilterExpression={"gap_since": {"$exists": True}})],
    "held": [IndexModel([("stream", ASCENDING), ("sequence", ASCENDING)])],
    "early": [IndexModel([("about", ASCENDING)]), IndexModel([("since", ASCENDING)])],
    "skipped": [],
}


class Inbox:
    """Takes records in for one service."""

    def __init__(self, transactor: Transactor, listener: Listener) -> None:
        self._transactor = transactor
        self._listener = listener
        self._service = transactor.service
        self.applied = 0

    async def take(self, records: Iterable[RawRecord]) -> None:
        """Applies records, all but those that are dead-lettered for reasons of their own.

        Raises:
            HeldElsewhere: read again from what is committed.
            PyMongoError: the database is away or in trouble; nothing was written, try again later.
        """
        # A dead letter is for who keeps it, whomever it was played again for.
        raw = self._listener.raw
        await self._some([record for record in records if record.topic in raw or is_for(record, self._service)])

    async def _some(self, wanted: Sequence[RawRecord]) -> None:
        try:
            await self._batch(wanted)
        except Exception as error:
            if mongo.is_contention(error) and len(wanted) > 1:
                # Callers who post without pause starve a long transaction; shorter ones get through.
                half = len(wanted) // 2
                await self._some(wanted[:half])
                return await self._some(wanted[half:])
            if isinstance(error, HeldElsewhere) or mongo.is_infrastructure(error):
                raise
            log.warning("a batch failed and is taken one by one", extra={"error": repr(error), "size": len(wanted)})
            for record in wanted:
                await self._alone(record)

    async def _alone(self, record: RawRecord) -> None:
        first_failed_at = self._transactor.clock.now()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._batch([record])
            except Exception as error:
                # A dead letter that cannot be kept must not become another one, and so on without end.
                hopeless = record.topic in self._listener.raw
                if hopeless or isinstance(error, HeldElsewhere) or mongo.is_infrastructure(error):
                    raise
                failure = error
            await asyncio.sleep(_PAUSE_S * attempt)
        envelope = read(record).envelope
        about = {"place": record.place, "error": repr(failure)}
        if envelope and (trace_id := tracing.trace_id_of(envelope.traceparent)):
            about["trace_id"] = trace_id
        log.error("a record is dead-lettered", extra=about)
        broken = Broken(record, type(failure).__name__, str(failure), envelope)
        await self._unit([broken], lambda batch: batch.apply(ATTEMPTS, first_failed_at))

    async def sweep(self) -> None:
        """Lets go what has waited too long: early events to the dead letters, gaps as skipped."""
        if await overdue(self._transactor.database, self._transactor.clock.now()):
            await self._unit([], lambda batch: batch.let_go())

    async def _batch(self, records: Sequence[RawRecord]) -> None:
        if not records:
            return
        found = [self._read(record) for record in records]
        contexts = [
            context
            for item in found
            if isinstance(item, Received) and tracing.is_sampled(item.envelope.traceparent)
            if (context := tracing.span_context_of(item.envelope.traceparent))
        ]
        with tracing.batch(len(found), contexts):
            new = await self._unit(found, lambda batch: batch.apply(attempts=1))
        self.applied += new
        _DUPLICATES.inc(len(found) - new)
        crash.point("after-commit")

    def _read(self, record: RawRecord) -> Received[Any] | Broken | RawRecord:
        return record if record.topic in self._listener.raw else read(record)

    async def _unit(self, found: Sequence[Any], run: Callable[[Batch], Awaitable[int]]) -> int:
        applied = tracing.Applied()

        async def work(tx: Tx) -> int:
            applied.forget()
            batch = Batch(tx, self._service, self._listener, found, applied)
            count = await run(batch)
            batch.keep_books()
            return count

        count = await self._transactor.unit(self._transactor.cause(self._service), work)
        applied.tell()
        return count
