"""What one receiver is spared: how many tries at once, how many a second.

A receiver that fails is tried one at a time until it takes something again, and all those that fail
hold few of this worker's tries together, so nobody waits for another's.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.notify.domain import Subscription
from services.notify.streams.outgoing.addresses import place

AT_ONCE = 4
PER_SECOND = 50.0
FAILING_AT_ONCE = 64
INBOX, MAIL = "inbox", "mail"


def receiver_of(subscription: Subscription) -> str:
    """`host:port` of a webhook; the mail server is one receiver."""
    return place(subscription.target or "") if subscription.channel == "webhook" else subscription.channel


@dataclass
class _Receiver:
    under_way: int = 0
    failing: bool = False
    tokens: float = PER_SECOND
    at: float = 0.0


class Receivers:
    """What this worker knows of its receivers. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, _Receiver] = {}
        self._to_failing = 0

    def room(self, name: str) -> int:
        """How many tries may begin now."""
        receiver = self._refilled(name)
        if receiver.failing and self._to_failing >= FAILING_AT_ONCE:
            return 0
        most = 1 if receiver.failing else AT_ONCE
        return max(min(most - receiver.under_way, int(receiver.tokens)), 0)

    def full(self) -> list[str]:
        """Those with no room just now."""
        return [name for name in list(self._known) if self.room(name) == 0]

    def begin(self, name: str) -> None:
        receiver = self._refilled(name)
        receiver.under_way += 1
        receiver.tokens -= 1
        self._to_failing += receiver.failing

    def end(self, name: str, *, failed: bool) -> None:
        receiver = self._refilled(name)
        # Those under way count as going to a failing one from the moment it fails, and no longer once it takes one.
        self._to_failing -= receiver.under_way * receiver.failing
        receiver.under_way -= 1
        receiver.failing = failed
        self._to_failing += receiver.under_way * receiver.failing
        if not receiver.under_way and not failed and receiver.tokens >= PER_SECOND:
            del self._known[name]

    def _refilled(self, name: str) -> _Receiver:
        now = self._clock()
        receiver = self._known.setdefault(name, _Receiver(at=now))
        receiver.tokens = min(receiver.tokens + (now - receiver.at) * PER_SECOND, PER_SECOND)
        receiver.at = now
        return receiver
