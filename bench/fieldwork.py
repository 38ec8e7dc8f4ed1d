"""What an officer waits for: a phone's queue of 200 edits, and a project's page when there are many projects.

The queue is sent by one POST /sync to projects' real API, then once more; beside it 200 POSTs in turn to
FastAPI with one `insert_one`, the least that a phone without a queue would need. The pages are read with
77 projects and with 100 times as many, each two years at work; the goal is at most 1.2 times the time.
All is measured in this process, in turn, `REPEATS` times; the medians count.

Usage: python -m bench.fieldwork [--growth N]; JIEDUI_TEST_MONGODB names a replica set to be used.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pymongo.write_concern import WriteConcern

from bench.imports import database, say
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

REPEATS = 5
EDITS = 200
OF_A_PHONE = 5
PROGRAMME = 77
GROWTH = 100
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
async def bare(uri: str) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """FastAPI and an `insert_one` that a majority has; answers the seconds of as many POSTs in turn as a queue has."""
    client = mongo.connect(uri)
    collection = client.bench_fieldwork.get_collection("edits", write_concern=WriteConcern("majority", j=True))
    app = FastAPI()

    @app.post("/edits", status_code=201)
    async def keep(edit: dict[str, Any]) -> dict[str, str]:
        await collection.insert_one({"_id": new_id(), **edit})
        return {"outcome": "applied"}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bare") as sender:

        async def post_all() -> float:
            began = time.perf_counter()
            for no in range(EDITS):
                (await sender.post("/edits", json={"note": f"第 {no} 条 {new_id()}"})).raise_for_status()
            return time.perf_counter() - began

        try:
            yield post_all
        finally:
            await client.drop_database("bench_fieldwork")
            client.close()


async def syncing(uri: str) -> None:
    found: dict[str, list[float]] = {"first": [], "again": [], "bare": []}
    async with field(uri, OF_A_PHONE, counties=1) as phone, bare(uri) as post_all:
        for repeat in range(REPEATS + 1):
            page = (await phone.client.get("/sync")).json()
            queue = list(islice(edits(page["items"]), EDITS))
            took = {
                "first": await phone.push(queue, {"applied", "merged"}),
                "again": await phone.push(queue, {"duplicate"}),
                "bare": await post_all(),
            }
            # The first one warms all sides up.
            for name in found if repeat else ():
                found[name].append(took[name])
    first, again, peer = (statistics.median(seconds) for seconds in found.values())
    say(f"{EDITS} edits of {OF_A_PHONE} projects by one POST /sync: {first:.2f} s; the same queue again: {again:.2f} s")
    say(f"{EDITS} POSTs in turn to FastAPI {version('fastapi')}, insert_one: {peer:.2f} s, {peer / first:.1f} x ours")


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


async def growing(uri: str, growth: int) -> None:
    paths = {
        "a project": "/projects/{id}",
        "its history": "/projects/{id}/history?limit=50",
        "a county's list": f"/projects?county={COUNTY}&limit=10",
        "what is at risk": "/projects?at_risk=true&limit=50",
    }
    async with field(uri, PROGRAMME) as small, field(uri, PROGRAMME * growth) as large:
        found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in paths}
        for repeat in range(REPEATS + 1):
            for name, path in paths.items():
                for side, read in zip(found[name], (small.read, large.read), strict=True):
                    took = await read(path)
                    if repeat:
                        side.append(took)
    for name, sides in found.items():
        few, many = (statistics.median(seconds) * 1000 for seconds in sides)
        say(f"{name}: {few:.2f} ms of {PROGRAMME} projects, {many:.2f} ms of {PROGRAMME * growth}: {many / few:.2f} x")


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--growth", type=int, default=GROWTH)
    given = parser.parse_args()
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with database() as uri:
        asyncio.run(syncing(uri))
        asyncio.run(growing(uri, given.growth))


if __name__ == "__main__":
    main()
