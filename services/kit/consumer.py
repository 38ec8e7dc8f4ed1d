"""The Kafka loop around the inbox: read a batch, take it in, commit its offsets by hand.

Whatever fails for a reason of the infrastructure is read again from what is committed, for ever,
with a pause that grows to `LONGEST_PAUSE_S`.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.kit import crash, mongo
from services.kit.batch import HeldElsewhere
from services.kit.inbox import Inbox
from services.kit.records import raw

log = logging.getLogger(__name__)

BATCH = 2000
# A crash must not hold partitions for long; the slot's fixed member id brings them back at once.
SESSION_TIMEOUT_MS = 10_000
HEARTBEAT_MS = 3_000
LONGEST_PAUSE_S = 5.0
_FETCH_BYTES = 6 * 1024 * 1024


@dataclass
class ConsumerState:
    """What the health check asks."""

    failing_since: float | None = None
    """Monotonic time since which nothing could be taken in or committed."""
    last_poll: float | None = None

    def failed(self) -> None:
        self.failing_since = self.failing_since or time.monotonic()


class Consumer:
    """Feeds one inbox from its topics."""

    def __init__(self, inbox: Inbox, topics: Sequence[str], bootstrap: str, group: str, member: str) -> None:
        self._inbox = inbox
        self._topics = topics
        self._bootstrap = bootstrap
        self._group = group
        self._member = member
        self._uncommitted: dict[TopicPartition, int] = {}
        self.state = ConsumerState()

    async def run(self) -> None:
        """Reads until it is cancelled; the batch under way is finished first."""
        consumer = AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            group_instance_id=self._member,
            client_id=self._member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=100,
        )
        await consumer.start()
        try:
            await self._loop(consumer)
        finally:
            await asyncio.wait({asyncio.ensure_future(consumer.stop())}, timeout=3)

    async def _loop(self, consumer: AIOKafkaConsumer) -> None:
        pause = 0.1
        while True:
            try:
                await self._once(consumer)
            except HeldElsewhere:
                log.info("another worker has these records; reading again")
            except Exception as error:
                if not isinstance(error, KafkaError) and not mongo.is_infrastructure(error):
                    raise
                self.state.failed()
                log.warning("cannot take in, trying again", extra={"error": repr(error), "pause_s": pause})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                pause = 0.1
                continue
            await self._read_again(consumer)

    async def _once(self, consumer: AIOKafkaConsumer) -> None:
        found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
        self.state.last_poll = time.monotonic()
        if found:
            # A stop must not tear a transaction apart: its outcome would be unknown.
            work = asyncio.ensure_future(self._inbox.take(raw(record) for batch in found.values() for record in batch))
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.wait({work})
                raise
            self._uncommitted |= {partition: batch[-1].offset + 1 for partition, batch in found.items()}
        if self._uncommitted:
            crash.point("before-offset")
            await self._commit(consumer)
        self.state.failing_since = None

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        mine = consumer.assignment()
        offsets = {partition: offset for partition, offset in self._uncommitted.items() if partition in mine}
        try:
            if offsets:
                await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            # The partitions moved on; their new holder reads what was not committed, and its inbox knows it.
            log.info("offsets were not committed after a rebalance")
        self._uncommitted.clear()

    async def _read_again(self, consumer: AIOKafkaConsumer) -> None:
        self._uncommitted.clear()
        try:
            await consumer.seek_to_committed()
        except KafkaError as error:
            # The positions stay ahead of what was taken in; only a new consumer is sure to read it again.
            raise ConnectionError("the committed offsets cannot be read") from error
