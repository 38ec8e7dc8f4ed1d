"""Keeps child processes running.

Until `settle()` a child that ends is a failure of the whole. After it, a dead child is started again after 1 s.
One that dies again before it was ready waits 2, 4, then 8 s; with the fifth such death in a row the whole
has failed. A child that had become ready starts that count anew.

`failure` is set once, to the reason; whoever runs the supervisor then calls `stop()`.
"""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deploy import process

T = TypeVar("T")

RESTART_AFTER_S = 1.0
LONGEST_PAUSE_S = 8.0
EARLY_DEATHS = 5
PATIENCE_S = 180.0
STOP_WITHIN_S = 9.0
_POLL = 0.1


def pause_s(early_deaths: int) -> float:
    """How long a child stays down that has died `early_deaths` times in a row before it was ready."""
    return min(RESTART_AFTER_S * 2.0**early_deaths, LONGEST_PAUSE_S)


class Failed(Exception):
    """The whole cannot go on; the message is the one line for the one who started it."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """`ready` blocks for a second at most; it is called in a thread. `ports` are those the child listens on."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    env: Mapping[str, str]
    ports: Sequence[int] = ()


@dataclass(frozen=True)
class Running:
    child: Child
    process: subprocess.Popen[bytes]


class Supervisor:
    """Keeps children running; logs go to `logs`/<name>.log and process ids to `pids`/<name>.pid.

    Use it from the main thread: a child is killed when the thread that started it ends.
    """

    def __init__(self, logs: Path, pids: Path) -> None:
        self._logs = logs
        self._pids = pids
        self._settled = False
        self._groups: list[list[str]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._running: dict[str, Running] = {}
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def start(
        self, children: Sequence[Child], report: Callable[[int, int], None] = lambda done, total: None
    ) -> None:
        """Start them together and return when all are ready; `report` is told how many are. Raises Failed."""
        ready = {child.name: asyncio.Event() for child in children}
        self._groups.append(list(ready))
        self._keepers += [asyncio.create_task(self._watch(child, ready[child.name])) for child in children]
        report(0, len(ready))

        async def tell(name: str) -> None:
            await ready[name].wait()
            report(sum(event.is_set() for event in ready.values()), len(ready))

        async def all_ready() -> None:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await asyncio.gather(*map(tell, ready))
            except TimeoutError:
                late = ", ".join(name for name, event in ready.items() if not event.is_set())
                raise Failed(f"{late} not ready after {PATIENCE_S:.0f} s; see the logs in {self._logs}") from None

        await self.guard(all_ready())

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work`, unless a child fails meanwhile: then the work is cancelled and Failed is raised."""
        task = asyncio.create_task(work)
        try:
            either: set[asyncio.Future[Any]] = {task, self.failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and task.exception():
                # Work often fails because a child has just ended, and that is what should be told then.
                await asyncio.wait({self.failure}, timeout=5 * _POLL)
            if self.failure.done():
                raise Failed(self.failure.result())
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def settle(self) -> None:
        """All is ready: from now on what dies is started again."""
        self._settled = True

    async def stop(self) -> None:
        """End all children, those started last first, in time for the 10 s in which Ctrl-C leaves nothing;
        whoever takes longer is killed."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        deadline = time.monotonic() + STOP_WITHIN_S
        for later, group in reversed(list(enumerate(self._groups))):
            patience = deadline - later * STOP_WITHIN_S / 3 - time.monotonic()
            running = (self._running[name].process for name in group if name in self._running)
            await asyncio.gather(*(self._end(process, patience) for process in running))
        for name in self._running:
            (self._pids / f"{name}.pid").unlink(missing_ok=True)

    def kill(self) -> None:
        """End all children at once and hard."""
        for running in self._running.values():
            if running.process.poll() is None:
                process.kill_group(running.process)

    async def _watch(self, child: Child, ready: asyncio.Event) -> None:
        try:
            await self._keep(child, ready)
        except OSError as fault:
            self._fail(f"{child.name} cannot be started: {fault}")

    async def _keep(self, child: Child, ready: asyncio.Event) -> None:
        early_deaths = 0
        while True:
            running = self._launch(child)
            if await self._became_ready(running):
                early_deaths = 0
                ready.set()
                await _ended(running.process)
            else:
                early_deaths += 1
            process.kill_group(running.process)
            if not self._settled:
                return self._fail(f"{self._epitaph(running)} before all was ready")
            if early_deaths == EARLY_DEATHS:
                return self._fail(f"{self._epitaph(running)} {EARLY_DEATHS} times in a row before it was ready")
            await asyncio.sleep(pause_s(early_deaths))

    def _launch(self, child: Child) -> Running:
        started = process.launch(child.command, self._logs / f"{child.name}.log", child.env)
        pid_file = self._pids / f"{child.name}.pid"
        unfinished = pid_file.with_suffix(".new")
        unfinished.write_text(f"{started.pid}\n")
        unfinished.rename(pid_file)
        self._running[child.name] = Running(child, started)
        return self._running[child.name]

    async def _became_ready(self, running: Running) -> bool:
        while running.process.poll() is None:
            if await asyncio.to_thread(running.child.ready) and running.process.poll() is None:
                return True
            await asyncio.sleep(_POLL)
        return False

    def _fail(self, reason: str) -> None:
        if not self.failure.done():
            self.failure.set_result(reason)

    def _epitaph(self, running: Running) -> str:
        log = self._logs / f"{running.child.name}.log"
        last_words = log.read_text(errors="replace").strip().rsplit("\n", 1)[-1][:300]
        code = running.process.returncode
        return f"{running.child.name} ended (code {code}; {last_words or 'it said nothing'}; see {log})"

    @staticmethod
    async def _end(child: subprocess.Popen[bytes], patience: float) -> None:
        if child.poll() is not None:
            return
        child.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_ended(child), patience)
        process.kill_group(child)
        await _ended(child)


async def _ended(child: subprocess.Popen[bytes]) -> None:
    # Not by a thread that waits: eleven of them would use up the pool that asks whether children are ready.
    while child.poll() is None:  # noqa: ASYNC110
        await asyncio.sleep(_POLL)
