"""What every route promises, tried on a service of one thing over real HTTP."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import httpx
import pytest
from fastapi import APIRouter, Query
from starlette.responses import Response

from schemas.partners import PartnerRegistered
from services.kit.app import create_app
from services.kit.decision import Conflict, Decision
from services.kit.http import Call, Form, Page, Unread, allow, created, ok
from services.kit.ids import new_id
from services.kit.service import Service
from services.kit.settings import Settings
from services.kit.tokens import LocalIssuer
from services.kit.transact import Tx as KitTx
from tests.conftest import free_ports
from tests.serving import serving
from tests.waiting import until


@dataclass(frozen=True, kw_only=True)
class Thing:
    id: str
    version: int
    name: str


class Tx(KitTx):
    KINDS = {Thing: "things"}


class NameTaken(Conflict):
    pass


class ThingForm(Form):
    READ_ONLY: ClassVar[frozenset[str]] = frozenset({"id", "version"})
    name: str
    count: int = 0


router = APIRouter()
started = asyncio.Event()
may_go_on = asyncio.Event()


def view(thing: Thing) -> dict[str, Any]:
    return {"id": thing.id, "version": thing.version, "name": thing.name}


@router.post("/things", status_code=201)
async def make(call: Annotated[Call, allow("coordinator")], form: Unread[ThingForm]) -> Response:
    async def work(tx: Tx) -> Decision[Thing]:
        wanted = form.read()
        if wanted.name == "slow":
            started.set()
            await may_go_on.wait()
        if await tx.find(Thing, {"name": wanted.name}):
            raise NameTaken("There is one of that name.", name=wanted.name)
        thing = Thing(id=tx.new_id(), version=1, name=wanted.name)
        event = PartnerRegistered(partner_id=thing.id, name={"zh": thing.name}, kind="enterprise")
        return Decision(thing, saves=(thing,), events=(event,))

    return await call.perform(work, created("/things", view))


@router.patch("/things/{id}")
async def change(id: str, call: Annotated[Call, allow("coordinator")], form: Unread[ThingForm]) -> Response:
    async def work(tx: Tx) -> Decision[Thing]:
        thing = await tx.need(Thing, id)
        call.expect(thing.version, view(thing))
        changed = replace(thing, version=thing.version + 1, name=form.read().name)
        return Decision(changed, saves=(changed,))

    return await call.perform(work, ok(view))


@router.get("/things")
async def things(call: Annotated[Call, allow("coordinator", "monitor")], page: Annotated[Page, Query()]) -> Response:
    return await call.page(Thing, {}, page, view)


class Server:
    def __init__(self, url: str, home: Path, database: Any) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=30)
        self.home = home
        self.database = database

    def token(self, *roles: str, sub: str = "c", **other: Any) -> dict[str, str]:
        now = other.pop("now", datetime.now(UTC))
        token = LocalIssuer(self.home).token(sub=sub, roles=roles, now=now, **other)
        return {"authorization": f"Bearer {token}"}

    async def make(self, body: Any, **headers: str) -> httpx.Response:
        return await self.client.post("/things", json=body, headers=self.token("coordinator") | headers)

    async def is_ready(self) -> bool:
        return (await self.client.get("/readyz")).status_code == 200

    async def count(self) -> int:
        return int(await self.database.outbox.count_documents({}))


@pytest.fixture
async def server(mongodb: str, tmp_path: Path) -> AsyncIterator[Server]:
    (port,) = free_ports(1)
    service = Service(name=f"toy{new_id()[-12:]}", tx=Tx, routers=(router,))
    settings = Settings(port=port, worker_port=0, mongodb_uri=mongodb, home=tmp_path)
    app = create_app(service, settings)
    async with serving(app, port):
        made = Server(f"http://127.0.0.1:{port}", tmp_path, app.state.context.database)
        await until(made.is_ready, "it is ready")
        yield made
        await made.client.aclose()
    app.state.context.database.client.close()


def problem(answer: httpx.Response, status: int, rule: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{rule}"
    assert body["status"] == status
    assert {"title", "detail", "instance"} <= body.keys()
    return body


async def test_a_command_answers_201_with_location_and_etag_and_writes_its_event(server: Server) -> None:
    answer = await server.make({"name": "a"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/things/{answer.json()['id']}"
    assert answer.headers["etag"] == '"1"'
    row = await server.database.outbox.find_one({})
    assert json.loads(row["value"])["sequence"] == "0000000001"


async def test_no_token_or_one_that_is_not_to_be_believed_is_401_before_all_else(server: Server) -> None:
    late = server.token("coordinator", now=datetime.now(UTC) - timedelta(days=3))
    other = server.token("coordinator", audience="another")
    header, _, signature = server.token("coordinator")["authorization"].split(".")
    forged = base64.urlsafe_b64encode(b'{"roles":["coordinator"]}').decode().rstrip("=")
    for headers in ({}, late, other, {"authorization": f"{header}.{forged}.{signature}"}, {"authorization": "Basic x"}):
        answer = await server.client.post("/things", content=b"{broken", headers=headers)
        problem(answer, 401, "unauthorised")
    assert (await server.client.get("/nothing")).status_code == 401


async def test_a_role_that_may_not_is_403_before_the_body_is_looked_at(server: Server) -> None:
    answer = await server.client.post("/things", json={"wrong": 1}, headers=server.token("monitor"))
    problem(answer, 403, "role-not-allowed")


async def test_who_is_kept_out_is_in_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await server.client.post("/things", json={})
        await server.client.post("/things", json={}, headers=server.token("monitor", sub="wang"))
        await server.client.patch("/things/x", json={}, headers=server.token("coordinator", sub="li"))
        await server.make({"name": 5})
    told = [(one.who, one.method, one.path) for one in caplog.records if one.message == "kept out"]  # type: ignore[attr-defined]
    assert told == [(None, "POST", "/things"), ("wang", "POST", "/things"), ("li", "PATCH", "/things/x")]


async def test_faults_of_the_fields_come_all_at_once(server: Server) -> None:
    body = problem(await server.make({"name": 5, "count": "1", "colour": "red"}), 422, "invalid")
    assert {fault["pointer"] for fault in body["errors"]} == {"/name", "/count", "/colour"}
    assert await server.count() == 0


async def test_faults_are_told_in_the_language_that_is_asked_for(server: Server) -> None:
    headers = server.token("coordinator") | {"accept-language": "zh-CN,en;q=0.5"}
    answer = await server.client.post("/things", json={"count": "1", "colour": "red"}, headers=headers)
    told = {fault["pointer"]: fault["detail"] for fault in problem(answer, 422, "invalid")["errors"]}
    assert told == {"/name": "必须填写", "/count": "应为整数", "/colour": "不是已知的字段"}
    answer = await server.client.get("/things?limit=0", headers=headers)
    assert [fault["detail"] for fault in problem(answer, 422, "invalid")["errors"]] == ["不能小于 1"]


@pytest.mark.parametrize("sent", [b"{broken", b'{"name": NaN}', b"[1", b"\xff\xfe"])
async def test_what_is_not_json_is_400(server: Server, sent: bytes) -> None:
    headers = server.token("coordinator") | {"content-type": "application/json"}
    problem(await server.client.post("/things", content=sent, headers=headers), 400, "bad-request")


async def test_another_media_type_is_415_and_too_much_is_413(server: Server) -> None:
    headers = server.token("coordinator")
    answer = await server.client.post("/things", content=b"name=a", headers=headers | {"content-type": "text/plain"})
    problem(answer, 415, "unsupported-media-type")
    large = {"name": "x" * 10_000_000}
    problem(await server.client.post("/things", json=large, headers=headers), 413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    json_ = headers | {"content-type": "application/json"}
    problem(await server.client.post("/things", content=chunks(), headers=json_), 413, "too-large")


async def test_no_body_counts_as_an_empty_one(server: Server) -> None:
    answer = await server.client.post("/things", headers=server.token("coordinator"))
    assert [fault["pointer"] for fault in problem(answer, 422, "invalid")["errors"]] == ["/name"]


async def test_unknown_paths_and_methods_are_problems(server: Server) -> None:
    headers = server.token("coordinator")
    problem(await server.client.get("/nothing", headers=headers), 404, "not-found")
    problem(await server.client.delete("/things", headers=headers), 405, "method-not-allowed")


async def test_a_change_needs_the_version_it_was_made_on(server: Server) -> None:
    path = (await server.make({"name": "a"})).headers["location"]
    headers = server.token("coordinator")

    async def patch(**more: str) -> httpx.Response:
        return await server.client.patch(path, json={"name": "b"}, headers=headers | more)

    problem(await patch(), 428, "precondition-required")
    problem(await server.client.patch("/things/none", json={}, headers=headers), 404, "not-found")
    problem(await server.client.patch(path, json={"nome": 1}, headers=headers), 428, "precondition-required")
    assert (await patch(**{"if-match": '"1"'})).headers["etag"] == '"2"'
    stale = problem(await patch(**{"if-match": '"1"'}), 412, "stale")
    assert stale["current"]["version"] == 2


async def test_the_same_key_gives_the_first_answer_again(server: Server) -> None:
    first = await server.make({"name": "a", "count": 1}, **{"idempotency-key": '"k"'})
    again = await server.make({"count": 1, "name": "a"}, **{"idempotency-key": "k"})
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert await server.count() == 1


async def test_the_same_key_with_another_body_is_422_and_does_nothing(server: Server) -> None:
    await server.make({"name": "a"}, **{"idempotency-key": "k"})
    problem(await server.make({"name": "b"}, **{"idempotency-key": "k"}), 422, "key-reused")
    assert await server.count() == 1


async def test_a_refused_command_keeps_no_key(server: Server) -> None:
    await server.make({"name": "a"})
    problem(await server.make({"name": "a"}, **{"idempotency-key": "k"}), 409, "name-taken")
    assert (await server.make({"name": "b"}, **{"idempotency-key": "k"})).status_code == 201


async def test_five_at_once_with_one_key_are_one(server: Server) -> None:
    answers = await asyncio.gather(*(server.make({"name": "a"}, **{"idempotency-key": "k"}) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await server.count() == 1


async def test_a_key_whose_command_still_runs_is_waited_for(server: Server) -> None:
    started.clear(), may_go_on.clear()
    first = asyncio.create_task(server.make({"name": "slow"}, **{"idempotency-key": "k"}))
    await asyncio.wait_for(started.wait(), 10)
    second = asyncio.create_task(server.make({"name": "slow"}, **{"idempotency-key": "k"}))
    done, _ = await asyncio.wait({second}, timeout=0.3)
    assert not done
    may_go_on.set()
    assert (await second).content == (await first).content
    assert await server.count() == 1


async def test_pages_hold_each_thing_once_and_a_foreign_cursor_is_refused(server: Server) -> None:
    for n in range(7):
        await server.make({"name": str(n)})
    headers, seen, cursor = server.token("monitor"), [], None
    while True:
        query = {"limit": 3, "total": True} | ({"cursor": cursor} if cursor else {})
        page = (await server.client.get("/things", params=query, headers=headers)).json()
        seen += [item["name"] for item in page["items"]]
        assert page["total"] == 7
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(n) for n in range(7)]
    for query in (
        {"cursor": "x"},
        {"cursor": base64.b64encode(b'["other","x"]').decode()},
        {"limit": 0},
        {"colour": 1},
    ):
        problem(await server.client.get("/things", params=query, headers=headers), 422, "invalid")


async def test_openapi_is_served_without_a_token_and_names_the_body(server: Server) -> None:
    document = (await server.client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    body = document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/ThingForm"}
    assert (await server.client.get("/healthz")).status_code == 200
    assert (await server.client.get("/readyz")).status_code == 200
    assert "python_info" in (await server.client.get("/metrics")).text
