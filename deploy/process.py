"""Starting one child process so that it can neither outlive its parent nor be hit by the terminal's Ctrl-C."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def signal_when_parent_dies(number: signal.Signals) -> None:
    """Bound to the thread of the parent that started this process, so start children from one that lives as long
    as they should. Only Linux can."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)


def _die_with_parent() -> None:
    # SIGKILL and not SIGTERM: a parent that was itself killed can no longer insist, and every program
    # here is built to survive it.
    signal_when_parent_dies(signal.SIGKILL)


def launch(command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


def wait_until(process: subprocess.Popen[bytes], ready: Callable[[], bool], what: str, *, timeout: float = 60) -> None:
    """Return when `ready()`; raises RuntimeError when the process ended first, TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended with code {process.returncode} before it was ready")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready within {timeout:.0f} s")
        time.sleep(0.1)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever it started itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], *, patience: float = 10) -> None:
    """Ask the child to end, kill it after `patience` seconds, and leave nothing of its session."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    kill_group(process)
    process.wait()
