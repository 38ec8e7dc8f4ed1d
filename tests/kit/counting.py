"""A consumer in a process of its own that is killed again and again, and must count each event once."""

import asyncio
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.partners import PartnerAmended, PartnerRegistered
from services.kit.consumer import Consumer
from services.kit.decision import Decision
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import RawRecord, Received
from services.kit.service import Context, Service
from services.kit.settings import Settings
from services.kit.supervise import forever
from services.kit.transact import Tx as KitTx
from tests.kit.toy import partner_event
from tests.waiting import until

SUBJECTS = 500
KILLS = 10


@dataclass(frozen=True, kw_only=True)
class Count:
    id: str
    seen: int = 0


class Tx(KitTx):
    KINDS = {Count: "counts"}


async def count(event: Received[PartnerAmended], tx: Tx) -> Decision[Any]:
    known = await tx.get(Count, event.data.partner_id) or Count(id=event.data.partner_id)
    told = PartnerRegistered(partner_id=known.id, name=event.data.name, kind=event.data.kind)
    return Decision(None, saves=(replace(known, seen=known.seen + 1),), events=(told,))


def context(name: str, kafka: str, mongodb: str) -> Context:
    service = Service(
        name=name, tx=Tx, handlers={PartnerAmended: count}, reads={PartnerAmended: ((Count, "partner_id"),)}
    )
    return Context.of(service, Settings(port=0, worker_port=0, kafka_bootstrap=kafka, mongodb_uri=mongodb), "worker")


class _Inbox(Inbox):
    """Says how many seconds after the consumer's start the first records were there, and when they were taken in."""

    began: float | None = None

    async def take(self, records: Iterable[RawRecord]) -> None:
        if self.began is None:
            return await super().take(records)
        there = time.monotonic() - self.began
        await super().take(records)
        print(f"{there:.3f} {time.monotonic() - self.began:.3f}", flush=True)  # noqa: T201
        self.began = None


async def consume(name: str, kafka: str, mongodb: str) -> None:
    """Until killed."""
    made = context(name, kafka, mongodb)
    await made.prepare()
    inbox = _Inbox(made.transactor, made.service.listener())
    inbox.began = time.monotonic()
    consumer = Consumer(inbox, [name], kafka, group=name, member=f"{name}-0")
    await forever("consumer", consumer.run)


@dataclass
class Outcome:
    """What the database holds at the end; how long each life of the consumer waited until its first records were
    there, and until they were taken in."""

    inbox: int
    counted: int
    sent_on: int
    gaps: list[str]
    there_s: list[float]
    taken_s: list[float]


async def run(events: int, kafka: str, mongodb: str, seed: int) -> Outcome:
    """Each life of the consumer finds a share of its own; all but the last are ended somewhere within it."""
    name = f"count{new_id()[-12:]}"
    made = context(name, kafka, mongodb)
    await made.prepare()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 4, 1)])
    await admin.close()
    chance = random.Random(seed)
    subjects = [new_id() for _ in range(SUBJECTS)]
    waits: list[tuple[float, float]] = []
    for life in range(KILLS + 1):
        share = range(events * life // (KILLS + 1), events * (life + 1) // (KILLS + 1))
        await _produce(kafka, name, subjects, share)
        mark = chance.choice(share) if life < KILLS else events
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.kit.counting", name, kafka, mongodb), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            there, taken = (await asyncio.wait_for(process.stdout.readline(), 60)).split()
            waits.append((float(there), float(taken)))
            await until(lambda mark=mark: _has(made, mark), f"{mark} events are in the inbox", 120)  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(0, 0.3) if life < KILLS else 0)
        finally:
            process.kill()
            await process.wait()
    return await _outcome(made, waits)


async def _produce(kafka: str, topic: str, subjects: Sequence[str], numbers: Iterable[int]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=20) as producer:
        for number in numbers:
            key, value = partner_event(subjects[number % SUBJECTS], number // SUBJECTS + 1, type_="amended")
            await producer.send(topic, value, key=key)


async def _has(made: Context, count: int) -> bool:
    return bool(await made.database.inbox.count_documents({}) >= count)


async def _outcome(made: Context, waits: Sequence[tuple[float, float]]) -> Outcome:
    counts = await made.database.counts.find({}).to_list(None)
    groups = [{"$group": {"_id": "$key", "numbers": {"$push": "$sequence"}}}]
    rows = await made.database.outbox.aggregate(groups).to_list(None)
    told = {row["_id"].decode(): sorted(row["numbers"]) for row in rows}
    return Outcome(
        inbox=await made.database.inbox.count_documents({}),
        counted=sum(row["seen"] for row in counts),
        sent_on=sum(map(len, told.values())),
        gaps=[row["_id"] for row in counts if told.get(row["_id"]) != list(range(1, row["seen"] + 1))],
        there_s=[there for there, _ in waits],
        taken_s=[taken for _, taken in waits],
    )


if __name__ == "__main__":
    asyncio.run(consume(*sys.argv[1:]))
