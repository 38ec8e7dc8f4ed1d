"""How far each consumer group is behind, as the broker says, never as a worker says of itself.

A group's lag on a topic is what lies beyond its committed offsets, and the age of the oldest such
record. While the broker cannot be reached both are unknown, which is not 0.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.topics import HEARTBEATS, READERS
from services.kit.service import Context

log = logging.getLogger(__name__)

KEPT_S = 1.0
_PATIENCE_S = 3.0
# Heartbeats are read by faust, which may lose them; their lag says nothing.
GROUPS: dict[str, list[str]] = {}
for _topic, _services in READERS.items():
    for _service in _services:
        if _topic != HEARTBEATS:
            GROUPS.setdefault(f"jiedui-{_service}", []).append(_topic)


@dataclass(frozen=True)
class Row:
    """`count` in records, `age_s` in seconds; None where unknown."""

    group: str
    topic: str
    count: int | None = None
    age_s: float | None = None


class Lag:
    """Asks the broker, at most once in `KEPT_S`."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._rows: list[Row] = []
        self._read_at = float("-inf")
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: dict[str, list[TopicPartition]] = {}
        self._written: dict[tuple[TopicPartition, int], int] = {}
        """When the record at an offset was written (Unix time in ms)."""

    async def keep(self, context: Context) -> None:
        """Closes the connections when the program ends."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._close()

    async def rows(self, bootstrap: str) -> list[Row]:
        """One row for each group and each topic that it reads, whether the broker answers or not."""
        async with self._lock:
            if time.monotonic() - self._read_at > KEPT_S:
                self._rows = await self._ask(bootstrap)
                self._read_at = time.monotonic()
            return self._rows

    async def _ask(self, bootstrap: str) -> list[Row]:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._open(bootstrap)
                return await self._measure()
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("the lag is unknown", extra={"error": repr(error)})
            await self._close()
            return [Row(group, topic) for group, topics in GROUPS.items() for topic in topics]

    async def _open(self, bootstrap: str) -> None:
        if self._admin is not None:
            return
        # Assigned before anything can fail, so that `_close` finds them.
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # Only the first record's time is wanted; the broker sends at least one batch however small this is.
            max_partition_fetch_bytes=1024,
        )
        await self._admin.start()
        await self._consumer.start()
        described = await self._admin.describe_topics(sorted({topic for topics in GROUPS.values() for topic in topics}))
        self._partitions = {
            topic["topic"]: [TopicPartition(topic["topic"], part["partition"]) for part in topic["partitions"]]
            for topic in described
        }

    async def _close(self) -> None:
        admin, consumer = self._admin, self._consumer
        self._admin = self._consumer = None
        closing = [
            asyncio.ensure_future(close()) for close in (admin and admin.close, consumer and consumer.stop) if close
        ]
        if closing:
            # With the broker away a graceful end could take as long as the broker is away.
            await asyncio.wait(closing, timeout=1)

    async def _measure(self) -> list[Row]:
        assert self._admin is not None
        assert self._consumer is not None
        partitions = [partition for found in self._partitions.values() for partition in found]
        ends = await self._consumer.end_offsets(partitions)
        waiting: dict[tuple[str, str], dict[TopicPartition, int]] = {}
        for group, topics in GROUPS.items():
            committed = await self._admin.list_consumer_group_offsets(group)
            for topic in topics:
                waiting[group, topic] = {
                    partition: committed[partition].offset if partition in committed else 0
                    for partition in self._partitions[topic]
                }
        behind = {
            (partition, offset)
            for offsets in waiting.values()
            for partition, offset in offsets.items()
            if offset < ends[partition]
        }
        await self._look_up(behind)
        return [self._row(group, topic, offsets, ends) for (group, topic), offsets in waiting.items()]

    async def _look_up(self, behind: set[tuple[TopicPartition, int]]) -> None:
        """Reads when the records at these offsets were written, as far as that is not known yet."""
        assert self._consumer is not None
        self._written = {place: at for place, at in self._written.items() if place in behind}
        missing = behind - self._written.keys()
        while missing:
            # A consumer stands at one place of a partition: groups that are behind differently take turns.
            at = dict(missing)
            self._consumer.assign(list(at))
            for partition, offset in at.items():
                self._consumer.seek(partition, offset)
            missing -= at.items()
            while at and (found := await self._consumer.getmany(*at, timeout_ms=500)):
                for partition, records in found.items():
                    self._written[partition, at.pop(partition)] = records[0].timestamp
        self._consumer.unsubscribe()

    def _row(
        self, group: str, topic: str, offsets: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Row:
        count = sum(max(ends[partition] - offset, 0) for partition, offset in offsets.items())
        if count == 0:
            return Row(group, topic, 0, 0.0)
        written = [self._written[place] for place in offsets.items() if place in self._written]
        age_s = max(time.time() - min(written) / 1000, 0.0) if written else None
        return Row(group, topic, count, age_s)
