"""A service as small as can be: it counts partners, and says of each that it was counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.envelope import Envelope
from schemas.partners import PartnerAmended, PartnerRegistered
from schemas.topics import dead_letters
from services.kit.clock import Clock, rfc3339
from services.kit.consumer import Consumer
from services.kit.decision import Decision, NotYet
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.outbox import Relay
from services.kit.records import Received
from services.kit.service import Context, Service
from services.kit.settings import Settings
from services.kit.supervise import forever
from services.kit.transact import Tx as KitTx
from tests.topics import everything


@dataclass(frozen=True, kw_only=True)
class Partner:
    id: str
    seen: int = 0
    names: tuple[str, ...] = ()


class Tx(KitTx):
    KINDS = {Partner: "partners"}


async def register(event: Received[PartnerRegistered], tx: Tx) -> Decision[Any]:
    if event.data.name["zh"] == "poison":
        raise RuntimeError("this name cannot be taken")
    known = await tx.get(Partner, event.data.partner_id) or Partner(id=event.data.partner_id)
    return Decision(None, saves=(replace(known, seen=known.seen + 1, names=(*known.names, event.data.name["zh"])),))


async def amend(event: Received[PartnerAmended], tx: Tx) -> Decision[Any]:
    known = await tx.get(Partner, event.data.partner_id)
    if known is None:
        raise NotYet(event.data.partner_id)
    if event.data.name["zh"] == "poison":
        raise RuntimeError("this name cannot be taken")
    return Decision(None, saves=(replace(known, seen=known.seen + 1, names=(*known.names, event.data.name["zh"])),))


HANDLERS = {PartnerRegistered: register, PartnerAmended: amend}
READS = {PartnerRegistered: ((Partner, "partner_id"),)}


def toy(topic: str) -> Service:
    """A service of a name of its own, so that tests do not see each other."""
    return Service(name=f"toy{new_id()[-12:]}", tx=Tx, topics=(topic,), handlers=HANDLERS, reads=READS)


class Bench:
    """A toy service with its topic, its relay and its consumer, in the test's own loop."""

    def __init__(self, kafka: str, mongodb: str) -> None:
        self.kafka = kafka
        self.topic = f"toy.{new_id()}"
        self.service = toy(self.topic)
        settings = Settings(port=0, worker_port=0, kafka_bootstrap=kafka, mongodb_uri=mongodb)
        self.context = Context.of(self.service, settings, "worker")
        self.clock: Clock = self.context.clock
        self.database = self.context.database
        self.inbox = Inbox(self.context.transactor, self.service.listener())

    async def prepare(self) -> None:
        await self.context.prepare()
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        size = {"max.message.bytes": str(5 * 1024 * 1024)}
        await admin.create_topics(
            [
                NewTopic(self.topic, 1, 1, topic_configs=size),
                NewTopic(dead_letters(self.service.name), 1, 1, topic_configs=size),
            ]
        )
        await admin.close()

    def consumer(self, member: str = "one") -> Consumer:
        return Consumer(self.inbox, [self.topic], self.kafka, group=self.service.name, member=member)

    def relay(self, holder: str = "one") -> Relay:
        return Relay(self.database, self.kafka, holder, self.clock)

    async def produce(
        self, *records: tuple[bytes | None, bytes | None], headers: dict[str, bytes] | None = None
    ) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, max_request_size=5 * 1024 * 1024)
        await producer.start()
        try:
            for key, value in records:
                await producer.send_and_wait(self.topic, value, key=key, headers=list((headers or {}).items()))
        finally:
            await producer.stop()

    async def read(self, topic: str) -> list[Any]:
        """All that is on a topic."""
        return await everything(self.kafka, topic)

    async def dead_letters(self) -> list[Any]:
        return await self.read(dead_letters(self.service.name))

    async def partner(self, id: str) -> Partner | None:
        found: Partner | None = await self.context.reading().get(Partner, id)
        return found

    @asynccontextmanager
    async def running(self, *loops: Any) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(forever("loop", loop.run)) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def partner_event(
    partner_id: str, sequence: int, name: str = "甲", *, type_: str = "registered", **other: Any
) -> tuple[bytes, bytes]:
    """Key and value of an event about a partner."""
    cls = PartnerRegistered if type_ == "registered" else PartnerAmended
    now = rfc3339(Clock().now())
    envelope = Envelope(
        id=other.get("id", new_id()),
        source="/jiedui/pairing",
        type=other.get("type", cls.TYPE),
        subject=partner_id,
        time=now,
        recordedtime=now,
        dataschema=other.get("dataschema", f"/schemas/json/{cls.TYPE}.json#v1"),
        sequence=sequence,
        actor="test",
        correlationid="c",
        causationid="c",
        traceparent=other.get("traceparent"),
        data=other.get("data", {"partner_id": partner_id, "name": {"zh": name}, "kind": "enterprise"}),
    )
    return partner_id.encode(), orjson.dumps(envelope.to_dict())
