"""How a program ends: in order where it can, and in time where it cannot.

Python waits at its end for all threads, and motor's may be waiting for a database that is away; a stop
must not. Nothing is lost by a hard exit: what was not committed was not done, and is read again.
"""

import os
import signal
import threading
from types import FrameType
from typing import NoReturn

from services.kit import tracing

STOP_S = 10.0


def in_time() -> None:
    """The process ends after `STOP_S`, whatever it is doing then."""
    timer = threading.Timer(STOP_S, os._exit, args=(0,))
    timer.daemon = True
    timer.start()


def leave(code: int = 0) -> NoReturn:
    """The process ends now; finished spans still go out."""
    tracing.stop()
    os._exit(code)


def at_a_signal() -> None:
    """SIGTERM and SIGINT end the process, as long as nobody else takes them: before it runs, and after."""

    def end(_: int, __: FrameType | None) -> None:
        in_time()
        leave()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
