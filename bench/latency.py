"""The sides of B5: from a milestone report's POST to the client of the event stream, one report at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.write_concern import WriteConcern

from bench.archive import PATIENCE_S
from bench.load import Connection, request
from bench.programs import Program, ours, token
from bench.servers import Servers
from schemas.pairings import PairingApproved
from services.kit.clock import Clock, rfc3339
from services.kit.ids import new_id
from services.kit.rows import Cause, event_row

COUNTY = "520326"
MILESTONES = 4
PAUSE_S = 0.1
PROGRAMS = ("projects-api", "projects-worker", "notify-api", "notify-worker")


@dataclass(frozen=True)
class Place:
    project_id: str
    milestone_no: int


class Office:
    """An officer who reports, and a monitor who listens."""

    def __init__(self, servers: Servers, api: Program, stream: "Stream", places: list[Place]) -> None:
        self._token = token(servers, "officer", counties=[COUNTY])
        self._api, self._stream, self._places = api, stream, places
        self._etags: dict[Place, str] = {}
        self._sent = 0

    async def measure(self, count: int) -> list[float]:
        """Seconds from the request's first byte out to the event's last byte in, for each of `count` reports."""
        connection = await Connection.to(self._api.port)
        try:
            return await paced(count, lambda: self._report(connection))
        finally:
            connection.close()

    async def _report(self, connection: Connection) -> float:
        place = self._places[self._sent % len(self._places)]
        self._sent += 1
        path = f"/projects/{place.project_id}/milestones/{place.milestone_no}/report"
        body = {"occurred_at": rfc3339(Clock().now()), "note": f"Report {self._sent}"}
        headers = {"idempotency-key": new_id(), "if-match": self._etags.get(place, '"1"')}
        began = time.perf_counter()
        # The answer comes before the event can: the command is committed by then.
        answer = await connection.send(request("POST", path, self._token, body, headers))
        if answer.status != 200:
            raise RuntimeError(f"not reported: {answer.body.decode()}")
        await self._stream.until(place)
        took = time.perf_counter() - began
        self._etags[place] = f'"{answer.json()["version"]}"'
        return took


class Stream:
    """The event stream, as bytes come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A writer that nobody holds closes its line.
        self._reader, self._writer = reader, writer

    @classmethod
    async def of(cls, servers: Servers, notify: Program) -> "Stream":
        reader, writer = await asyncio.open_connection("127.0.0.1", notify.port, limit=2**20)
        writer.write(request("GET", "/events/stream?type=jiedui.milestone.reported", token(servers, "monitor")))
        await reader.readuntil(b": open\n\n")
        return cls(reader, writer)

    async def until(self, place: Place) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = await self._reader.readuntil(b"\n\n")
                _, found, data = frame.partition(b"\ndata: ")
                told = orjson.loads(data)["event"]["data"] if found else {}
                if (told.get("project_id"), told.get("milestone_no")) == (place.project_id, place.milestone_no):
                    return


async def paced(count: int, once: Callable[[], Awaitable[float]]) -> list[float]:
    """So many in turn, ten a second: what one leaves to be done behind it is not the next one's latency."""
    took = []
    for _ in range(count):
        took.append(await once())
        await asyncio.sleep(PAUSE_S)
    return took


@asynccontextmanager
async def jiedui(
    servers: Servers, projects: int, env: Mapping[str, str] | None = None, profile: Path | None = None
) -> AsyncIterator[Office]:
    """The four programs that a report passes through, with so many open projects; `profile` is a directory."""
    with ExitStack() as stack:
        programs = {
            f"{service}-{kind}": stack.enter_context(
                ours(servers, service, kind, env, profile / f"{service}-{kind}" if profile else None)
            )
            for service, kind in (name.split("-") for name in PROGRAMS)
        }
        places = await _open(servers, programs["projects-api"], projects)
        stream = await Stream.of(servers, programs["notify-api"])
        yield Office(servers, programs["projects-api"], stream, places)


class Bare:
    """A Kafka round trip and one `insert_one` that a majority has, in one process."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, collection: Any, topic: str) -> None:
        self._producer, self._consumer, self._collection, self._topic = producer, consumer, collection, topic

    async def measure(self, count: int) -> list[float]:
        return await paced(count, self._once)

    async def _once(self) -> float:
        value = b"x" * 1000
        began = time.perf_counter()
        await self._producer.send_and_wait(self._topic, value)
        record = await self._consumer.getone()
        await self._collection.insert_one({"_id": new_id(), "value": record.value})
        return time.perf_counter() - began


@asynccontextmanager
async def bare(servers: Servers) -> AsyncIterator[Bare]:
    topic = f"bench-latency-{new_id()}"
    await servers.create_topic(topic, 1)
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka, enable_idempotence=True, acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers.kafka, auto_offset_reset="earliest")
    client = AsyncIOMotorClient[dict[str, Any]](servers.mongodb)
    collection = client.bench_latency.get_collection("values", write_concern=WriteConcern("majority", j=True))
    await producer.start()
    await consumer.start()
    try:
        yield Bare(producer, consumer, collection, topic)
    finally:
        await consumer.stop()
        await producer.stop()
        client.close()


async def _open(servers: Servers, api: Program, count: int) -> list[Place]:
    """Projects of approved pairings, as pairing would publish them; answers their milestones."""
    events = [
        PairingApproved(
            pairing_id=new_id(),
            round_id=new_id(),
            commitment_id=new_id(),
            partner_id=new_id(),
            county_code=COUNTY,
            category="coverage",
            allocated={"amount": "1000.00", "currency": "CNY"},
            support_kind="money",
            project_id=new_id(),
            title={"zh": "村村通光纤", "en": "Fibre to every village"},
        )
        for _ in range(count)
    ]
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka)
    await producer.start()
    try:
        for event in events:
            row = event_row(event, 1, Cause("pairing", "bench", new_id(), new_id()), Clock().now())
            await producer.send_and_wait(
                event.TOPIC, row["value"], key=row["key"], headers=list(row["headers"].items())
            )
    finally:
        await producer.stop()
    places = [Place(event.project_id, no) for no in range(1, MILESTONES + 1) for event in events]
    connection = await Connection.to(api.port)
    async with asyncio.timeout(PATIENCE_S):
        for event in events:
            sent = request("GET", f"/projects/{event.project_id}", token(servers, "coordinator"))
            while (await connection.send(sent)).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    connection.close()
    return places
