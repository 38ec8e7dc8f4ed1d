"""A round of 100,000 commitments and 3,000 counties in a worker, while the API answers.

A database is filled with the programme, an API and a worker run in processes of their own, and the API
is asked ten times a second, without a round and while one runs: its 99th percentile may be twice as
long at most. When pairs are being told the worker is killed: nothing of the round may show then, and
another worker ends it. Then a second round is cancelled while it is solved.

Usage: python -m bench.round_in_worker [--size 100000x3000]; JIEDUI_TEST_MONGODB names a replica set to be used.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import uvicorn

from bench.imports import database, say
from bench.programme import REACH
from services.kit.app import create_app
from services.kit.ids import new_id
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from services.pairing.main import SERVICE
from services.pairing.settings import Settings
from services.pairing.streams import run_rounds
from tests.conftest import free_ports

CATEGORIES = ("coverage", "education", "smart-travel")
PAUSE_S = 0.1
QUIET_S = 30.0
GOAL = 2.0
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
    command = [sys.executable, "-m", "bench.round_in_worker", "--part", part, uri, str(home), name, str(port)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def kill(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()


async def run(uri: str, home: Path, commitments: int, counties: int) -> None:
    name = f"bench{new_id()[-12:]}"
    context = Context.of(replace(SERVICE, name=name), Settings(home=home, mongodb_uri=uri), "api")
    await context.prepare()
    (port,) = free_ports(1)
    api = started("api", uri, home, name, port)
    worker = None
    try:
        async with calling(context, port) as office:
            await fill(context, office, commitments, counties)
            end = time.monotonic() + QUIET_S
            quiet = await office.latencies(lambda: _passed(end))
            worker = started("worker", uri, home, name)
            worker = await one_round(context, office, worker, lambda: started("worker", uri, home, name), quiet)
            await one_cancelled(office, worker)
    finally:
        for child in (api, worker):
            if child is not None:
                kill(child)
        await context.database.client.drop_database(context.database.name)


async def one_round(
    context: Context,
    office: Office,
    worker: subprocess.Popen[bytes],
    another: Callable[[], subprocess.Popen[bytes]],
    quiet: list[float],
) -> subprocess.Popen[bytes]:
    """Answers the worker that ended it."""
    began = time.monotonic()
    id = await office.ask()
    seen: list[tuple[int, float]] = []
    peak_mb = 0.0

    async def looked(past: int) -> bool:
        nonlocal peak_mb
        status, progress = await office.progress(id)
        if not seen or seen[-1][0] != progress:
            seen.append((progress, time.monotonic() - began))
        for child in psutil.Process(worker.pid).children():
            peak_mb = max(peak_mb, child.memory_info().rss / 1024**2)
        if status not in ("running", "completed"):
            raise RuntimeError(f"the round is {status}")
        return status == "completed" or progress > past

    busy = await office.latencies(lambda: looked(75))
    kill(worker)
    status, progress = await office.progress(id)
    shown = (await office.get(f"/pairings?round={id}"))["items"]
    say(f"killed at {progress} per cent: {status}, {len(shown)} pairings shown")
    worker = another()
    busy += await office.latencies(lambda: looked(100))
    found = await office.get(f"/rounds/{id}")
    proposed = await context.database.pairings.count_documents({"round_id": id})
    largest = 0
    async for part in context.database.round_parts.find({"round_id": id}):
        largest = max(largest, len(part["content"]))
    say(
        f"completed after {time.monotonic() - began:.0f} s: {found['pairings']} pairs, {proposed} stored; solved in "
        f"{found['solve_ms'] / 1000:.1f} s; progress {', '.join(f'{per_cent} at {s:.0f} s' for per_cent, s in seen)}; "
        f"solving process {peak_mb:,.0f} MB at most; largest part {largest / 1024**2:.1f} MiB"
    )
    assert (len(shown), proposed) == (0, found["pairings"])
    p99_quiet, p99_busy = (float(np.percentile(some, 99)) * 1000 for some in (quiet, busy))
    ratio = p99_busy / p99_quiet
    say(
        f"API, 99th percentile: {p99_quiet:.1f} ms without ({len(quiet)} requests), {p99_busy:.1f} ms with a round "
        f"({len(busy)}): {ratio:.2f} × (goal ≤ {GOAL}: {'reached' if ratio <= GOAL else 'NOT REACHED'})"
    )
    return worker


async def one_cancelled(office: Office, worker: subprocess.Popen[bytes]) -> None:
    id = await office.ask()
    await _until(lambda: bool(psutil.Process(worker.pid).children()))
    began = time.monotonic()
    cancelled = await office.post(f"/rounds/{id}/cancel", {"reason": "bench"})
    await _until(lambda: not psutil.Process(worker.pid).children())
    say(f"{cancelled['status']}; its process was gone after {time.monotonic() - began:.1f} s")


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


async def _passed(end: float) -> bool:
    return time.monotonic() >= end


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="100000x3000")
    parser.add_argument("--part", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        return part(*asked.part)
    with database() as uri, tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(uri, Path(folder), *map(int, asked.size.split("x"))))


if __name__ == "__main__":
    main()
