"""Waiting for a condition, with its name in the failure."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def until(check: Callable[[], Awaitable[Any] | Any], what: str, timeout: float = 30.0) -> Any:
    """The first true answer of `check`, asked every 50 ms.

    Raises:
        AssertionError: `what` was not so within `timeout` seconds.
    """
    end = time.monotonic() + timeout
    answer: Any = None
    while time.monotonic() < end:
        answer = check()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {timeout} s: {what} (last answer: {answer!r})")
