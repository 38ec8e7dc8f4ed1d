"""The whole of jiedui as `make run` starts it, and people who use it over HTTP only."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from services.kit.clock import Clock
from services.kit.ids import new_id
from services.kit.tokens import LocalIssuer
from tests.conftest import free_ports
from tests.waiting import until

SERVICES = ("pairing", "projects", "funding", "notify")
Json = dict[str, Any]


class Person:
    """Someone with a token."""

    def __init__(self, system: "System", token: str) -> None:
        self._system = system
        self.token = token

    async def send(self, method: str, service: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Sent again, while the system is patient, until it is answered by more than a 503."""
        sent = {"authorization": f"Bearer {self.token}", **{name.replace("_", "-"): v for name, v in headers.items()}}
        url = self._system.url(service) + path
        end = time.monotonic() + self._system.patience_s
        while True:
            try:
                answer = await self._system.http.request(method, url, json=body, headers=sent)
                if answer.status_code != 503 or time.monotonic() >= end:
                    return answer
            except httpx.TransportError:
                if time.monotonic() >= end:
                    raise
            await asyncio.sleep(0.2)

    async def get(self, service: str, path: str) -> Json:
        answer = await self.send("GET", service, path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        found: Json = answer.json()
        return found

    async def post(self, service: str, path: str, body: Any = None, *, status: int = 201, **headers: str) -> Json:
        headers.setdefault("idempotency_key", new_id())
        answer = await self.send("POST", service, path, {} if body is None else body, **headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        found: Json = answer.json()
        return found

    async def all(self, service: str, path: str) -> list[Json]:
        """All items of a list, page by page."""
        found: list[Json] = []
        cursor = None
        while True:
            more = f"{path}{'&' if '?' in path else '?'}limit=500" + (f"&cursor={cursor}" if cursor else "")
            page = await self.get(service, more)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found


class System:
    """Runs under a home and ports of its own."""

    def __init__(self, home: Path, *, patience_s: float = 0, **settings: str) -> None:
        self.home = home
        self.patience_s = patience_s
        self.settings = settings
        names = [f"JIEDUI_{service.upper()}{kind}" for service in SERVICES for kind in ("_PORT", "_WORKER_PORT")]
        names += ["JIEDUI_KAFKA_PORT", "JIEDUI_MONGODB_PORT", "JIEDUI_ZIPKIN_PORT"]
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.http = httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits(max_connections=100))

    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIEDUI_", "OTEL_"))}
        ports = {name: str(port) for name, port in self.ports.items()}
        ours = {"JIEDUI_HOME": str(self.home), "JIEDUI_DETACH": "1", "JIEDUI_MIN_FREE_MB": "200"}
        return kept | ports | ours | self.settings

    def jiedui(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=dict(self.environment()),
            capture_output=True,
            text=True,
            timeout=240,
        )

    def without_example(self) -> "System":
        """Starts with nothing in it."""
        (self.home / "data").mkdir(parents=True)
        (self.home / "data" / "example-loaded").touch()
        return self

    def start(self) -> str:
        """Until ready, the example loaded; answers what was printed."""
        done = self.jiedui("up")
        assert done.returncode == 0, done.stdout + done.stderr + self.logs()
        return done.stdout

    def stop(self) -> None:
        self.jiedui("stop")

    def logs(self) -> str:
        """The end of each log, for a failure's message."""
        tails = [
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            for log in sorted((self.home / "log").glob("*.log"))
        ]
        return "\n".join(tails)

    def status(self) -> Json:
        found: Json = orjson.loads(self.jiedui("status", "--json").stdout)
        return found

    def pid(self, child: str) -> int:
        return int((self.home / "run" / f"{child}.pid").read_text())

    def port(self, program: str) -> int:
        """Of a program such as `funding-worker`."""
        return self.ports[f"JIEDUI_{program.removesuffix('-api').replace('-', '_').upper()}_PORT"]

    async def metric(self, program: str, name: str) -> float:
        """A figure of a program's /metrics."""
        text = (await self.http.get(f"http://127.0.0.1:{self.port(program)}/metrics")).text
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))

    async def is_ready(self, port: int) -> bool:
        try:
            return (await self.http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def is_back(self, child: str, pid: int, port: int) -> bool:
        """Whether a program that had `pid` was started again and is ready."""
        try:
            return self.pid(child) != pid and await self.is_ready(port)
        except (FileNotFoundError, ValueError):
            return False

    @contextmanager
    def stopped(self, child: str) -> Iterator[None]:
        """Holds a program or server still, so that nothing it should do is done meanwhile."""
        pid = self.pid(child)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @asynccontextmanager
    async def second_worker(self, service: str) -> AsyncIterator[None]:
        """One more worker beside those that run, from when it is ready until the block ends."""
        command = [sys.executable, "-m", "deploy.cli", "worker", service]
        log = (self.home / "log" / f"{service}-second.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(self.environment()), stdout=asyncio.subprocess.PIPE, stderr=log
        )
        try:
            assert process.stdout is not None
            first = await process.stdout.readline()
            port = int(re.findall(rb"\d+", first)[-1])
            await until(lambda: self.is_ready(port), f"the second worker of {service} is ready")
            yield
        finally:
            # A test may have killed it.
            with suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait_for(process.wait(), 20)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[f'JIEDUI_{service.upper()}_PORT']}"

    def person(self, *roles: str, sub: str | None = None, counties: tuple[str, ...] = (), partner: str | None = None):  # type: ignore[no-untyped-def]
        token = LocalIssuer(self.home).token(
            sub=sub or roles[0], roles=roles, now=datetime.now(UTC), county_codes=counties, partner_id=partner
        )
        return Person(self, token)

    async def partner(self, name: str = "示例企业") -> tuple[str, Person]:
        """A new partner, and someone of it."""
        made = await self.person("coordinator").post(
            "pairing", "/partners", {"name": {"zh": name, "en": name}, "kind": "enterprise"}
        )
        return made["id"], self.person("partner", sub=f"partner-{made['id']}", partner=made["id"])

    async def county(self, code: str, slots: int = 1, category: str = "education") -> Person:
        """A new county in need, and an officer of it."""
        card = {
            "name": {"zh": f"示例县{code}", "en": f"County {code}"},
            "province": code[:2],
            "needs": [{"category": category, "slots": slots}],
            "valid_from": (today() - timedelta(days=30)).isoformat(),
            "reason": "test",
        }
        answer = await self.person("coordinator").send("PUT", "pairing", f"/counties/{code}/card", card)
        # A PUT that was sent again finds the card that it made.
        assert answer.status_code == 201 or (self.patience_s and answer.status_code == 428), answer.text
        return self.person("officer", sub=f"officer-{code}", counties=(code,))

    async def round(self) -> Json:
        """A round over what there is, to its end."""
        coordinator = self.person("coordinator")
        made = await coordinator.post("pairing", "/rounds", {"as_of": today().isoformat(), "seed": 1}, status=202)

        async def ended() -> Json | None:
            found = await coordinator.get("pairing", f"/rounds/{made['id']}")
            return found if found["status"] != "running" else None

        found: Json = await until(ended, "the round ends")
        assert found["status"] == "completed", found
        return found

    async def eventually(
        self, person: Person, service: str, path: str, true: Any, what: str, timeout: float = 30
    ) -> Any:
        """What is at `path` once `true` of it; a 404 is "not yet"."""

        async def look() -> Json | None:
            answer = await person.send("GET", service, path)
            if answer.status_code == 404:
                return None
            assert answer.status_code == 200, answer.text
            return answer.json() if true(answer.json()) else None

        return await until(look, what, timeout)


def today() -> date:
    return Clock().today()


def offer(
    amount: str = "300000.00", *, projects: int = 1, county: str, category: str = "education", **other: Any
) -> Json:
    """A commitment of money to one county."""
    return {
        "category": category,
        "title": {"zh": "远程教室", "en": "Remote classrooms"},
        "support": {"kind": "money", "amount": amount, "currency": "CNY"},
        "projects_max": projects,
        "valid_from": (today() - timedelta(days=1)).isoformat(),
        "valid_until": (today() + timedelta(days=365)).isoformat(),
        "only": {"counties": [county]},
        "reference": new_id(),
    } | other
