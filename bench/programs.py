"""Programs that are measured from outside: ours and a peer's, on free ports, and how much processor time they took."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil

from bench.servers import Servers, free_ports
from deploy import probe, process
from services.kit.tokens import LocalIssuer


@dataclass(frozen=True)
class Program:
    port: int
    pid: int

    @property
    def cpu_s(self) -> float:
        """Processor time so far, in seconds."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def ours(
    servers: Servers, service: str, kind: str, env: Mapping[str, str] | None = None, profile: Path | None = None
) -> Iterator[Program]:
    """One program of a service; with `profile`, under cProfile, whose numbers go to that file."""
    (port,) = free_ports(1)
    name = f"JIEDUI_{service.upper()}{'_PORT' if kind == 'api' else '_WORKER_PORT'}"
    environment = servers.environment() | {name: str(port)} | dict(env or {})
    under = ["-m", "bench.profiled", str(profile)] if profile else ["-m"]
    command = [sys.executable, *under, f"services.{service}.main", kind]
    with started(command, port, "/readyz", servers.home / f"{service}-{kind}.log", environment) as program:
        yield program


@contextmanager
def started(
    command: Sequence[str], port: int, path: str, log: Path, env: Mapping[str, str], timeout: float = 60
) -> Iterator[Program]:
    """Runs a program from the time it answers at `path`."""
    child = process.launch(command, log, env)
    try:
        process.wait_until(child, partial(probe.answers, port, path), " ".join(command), timeout=timeout)
        yield Program(port, child.pid)
    finally:
        # As by Ctrl-C: a program under cProfile then still writes what it saw.
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(15)
        process.stop(child)


def token(servers: Servers, *roles: str, partner: str | None = None, counties: Sequence[str] = ()) -> str:
    """A bearer token of the local issuer."""
    issuer = LocalIssuer(servers.home)
    return issuer.token(
        sub=f"bench-{roles[0]}", roles=roles, now=datetime.now(UTC), partner_id=partner, county_codes=counties
    )
