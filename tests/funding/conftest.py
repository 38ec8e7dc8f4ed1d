"""The desk: funding's API and inbox on a real database, and what it publishes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from schemas.envelope import Envelope, Event, dataschema_of, source_of
from schemas.funding import FundPledged, FundUnpledged
from services.funding.main import SERVICE
from services.funding.settings import Settings
from services.kit.app import create_app
from services.kit.clock import rfc3339
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import Broken, RawRecord, read
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from tests.funding.builders import approved, opened, registered, submitted, verified


class Desk:
    """Speaks to funding as its callers and as the topics do."""

    def __init__(self, client: httpx.AsyncClient, context: Context, issuer: LocalIssuer) -> None:
        self.client = client
        self.context = context
        self.database = context.database
        self.inbox = Inbox(context.transactor, context.service.listener())
        self._issuer = issuer
        self._sequences: dict[tuple[str, str], int] = {}
        self._offset = 0

    def record(self, event: Event) -> RawRecord:
        """An event as it comes from a topic, numbered within its subject."""
        service = "projects" if event.TOPIC == "jiedui.projects.v1" else "pairing"
        key = (service, event.subject)
        self._sequences[key] = self._sequences.get(key, 0) + 1
        self._offset += 1
        now = rfc3339(self.context.now())
        envelope = Envelope(
            id=new_id(),
            source=source_of(service),
            type=event.TYPE,
            subject=event.subject,
            time=now,
            recordedtime=now,
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

    async def hear(self, *events: Event) -> None:
        """One batch."""
        await self.inbox.take([self.record(event) for event in events])

    async def fund(self) -> str:
        """A project with 100.00 reserved of a commitment of 200.00, and 60.00 released; answers its id."""
        today = self.context.clock.today().isoformat()
        project = opened(60, 40, starts_on=today)
        await self.hear(registered(), registered("foundation"), submitted(200_00), approved(100_00), project)
        await self.hear(verified(1))
        return project.project_id

    def token(self, *roles: str, **claims: Any) -> dict[str, str]:
        token = self._issuer.token(sub="-".join(roles), roles=roles, now=self.context.now(), **claims)
        return {"authorization": f"Bearer {token}"}

    async def get(self, path: str, *roles: str, **claims: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.token(*(roles or ("bookkeeper",)), **claims))

    async def post(self, path: str, body: Any, role: str = "bookkeeper", **headers: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.token(role) | headers)

    def expenditure(self, **changes: Any) -> dict[str, Any]:
        return {
            "project_id": "project-p",
            "amount": "25.00",
            "currency": "CNY",
            "payee": "村委会",
            "spent_on": self.context.clock.today().isoformat(),
        } | changes

    def transfer(self, **changes: Any) -> dict[str, Any]:
        return {
            "commitment_id": "c",
            "amount": "40.00",
            "currency": "CNY",
            "to_partner_id": "foundation",
            "on": self.context.clock.today().isoformat(),
        } | changes

    async def published(self, subject: str) -> list[Any]:
        """The events of a subject but pledges, in their order, each held against its schema."""
        rows = await self.database.outbox.find({"key": subject.encode()}).sort("sequence", 1).to_list(None)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        found = [read(RawRecord(row["topic"], 0, 0, row["key"], row["value"], {}, 0)) for row in rows]
        assert [item for item in found if isinstance(item, Broken)] == []
        return [item for item in found if not isinstance(item.data, FundPledged | FundUnpledged)]

    async def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get("/ledger/verify", "monitor")).json()
        return found


def sound(entries: int, *, seals: int = 0, sealed_until: int = 0) -> dict[str, Any]:
    """The verdict on a ledger in which nothing is wrong."""
    return {"ok": True, "entries": entries, "seals": seals, "sealed_until": sealed_until, "faults": []}


@pytest.fixture
async def desk(mongodb: str, tmp_path: Path) -> AsyncIterator[Desk]:
    service = replace(SERVICE, name=f"funding{new_id()[-12:]}")
    app = create_app(service, Settings(home=tmp_path, mongodb_uri=mongodb))
    context: Context = app.state.context
    await context.prepare()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://funding") as client:
        yield Desk(client, context, LocalIssuer(tmp_path))
    await context.database.client.drop_database(context.database.name)
    context.database.client.close()
