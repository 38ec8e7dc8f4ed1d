"""B8: what is looked at most, in a programme of 77 projects and 10,000 events and in one that is a hundred times that.

Both lie in databases of their own on one mongod, loaded through notify's own archive and folding, and are read in
turn over the API, each time another project, another county, another place of the feed.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import httpx
from pymongo.errors import PyMongoError

from bench.figures import Figure, Goal, Side
from bench.history import COUNTIES, EVENTS, PROJECTS, county, history, project
from bench.machine import versions_of
from bench.measuring import Bench
from services.kit.app import create_app
from services.kit.clock import Clock
from services.kit.mongo import Database, ensure, is_infrastructure, to_document
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from services.notify.domain import Positions, Projection, fold, keys
from services.notify.main import service
from services.notify.settings import Settings
from services.notify.store import Tx

READS = 200
_BATCH = 2_000
Page = Callable[["Programme", Random], str]
PAGES: dict[str, Page] = {
    "overview": lambda programme, chance: "/overview",
    "project page": lambda programme, chance: f"/views/projects/{programme.project(chance)}",
    "county page": lambda programme, chance: f"/views/counties/{programme.county(chance)}",
    "feed page, newest first": lambda programme, chance: "/events?order=desc",
    "feed page, anywhere": lambda programme, chance: f"/events?after={chance.randrange(programme.events)}",
    "feed page, a county's": lambda programme, chance: f"/events?county={programme.county(chance)}&order=desc",
    "feed page, a type's": lambda programme, chance: "/events?type=jiedui.milestone.verified&order=desc",
}
BESIDE: dict[str, Page] = {
    "story of a project": lambda programme, chance: f"/story/{programme.project(chance)}",
    "a day of the feed": lambda programme, chance: "/events?from=2026-07-01&until=2026-07-02",
}


@dataclass
class Programme:
    """One that has grown by `factor`, and notify's API over it."""

    factor: int
    client: httpx.AsyncClient

    @property
    def events(self) -> int:
        return self.factor * EVENTS

    def project(self, chance: Random) -> str:
        return project(chance.randrange(self.factor * PROJECTS))

    def county(self, chance: Random) -> str:
        return county(chance.randrange(self.factor * COUNTIES))

    async def read_ms(self, path: str) -> float:
        began = time.perf_counter()
        answer = await self.client.get(path)
        took = time.perf_counter() - began
        answer.raise_for_status()
        return took * 1000


async def growing(bench: Bench) -> Figure:
    """B8: the time that each page takes."""
    pages = PAGES | BESIDE
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in pages}
    grown = bench.size.growth
    async with programme(bench, 1) as small, programme(bench, grown) as large:
        for repeat in range(bench.size.repeats):
            for name, page in pages.items():
                medians = await _medians(page, (small, large), Random(repeat))
                for values, median in zip(found[name], medians, strict=True):
                    values.append(median)
                bench.say(f"{repeat + 1}/{bench.size.repeats} {name}: {medians[0]:.2f} and {medians[1]:.2f} ms")
    sides = {name: [_side(name, values) for values in both] for name, both in found.items()}
    return Figure(
        no="B8",
        title=f"growth to {grown * EVENTS:,} events in {grown * PROJECTS:,} projects",
        goals=[Goal(ours=sides[name][1], peer=replace(sides[name][0], name="at 1 ×"), most=1.2) for name in PAGES],
        beside=[
            replace(side, name=f"{name} at {n} ×")
            for name in BESIDE
            for n, side in zip((1, grown), sides[name], strict=True)
        ],
        notes=["Counties and partners grow with the projects; what one county or one project holds stays as it is."],
    )


async def _medians(page: Page, both: tuple[Programme, Programme], chance: Random) -> list[float]:
    took: list[list[float]] = [[], []]
    for read in range(READS + 20):
        for programme_, times in zip(both, took, strict=True):
            ms = await programme_.read_ms(page(programme_, chance))
            if read >= 20:
                times.append(ms)
    return [statistics.median(times) for times in took]


def _side(name: str, values: list[float]) -> Side:
    return Side(name=name, version=versions_of("fastapi", "motor"), unit="ms", values=values)


@asynccontextmanager
async def programme(bench: Bench, factor: int) -> AsyncIterator[Programme]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(home=home, mongodb_uri=bench.servers.mongodb, kafka_bootstrap=bench.servers.kafka)
        app = create_app(replace(service(), name=f"benchgrowth{factor}"), settings)
        context: Context = app.state.context
        await load(context, factor, bench.say)
        token = LocalIssuer(home).token(sub="bench", roles=["monitor"], now=Clock().now())
        headers = {"authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notify", headers=headers) as client:
            yield Programme(factor, client)
        await context.database.client.drop_database(context.database.name)


async def load(context: Context, factor: int, say: Callable[[str], None]) -> None:
    """The archive and the read models of a programme. Indexes come last: it takes less time to build them at once."""
    service = context.service
    await ensure(context.database, {name: [] for name in service.all_indexes()}, service.small_pages)
    states: dict[tuple[type, str], Any] = {}
    newest = None
    for events in _batches(history(factor)):
        writing = asyncio.create_task(_insert(context.database, "events", events))
        await asyncio.sleep(0)
        changed, passed_over = fold(events, {key: states.get(key) for key in keys(events)})
        assert not passed_over, passed_over[0]
        states.update(changed)
        await writing
        newest = events[-1]
        if newest.position % 100_000 < _BATCH:
            say(f"{newest.position:,} events of {factor * EVENTS:,} are there")
    assert newest is not None
    states[Positions, ""] = Positions(newest=newest.position, archived_at=newest.archived_at)
    states[Projection, ""] = Projection(position=newest.position, time=newest.archived_at)
    by_kind: dict[str, list[Any]] = {}
    for (kind, _), state in states.items():
        by_kind.setdefault(Tx.KINDS[kind], []).append(state)
    for collection, found in by_kind.items():
        for some in _batches(iter(found)):
            await _insert(context.database, collection, some)
    await _indexed(context)


async def _indexed(context: Context) -> None:
    while True:
        try:
            return await context.prepare()
        except PyMongoError as error:
            # To build an index over a million events takes longer than we wait for an answer; it goes on meanwhile.
            if not is_infrastructure(error):
                raise


async def _insert(database: Database, collection: str, states: list[Any]) -> None:
    await database[collection].insert_many([to_document(state) for state in states], ordered=False)


def _batches(states: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(states, _BATCH)):
        yield batch
