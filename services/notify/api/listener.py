"""One client of the stream, and how it is sent something without waking a task of its own."""

import asyncio
import time
import types
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Send

from services.kit.service import Context
from services.notify.domain import ArchivedEvent, EventFilter, Principals, sees

END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


@dataclass(eq=False, slots=True)
class Audience:
    """Listeners who see the same and asked for the same: what one of them is sent, all are sent."""

    who: Principals
    filter: EventFilter
    members: "set[Listener]" = field(default_factory=set)

    def wants(self, event: ArchivedEvent) -> bool:
        return sees(self.who, event.audience) and self.filter.matches(event)


@dataclass(eq=False, slots=True)
class Listener:
    """Times are monotonic seconds, but for `expires_at`, which is Unix time."""

    audience: Audience
    context: Context
    send: Send
    position: int
    """Everything up to here was given, or is not for it."""
    expires_at: float
    spoke_at: float = field(default_factory=time.monotonic)
    """When something was last sent, or began to be."""
    task: "asyncio.Task[None] | None" = None
    """Brings it up to date; None while it is."""
    blocked: bool = False
    """Its line takes nothing more."""
    over: bool = False
    """Its token has expired, the client has gone, or this process stops."""
    ended: bool = False

    def give(self, message: Message) -> "Coroutine[Any, Any, None] | None":
        """Sends at once if the line takes it; otherwise there is a rest that must be awaited.

        The server's `send` waits only where the line is full. Waking a task for each listener and event
        would cost more than sending.
        """
        sending: Any = self.send(message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            self.spoke_at = time.monotonic()
            return None
        return _rest(sending, waits_for)

    async def wait(self, sending: "Coroutine[Any, Any, None]") -> None:
        """Until the line has taken it."""
        self.spoke_at, self.blocked = time.monotonic(), True
        await sending
        self.blocked = False

    async def end(self) -> None:
        if not self.ended:
            self.ended = True
            await self.wait(self.send(END))  # type: ignore[arg-type]

    def cut(self) -> None:
        """Drops the line of one who does not read."""
        self.over = self.ended = True
        if self.task:
            self.task.cancel()
        # ASGI knows no way to drop a line, and one that is closed waits until all that was sent has been read.
        self.send.__self__.transport.abort()  # type: ignore[attr-defined]


def body(chunk: bytes) -> Message:
    """A part of an answer, as the server is given it."""
    return {"type": "http.response.body", "body": chunk, "more_body": True}


@types.coroutine
def _rest(sending: Any, waits_for: Any) -> Generator[Any, Any, None]:
    """Goes on, within a task, with what was begun outside of one."""
    try:
        while True:
            yield waits_for
            try:
                waits_for = sending.send(None)
            except StopIteration:
                return
    finally:
        sending.close()
