"""The newsroom: notify's API over real HTTP, its inbox and its projection on a real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx
import orjson
import pytest

from schemas.envelope import Event
from services.kit.app import create_app
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import RawRecord
from services.kit.service import Context
from services.kit.supervise import forever
from services.kit.tokens import LocalIssuer
from services.notify.main import service
from services.notify.settings import Settings
from services.notify.streams import project
from tests.conftest import free_ports
from tests.notify import builders
from tests.notify.listening import Stream
from tests.serving import serving
from tests.waiting import until

ROLES: dict[str, dict[str, Any]] = {
    "partner": {"partner_id": "partner-1"},
    "officer": {"county_codes": ["520326"]},
    "coordinator": {},
    "monitor": {},
    "bookkeeper": {},
}


class Newsroom:
    """Speaks to notify as its callers and as the topics do."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.context = Context.of(replace(service(), name=name), settings, "worker")
        self.inbox = Inbox(self.context.transactor, self.context.service.listener())
        self.issuer = LocalIssuer(settings.home)
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=20)
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._offset = 0

    def record(self, event: Event, **other: Any) -> RawRecord:
        """An event as it comes from its topic, numbered within its subject; `other` replaces attributes."""
        self._numbers[event.TOPIC, event.subject] += 1
        raw = builders.envelope(event, number=self._numbers[event.TOPIC, event.subject], at=self.context.now())
        return self.raw(raw | {"id": new_id()} | other, topic=event.TOPIC)

    def raw(self, envelope: dict[str, Any], topic: str = "jiedui.partners.v1") -> RawRecord:
        self._offset += 1
        key = envelope["subject"].encode()
        return RawRecord(topic, 0, self._offset, key, orjson.dumps(envelope), {}, 0)

    async def happen(self, *events: Event) -> None:
        """Archives events, in one batch."""
        await self.inbox.take([self.record(event) for event in events])

    async def newest(self) -> int:
        return int(await self.context.reading().newest())

    def token(self, role: str, **claims: Any) -> dict[str, str]:
        fields = ROLES[role] | claims
        now = fields.pop("now", self.context.now())
        return {"authorization": f"Bearer {self.issuer.token(sub=role, roles=[role], now=now, **fields)}"}

    async def get(self, path: str, role: str = "monitor", **claims: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.token(role, **claims))

    async def post(self, path: str, body: Any, role: str = "monitor") -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.token(role))

    async def read(self, path: str, role: str = "monitor", **claims: Any) -> dict[str, Any]:
        answer = await self.get(path, role, **claims)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def positions(self, query: str = "", role: str = "monitor", **claims: Any) -> list[int]:
        """The positions on a page of the feed."""
        return [item["position"] for item in (await self.read(f"/events?{query}", role, **claims))["items"]]

    async def folded(self) -> None:
        """Waits until the read models have everything."""
        newest = await self.newest()

        async def reached() -> bool:
            return bool((await self.context.reading().projection()).position == newest)

        await until(reached, "the read models have everything")

    @asynccontextmanager
    async def stream(self, query: str = "", role: str = "monitor", **options: Any) -> AsyncIterator[Stream]:
        """Listens; `last_event_id` and a token's claims are options."""
        headers = {}
        if (last := options.pop("last_event_id", None)) is not None:
            headers["last-event-id"] = str(last)
        headers |= self.token(role, **options)
        async with self.client.stream("GET", f"/events/stream?{query}", headers=headers) as response:
            assert response.status_code == 200
            yield Stream(response)

    @asynccontextmanager
    async def replica(self) -> AsyncIterator["Newsroom"]:
        """Another process of the API over the same archive."""
        async with newsroom_at(self.settings, self.name) as other:
            yield other


@asynccontextmanager
async def newsroom_at(settings: Settings, name: str) -> AsyncIterator[Newsroom]:
    settings = settings.model_copy(update={"port": free_ports(1)[0]})
    made = Newsroom(settings, name)
    await made.context.prepare()
    app = create_app(replace(service(), name=name), settings)
    try:
        async with serving(app, settings.port):
            yield made
    finally:
        await made.client.aclose()
        # A client of the database is a handful of threads, and there are hundreds of tests in a process.
        for context in (made.context, app.state.context):
            context.database.client.close()


@pytest.fixture(scope="session")
async def settings(mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Without Kafka: what comes in is put into the inbox."""
    home = tmp_path_factory.mktemp("notify")
    return Settings(
        port=0,
        home=home,
        mongodb_uri=mongodb,
        kafka_bootstrap="127.0.0.1:1",
        webhook_allow=(ip_network("127.0.0.0/8"),),
    )


@pytest.fixture
async def newsroom(settings: Settings) -> AsyncIterator[Newsroom]:
    """An empty archive. Its collections are the same for all tests: making them anew takes seconds."""
    async with newsroom_at(settings, "notifytest") as made:
        projecting = asyncio.create_task(forever("project", lambda: project(made.context)))
        try:
            yield made
        finally:
            projecting.cancel()
            await asyncio.gather(projecting, return_exceptions=True)
            # What a profiler wrote, perhaps after it was switched off, is no test's to delete.
            own = {"name": {"$not": {"$regex": r"^system\."}}}
            for collection in await made.context.database.list_collection_names(filter=own):
                await made.context.database[collection].delete_many({})
