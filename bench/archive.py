"""The sides of B2: a topic's events into an archive."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from motor.motor_asyncio import AsyncIOMotorClient

from bench.side import Measured, Stopwatch
from services.kit import tracing
from services.kit.consumer import BATCH, Consumer
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.program import settle
from services.kit.service import Context, Service
from services.kit.settings import Settings
from services.notify.main import SERVICE

DATABASE = "bench_archive"
PATIENCE_S = 180


async def ours(kafka: str, mongodb: str, topic: str, count: int) -> Measured:
    """Notify's worker, but for its other loops."""
    return await consuming(SERVICE, kafka, mongodb, topic, count)


async def consuming(service: Service, kafka: str, mongodb: str, topic: str, count: int) -> Measured:
    """What the worker of a service does with a topic."""
    tracing.start(f"{service.name}-worker")
    settle()
    settings = Settings(port=0, worker_port=0, kafka_bootstrap=kafka, mongodb_uri=mongodb)
    context = Context.of(service, settings, "worker")
    await context.prepare()
    inbox = Inbox(context.transactor, service.listener())
    running = asyncio.create_task(Consumer(inbox, [topic], kafka, group=f"bench-{new_id()}", member="one").run())
    try:
        return await measured(count, lambda: inbox.applied, running)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def bare(kafka: str, mongodb: str, topic: str, count: int) -> Measured:
    """The least that a consumer can do: no positions, no columns, no indexes, twice after a crash."""
    collection = AsyncIOMotorClient[dict[str, Any]](mongodb)[DATABASE].bare
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        group_id=f"bench-{new_id()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )

    async def take(envelopes: list[dict[str, Any]]) -> None:
        await collection.insert_many(envelopes)
        await consumer.commit()

    return await reading(consumer, count, BATCH, take)


async def reading(
    consumer: AIOKafkaConsumer, count: int, most: int, take: Callable[[list[dict[str, Any]]], Awaitable[None]]
) -> Measured:
    """What a loop of `getmany` and `take` does with a topic, at most so many events at once."""
    await consumer.start()
    done = 0

    async def loop() -> None:
        nonlocal done
        while True:
            batches = await consumer.getmany(timeout_ms=500, max_records=most)
            if envelopes := [orjson.loads(record.value) for batch in batches.values() for record in batch]:
                await take(envelopes)
                done += len(envelopes)

    running = asyncio.create_task(loop())
    try:
        return await measured(count, lambda: done, running)
    finally:
        running.cancel()
        await consumer.stop()


async def measured(count: int, done: Callable[[], int], running: "asyncio.Task[None]") -> Measured:
    """From the first batch's end on, so that no side is charged for joining its group.

    Raises:
        TimeoutError: it took longer than any sound side does.
    """

    async def until(wanted: int) -> None:
        while done() < wanted:
            if running.done():
                running.result()
            await asyncio.sleep(0.005)

    async with asyncio.timeout(PATIENCE_S):
        await until(1)
        first, watch = done(), Stopwatch()
        await until(count)
        return watch.stop(count - first)
