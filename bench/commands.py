"""The sides of B4: many who post a commitment at once."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.load import Connection, at_once, request
from bench.programs import Program, ours, started, token
from bench.servers import Servers, free_ports
from bench.side import Measured
from services.kit.clock import Clock
from services.kit.ids import new_id

AT_ONCE = 64


def _offer() -> dict[str, Any]:
    today = Clock().today()
    return {
        "category": "education",
        "title": {"zh": "远程教室", "en": "Remote classrooms"},
        "support": {"kind": "money", "amount": "300000.00", "currency": "CNY"},
        "projects_max": 3,
        "valid_from": str(today),
        "valid_until": str(today + timedelta(days=365)),
        "only": {"provinces": ["52"]},
        "reference": new_id(),
    }


class Side:
    """An API that takes commitments."""

    def __init__(self, program: Program, token: str) -> None:
        self._program, self._token = program, token

    async def measure(self, count: int) -> Measured:
        before = self._program.cpu_s
        wall_s = await at_once(self._program.port, AT_ONCE, count, self._request, 201)
        return Measured(count=count, wall_s=wall_s, cpu_s=self._program.cpu_s - before)

    def _request(self) -> bytes:
        # Every client of ours sends a key, so that it may send again.
        return request("POST", "/commitments", self._token, _offer(), {"idempotency-key": new_id()})


@asynccontextmanager
async def jiedui(
    servers: Servers, env: Mapping[str, str] | None = None, profile: Path | None = None
) -> AsyncIterator[Side]:
    """Pairing's API."""
    with ours(servers, "pairing", "api", env, profile) as program:
        yield Side(program, token(servers, "partner", partner=await partner(servers, program.port)))


@asynccontextmanager
async def bare(servers: Servers) -> AsyncIterator[Side]:
    """FastAPI and one `insert_one`."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "bench.peers.bare_api", str(port)]
    with started(command, port, "/readyz", servers.home / "bare-api.log", servers.environment()) as program:
        yield Side(program, "none")


async def partner(servers: Servers, port: int) -> str:
    """A new partner, registered over pairing's API; answers its id."""
    connection = await Connection.to(port)
    body = {"name": {"zh": "示例企业", "en": "Example"}, "kind": "enterprise"}
    answer = await connection.send(request("POST", "/partners", token(servers, "coordinator"), body))
    connection.close()
    if answer.status != 201:
        raise RuntimeError(f"no partner: {answer.body.decode()}")
    return str(answer.json()["id"])
