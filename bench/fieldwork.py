"""What an officer waits for: a phone's queue of 200 edits, and pages when there are many projects.

The queue is sent by one POST /sync to projects' real API, then once more; beside it as many POSTs in turn to
FastAPI with one `insert_one`, the least that a phone without a queue would need. The pages are read with
77 projects and with 100 times as many, each two years at work. All of it in this process, in turn.
"""

import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pymongo.write_concern import WriteConcern

from bench.figures import Figure, Goal, Side
from bench.machine import versions_of
from bench.measuring import Bench
from services.kit import mongo
from services.kit.app import create_app
from services.kit.clock import Clock, rfc3339
from services.kit.ids import new_id
from services.kit.tokens import LocalIssuer
from services.projects import domain
from services.projects.main import SERVICE
from services.projects.settings import Settings
from services.projects.store import Tx
from services.projects.streams.events import PLANS
from tests.projects.builders import approved

OF_A_PHONE = 5
PROGRAMME = 77
READS = 40
COUNTY = "520320"
COUNTIES = 7
OBSERVATIONS = 24


@dataclass(frozen=True)
class Field:
    """Projects' API over some projects, and who asks it."""

    client: httpx.AsyncClient
    ids: Sequence[str]

    async def push(self, edits: Sequence[Any], wanted: set[str]) -> float:
        """The seconds that a queue takes."""
        began = time.perf_counter()
        answer = await self.client.post("/sync", json={"edits": edits})
        took = time.perf_counter() - began
        if answer.status_code != 200 or {result["outcome"] for result in answer.json()["results"]} - wanted:
            raise RuntimeError(f"not taken: {answer.text[:1000]}")
        return took

    async def read(self, path: str) -> float:
        """The median seconds of some reads, each of another project where the path names one."""
        took = []
        for no in range(READS):
            began = time.perf_counter()
            answer = await self.client.get(path.format(id=self.ids[no * len(self.ids) // READS]))
            took.append(time.perf_counter() - began)
            answer.raise_for_status()
        return statistics.median(took)


@asynccontextmanager
async def field(uri: str, projects: int, counties: int = COUNTIES) -> AsyncIterator[Field]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = create_app(replace(SERVICE, name=f"bench{new_id()[-12:]}"), Settings(home=home, mongodb_uri=uri))
        context = app.state.context
        await context.prepare()
        ids = [new_id() for _ in range(projects)]
        for at in range(0, projects, 500):
            some = [states(id, f"52032{no % counties}") for no, id in enumerate(ids[at : at + 500])]
            await insert(context.database, some)
        bearer = LocalIssuer(home).token(sub="o", roles=["officer"], now=context.now(), county_codes=[COUNTY])
        if counties > 1:
            bearer = LocalIssuer(home).token(sub="m", roles=["monitor"], now=context.now())
        headers = {"authorization": f"Bearer {bearer}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://projects", headers=headers) as client:
            try:
                yield Field(client, ids)
            finally:
                await context.database.client.drop_database(context.database.name)


@asynccontextmanager
async def bare(uri: str) -> AsyncIterator[Callable[[int], Awaitable[float]]]:
    """FastAPI and an `insert_one` that a majority has: the seconds of so many POSTs in turn."""
    client = mongo.connect(uri)
    collection = client.bench_fieldwork.get_collection("edits", write_concern=WriteConcern("majority", j=True))
    app = FastAPI()

    @app.post("/edits", status_code=201)
    async def keep(edit: dict[str, Any]) -> dict[str, str]:
        await collection.insert_one({"_id": new_id(), **edit})
        return {"outcome": "applied"}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bare") as sender:

        async def post(count: int) -> float:
            began = time.perf_counter()
            for no in range(count):
                (await sender.post("/edits", json={"note": f"第 {no} 条 {new_id()}"})).raise_for_status()
            return time.perf_counter() - began

        try:
            yield post
        finally:
            await client.drop_database("bench_fieldwork")
            client.close()


async def syncing(bench: Bench) -> Figure:
    """A phone's queue, when there is a line again."""
    uri, count = bench.servers.mongodb, bench.size.edits
    found: dict[str, list[float]] = {"first": [], "again": [], "bare": []}
    async with field(uri, OF_A_PHONE, counties=1) as phone, bare(uri) as post:
        for repeat in range(bench.size.repeats + 1):
            page = (await phone.client.get("/sync")).json()
            queue = list(islice(edits(page["items"]), count))
            took = {
                "first": await phone.push(queue, {"applied", "merged"}),
                "again": await phone.push(queue, {"duplicate"}),
                "bare": await post(count),
            }
            # The first one warms all sides up.
            if repeat:
                bench.say(f"{repeat}/{bench.size.repeats} " + ", ".join(f"{who} {s:.2f} s" for who, s in took.items()))
                for who, seconds in took.items():
                    found[who].append(seconds * 1000)
    mine, theirs = versions_of("fastapi", "motor"), f"{count} POSTs in turn to FastAPI + insert_one"
    return Figure(
        no="sync",
        title=f"a phone's queue of {count} edits",
        goals=[
            Goal(
                ours=Side(name="one POST /sync", version=mine, unit="ms", values=found["first"]),
                peer=Side(name=theirs, version=mine, unit="ms", values=found["bare"]),
                most=1,
            )
        ],
        beside=[Side(name="the same queue again", version=mine, unit="ms", values=found["again"])],
        notes=[f"Reports in chains and observations of {OF_A_PHONE} projects; each is merged, kept and published."],
    )


def edits(projects: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Of each milestone a chain of reports; every fourth is an observation of another day. As many as are wanted."""
    now = rfc3339(Clock().now() - timedelta(minutes=1))
    ends: dict[tuple[str, int], str] = {}
    turn = 0
    while projects:
        for project in projects:
            turn += 1
            edit = {"id": new_id(), "project_id": project["id"], "occurred_at": now}
            if turn % 4 == 0:
                on = str(date(2026, 1, 1) + timedelta(turn))
                fields = {"indicator": "clinics_linked", "value": turn, "on": on}
                yield edit | {"kind": "observation", "fields": fields}
                continue
            milestone = project["milestones"][turn % len(project["milestones"])]
            place = (project["id"], milestone["no"])
            yield edit | {
                "kind": "milestone-report",
                "milestone_no": milestone["no"],
                "base_version": milestone["version"],
                "after": ends.get(place),
                "fields": {"note": f"第 {turn} 条 {new_id()}"},
            }
            ends[place] = edit["id"]


async def growing(bench: Bench) -> Figure:
    """Pages of projects, when there are many more of them."""
    paths = {
        "a project": "/projects/{id}",
        "its history": "/projects/{id}/history?limit=50",
        "a county's list": f"/projects?county={COUNTY}&limit=10",
        "what is at risk": "/projects?at_risk=true&limit=50",
    }
    uri, many = bench.servers.mongodb, PROGRAMME * bench.size.growth
    bench.say(f"{PROGRAMME} projects beside {many:,}")
    async with field(uri, PROGRAMME) as small, field(uri, many) as large:
        found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in paths}
        for repeat in range(bench.size.repeats + 1):
            for name, path in paths.items():
                for side, read in zip(found[name], (small.read, large.read), strict=True):
                    took = await read(path)
                    if repeat:
                        side.append(took * 1000)
    mine = versions_of("fastapi", "motor")
    goals = [
        Goal(
            ours=Side(name=name, version=mine, unit="ms", values=of_many),
            peer=Side(name=f"of {PROGRAMME}", version=mine, unit="ms", values=of_few),
            most=1.2,
        )
        for name, (of_few, of_many) in found.items()
    ]
    return Figure(no="pages", title=f"of {many:,} projects, two years at work", goals=goals)


def states(id: str, county: str) -> list[Any]:
    """A project that has been at work for two years, and all that is kept of it."""
    kept: dict[tuple[type, str], Any] = {}
    began = Clock().now() - timedelta(days=730)
    event = replace(approved(), project_id=id, pairing_id=f"{id}-pairing", county_code=county)
    days: dict[str, Any] = {"approved_at": began, "starts_on": began.date(), "now": began}

    def keep(decision: Any) -> Any:
        kept.update({(type(state), state.id): state for state in decision.saves})
        return kept[domain.Project, id]

    project = keep(domain.open_project(None, event, PLANS["coverage"], None, who="bench", **days))
    for no in range(OBSERVATIONS):
        now = began + timedelta(days=30 * no)
        told = domain.Claim(indicator="clinics_linked", value=no, on=now.date(), occurred_at=now)
        others = [state for (kind, _), state in kept.items() if kind is domain.Observation]
        project = keep(domain.observe(project, told, others, who="officer", now=now))
        if no % 6 == 0:
            report = domain.Report(occurred_at=now, note="按计划完成")
            about: dict[str, Any] = {"evidence": {}, "conflicts": (), "who": "officer", "now": now}
            project = keep(domain.report_milestone(project, no // 6 + 1, report, **about))
    return [state for (kind, _), state in kept.items() if kind is not domain.County]


async def insert(database: mongo.Database, projects: Sequence[Sequence[Any]]) -> None:
    documents: dict[str, list[mongo.Document]] = {}
    for state in (state for of_one in projects for state in of_one):
        documents.setdefault(Tx.KINDS[type(state)], []).append(mongo.to_document(state) | {"sequence": 0})
    for collection, rows in documents.items():
        await database[collection].insert_many(rows, ordered=False)
