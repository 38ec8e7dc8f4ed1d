"""A round of 100,000 commitments and 3,000 counties in a worker, while the API answers.

A database is filled with the programme, an API and a worker run in processes of their own, and the API
is asked ten times a second: without a round, while one runs, and without one again. Its 99th percentile
may be twice as long with the round as without. When pairs are being told the worker is killed: nothing
of the round may show then, and another worker ends it. Then a second round is cancelled while it is solved.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import uvicorn

from bench.figures import Figure, Goal, Side
from bench.measuring import Bench
from bench.programme import REACH
from services.kit.app import create_app
from services.kit.ids import new_id
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from services.pairing.domain import FROZEN, SOLVED
from services.pairing.main import SERVICE
from services.pairing.settings import Settings
from services.pairing.streams import run_rounds
from tests.conftest import free_ports

CATEGORIES = ("coverage", "education", "smart-travel")
PAUSE_S = 0.1
QUIET_S = 30.0
# When the worker is killed: pairs are being told.
TELLING = 75
Json = dict[str, Any]


class Office:
    """Asks the API as a coordinator does."""

    def __init__(self, client: httpx.AsyncClient, today: str) -> None:
        self.client = client
        self.today = today

    async def get(self, path: str) -> Json:
        found: Json = (await self.client.get(path)).raise_for_status().json()
        return found

    async def post(self, path: str, body: Json) -> Json:
        made: Json = (await self.client.post(path, json=body)).raise_for_status().json()
        return made

    async def ask(self) -> str:
        """Asks for a round; answers its id."""
        return str((await self.post("/rounds", {"as_of": self.today, "seed": 1}))["id"])

    async def latencies(self, until: Callable[[], Awaitable[bool]]) -> list[float]:
        """Seconds for each of three usual questions in turn, ten a second."""
        found = []
        paths = ("/commitments?limit=50", "/counties/100001", "/rounds?limit=1")
        while not await until():
            for path in paths:
                began = time.perf_counter()
                await self.get(path)
                found.append(time.perf_counter() - began)
                await asyncio.sleep(PAUSE_S)
        return found

    async def progress(self, id: str) -> tuple[str, int]:
        found = await self.get(f"/rounds/{id}")
        return found["status"], found["progress"]


async def fill(context: Context, office: Office, commitments: int, counties: int) -> None:
    """One of each over HTTP, and the others as copies of it."""
    rng = np.random.default_rng(1)
    name = {"zh": "示例企业", "en": "Example"}
    partner = await office.post("/partners", {"name": name, "kind": "enterprise"})
    card = {
        "name": {"zh": "示例县"},
        "province": "10",
        "needs": [{"category": category, "slots": 1, "severity": 0.5} for category in CATEGORIES],
        "valid_from": "2020-01-01",
        "reason": "bench",
    }
    (await office.client.put("/counties/100000/card", json=card)).raise_for_status()
    offer = {
        "partner_id": partner["id"],
        "category": CATEGORIES[0],
        "title": {"zh": "光纤进村", "en": "Fibre"},
        "support": {"kind": "money", "amount": "1000000.00", "currency": "CNY"},
        "projects_max": 2,
        "valid_from": office.today,
        "valid_until": office.today,
        "only": {"counties": ["100000"]},
    }
    await office.post("/commitments", offer)
    stored = context.database
    of_county = await stored.counties.find_one({})
    of_commitment = await stored.commitments.find_one({})
    assert of_county
    assert of_commitment
    most = 2 * max(1, round(2.2 * commitments / (counties * len(CATEGORIES))))
    for at in range(1, counties, 500):
        rows = []
        for no in range(at, min(at + 500, counties)):
            code = f"{100000 + no}"
            needs = [
                need | {"slots": int(rng.integers(0, most)), "severity": int(rng.integers(0, 1001)) / 1000}
                for need in of_county["card"]["needs"]
            ]
            newest = of_county["card"] | {"id": f"{code}/1", "county_code": code, "needs": needs}
            rows.append(of_county | {"_id": code, "card": newest})
        await stored.counties.insert_many(rows)
    for at in range(1, commitments, 1000):
        rows = []
        for no in range(at, min(at + 1000, commitments)):
            only = [f"{100000 + int(code)}" for code in rng.choice(counties, min(REACH, counties), replace=False)]
            terms = of_commitment["terms"] | {
                "category": CATEGORIES[no % len(CATEGORIES)],
                "projects_max": int(rng.integers(1, 4)),
                "only": of_commitment["terms"]["only"] | {"counties": only},
            }
            rows.append(of_commitment | {"_id": f"{of_commitment['_id'][:-7]}{no:07}", "terms": terms})
        await stored.commitments.insert_many(rows)


def started(part: str, uri: str, home: Path, name: str, port: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bench.round_in_worker", part, uri, str(home), name, str(port)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def kill(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()


@dataclass(kw_only=True)
class Seen:
    """Seconds, and megabytes of the solving process."""

    quiet: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    frozen_s: float = 0.0
    solved_s: float = 0.0
    completed_s: float = 0.0
    gone_s: float = 0.0


async def watched(bench: Bench, home: Path, commitments: int, counties: int) -> Seen:
    uri, name = bench.servers.mongodb, f"bench{new_id()[-12:]}"
    context = Context.of(replace(SERVICE, name=name), Settings(home=home, mongodb_uri=uri), "api")
    await context.prepare()
    (port,) = free_ports(1)
    running = {"api": started("api", uri, home, name, port)}
    try:
        async with calling(context, port) as office:
            await fill(context, office, commitments, counties)
            seen = Seen()
            seen.quiet += await office.latencies(_for(QUIET_S))
            running["worker"] = started("worker", uri, home, name)
            bench.say("a round")
            await one_round(context, office, running, lambda: started("worker", uri, home, name), seen)
            seen.quiet += await office.latencies(_for(QUIET_S))
            seen.gone_s = await one_cancelled(office, running["worker"])
            return seen
    finally:
        for child in running.values():
            kill(child)
        await context.database.client.drop_database(context.database.name)


async def one_round(
    context: Context,
    office: Office,
    running: dict[str, subprocess.Popen[bytes]],
    another: Callable[[], subprocess.Popen[bytes]],
    seen: Seen,
) -> None:
    """From its request to its end, which another worker sees."""
    began = time.monotonic()
    id = await office.ask()

    async def looked(past: int) -> bool:
        status, progress = await office.progress(id)
        now = time.monotonic() - began
        seen.frozen_s = seen.frozen_s or (now if progress >= FROZEN else 0)
        seen.solved_s = seen.solved_s or (now if progress >= SOLVED else 0)
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(running["worker"].pid).children():
                seen.peak_mb = max(seen.peak_mb, child.memory_info().rss / 1024**2)
        if status not in ("running", "completed"):
            raise RuntimeError(f"the round is {status}")
        return status == "completed" or progress > past

    seen.busy += await office.latencies(partial(looked, TELLING))
    kill(running["worker"])
    shown = (await office.get(f"/pairings?round={id}"))["items"]
    running["worker"] = another()
    seen.busy += await office.latencies(partial(looked, 100))
    seen.completed_s = time.monotonic() - began
    stated = (await office.get(f"/rounds/{id}"))["pairings"]
    stored = await context.database.pairings.count_documents({"round_id": id})
    if shown or stored != stated:
        raise RuntimeError(f"{len(shown)} pairings showed too early; {stored} are stored of {stated}")


async def one_cancelled(office: Office, worker: subprocess.Popen[bytes]) -> float:
    """Seconds until its process was gone."""
    id = await office.ask()
    await _until(lambda: bool(psutil.Process(worker.pid).children()))
    began = time.monotonic()
    await office.post(f"/rounds/{id}/cancel", {"reason": "bench"})
    await _until(lambda: not psutil.Process(worker.pid).children())
    return time.monotonic() - began


@asynccontextmanager
async def calling(context: Context, port: int) -> AsyncIterator[Office]:
    token = LocalIssuer(context.settings.home).token(sub="bench", roles=["coordinator"], now=context.now())
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {token}"}, timeout=60, trust_env=False
    ) as client:
        while True:
            try:
                await client.get("/readyz")
                break
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_S)
        yield Office(client, context.clock.today().isoformat())


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(PAUSE_S)


def _for(seconds: float) -> Callable[[], Awaitable[bool]]:
    end = time.monotonic() + seconds

    async def passed() -> bool:
        return time.monotonic() >= end

    return passed


async def beside_the_api(bench: Bench) -> Figure:
    commitments, counties = bench.size.round
    bench.say(f"{commitments:,} commitments and {counties:,} counties")
    with tempfile.TemporaryDirectory() as folder:
        seen = await watched(bench, Path(folder), commitments, counties)

    def side(name: str, unit: str, value: float) -> Side:
        return Side(name=name, version="", unit=unit, values=[value])

    busy, quiet = (float(np.percentile(some, 99)) * 1000 for some in (seen.busy, seen.quiet))
    return Figure(
        no="round",
        title=f"a round of {commitments:,} × {counties:,} in a worker",
        goals=[
            Goal(ours=side("p99 of the API meanwhile", "ms", busy), peer=side("without it", "ms", quiet), most=2),
        ],
        beside=[
            side("snapshot stored after", "s", seen.frozen_s),
            side("solved and explained after", "s", seen.solved_s),
            side("completed after, its worker killed on the way", "s", seen.completed_s),
            side("memory of the solving process", "MB", seen.peak_mb),
            side("process of a cancelled round gone after", "s", seen.gone_s),
        ],
        notes=[f"{len(seen.busy):,} requests with a round, {len(seen.quiet):,} before and after it, ten a second."],
    )


def part(kind: str, uri: str, home: str, name: str, port: str) -> None:
    service, settings = replace(SERVICE, name=name), Settings(home=Path(home), mongodb_uri=uri)
    if kind == "api":
        uvicorn.run(create_app(service, settings), host="127.0.0.1", port=int(port), log_level="warning")
    else:
        asyncio.run(work(Context.of(service, settings, f"worker-{new_id()}")))


async def work(context: Context) -> None:
    await context.prepare()
    while True:
        await run_rounds(context)


if __name__ == "__main__":
    part(*sys.argv[1:])
