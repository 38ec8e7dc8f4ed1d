"""What is on topics, and what is put there by hand."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def everything(bootstrap: str, *topics: str) -> list[Any]:
    """All records of `topics` up to their ends."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


async def produce(bootstrap: str, topic: str, *records: tuple[bytes, bytes | None]) -> None:
    """Records of a key and a value, one after the other."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=5 * 1024 * 1024)
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait(topic, value, key=key)
    finally:
        await producer.stop()
