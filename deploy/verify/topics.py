"""What was sent is on its topic, and what is on the topics is archived."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from deploy.verify.cut import SETTLED_AFTER, Cut, Published
from schemas.topics import DOMAIN, SERVICES


def sent_events_are_published(cut: Cut) -> Iterator[str]:
    sent = {"sent": True, "topic": {"$in": DOMAIN}, "sequence": {"$exists": True}}
    for service in SERVICES:
        for row in cut.find(service, "outbox", sent):
            if row["_id"] not in cut.published:
                yield f"topics: event {row['_id']}, which {service} has marked as sent, is on no topic"


def published_events_are_archived(cut: Cut) -> Iterator[str]:
    settled = [id for id, found in cut.published.items() if found.settled]
    places = {id: cut.published[id].place for id in cut.missing("notify", "events", settled)}
    by_id = {key.removeprefix("dead ") for key in cut.missing("notify", "inbox", [f"dead {id}" for id in places])}
    # What is too big was never read, and is known by its place.
    unknown = set(cut.missing("notify", "inbox", [f"dead {places[id]}" for id in by_id]))
    for id in sorted(by_id):
        if f"dead {places[id]}" in unknown:
            yield f"archive: event {id} on {places[id]} is not there"


def read_topics(bootstrap: str) -> dict[str, Published]:
    """All events on the topics by their id. Raises KafkaError when they cannot be read."""
    return asyncio.run(_read(bootstrap))


async def _read(bootstrap: str) -> dict[str, Published]:
    settled_by = (datetime.now(UTC) - SETTLED_AFTER).timestamp() * 1000
    found: dict[str, Published] = {}
    consumer = AIOKafkaConsumer(*DOMAIN, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    if id := _id(record.value):
                        place = f"{record.topic}/{record.partition}/{record.offset}"
                        found.setdefault(id, Published(place, record.timestamp < settled_by))
    finally:
        await consumer.stop()
    return found


def _id(value: bytes | None) -> str | None:
    """Of a sound envelope; anything else is for the dead letters."""
    try:
        found: Any = orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return None
    return found.get("id") if isinstance(found, dict) else None
