"""The stream (B6): deliveries per CPU second and memory a listener, beside sse-starlette; and how late they come.

Ours is the whole notify API over its archive: tokens, visibility, filters, reading the events from MongoDB.
The peer is a bare Starlette app with sse-starlette's `EventSourceResponse`, a queue a listener and the text
ready made. Both are a process of their own under uvicorn with uvloop; both tell the same events, one at a time
at the same pace, to the same client in another process. Counted is the server process's time from the first
event to the last delivery, and what its resident memory grew by while the listeners came.

Usage: python -m bench.stream [--repeats N] [--listeners N] [--many N]; JIEDUI_TEST_MONGODB names a replica set.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvloop

from bench.imports import database, say
from services.kit.clock import Clock
from services.kit.mongo import connect, to_document
from services.kit.tokens import LocalIssuer
from services.notify.domain import ArchivedEvent, Positions, archive
from tests.conftest import free_ports
from tests.notify import builders as b

REPEATS = 5
LISTENERS = 2_000
MANY = 5_000
EVENTS = 30
PACE_S = 0.2
MANY_PACE_S = 0.1
GOAL_RATIO, GOAL_MEMORY, GOAL_P99_MS = 4.0, 1 / 3, 200.0
DATABASE = "jiedui_notify"
_TOLD_AT = re.compile(rb'"note":"told-at (\d+)"')


@dataclass
class Heard:
    """What the client has heard: how many events in all, and how late each came."""

    connected: int = 0
    deliveries: int = 0
    late_ms: list[float] = field(default_factory=list)


class Ear(asyncio.Protocol):
    """One listener, as light as can be: it looks for the note in what comes and keeps nothing."""

    def __init__(self, request: bytes, heard: Heard) -> None:
        self._request = request
        self._heard = heard
        self._begun = False

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            assert data.startswith(b"HTTP/1.1 200"), data
            self._begun = True
            self._heard.connected += 1
        for told_at in _TOLD_AT.findall(data):
            self._heard.deliveries += 1
            self._heard.late_ms.append((time.monotonic_ns() - int(told_at)) / 1e6)


@dataclass
class Measured:
    per_cpu_s: float
    kib_a_listener: float
    late_ms: list[float]


class Ours:
    """The notify API, told by what is put into its archive."""

    def __init__(self, uri: str, home: Path, port: int) -> None:
        self._uri, self._home, self._port = uri, home, port
        self._database = connect(uri)[DATABASE]
        self._archived = 0

    def start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "JIEDUI_NOTIFY_PORT": str(self._port),
            "JIEDUI_HOME": str(self._home),
            "JIEDUI_MONGODB_URI": self._uri,
            "JIEDUI_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "OTEL_TRACES_EXPORTER": "none",
        }
        command = [sys.executable, "-m", "services.notify.main", "api"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def request(self) -> bytes:
        token = LocalIssuer(self._home).token(sub="bench", roles=["monitor"], now=Clock().now())
        return f"GET /events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n".encode()

    async def tell(self) -> None:
        event = archived(self._archived)
        self._archived = event.position
        positions = Positions(newest=event.position, archived_at=event.archived_at)
        await self._database.events.insert_one(to_document(event))
        await self._database.positions.replace_one({"_id": positions.id}, to_document(positions), upsert=True)

    async def forget(self) -> None:
        await self._database.client.drop_database(DATABASE)


class Theirs:
    """A bare app, told by a POST."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")
        self._told = 0

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bench.peers.sse", str(self._port)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def request(self) -> bytes:
        return b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n"

    async def tell(self) -> None:
        event = archived(self._told)
        self._told = event.position
        told = {"position": event.position, "event": event.envelope}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        await self._client.post("/", json={"id": str(event.position), "event": event.type, "data": text})

    async def forget(self) -> None:
        await self._client.aclose()


def archived(newest: int) -> ArchivedEvent:
    """A verified milestone, as it follows in the archive, with the time at which it is told."""
    now = Clock().now()
    told = b.envelope(b.verified(newest + 1), at=now)
    told["data"]["note"] = f"told-at {time.monotonic_ns()}"
    return archive(told, Positions(newest=newest), time=now, recorded_at=now, now=now).state


async def measure(side: Ours | Theirs, port: int, listeners: int, pace_s: float, events: int = EVENTS) -> Measured:
    child = side.start()
    transports: list[asyncio.Transport] = []
    try:
        await ready(port)
        process, heard, loop = psutil.Process(child.pid), Heard(), asyncio.get_running_loop()
        request = side.request()

        async def listen(count: int) -> None:
            # As many at once as a server's backlog takes.
            for begin in range(0, count, 100):
                some = range(begin, min(begin + 100, count))
                made = [loop.create_connection(lambda: Ear(request, heard), "127.0.0.1", port) for _ in some]
                transports.extend(transport for transport, _ in await asyncio.gather(*made))
                await until(lambda: heard.connected == len(transports))

        # The first ones, and an event to them, so that all that is made once is there.
        await listen(100)
        await side.tell()
        await until(lambda: heard.deliveries == 100)
        before = process.memory_info().rss
        await listen(listeners - 100)
        grown = process.memory_info().rss - before
        heard.late_ms.clear()
        began = cpu_s(process)
        for no in range(1, events + 1):
            await asyncio.gather(side.tell(), asyncio.sleep(pace_s))
        await until(lambda: heard.deliveries == 100 + no * listeners)
        spent = cpu_s(process) - began
        return Measured(events * listeners / spent, grown / 1024 / (listeners - 100), heard.late_ms)
    finally:
        for transport in transports:
            transport.abort()
        child.terminate()
        child.wait()
        await side.forget()


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def ready(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def answers() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        await until(answers)


async def until(check: Callable[[], bool | Awaitable[bool]], timeout_s: float = 120) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            found = check()
            if found is True or (not isinstance(found, bool) and await found):
                return
            await asyncio.sleep(0.01)


async def run(repeats: int, listeners: int, many: int) -> None:
    with database() as uri, tempfile.TemporaryDirectory() as folder:
        found: dict[str, list[Measured]] = {"ours": [], "theirs": []}
        for _ in range(repeats):
            (port,) = free_ports(1)
            found["ours"].append(await measure(Ours(uri, Path(folder), port), port, listeners, PACE_S))
            found["theirs"].append(await measure(Theirs(port), port, listeners, PACE_S))
        rate, kib = (
            {side: statistics.median(getattr(each, name) for each in all_) for side, all_ in found.items()}
            for name in ("per_cpu_s", "kib_a_listener")
        )
        ratio, memory = rate["ours"] / rate["theirs"], kib["ours"] / kib["theirs"]
        say(
            f"{listeners:,} listeners: ours {rate['ours']:,.0f} deliveries per CPU s at {kib['ours']:.0f} KiB a listener; "
            f"sse-starlette {version('sse-starlette')} {rate['theirs']:,.0f} at {kib['theirs']:.0f}; "
            f"ratio {ratio:.2f}: {verdict(ratio >= GOAL_RATIO)} (≥{GOAL_RATIO}); "
            f"memory {memory:.2f}: {verdict(memory <= GOAL_MEMORY)} (≤{GOAL_MEMORY:.2f})"
        )
        (port,) = free_ports(1)
        late = (await measure(Ours(uri, Path(folder), port), port, many, MANY_PACE_S, events=100)).late_ms
        p50, p99 = statistics.quantiles(late, n=100)[49], statistics.quantiles(late, n=100)[98]
        say(
            f"{many:,} listeners, 10 events a second: p50 {p50:.0f} ms, p99 {p99:.0f} ms: "
            f"{verdict(p99 <= GOAL_P99_MS)} (≤{GOAL_P99_MS:.0f})"
        )


def verdict(reached: bool) -> str:
    return "reached" if reached else "NOT reached"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--many", type=int, default=MANY)
    given = parser.parse_args()
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    uvloop.run(run(given.repeats, given.listeners, given.many))


if __name__ == "__main__":
    main()
