"""The desk: pairing's API and inbox on a real database, its round runner, and what it publishes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pymongo import WriteConcern

from schemas.envelope import Envelope, Event, dataschema_of, source_of
from schemas.topics import dead_letters
from services.kit.app import create_app
from services.kit.clock import rfc3339
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import Broken, RawRecord, read
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from services.pairing.main import SERVICE
from services.pairing.settings import Settings
from services.pairing.streams.rounds import run_round
from services.pairing.streams.solving import Job, Message, work_on

Json = dict[str, Any]


class Desk:
    """Speaks to pairing as its callers and as the topics do."""

    def __init__(self, client: httpx.AsyncClient, context: Context, issuer: LocalIssuer) -> None:
        self.client = client
        self.context = context
        self.database = context.database
        self.inbox = Inbox(context.transactor, context.service.listener())
        self._issuer = issuer
        self._sequences: dict[tuple[str, str], int] = {}
        self._offsets = count()

    def day(self, days: int = 0) -> str:
        """Today and some days, in Shanghai."""
        return (self.context.clock.today() + timedelta(days=days)).isoformat()

    def headers(
        self, role: str, *, sub: str | None = None, counties: tuple[str, ...] = (), partner: str | None = None
    ) -> dict[str, str]:
        """Of a request by somebody with this role."""
        token = self._issuer.token(
            sub=sub or role, roles=[role], now=self.context.now(), county_codes=counties, partner_id=partner
        )
        return {"authorization": f"Bearer {token}"}

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        role: str = "coordinator",
        *,
        if_match: int | None = None,
        key: str | None = None,
        sub: str | None = None,
        counties: tuple[str, ...] = (),
        partner: str | None = None,
    ) -> httpx.Response:
        headers = self.headers(role, sub=sub, counties=counties, partner=partner)
        headers |= {"if-match": f'"{if_match}"'} if if_match is not None else {}
        headers |= {"idempotency-key": key} if key else {}
        return await self.client.request(method, path, json=body, headers=headers)

    async def get(self, path: str, role: str = "coordinator", **claims: Any) -> Json:
        answer = await self.send("GET", path, None, role, **claims)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def post(self, path: str, body: Any = None, role: str = "coordinator", **claims: Any) -> Json:
        answer = await self.send("POST", path, {} if body is None else body, role, **claims)
        assert answer.status_code in (200, 201, 202), answer.text
        found: Json = answer.json()
        return found

    async def partner(self, **more: Any) -> str:
        name = {"zh": "示例企业", "en": "Example Ltd"}
        return str((await self.post("/partners", {"name": name, "kind": "enterprise"} | more))["id"])

    def card(self, *needs: Json, **more: Any) -> Json:
        return {
            "name": {"zh": "正安县", "en": "Zheng'an County"},
            "province": "52",
            "needs": list(needs) or [{"category": "coverage", "slots": 1}],
            "valid_from": self.day(-30),
            "reason": "baseline",
        } | more

    async def county(self, code: str = "520324", *needs: Json, **more: Any) -> Json:
        answer = await self.send("PUT", f"/counties/{code}/card", self.card(*needs, **more))
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    def offer(self, **more: Any) -> Json:
        return {
            "category": "coverage",
            "title": {"zh": "光纤进村", "en": "Fibre to villages"},
            "support": {"kind": "money", "amount": "4200000.00", "currency": "CNY"},
            "projects_max": 3,
            "valid_from": self.day(-1),
            "valid_until": self.day(365),
        } | more

    def goods(self, quantity: int = 10) -> Json:
        return {"kind": "goods", "quantity": quantity, "unit": "台"}

    async def commitment(self, partner: str | None = None, **more: Any) -> Json:
        partner = partner or await self.partner()
        return await self.post("/commitments", self.offer(partner_id=partner, **more))

    async def round(self, **more: Any) -> Json:
        """A round, run to its end."""
        asked = await self.post("/rounds", {"as_of": self.day(), "seed": 1} | more)
        async with self.context.leader("rounds") as lease:
            await run_round(self.context, lease, asked["id"], at_once)
        return await self.get(f"/rounds/{asked['id']}")

    async def proposed(self, commitment: Json) -> list[Json]:
        path = f"/pairings?commitment={commitment['id']}&status=proposed"
        return list((await self.get(path))["items"])

    async def approved(self, **more: Any) -> tuple[Json, Json]:
        """A commitment of one project, and its approved pairing."""
        commitment = await self.commitment(projects_max=1, **more)
        await self.round()
        (pairing,) = await self.proposed(commitment)
        return commitment, await self.post(f"/pairings/{pairing['id']}/approve")

    async def hear(self, event: Event) -> None:
        """An event as it comes from a topic, numbered within its subject."""
        source = "funding" if event.TYPE.startswith("jiedui.fund") else "projects"
        key = (source, event.subject)
        self._sequences[key] = self._sequences.get(key, 0) + 1
        now = rfc3339(self.context.now())
        envelope = Envelope(
            id=new_id(),
            source=source_of(source),
            type=event.TYPE,
            subject=event.subject,
            time=now,
            recordedtime=now,
            dataschema=dataschema_of(type(event)),
            sequence=self._sequences[key],
            actor=source,
            correlationid="c",
            causationid="c",
            traceparent=None,
            data=event.data(),
        )
        value = orjson.dumps(envelope.to_dict())
        await self.inbox.take([RawRecord(event.TOPIC, 0, next(self._offsets), event.subject.encode(), value, {}, 0)])
        letter = await self.database.outbox.find_one({"topic": dead_letters(self.context.service.name)})
        assert letter is None, letter["headers"]["jiedui-error-message"]

    async def published(self, subject: str) -> list[Any]:
        """The events of a subject, in their order, each held against its schema."""
        rows = await self.database.outbox.find({"key": subject.encode()}).sort("sequence", 1).to_list(None)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        found = [read(RawRecord(row["topic"], 0, 0, row["key"], row["value"], {}, 0)) for row in rows]
        assert [item for item in found if isinstance(item, Broken)] == []
        return found

    async def types(self, subject: str) -> list[str]:
        return [event.envelope.type.removeprefix("jiedui.") for event in await self.published(subject)]

    async def events_total(self) -> int:
        return int(await self.database.outbox.count_documents({}))


async def at_once(job: Job) -> AsyncGenerator[Message, None]:
    """The solving process's work in this one: starting a process takes a second."""
    found: asyncio.Queue[Message | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(
        asyncio.to_thread(work_on, job, lambda message: loop.call_soon_threadsafe(found.put_nowait, message))
    )
    work.add_done_callback(lambda _: found.put_nowait(None))
    while (message := await found.get()) is not None:
        yield message
    await work


@pytest.fixture(scope="session")
async def office(mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """Collections and indexes are made once: they cost a second."""
    settings = Settings(home=tmp_path_factory.mktemp("pairing"), mongodb_uri=mongodb)
    app = create_app(replace(SERVICE, name=f"pairing{new_id()[-12:]}"), settings)
    context: Context = app.state.context
    await context.prepare()
    yield app
    await context.database.client.drop_database(context.database.name)


@pytest.fixture
async def desk(office: FastAPI) -> AsyncIterator[Desk]:
    """With nothing in it."""
    context: Context = office.state.context
    unhurried = context.database.with_options(write_concern=WriteConcern(1))
    for name in await unhurried.list_collection_names():
        await unhurried[name].delete_many({})
    # A unit's snapshot may be older than what no majority has yet, and show what is deleted.
    await context.database.outbox.delete_many({})
    transport = httpx.ASGITransport(app=office, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pairing") as client:
        yield Desk(client, context, LocalIssuer(context.settings.home))
