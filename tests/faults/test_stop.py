"""Told to stop, each program ends in time, whatever is away; and who listened misses nothing."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_ports
from tests.faults.aftermath import recovered
from tests.faults.servers import Kafka, Mongod
from tests.flows.system import SERVICES, Person, System
from tests.waiting import until

pytestmark = pytest.mark.timeout(400)

LISTENERS = 50
STOP_S = 12
IN_ORDER_S = 10


@dataclass
class Listener:
    """A client of the stream that comes back by `Last-Event-ID`, as browsers do."""

    monitor: Person
    url: str
    position: int
    seen: list[int] = field(default_factory=list)
    connections: int = 0

    async def run(self, http: httpx.AsyncClient) -> None:
        while True:
            with suppress(httpx.TransportError):
                await self._listen(http)
            await asyncio.sleep(0.2)

    async def _listen(self, http: httpx.AsyncClient) -> None:
        headers = {"authorization": f"Bearer {self.monitor.token}", "last-event-id": str(self.position)}
        async with http.stream("GET", self.url, headers=headers) as answer:
            if answer.status_code != 200:
                return
            self.connections += 1
            id = None
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    id = int(line[4:])
                elif not line and id is not None:
                    self.position, id = id, None
                    self.seen.append(self.position)


@asynccontextmanager
async def listening(system: System, count: int, after: int) -> AsyncIterator[list[Listener]]:
    monitor = system.person("monitor")
    listeners = [Listener(monitor, system.url("notify") + "/events/stream", after) for _ in range(count)]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=30), trust_env=False, limits=limits) as http:
        tasks = [asyncio.create_task(listener.run(http)) for listener in listeners]
        try:
            yield listeners
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def newest(monitor: Person) -> int:
    items = (await monitor.get("notify", "/events?order=desc&limit=1"))["items"]
    return int(items[0]["position"]) if items else 0


async def past_crash_points(system: System) -> None:
    """Until those that events of partners pass have been passed: from then on only this test ends programs."""
    points = ("pairing-api-after-commit", "pairing-worker-after-send", "pairing-worker-after-mark")
    points += ("notify-worker-after-commit", "notify-worker-before-offset")
    while not all((system.home / "run" / f"crashed-{point}").exists() for point in points):
        await recovered(system, "a crash point")
    await recovered(system, "what was before")


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("away", ["dead", "hung"])
async def test_a_stop_while_the_database_is_away_ends_in_time_and_loses_nothing(
    faulty: System, database: Mongod, away: str
) -> None:
    monitor = faulty.person("monitor")
    await past_crash_points(faulty)
    first = await newest(monitor)
    registered: list[str] = []
    enough = asyncio.Event()

    async def register() -> None:
        while not enough.is_set():
            registered.append((await faulty.partner("听众企业"))[0])

    async with listening(faulty, LISTENERS, first) as listeners:
        await until(lambda: all(listener.connections for listener in listeners), "all are listening")
        posting = [asyncio.create_task(register()) for _ in range(4)]
        await until(lambda: len(registered) >= 50, "events are under way")
        stop, start = (database.stop, database.start) if away == "dead" else (database.pause, database.resume)
        stop()
        try:
            pids = [faulty.pid(child) for child in ("notify-api", "notify-worker", "pairing-worker")]
            for pid in pids:
                os.kill(pid, signal.SIGTERM)
            await until(lambda: not any(map(lives, pids)), "the API and the workers have ended", STOP_S)
        finally:
            await asyncio.to_thread(start)
        await recovered(faulty, "the stop")
        enough.set()
        await asyncio.gather(*posting)

        async def all_archived() -> bool:
            items = await monitor.all("notify", f"/events?after={first}&type=jiedui.partner.registered")
            return set(registered) <= {item["event"]["subject"] for item in items}

        await until(all_archived, "what was acknowledged is in the archive")
        last = await newest(monitor)
        await until(lambda: all(listener.position >= last for listener in listeners), "all have heard of everything")
        for listener in listeners:
            assert listener.connections > 1
            assert listener.seen == list(range(first + 1, listener.position + 1)), "without a gap, without a repeat"
    done = await asyncio.to_thread(faulty.jiedui, "verify")
    assert done.returncode == 0, done.stdout + done.stderr


async def test_each_program_that_is_told_to_stop_ends_in_order(broker: Kafka, database: Mongod, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIEDUI_", "OTEL_"))}
    names = [f"{service}-{kind}" for service in SERVICES for kind in ("api", "worker")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    env = kept | {
        **{f"JIEDUI_{name.upper().replace('-API', '').replace('-', '_')}_PORT": str(ports[name]) for name in names},
        "JIEDUI_HOME": str(tmp_path),
        "JIEDUI_KAFKA_BOOTSTRAP": broker.bootstrap,
        "JIEDUI_MONGODB_URI": database.uri,
        "JIEDUI_WORKER_SLOT": "9",
        "OTEL_TRACES_EXPORTER": "none",
    }
    loop = asyncio.get_running_loop()
    running = {}
    try:
        for name in names:
            service, kind = name.split("-")
            command = [sys.executable, "-m", f"services.{service}.main", kind]
            with (tmp_path / f"{name}.log").open("wb") as log:
                running[name] = await asyncio.create_subprocess_exec(*command, env=env, stdout=log, stderr=log)
        async with httpx.AsyncClient(trust_env=False) as http:
            await until(lambda: _all_ready(http, list(ports.values())), "all eight are ready", 60)
        began, ended = loop.time(), {}

        async def end(name: str) -> None:
            running[name].terminate()
            code = await asyncio.wait_for(running[name].wait(), 20)
            ended[name] = (code, loop.time() - began)

        await asyncio.gather(*map(end, names))
    finally:
        for process in running.values():
            if process.returncode is None:
                process.kill()
    assert {name: code for name, (code, _) in ended.items()} == dict.fromkeys(names, 0)
    assert max(seconds for _, seconds in ended.values()) < IN_ORDER_S, ended


async def _all_ready(http: httpx.AsyncClient, ports: list[int]) -> bool:
    answers = await asyncio.gather(
        *(http.get(f"http://127.0.0.1:{port}/readyz") for port in ports), return_exceptions=True
    )
    return all(not isinstance(answer, BaseException) and answer.status_code == 200 for answer in answers)
