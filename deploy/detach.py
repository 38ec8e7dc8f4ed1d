"""How the runner is tied to the one who started it: until it is ready when detached, else for as long as make lives."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from deploy import process


def detached(run: Callable[[Callable[[], None]], int], log: Path) -> int:
    """Call `run(at_ready)` in a process of its own, and return 0 once it calls `at_ready`, which sends its
    further output to `log`. If it ends before, return what it returned; signals are passed on to it until then."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()

        def at_ready() -> None:
            _send_output_to(log)
            os.write(writing, b"!")
            os.close(writing)

        return run(at_ready)

    def pass_on(number: int, frame: FrameType | None) -> None:
        os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    os.close(writing)
    if os.read(reading, 1):
        return 0
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _send_output_to(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for theirs, ours in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(theirs, ours)
    os.close(nothing)
    os.close(output)


def end_with_make() -> None:
    """A make that is killed cannot tell its recipes, and a run that goes on without a terminal would surprise."""
    if "MAKELEVEL" in os.environ:
        process.signal_when_parent_dies(signal.SIGTERM)
