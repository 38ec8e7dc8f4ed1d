"""The sides of B3: each event counts once in a project's tally and says so with an event of ours."""

from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaConsumer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import InsertOne, UpdateOne
from pymongo.errors import DuplicateKeyError

from bench.archive import consuming, reading
from bench.side import Measured
from schemas.catalogue import EVENTS
from schemas.projects import ProjectCompleted
from services.kit import mongo
from services.kit.clock import Clock
from services.kit.consumer import BATCH
from services.kit.decision import Decision
from services.kit.records import Received
from services.kit.rows import Cause, event_row
from services.kit.service import Context, Service
from services.kit.settings import Settings
from services.kit.transact import Tx as KitTx

DATABASE = "jiedui_bench"


@dataclass(frozen=True, kw_only=True)
class Tally:
    id: str
    events: int = 0


class Tx(KitTx):
    KINDS = {Tally: "tallies"}


async def count_event(event: Received[Any], tx: Tx) -> Decision[Tally]:
    known = await tx.get(Tally, event.envelope.subject) or Tally(id=event.envelope.subject)
    counted = replace(known, events=known.events + 1)
    return Decision(counted, saves=(counted,), events=(_event(event.envelope.data),))


SERVICE = Service(
    name="bench",
    tx=Tx,
    handlers=dict.fromkeys(EVENTS.values(), count_event),
    reads=dict.fromkeys(EVENTS.values(), ((Tally, "project_id"),)),
)


async def ours(kafka: str, mongodb: str, topic: str, count: int) -> Measured:
    """The kit: batches, one transaction each."""
    return await consuming(SERVICE, kafka, mongodb, topic, count)


async def one_by_one(kafka: str, mongodb: str, topic: str, count: int) -> Measured:
    """The same effect, an event a transaction, by motor's own `with_transaction`."""
    database = await _database(mongodb)

    async def apply(envelope: dict[str, Any]) -> None:
        async def work(session: Any) -> None:
            await database.inbox.insert_one({"_id": envelope["id"], "at": Clock().now()}, session=session)
            known = await database.tallies.find_one({"_id": envelope["subject"]}, session=session)
            tally = {"_id": envelope["subject"], "events": (known or {"events": 0})["events"] + 1}
            await database.tallies.replace_one({"_id": tally["_id"]}, tally, upsert=True, session=session)
            await database.outbox.insert_one(_row(envelope, tally["events"]), session=session)

        async with await database.client.start_session() as session:
            try:
                await session.with_transaction(work)
            except DuplicateKeyError:
                return  # it was done

    async def take(envelopes: list[dict[str, Any]]) -> None:
        await apply(envelopes[0])

    return await reading(_consumer(kafka, topic), count, 1, take)


async def bulk(kafka: str, mongodb: str, topic: str, count: int) -> Measured:
    """The same documents by bulk writes without a transaction: a crash in between leaves a part of them."""
    database = await _database(mongodb)

    async def take(envelopes: list[dict[str, Any]]) -> None:
        now = Clock().now()
        await database.inbox.bulk_write([InsertOne({"_id": envelope["id"], "at": now}) for envelope in envelopes])
        counted = [
            UpdateOne({"_id": envelope["subject"]}, {"$inc": {"events": 1}}, upsert=True) for envelope in envelopes
        ]
        await database.tallies.bulk_write(counted)
        await database.outbox.bulk_write([InsertOne(_row(envelope, 1)) for envelope in envelopes])

    return await reading(_consumer(kafka, topic), count, BATCH, take)


def _consumer(kafka: str, topic: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", group_id=None)


async def _database(mongodb: str) -> Any:
    """With the collections and indexes that ours has."""
    settings = Settings(port=0, worker_port=0, mongodb_uri=mongodb)
    await Context.of(SERVICE, settings, "worker").prepare()
    return AsyncIOMotorClient[dict[str, Any]](mongodb)[DATABASE]


def _event(data: Any) -> ProjectCompleted:
    return ProjectCompleted.of({name: data[name] for name in ProjectCompleted.NAMES if name in data})


def _row(envelope: dict[str, Any], sequence: int) -> mongo.Document:
    cause = Cause("bench", "bench", envelope["correlationid"], envelope["id"], envelope.get("traceparent"))
    return event_row(_event(envelope["data"]), sequence, cause, Clock().now())
