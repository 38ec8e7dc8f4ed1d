"""B10: `make run` with the example loaded: seconds to ready, and the memory of all of it."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.figures import Figure, Goal, Side
from bench.measuring import Bench
from bench.servers import free_ports
from schemas.topics import SERVICES

_REPOSITORY = Path(__file__).parents[1]


class Whole:
    """Everything, under a home and ports of its own."""

    def __init__(self, home: Path) -> None:
        names = [f"JIEDUI_{service.upper()}{kind}" for service in SERVICES for kind in ("_PORT", "_WORKER_PORT")]
        names += ["JIEDUI_KAFKA_PORT", "JIEDUI_MONGODB_PORT", "JIEDUI_ZIPKIN_PORT"]
        ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIEDUI_", "OTEL_", "MAKE"))}
        self._home = home
        self._env = kept | ports | {"JIEDUI_HOME": str(home), "JIEDUI_DETACH": "1", "JIEDUI_MIN_FREE_MB": "500"}

    def run(self) -> float:
        """Seconds until `make run` says that all is ready."""
        began = time.perf_counter()
        self._make("run")
        return time.perf_counter() - began

    def memory(self) -> dict[str, float]:
        """The proportional set size of each of its processes, in MB: shared pages count once in the sum."""
        pids = {path.stem: int(path.read_text()) for path in sorted((self._home / "run").glob("*.pid"))}
        known = set(pids.values())
        others = [child.pid for child in psutil.Process(pids["runner"]).children(recursive=True)]
        pids |= {f"process {pid}": pid for pid in others if pid not in known}
        return {name: _pss_kb(pid) / 1024 for name, pid in pids.items()}

    def stop(self) -> None:
        self._make("stop")

    def _make(self, target: str) -> None:
        done = subprocess.run(["make", target], cwd=_REPOSITORY, env=self._env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"make {target} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def loaded() -> Iterator[Whole]:
    """With the example in it, and stopped."""
    home = Path(tempfile.mkdtemp(prefix="jiedui-bench-"))
    whole = Whole(home)
    try:
        whole.run()
        whole.stop()
        yield whole
    finally:
        whole.stop()
        shutil.rmtree(home, ignore_errors=True)


async def starting(bench: Bench) -> Figure:
    """B10: warm starts with the example loaded, and what it all takes when it is ready."""
    seconds: list[float] = []
    megabytes: list[float] = []
    bench.say("make run for the first time, to load the example")
    with loaded() as whole:
        for repeat in range(1, bench.size.repeats + 1):
            seconds.append(await asyncio.to_thread(whole.run))
            each = whole.memory()
            megabytes.append(sum(each.values()))
            bench.say(f"{repeat}/{bench.size.repeats} ready after {seconds[-1]:.1f} s, {megabytes[-1]:,.0f} MB")
            await asyncio.to_thread(whole.stop)
    return Figure(
        no="B10",
        title="make run, warm, example loaded",
        goals=[
            Goal(ours=Side(name="to ready", version="", unit="s", values=seconds), peer=None, most=20),
            Goal(ours=Side(name="memory (PSS)", version="", unit="MB", values=megabytes), peer=None, most=1536),
        ],
        notes=["MB each at the last start: " + ", ".join(f"{name} {mb:.0f}" for name, mb in each.items()) + "."],
    )


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
