"""A file of 100,000 commitments: rows a second, peak memory, and pandas' reading of the same file beside it.

The load is the real one: the file is handed in over HTTP to an API in a process of its own, and a
worker in another checks and stores it, with identity, outbox and events. Each says its peak
resident memory at its end; the goal is at most 300 MB for each. The readers alone (bytes to
judged terms on our side, bytes to a data frame on pandas') take turns in one process; the medians
count. pandas only splits cells: it judges nothing.
"""

import asyncio
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import xlsxwriter

from bench.figures import Figure, Goal, Side
from bench.machine import versions_of
from bench.measuring import Bench
from deploy import mongod
from services.kit.app import create_app
from services.kit.ids import new_id
from services.kit.service import Context, Service
from services.kit.tokens import LocalIssuer
from services.pairing.domain import Particulars, Partner
from services.pairing.domain.imports import Import
from services.pairing.domain.intake.commitments import Givers, judge_commitment
from services.pairing.domain.intake.gazetteer import Gazetteer
from services.pairing.main import SERVICE
from services.pairing.settings import Settings
from services.pairing.streams.imports import run_those_there
from services.pairing.streams.intake import Sheet
from tests.conftest import free_ports

GOAL_MB = 300
HEADER = ["组织", "县", "类别", "项目名称", "承诺金额", "单位", "开始日期", "结束日期", "编号"]


def table(rows: int) -> Iterator[list[str]]:
    yield HEADER
    for no in range(rows):
        yield [
            "甲通信",
            "阿克陶县",
            "网络覆盖",
            f"行政村光纤{no}",
            f"{no % 900 + 1}.5",
            "万元",
            "2030/3/1",
            "2030年12月31日",
            f"R{no}",
        ]


def as_csv(rows: int) -> bytes:
    return "".join(",".join(cells) + "\r\n" for cells in table(rows)).encode()


def as_xlsx(rows: int) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for no, cells in enumerate(table(rows)):
            sheet.write_row(no, 0, cells)
    return content.getvalue()


@contextmanager
def database() -> Any:
    """The URI of a replica set."""
    if given := os.environ.get("JIEDUI_TEST_MONGODB"):
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        (port,) = free_ports(1)
        process = mongod.start(Path(folder), port=port)
        try:
            mongod.wait_ready(process, port=port)
            yield mongod.uri(port)
        finally:
            process.terminate()
            process.wait()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def peak_mb() -> float:
    """Since this program began; getrusage would count what its parent had before."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


async def hand_in(service: Service, settings: Settings, name: str, content: bytes) -> dict[str, Any]:
    """As the API's process: takes the file in."""
    app = create_app(service, settings)
    context: Context = app.state.context
    await context.prepare()
    token = LocalIssuer(settings.home).token(sub="bench", roles=["coordinator"], now=context.now())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://pairing",
        headers={"authorization": f"Bearer {token}"},
        timeout=120,
    ) as client:
        giver = {"name": {"zh": "甲通信", "en": "A Telecom"}, "kind": "enterprise"}
        (await client.post("/partners", json=giver)).raise_for_status()
        card = {
            "name": {"zh": "阿克陶县"},
            "province": "65",
            "needs": [],
            "valid_from": "2020-01-01",
            "reason": "bench",
        }
        (await client.put("/counties/653022/card", json=card)).raise_for_status()
        began = time.perf_counter()
        answer = await client.post("/imports/commitments", files={"file": (name, content)})
        answer.raise_for_status()
        return {"id": answer.json()["id"], "seconds": time.perf_counter() - began, "peak_mb": peak_mb()}


async def work(service: Service, settings: Settings, id: str) -> dict[str, Any]:
    """As the worker's process: checks and stores what is there."""
    # What every worker carries besides.
    import services.kit.worker  # noqa: F401

    context = Context.of(service, settings, "worker")
    await context.prepare()
    seen: list[int] = []

    async def watch() -> None:
        while True:
            of: Import = await context.reading().need(Import, id)
            seen.append(of.checked + of.stored)
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    async with context.leader("imports") as lease:
        await run_those_there(context, lease)
    seconds = time.perf_counter() - began
    watching.cancel()
    of = await context.reading().need(Import, id)
    stored = await context.database.commitments.count_documents({})
    await context.database.client.drop_database(context.database.name)
    steps = len(set(seen))
    return {
        "status": of.status,
        "accepted": of.accepted,
        "stored": stored,
        "seconds": seconds,
        "peak_mb": peak_mb(),
        "steps": steps,
    }


def apart(part: str, uri: str, home: Path, *more: str) -> dict[str, Any]:
    """A part of this file in a process of its own."""
    command = [sys.executable, "-m", "bench.imports", part, uri, str(home), *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ours(content: bytes) -> int:
    """Rows judged good."""
    name = "甲通信"
    of = Particulars(name={"zh": name, "en": name}, kind="enterprise", credit_code=None, reference=None)
    partner = Partner(id="p", version=1, particulars=of, registered_at=datetime(2020, 1, 1, tzinfo=UTC))
    givers = Givers(by_key={name: [partner]})
    gazetteer = Gazetteer({"653022": ("阿克陶县", None)})
    chunks = Sheet(content, "commitments").chunks()
    return sum(judge_commitment(record, givers, gazetteer).content is not None for chunk in chunks for record in chunk)


def theirs(content: bytes, format: str) -> int:
    import pandas

    file = io.BytesIO(content)
    frame = (
        pandas.read_csv(file, dtype=str) if format == "csv" else pandas.read_excel(file, dtype=str, engine="calamine")
    )
    return len(frame)


def rate(read: Callable[[], int], rows: int) -> float:
    """Rows a second."""
    began = time.perf_counter()
    assert read() == rows
    return rows / (time.perf_counter() - began)


def readers(format: str, content: bytes, rows: int, repeats: int) -> list[Side]:
    """Ours and pandas', in turn."""
    found: dict[str, list[float]] = {"ours": [], "pandas": []}
    for _ in range(repeats):
        found["ours"].append(rate(partial(ours, content), rows))
        found["pandas"].append(rate(partial(theirs, content, format), rows))
    return [
        Side(name=f"reading and judging {format}", version="", unit="rows/s", values=found["ours"]),
        Side(
            name=f"pandas, cells of {format} only", version=versions_of("pandas"), unit="rows/s", values=found["pandas"]
        ),
    ]


def load(uri: str, format: str, content: bytes, rows: int) -> tuple[Goal, Side]:
    """The larger of the peaks of API and worker, and the rate at which rows were checked and stored."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / f"commitments.{format}"
        file.write_bytes(content)
        name = f"bench{new_id()[-12:]}"
        api = apart("hand-in", uri, home, name, str(file))
        worker = apart("work", uri, home, name, api["id"])
    if (worker["status"], worker["accepted"], worker["stored"]) != ("completed", rows, rows):
        raise RuntimeError(f"not all {rows} rows were stored: {worker}")
    peak = Side(name=f"peak memory, {format}", version="", unit="MB", values=[max(api["peak_mb"], worker["peak_mb"])])
    stored = Side(name=f"checking and storing {format}", version="", unit="rows/s", values=[rows / worker["seconds"]])
    return Goal(ours=peak, peer=None, most=GOAL_MB), stored


async def handing_in(bench: Bench) -> Figure:
    """Files of many commitments."""
    rows = bench.size.rows
    goals, beside = [], []
    for format, content in (("csv", as_csv(rows)), ("xlsx", as_xlsx(rows))):
        bench.say(f"{rows:,} rows of {format}")
        goal, stored = await asyncio.to_thread(load, bench.servers.mongodb, format, content, rows)
        goals.append(goal)
        beside += [stored, *await asyncio.to_thread(readers, format, content, rows, bench.size.repeats)]
    return Figure(no="imports", title=f"a file of {rows:,} commitments", goals=goals, beside=beside)


def part(name: str, uri: str, home: str, database_name: str, what: str) -> None:
    service, settings = replace(SERVICE, name=database_name), Settings(home=Path(home), mongodb_uri=uri)
    if name == "hand-in":
        file = Path(what)
        found = asyncio.run(hand_in(service, settings, file.name, file.read_bytes()))
    else:
        found = asyncio.run(work(service, settings, what))
    say(json.dumps(found))


if __name__ == "__main__":
    part(*sys.argv[1:])
