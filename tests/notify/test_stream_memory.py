"""What a client that does not read costs the process that serves it, and those beside it: next to nothing.

`make prove` tells 50,000 events of 2 kB, waits until the one that reads nothing has been cut off, and has another
read 10 kB a second.
"""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.partners import PartnerRegistered
from services.kit.clock import Clock
from services.kit.mongo import Database, connect, to_document
from services.kit.tokens import LocalIssuer
from services.notify.domain import Positions
from tests.conftest import free_ports
from tests.notify import builders as b
from tests.waiting import until

PROVE = bool(os.environ.get("JIEDUI_TEST_PROVE"))
READERS = 20
EVENTS = 50_000 if PROVE else 3_000
BATCH = 500
NAME = "notifymemory"
PROGRAM = f"""
from dataclasses import replace
from services.kit.program import run
from services.notify.main import SERVICE
from services.notify.settings import Settings
run(replace(SERVICE, name={NAME!r}), Settings)
"""
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Reader(asyncio.Protocol):
    """Takes the ids out of what comes, and keeps the last line until it is whole."""

    def __init__(self, request: bytes, after: int) -> None:
        self._request = request % after
        self._rest = b""
        self.open = False
        self.received = 0
        self.position = after
        self.gaps = 0

    def connection_made(self, transport: Any) -> None:
        self.open = True
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        lines, _, self._rest = (self._rest + data).rpartition(b"\n")
        for id in _ID.findall(lines):
            self.gaps += int(id) != self.position + 1
            self.position = int(id)


@dataclass
class Api:
    """Notify's API in a process of its own, over an archive that is written beside it."""

    port: int
    pid: int
    database: Database
    request: bytes
    told: int = 0
    opened: list[asyncio.Transport] = field(default_factory=list)

    async def reader(self, after: int = 0) -> Reader:
        loop = asyncio.get_running_loop()
        transport, reader = await loop.create_connection(lambda: Reader(self.request, after), "127.0.0.1", self.port)
        self.opened.append(transport)
        return reader

    async def one_who_does_not_read(self) -> tuple[asyncio.Transport, Reader]:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, ("127.0.0.1", self.port))
        transport, reader = await loop.create_connection(lambda: Reader(self.request, 0), sock=line)
        transport.pause_reading()
        self.opened.append(transport)
        return transport, reader

    async def tell(self) -> None:
        """The next `BATCH` events of 2 kB."""
        events = []
        for position in range(self.told + 1, self.told + BATCH + 1):
            name = {"zh": "帮扶单位", "en": "x" * 1400}
            event = PartnerRegistered(partner_id=f"partner-{position}", name=name, kind="enterprise")
            events.append(b.archived(event, position))
        newest = Positions(newest=events[-1].position, archived_at=events[-1].archived_at)
        await self.database.events.insert_many([to_document(event) for event in events])
        await self.database.positions.replace_one({"_id": newest.id}, to_document(newest), upsert=True)
        self.told = newest.newest

    async def listeners(self) -> float:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        return float(re.findall(r"^jiedui_stream_listeners (\S+)$", text, re.MULTILINE)[0])

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


@asynccontextmanager
async def api(mongodb: str, home: Path) -> AsyncIterator[Api]:
    (port,) = free_ports(1)
    environment = os.environ | {
        "JIEDUI_NOTIFY_PORT": str(port),
        "JIEDUI_HOME": str(home),
        "JIEDUI_MONGODB_URI": mongodb,
        "JIEDUI_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "OTEL_TRACES_EXPORTER": "none",
    }
    client = connect(mongodb)
    await client.drop_database(f"jiedui_{NAME}")
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, "api", env=environment)
    token = LocalIssuer(home).token(sub="monitor", roles=["monitor"], now=Clock().now())
    asked = f"GET /events/stream HTTP/1.1\r\nhost: x\r\nlast-event-id: %d\r\nauthorization: Bearer {token}\r\n\r\n"
    made = Api(port, child.pid, client[f"jiedui_{NAME}"], asked.encode())

    async def ready() -> bool:
        async with httpx.AsyncClient() as asking:
            try:
                return (await asking.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

    try:
        await until(ready, "the API is ready", 60)
        yield made
    finally:
        for transport in made.opened:
            transport.abort()
        child.kill()
        await child.wait()
        await client.drop_database(f"jiedui_{NAME}")


async def tell_all(served: Api, readers: list[Reader]) -> None:
    while served.told < EVENTS:
        await served.tell()
        await until(lambda: min(reader.position for reader in readers) > served.told - 4 * BATCH, "they keep up", 60)
    await until(lambda: all(reader.position == EVENTS for reader in readers), "all have all", 60)
    assert [reader.gaps for reader in readers] == [0] * len(readers)


@pytest.mark.timeout(900 if PROVE else 180)
async def test_one_who_does_not_read_costs_no_memory_and_those_beside_it_miss_nothing(
    mongodb: str, tmp_path: Path
) -> None:
    async with api(mongodb, tmp_path) as served:
        await tell_all(served, [await served.reader() for _ in range(READERS)])
        alone_mb = served.peak_mb()
    async with api(mongodb, tmp_path) as served:
        readers = [await served.reader() for _ in range(READERS)]
        stalled, reader = await served.one_who_does_not_read()
        await tell_all(served, readers)
        assert served.peak_mb() <= 1.3 * alone_mb
        if PROVE:

            async def cut_off() -> bool:
                return await served.listeners() == READERS

            await until(cut_off, "the one who does not read has been cut off", 90)
            stalled.resume_reading()
            await until(lambda: not reader.open, "its line has ended")
            # It comes back with what it has, as any client whose line was cut.
            assert reader.gaps == 0
            back = await served.reader(after=reader.position)
            await until(lambda: back.position == EVENTS, "it is told all that it missed", 60)
            await read_slowly(served)


async def read_slowly(served: Api) -> None:
    """10 kB a second for 90 s: a line that is read is not cut, however slowly."""
    loop = asyncio.get_running_loop()
    with socket.socket() as line:
        line.setblocking(False)
        await loop.sock_connect(line, ("127.0.0.1", served.port))
        await loop.sock_sendall(line, served.request % 0)
        for _ in range(900):
            assert await loop.sock_recv(line, 1_000)
            await asyncio.sleep(0.1)
        # Those who read, the one who came back, and this one.
        assert await served.listeners() == READERS + 2
