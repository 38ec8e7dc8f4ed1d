"""The relay: rows of the outbox to Kafka, each at least once, a subject's in the order of their numbers.

    unsent ──send──▶ in flight ──acknowledged──▶ sent ──a day later──▶ gone

- Rows are found by their `sent` mark, never by "id greater than the last": transactions do not
  commit in the order of their ids.
- The read is a snapshot. A subject's numbers commit in order, so a snapshot that has number 5 has
  4 too, or 4 is sent already.
- One leader per service (`lease.py`) sends; the marks are written under the lease's fence.
- A row whose send is pending is never sent again: the future is held, however long the broker is
  away. (Sending again after a time-out gave ten copies of one record.)
- A producer that died is built anew; the rows that it had in flight are still unsent and go again.
- A crash between send and mark sends once more. Readers know events by their id.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, UnknownTopicOrPartitionError
from pymongo import ASCENDING, IndexModel
from pymongo.read_concern import ReadConcern

from services.kit import crash, mongo
from services.kit.clock import Clock
from services.kit.lease import Lease, leading

log = logging.getLogger(__name__)

BATCH = 1000
SENT_ROWS_KEPT_S = 24 * 3600
_SWEEP_S = 1.0
MAX_REQUEST_BYTES = 5 * 1024 * 1024

INDEXES = {
    "outbox": [
        IndexModel([("sent", ASCENDING), ("_id", ASCENDING)], name="unsent", partialFilterExpression={"sent": False}),
        IndexModel(
            [("key", ASCENDING), ("sequence", ASCENDING)],
            name="unsent_of_key",
            partialFilterExpression={"sent": False},
        ),
        IndexModel([("sent_at", ASCENDING)], expireAfterSeconds=SENT_ROWS_KEPT_S),
    ],
    "leases": [],
}


@dataclass
class RelayState:
    """What the heartbeat and the health check tell of the relay."""

    sent: int = 0
    leads: bool = False
    waiting_since: float | None = None
    """Loop time since which the oldest batch in flight waits for the broker."""
    faults: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Relay:
    """Sends a service's outbox."""

    def __init__(self, database: mongo.Database, bootstrap: str, holder: str, clock: Clock) -> None:
        self._database = database
        self._bootstrap = bootstrap
        self._holder = holder
        self._clock = clock
        self.state = RelayState()

    async def run(self) -> None:
        """Leads and sends until it is cancelled; raises what the database or the broker raise."""
        async with leading(self._database, "relay", self._holder) as lease:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_request_size=MAX_REQUEST_BYTES,
                client_id=self._holder,
            )
            await producer.start()
            watching = asyncio.create_task(self._watch())
            try:
                self.state.leads = True
                while not lease.lost:
                    if not await self._send(producer, lease):
                        await self._wait()
            finally:
                self.state.leads, self.state.waiting_since = False, None
                watching.cancel()
                # With the broker away a graceful stop would wait for it without end.
                await asyncio.wait({asyncio.ensure_future(producer.stop())}, timeout=2)

    async def _send(self, producer: AIOKafkaProducer, lease: Lease) -> int:
        rows = in_order(await self._unsent())
        if not rows:
            return 0
        loop = asyncio.get_running_loop()
        self.state.waiting_since = loop.time()
        futures = [await _hand_over(producer, row) for row in rows]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        self.state.waiting_since = None
        crash.point("after-send")
        acknowledged = [
            row["_id"] for row, answer in zip(rows, answers, strict=True) if not isinstance(answer, BaseException)
        ]
        if acknowledged:
            await self._mark(acknowledged, lease)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return len(rows)

    async def _unsent(self) -> list[mongo.Document]:
        outbox = self._database.outbox.with_options(read_concern=ReadConcern("snapshot"))
        rows: list[mongo.Document] = await outbox.find({"sent": False}).sort("_id", 1).limit(BATCH).to_list(None)
        if len(rows) == BATCH:
            # A cut batch could hold a subject's number 5 and not its 4, where two programs' clocks differ.
            keys = list({row["key"] for row in rows if row.get("sequence")})
            rest = outbox.find({"sent": False, "key": {"$in": keys}, "_id": {"$gt": rows[-1]["_id"]}})
            rows += await rest.sort("_id", 1).limit(BATCH).to_list(None)
        return rows

    async def _mark(self, ids: Sequence[str], lease: Lease) -> None:
        async def mark(session: mongo.Session) -> None:
            await lease.guard(session)
            sent = {"sent": True, "sent_at": self._clock.now(), "fence": lease.fence}
            await self._database.outbox.update_many({"_id": {"$in": ids}}, {"$set": sent}, session=session)

        await mongo.in_transaction(self._database.client, mark)
        self.state.sent += len(ids)
        crash.point("after-mark")

    async def _wait(self) -> None:
        """Until a row was written (a hint from `watch`) or the next sweep."""
        try:
            async with asyncio.timeout(_SWEEP_S):
                await self.state.changed.wait()
        except TimeoutError:
            return
        finally:
            self.state.changed.clear()

    async def _watch(self) -> None:
        """Wakes the relay when a row is inserted. Only a hint: what it misses the sweep finds."""
        async for _ in mongo.changes(self._database.outbox, ("insert",)):
            self.state.changed.set()


async def _hand_over(producer: AIOKafkaProducer, row: mongo.Document) -> asyncio.Future[object]:
    """The future of a row's send. A row that the producer did not take is not in flight and may be tried again."""
    while True:
        try:
            future: asyncio.Future[object] = await producer.send(
                row["topic"], value=row["value"], key=row["key"], headers=list(row["headers"].items())
            )
            return future
        except (KafkaTimeoutError, KafkaConnectionError, UnknownTopicOrPartitionError):
            log.warning("the broker takes nothing, the relay waits")
            await asyncio.sleep(_SWEEP_S)


def in_order(rows: Sequence[mongo.Document]) -> list[mongo.Document]:
    """Rows by id, but each key's numbered rows by their number."""
    lines: dict[bytes, deque[mongo.Document]] = {}
    for row in sorted((row for row in rows if row.get("sequence")), key=lambda row: row["sequence"]):
        lines.setdefault(row["key"], deque()).append(row)
    return [lines[row["key"]].popleft() if row.get("sequence") else row for row in rows]


async def depth(database: mongo.Database, clock: Clock) -> tuple[int, float]:
    """How many rows wait, and for how many seconds the oldest has."""
    waiting = await database.outbox.count_documents({"sent": False}, limit=100_000)
    oldest = await database.outbox.find_one({"sent": False}, sort=[("_id", 1)], projection={"at": 1})
    age = (clock.now() - oldest["at"]).total_seconds() if oldest else 0.0
    return waiting, max(age, 0.0)
