"""The policy of the supervisor, on real processes that live and die as each test needs."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import supervisor
from deploy.supervisor import Child, Failed, Supervisor, pause_s
from tests.waiting import until

LIVES = "open(READY, 'w').close(); signal.alarm(60); signal.pause()"
DIES = "print('no luck'); sys.exit(3)"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES


def child(home: Path, name: str, code: str) -> Child:
    ready = home / f"{name}.ready"
    prelude = f"import os, signal, sys, time; READY = {str(ready)!r}; HOME = {str(home)!r}; "
    return Child(name=name, command=[sys.executable, "-S", "-c", prelude + code], ready=ready.exists, env={})


@pytest.fixture
async def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(supervisor, "RESTART_AFTER_S", 0.05)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.1)
    keeper = Supervisor(tmp_path, tmp_path)
    yield keeper
    await keeper.stop()


def pid(home: Path, name: str) -> int:
    return int((home / f"{name}.pid").read_text())


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_dead_child_stays_down_for_1_s_and_after_early_deaths_for_2_4_8_and_8() -> None:
    assert [pause_s(early_deaths) for early_deaths in range(5)] == [1, 2, 4, 8, 8]


async def test_start_returns_when_every_child_is_ready(keeper: Supervisor, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    await keeper.start(
        [child(tmp_path, name, LIVES) for name in ("a", "b")], lambda done, total: told.append((done, total))
    )
    assert told[0] == (0, 2)
    assert told[-1] == (2, 2)
    assert runs(pid(tmp_path, "a"))
    assert runs(pid(tmp_path, "b"))


async def test_a_child_that_ends_before_all_is_ready_fails_the_whole_with_its_last_words(
    keeper: Supervisor, tmp_path: Path
) -> None:
    with pytest.raises(Failed, match=r"bad ended \(code 3; no luck; see .*bad\.log\)"):
        await keeper.start([child(tmp_path, "good", LIVES), child(tmp_path, "bad", DIES)])
    await keeper.stop()
    assert not list(tmp_path.glob("*.pid"))


async def test_a_child_that_was_ready_and_ends_before_all_is_settled_fails_the_whole(
    keeper: Supervisor, tmp_path: Path
) -> None:
    await keeper.start([child(tmp_path, "a", LIVES)])
    os.kill(pid(tmp_path, "a"), signal.SIGKILL)
    with pytest.raises(Failed, match="a ended"):
        await keeper.guard(asyncio.Event().wait())


async def test_a_child_that_dies_later_is_started_again(keeper: Supervisor, tmp_path: Path) -> None:
    seen_ready: list[int] = []

    def ready() -> bool:
        seen_ready.append(pid(tmp_path, "a"))
        return True

    await keeper.start([replace(child(tmp_path, "a", LIVES), ready=ready)])
    keeper.settle()
    for _ in range(supervisor.EARLY_DEATHS + 1):
        first = pid(tmp_path, "a")
        await until(lambda first=first: first in seen_ready, "it is ready")  # type: ignore[misc]
        os.kill(first, signal.SIGKILL)
        await until(lambda first=first: pid(tmp_path, "a") != first, "another process")  # type: ignore[misc]
    assert not keeper.failure.done(), "deaths of a child that was ready do not count"


async def test_the_fifth_early_death_in_a_row_fails_the_whole(keeper: Supervisor, tmp_path: Path) -> None:
    dies_later = "starts = open(HOME + '/starts', 'a'); starts.write('x'); starts.close(); "
    dies_later += "sys.exit(3) if os.path.getsize(HOME + '/starts') > 1 else None; " + LIVES
    await keeper.start([child(tmp_path, "a", dies_later)])
    keeper.settle()
    (tmp_path / "a.ready").unlink()
    os.kill(pid(tmp_path, "a"), signal.SIGKILL)
    with pytest.raises(Failed, match="5 times in a row"):
        await keeper.guard(asyncio.Event().wait())
    assert (tmp_path / "starts").read_text() == "x" * 6


async def test_stop_kills_what_does_not_end_when_asked(
    keeper: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_WITHIN_S", 0.5)
    await keeper.start([child(tmp_path, "a", STUBBORN)])
    process = pid(tmp_path, "a")
    await keeper.stop()
    assert not runs(process)


async def test_stop_leaves_nothing_that_a_child_started_itself(keeper: Supervisor, tmp_path: Path) -> None:
    fork = (
        "import subprocess; p = subprocess.Popen(['sleep', '60']); open(HOME + '/grandchild', 'w').write(str(p.pid)); "
    )
    await keeper.start([child(tmp_path, "a", fork + LIVES)])
    grandchild = int((tmp_path / "grandchild").read_text())
    await keeper.stop()
    await until(lambda: not runs(grandchild), "the grandchild has ended")


async def test_work_that_fails_because_a_child_ended_tells_of_the_child(keeper: Supervisor, tmp_path: Path) -> None:
    await keeper.start([child(tmp_path, "a", LIVES)])

    async def work() -> None:
        os.kill(pid(tmp_path, "a"), signal.SIGKILL)
        raise ConnectionError("cannot be reached")

    with pytest.raises(Failed, match="a ended"):
        await keeper.guard(work())
