"""The runner as a process: how it starts, what stops it, and that nothing stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

FAKE_RUN = Path(__file__).with_name("fake_run.py")
JIEDUI = [sys.executable, "-m", "deploy.cli"]
READY = "import os, signal; open(os.environ['READY'], 'w').close(); "
LIVES = READY + "signal.alarm(60); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES
DIES = "print('no luck'); raise SystemExit(3)"


class Runner:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[str] | None = None
        self.children: dict[str, str] = {"a": LIVES, "b": LIVES}

    def environment(self, **settings: object) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JIEDUI_")}
        ours = {"JIEDUI_HOME": self.home, "JIEDUI_FAKE": json.dumps(self.children), **settings}
        return kept | {name: str(value) for name, value in ours.items()}

    def start(self, **settings: object) -> "Runner":
        """In the foreground, and back when it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, FAKE_RUN],
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert any("all is ready" in line for line in self.process.stdout), "it became ready"
        return self

    def run(self, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, FAKE_RUN], env=self.environment(**settings), capture_output=True, text=True, timeout=20
        )

    def jiedui(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*JIEDUI, *arguments], env=self.environment(), capture_output=True, text=True, timeout=20)

    def pid(self, name: str) -> int:
        return int((self.home / f"run/{name}.pid").read_text())

    def left(self) -> list[psutil.Process]:
        """Whatever still runs with this home in its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if str(self.home) in process.environ().get("HOME_DIR", "") and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path / "home")
    yield runner
    if runner.process is not None and runner.process.poll() is None:
        runner.process.kill()
        runner.process.wait()
    for process in runner.left():
        process.kill()


def until(check: Callable[[], Any], what: str, timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_well_and_leaves_nothing(runner: Runner, asked: signal.Signals) -> None:
    runner.start()
    assert runner.process is not None
    runner.process.send_signal(asked)
    assert runner.process.wait(10) == 0
    assert not runner.left()
    assert not list((runner.home / "run").glob("*.pid"))


def test_a_second_ctrl_c_waits_for_nobody(runner: Runner) -> None:
    runner.children["a"] = STUBBORN
    runner.start()
    assert runner.process is not None
    runner.process.send_signal(signal.SIGINT)
    until(lambda: not psutil.pid_exists(runner.pid("b")), "b has ended, a does not listen")
    runner.process.send_signal(signal.SIGINT)
    assert runner.process.wait(3) == 0
    assert not runner.left()


def test_a_killed_runner_takes_its_children_along(runner: Runner) -> None:
    runner.children["a"] = STUBBORN
    runner.start()
    assert runner.process is not None
    assert len(runner.left()) == 2
    runner.process.kill()
    until(lambda: not runner.left(), "no child is left", timeout=3)


def test_a_child_that_dies_before_ready_stops_everything_with_one_line(runner: Runner) -> None:
    runner.children["b"] = DIES
    done = runner.run()
    assert done.returncode == 1
    assert "b ended (code 3; no luck; see " in one_line(done)
    assert not runner.left()


def test_a_child_killed_after_ready_comes_back_after_a_second(runner: Runner) -> None:
    runner.start(JIEDUI_FAKE_RESTART_AFTER_S=1)
    first = runner.pid("a")
    os.kill(first, signal.SIGKILL)
    killed_at = time.monotonic()
    until(lambda: runner.pid("a") != first, "a runs again")
    assert 0.9 < time.monotonic() - killed_at < 3
    assert psutil.pid_exists(runner.pid("a"))


def test_detached_it_returns_when_ready_and_stop_ends_it(runner: Runner) -> None:
    done = runner.run(JIEDUI_DETACH=1)
    assert (done.returncode, done.stderr) == (0, "")
    assert "all is ready" in done.stdout
    status = json.loads(runner.jiedui("status", "--json").stdout)
    assert {child["name"]: child["pid"] for child in status["children"]} == {
        "a": runner.pid("a"),
        "b": runner.pid("b"),
    }
    stopped = runner.jiedui("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "stopped\n")
    assert not runner.left()
    assert runner.jiedui("status").returncode == 1
    assert runner.jiedui("stop").stdout == "nothing runs here\n"


def test_detached_a_child_that_dies_before_ready_is_one_line_and_exit_1(runner: Runner) -> None:
    runner.children["b"] = DIES
    done = runner.run(JIEDUI_DETACH=1)
    assert done.returncode == 1
    assert "b ended" in one_line(done)
    assert not runner.left()


def test_a_second_run_in_the_same_home_says_that_one_runs(runner: Runner) -> None:
    runner.start()
    assert runner.process is not None
    done = runner.run()
    assert done.returncode == 1
    assert f"it runs already (process {runner.process.pid})" in one_line(done)
    assert len(runner.left()) == 2


def test_data_of_what_runs_is_not_removed(runner: Runner) -> None:
    runner.start()
    (runner.home / "data/kept").touch()
    done = runner.jiedui("clean")
    assert done.returncode == 1
    assert "make stop first" in one_line(done)
    assert (runner.home / "data/kept").exists()


def test_clean_removes_the_data_and_nothing_else(runner: Runner) -> None:
    (runner.home / "data").mkdir(parents=True)
    (runner.home / "holiday.jpg").touch()
    assert runner.jiedui("clean").returncode == 0
    assert [path.name for path in runner.home.iterdir()] == ["holiday.jpg"]


def test_too_little_disk_is_one_line_that_names_the_setting(runner: Runner) -> None:
    done = runner.run(JIEDUI_MIN_FREE_MB=10**9)
    assert done.returncode == 1
    assert "JIEDUI_MIN_FREE_MB" in one_line(done)


def test_a_home_that_cannot_be_made_is_one_line_that_names_it(runner: Runner) -> None:
    done = runner.run(JIEDUI_HOME="/dev/null/home")
    assert done.returncode == 1
    assert "/dev/null/home" in one_line(done)


def test_missing_java_is_one_line_that_says_what_to_install(runner: Runner, tmp_path: Path) -> None:
    done = runner.run(PATH=tmp_path)
    assert done.returncode == 1
    assert "install Java 17" in one_line(done)


def test_old_java_is_one_line_that_says_which_is_needed(runner: Runner, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    done = runner.run(PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "java is too old" in one_line(done)


def test_a_taken_port_is_one_line_that_names_the_setting_that_moves_it(runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*JIEDUI, "up"],
            env=runner.environment(JIEDUI_FUNDING_WORKER_PORT=port),
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 1
    assert f"port {port} is taken" in one_line(done)
    assert "JIEDUI_FUNDING_WORKER_PORT" in one_line(done)


def test_two_settings_with_one_port_are_named_both(runner: Runner) -> None:
    done = subprocess.run(
        [*JIEDUI, "up"],
        env=runner.environment(JIEDUI_PAIRING_PORT=18999, JIEDUI_NOTIFY_PORT=18999),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert "JIEDUI_NOTIFY_PORT and JIEDUI_PAIRING_PORT are both 18999" in one_line(done)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("JIEDUI_PAIRING_PORT", "80o1"), ("JIEDUI_MIN_FREE_MB", "-1"), ("JIEDUI_CLOCK_OFFSET", "soon")],
)
def test_a_wrong_setting_is_one_line_that_names_it(runner: Runner, setting: str, value: str) -> None:
    done = subprocess.run(
        [*JIEDUI, "up"], env=runner.environment(**{setting: value}), capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert one_line(done).startswith(f"jiedui: {setting}: ")


def test_it_does_not_run_where_tokens_must_be_real(runner: Runner) -> None:
    done = runner.run(JIEDUI_ENV="production")
    assert done.returncode == 1
    assert "JIEDUI_ENV=production" in one_line(done)
