"""One client of the stream, and how it is sent something without waking a task of its own."""

import asyncio
import time
from dataclasses import dataclass, field

from services.kit.handover import Line
from services.kit.service import Context
from services.notify.domain import ArchivedEvent, EventFilter, Principals, sees


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
    line: Line
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

    async def tell(self, framed: bytes) -> None:
        """Sends it as soon as the line takes it."""
        while not self.line.write(framed):
            await self._drained()
        self.spoke_at = time.monotonic()

    async def end(self) -> None:
        if not self.ended:
            self.ended = True
            await self._drained()
            await self.line.end()

    def cut(self) -> None:
        """Drops the line of one who does not read."""
        self.over = self.ended = True
        if self.task:
            self.task.cancel()
        self.line.drop()

    async def _drained(self) -> None:
        self.spoke_at, self.blocked = time.monotonic(), True
        await self.line.drained()
        self.blocked = False
