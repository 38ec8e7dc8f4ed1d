"""Loops that must not end: run again with a growing pause, however they ended."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from services.kit import mongo
from services.kit.lease import LeaseLost

log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
# A loop that ran this long has recovered.
_CALM_S = 60.0
# So many faults of its own in a row, and the process is better started anew.
OWN_FAULTS = 5


class Hopeless(Exception):
    """A loop fails again and again, and not because the database or the broker is away."""


async def forever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Runs `run` until cancelled.

    Raises:
        Hopeless: it failed `OWN_FAULTS` times in a row for reasons of its own.
    """
    pause, faults = _FIRST_PAUSE_S, 0
    while True:
        began = time.monotonic()
        try:
            await run()
        except Exception as error:
            if time.monotonic() - began > _CALM_S:
                pause, faults = _FIRST_PAUSE_S, 0
            if is_waited_for(error):
                log.warning("a loop waits for what it needs", extra={"loop": name, "error": repr(error)})
            else:
                faults += 1
                log.error("a loop failed", extra={"loop": name, "faults": faults}, exc_info=error)
                if faults >= OWN_FAULTS:
                    raise Hopeless(name) from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def is_waited_for(error: BaseException) -> bool:
    """Whether an error tells of infrastructure that will come back."""
    return isinstance(error, KafkaError | LeaseLost | OSError) or mongo.is_infrastructure(error)
