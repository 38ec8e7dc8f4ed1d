"""The stream (B6): deliveries per CPU second and memory a listener, beside sse-starlette; and how late they come.

Ours is the whole notify API over its archive: tokens, visibility, filters, reading the events from MongoDB.
The peer is a bare Starlette app with sse-starlette's `EventSourceResponse`, a queue a listener and the text
ready made. Both are a process of their own under uvicorn with uvloop; both tell the same events, one at a time
at the same pace, to the same client in another process. Counted is the server process's time from the first
event to the last delivery, and what its resident memory grew by while the listeners came.
"""

import asyncio
import json
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

from bench import profiles
from bench.figures import Figure, Goal, Side
from bench.measuring import Bench
from bench.servers import Servers, free_ports
from services.kit.clock import Clock
from services.kit.mongo import connect, to_document
from services.kit.tokens import LocalIssuer
from services.notify.domain import ArchivedEvent, Positions, archive
from tests.notify import builders as b

EVENTS = 30
PACE_S = 0.2
MANY_PACE_S = 0.1
MANY_EVENTS = 100
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
    kernel: float
    """The kernel's share of the processor time."""
    late_ms: list[float]


class Ours:
    """The notify API, told by what is put into its archive; with `profile`, under cProfile."""

    def __init__(self, servers: Servers, port: int, profile: Path | None = None) -> None:
        self._servers, self._port, self._profile = servers, port, profile
        self._database = connect(servers.mongodb)[DATABASE]
        self._archived = 0

    def start(self) -> subprocess.Popen[bytes]:
        environment = self._servers.environment() | {"JIEDUI_NOTIFY_PORT": str(self._port)}
        under = ["-m", "bench.profiled", str(self._profile)] if self._profile else ["-m"]
        command = [sys.executable, *under, "services.notify.main", "api"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def request(self) -> bytes:
        token = LocalIssuer(self._servers.home).token(sub="bench", roles=["monitor"], now=Clock().now())
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
        for _ in range(events):
            await asyncio.gather(side.tell(), asyncio.sleep(pace_s))
        await until(lambda: heard.deliveries == 100 + events * listeners)
        user, kernel = (after - before for after, before in zip(cpu_s(process), began, strict=True))
        rate, grown_kib = events * listeners / (user + kernel), grown / 1024 / (listeners - 100)
        return Measured(rate, grown_kib, kernel / (user + kernel), heard.late_ms)
    finally:
        for transport in transports:
            transport.abort()
        child.terminate()
        child.wait()
        await side.forget()


def cpu_s(process: psutil.Process) -> tuple[float, float]:
    """Its own and the kernel's for it."""
    times = process.cpu_times()
    return times.user, times.system


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


async def streaming(bench: Bench) -> Figure:
    """B6: the fan-out of the stream."""
    # The client is to cost as little as it can beside what is measured.
    return await asyncio.to_thread(uvloop.run, _streaming(bench))


async def _streaming(bench: Bench) -> Figure:
    servers, listeners = bench.servers, bench.size.listeners
    found: dict[str, list[Measured]] = {"ours": [], "theirs": []}
    for repeat in range(1, bench.size.repeats + 1):
        (port,) = free_ports(1)
        found["ours"].append(await measure(Ours(servers, port), port, listeners, PACE_S))
        found["theirs"].append(await measure(Theirs(port), port, listeners, PACE_S))
        rates = [f"{name} {all_[-1].per_cpu_s:,.0f}" for name, all_ in found.items()]
        bench.say(f"{listeners:,} listeners, {repeat} of {bench.size.repeats}: {', '.join(rates)} a CPU s")
    many, late = listeners * 5 // 2, []
    for _ in range(bench.size.repeats):
        (port,) = free_ports(1)
        each = await measure(Ours(servers, port), port, many, MANY_PACE_S, events=MANY_EVENTS)
        late.append(statistics.quantiles(each.late_ms, n=100)[98])
    kernel = statistics.median(each.kernel for each in found["ours"])
    deliveries = Goal(ours=rate_of("ours", found["ours"]), peer=rate_of("sse-starlette", found["theirs"]), least=4.0)
    return Figure(
        no="B6",
        title=f"the stream to {listeners:,} listeners",
        goals=[
            deliveries,
            Goal(ours=memory_of("ours", found["ours"]), peer=memory_of("sse-starlette", found["theirs"]), most=1 / 3),
            Goal(
                ours=Side(name=f"{many:,} listeners, 10 events/s: p99", version="", unit="ms", values=late),
                peer=None,
                most=200.0,
            ),
        ],
        notes=[
            f"{kernel:.0%} of our processor time is the kernel's, one write a delivery, which the peer pays as well: "
            f"{kernel * 1e6 / deliveries.ours.median:.1f} us of the "
            f"{1e6 / deliveries.peer.median / 4:.1f} that a delivery may take"
        ],
        profile=await _profile(bench) if bench.size.profiles and not deliveries.reached else {},
    )


async def _profile(bench: Bench) -> dict[str, str]:
    bench.say("the goal was missed: profiling notify's API")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "profile"
        await measure(Ours(bench.servers, port, found), port, bench.size.listeners, PACE_S)
        return {"B6-profile.txt": profiles.summary(found)}


def rate_of(name: str, measured: list[Measured]) -> Side:
    return _side(name, "deliveries/CPU s", [each.per_cpu_s for each in measured])


def memory_of(name: str, measured: list[Measured]) -> Side:
    return _side(name, "KiB a listener", [each.kib_a_listener for each in measured])


def _side(name: str, unit: str, values: list[float]) -> Side:
    return Side(name=name, version=version(name) if name != "ours" else "", unit=unit, values=values)
