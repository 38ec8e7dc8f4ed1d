"""One side of a figure in a process of its own: it inherits no heap and no warm cache from the other side.

measure("bench.archive:ours", {"topic": …})  →  what `ours(topic=…)` answers, sent back as JSON
"""

import asyncio
import cProfile
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`count` things in `wall_s` seconds, with `cpu_s` seconds of the measured process's processor time."""

    count: int
    wall_s: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.count / self.wall_s

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time for one."""
        return self.cpu_s / self.count * 1e6


def measure(
    target: str, arguments: Mapping[str, Any], env: Mapping[str, str] | None = None, profile: Path | None = None
) -> Measured:
    """Runs one side; with `profile`, under cProfile, whose numbers go to that file.

    Raises:
        RuntimeError: it failed; its output is the message.
    """
    command = [sys.executable, "-m", "bench.side", target, json.dumps(arguments), *([str(profile)] if profile else [])]
    done = subprocess.run(command, env={**os.environ, **(env or {})}, cwd=_REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{target} failed:\n{done.stdout}{done.stderr}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


class Stopwatch:
    """Wall and processor time of this process from its making on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, count: int) -> Measured:
        return Measured(count=count, wall_s=time.perf_counter() - self._wall, cpu_s=time.process_time() - self._cpu)


def _main(target: str, arguments: str, profile: str | None = None) -> None:
    module, _, name = target.partition(":")
    side = getattr(importlib.import_module(module), name)
    work = side(**json.loads(arguments))
    if profile is None:
        measured = asyncio.run(work)
    else:
        with cProfile.Profile() as profiler:
            measured = asyncio.run(work)
        profiler.dump_stats(profile)
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
