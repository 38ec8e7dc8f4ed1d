"""The office: projects' API and inbox on a real database, and what they publish."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import orjson
import pytest

from schemas.envelope import Envelope, Event, dataschema_of, source_of
from services.kit.app import create_app
from services.kit.clock import rfc3339
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import Broken, RawRecord, read
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from services.projects.main import SERVICE
from services.projects.settings import Settings
from tests.projects.builders import approved


class Office:
    """Speaks to projects as its callers and as the topics do."""

    def __init__(self, client: httpx.AsyncClient, context: Context, issuer: LocalIssuer) -> None:
        self.client = client
        self.context = context
        self.database = context.database
        self.inbox = Inbox(context.transactor, context.service.listener())
        self._issuer = issuer
        self._sequences: dict[tuple[str, str], int] = {}
        self._offset = 0

    async def clear(self) -> None:
        for collection in await self.database.list_collection_names():
            await self.database[collection].delete_many({})
        self._sequences.clear()

    def record(self, event: Event, *, source: str = "pairing", at: datetime | None = None, **other: Any) -> RawRecord:
        """An event as it comes from a topic, numbered within its subject."""
        key = (source, event.subject)
        self._sequences[key] = self._sequences.get(key, 0) + 1
        self._offset += 1
        now = self.context.now()
        envelope = Envelope(
            id=new_id(),
            source=source_of(source),
            type=event.TYPE,
            subject=event.subject,
            time=rfc3339(at or now),
            recordedtime=rfc3339(now),
            dataschema=dataschema_of(type(event)),
            sequence=self._sequences[key],
            actor="coordinator",
            correlationid="c",
            causationid="c",
            traceparent=None,
            data=event.data(),
        )
        value = orjson.dumps(envelope.to_dict())
        return RawRecord(event.TOPIC, 0, self._offset, event.subject.encode(), value, {}, 0)

    async def hear(self, event: Event, *, source: str = "pairing", at: datetime | None = None) -> None:
        await self.inbox.take([self.record(event, source=source, at=at)])

    async def open(self, **fields: Any) -> str:
        """A project of a new pairing; answers its id."""
        ids = {"project_id": new_id(), "pairing_id": new_id()}
        event = approved(**ids | fields)
        await self.hear(event)
        return event.project_id

    def token(self, role: str, **claims: Any) -> dict[str, str]:
        sub = claims.pop("sub", role)
        token = self._issuer.token(sub=sub, roles=[role], now=self.context.now(), **claims)
        return {"authorization": f"Bearer {token}"}

    async def get(self, path: str, role: str = "coordinator", **claims: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.token(role, **claims))

    async def post(
        self, path: str, body: Any, role: str = "coordinator", *, headers: dict[str, str] | None = None, **claims: Any
    ) -> httpx.Response:
        if role == "officer":
            claims.setdefault("county_codes", ["520326"])
        return await self.client.post(path, json=body, headers=self.token(role, **claims) | (headers or {}))

    async def on_milestone(
        self, id: str, no: int, step: str, body: Any, role: str = "coordinator", **claims: Any
    ) -> httpx.Response:
        """Sent with the milestone's version as it is now."""
        version = (await self.project(id))["milestones"][no - 1]["version"]
        path = f"/projects/{id}/milestones/{no}/{step}"
        return await self.post(path, body, role, headers={"if-match": f'"{version}"'}, **claims)

    async def send_file(self, content: bytes, role: str = "officer", **claims: Any) -> httpx.Response:
        if role == "officer":
            claims.setdefault("county_codes", ["520326"])
        files = {"file": ("from a phone", content)}
        return await self.client.post("/evidence", files=files, headers=self.token(role, **claims))

    async def upload(self, content: bytes, role: str = "officer", **claims: Any) -> str:
        """Evidence; answers its SHA-256."""
        sha256: str = (await self.send_file(content, role, **claims)).json()["sha256"]
        return sha256

    async def project(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(f"/projects/{id}")).json()
        return found

    async def published(self, id: str) -> list[Any]:
        """The events of a project, in their order, each held against its schema."""
        rows = await self.database.outbox.find({"key": id.encode()}).sort("sequence", 1).to_list(None)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        found = [read(RawRecord(row["topic"], 0, 0, row["key"], row["value"], {}, 0)) for row in rows]
        assert [item for item in found if isinstance(item, Broken)] == []
        return found

    async def types(self, id: str) -> list[str]:
        return [event.envelope.type for event in await self.published(id)]


@pytest.fixture(scope="session")
async def opened_office(mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    home = tmp_path_factory.mktemp("projects")
    service = replace(SERVICE, name=f"projects{new_id()[-12:]}")
    app = create_app(service, Settings(home=home, mongodb_uri=mongodb))
    context: Context = app.state.context
    await context.prepare()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://projects") as client:
        yield Office(client, context, LocalIssuer(home))
    await context.database.client.drop_database(context.database.name)


@pytest.fixture
async def office(opened_office: Office) -> Office:
    """Without any data; the indexes stay, since making them anew takes longer than most tests."""
    await opened_office.clear()
    return opened_office
