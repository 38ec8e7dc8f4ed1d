"""The end of the archive, held once a process for all who listen to the stream.

The hub follows the archive by position and keeps the newest events as ready bytes in a ring. A
listener is only a position. One that is up to date is sent what is new at once, the same bytes to all
who see the same; one that is not, since it came back or its line is slow, has a task that takes what
follows from the ring, or, where that begins too late for it, from the archive. So a listener that does
not read costs what is in its socket and nothing more, and none can miss anything: what is not in the
ring is in the archive.

A change of `Positions` wakes the hub; what it misses the next second's look finds.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import orjson
from prometheus_client import Gauge, Histogram

from services.kit.handover import Line, chunk
from services.kit.service import Context
from services.notify.api.listener import Audience, Listener
from services.notify.domain import ArchivedEvent, EventFilter, Positions, Principals
from services.notify.store import feed

log = logging.getLogger(__name__)

# What a listener is given at once: little enough that a slow line has read it long before `STALLED_S`.
CHUNK_BYTES = 64 * 1024
STALLED_S = 30.0
# Looked at once a second, so that a comment comes each 15 s at the latest.
HEARTBEAT_S = 14.0
RING_EVENTS = 2000
RING_BYTES = 8 * 1024 * 1024
# Listeners who are sent something before others in this process have their turn: some milliseconds.
AT_ONCE = 250
_PAGE = 50
_BATCH = 500
_TICK_S = 1.0
_STILL = chunk(b": still here\n\n")

_LISTENERS = Gauge("jiedui_stream_listeners", "Clients of the event stream")
_ARCHIVED_AFTER = Histogram(
    "jiedui_event_to_archive_seconds",
    "Time from when an event was written to when it was archived",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


@dataclass(slots=True)
class Frame:
    """One event as it goes over the wire, and what it is filtered by."""

    event: ArchivedEvent
    data: bytes


@dataclass(slots=True)
class Piece:
    """What all of an audience are sent who have everything up to `begin`; they then have it up to `end`.

    `framed` is ready for their lines, and empty where they see nothing of it.
    """

    begin: int
    end: int
    framed: bytes


class Hub:
    """Follows the archive for this process's listeners."""

    def __init__(self) -> None:
        self.newest = 0
        self._ring: list[Frame] = []
        self._ring_bytes = 0
        self._audiences: dict[tuple[Principals, EventFilter], Audience] = {}

    async def follow(self, context: Context) -> None:
        """Reads on as the archive grows."""
        if not self._ring:
            # Whoever comes back after a restart of this process is most often not far behind.
            self.newest = max(self.newest, await context.reading().newest() - RING_EVENTS // 2)
        async for _ in context.changes(Positions):
            while await self._read(context) == _BATCH:
                pass

    async def tend(self, context: Context) -> None:
        """Once a second looks at every listener's clock; cuts off those that do not read."""
        while True:
            now, moment = time.monotonic(), context.now().timestamp()
            for listener in self._listeners():
                listener.over = listener.over or moment >= listener.expires_at or context.stopping.is_set()
                if listener.task:
                    if listener.blocked and now - listener.spoke_at > STALLED_S:
                        listener.cut()
                elif listener.over:
                    self._attend(listener)
                elif now - listener.spoke_at >= HEARTBEAT_S:
                    self._send(listener, _STILL)
            await asyncio.sleep(_TICK_S)

    @contextmanager
    def listening(
        self, who: Principals, filter_: EventFilter, context: Context, line: Line, position: int, expires_at: float
    ) -> Iterator[Listener]:
        """A client that has everything up to `position`."""
        key = (who, filter_)
        audience = self._audiences.setdefault(key, Audience(who, filter_))
        listener = Listener(audience, context, line, position, expires_at)
        audience.members.add(listener)
        _LISTENERS.inc()
        try:
            yield listener
        finally:
            listener.over = listener.ended = True
            if listener.task:
                listener.task.cancel()
            audience.members.discard(listener)
            if not audience.members and self._audiences.get(key) is audience:
                del self._audiences[key]
            _LISTENERS.dec()

    def greet(self, listener: Listener, first: bytes) -> None:
        """Sends the first, and then what the listener has not got yet."""
        if self._send(listener, chunk(first)) and listener.position < self.newest:
            self._attend(listener)

    async def take(self, listener: Listener) -> bytes:
        """The next that a listener should be sent, framed, at most about `CHUNK_BYTES`; moves its position on."""
        if self._ring and listener.position >= self._ring[0].event.position - 1:
            known = listener.position - self._ring[0].event.position + 1
            piece = _piece(listener.audience, listener.position, self._ring[known:])
            listener.position = piece.end
            return piece.framed
        return await self._from_archive(listener)

    def _listeners(self) -> list[Listener]:
        return [listener for audience in self._audiences.values() for listener in audience.members]

    def _attend(self, listener: Listener, rest: bytes = b"") -> None:
        listener.task = asyncio.create_task(self._bring_up_to_date(listener, rest))

    def _send(self, listener: Listener, framed: bytes) -> bool:
        """Whether the line took it; otherwise a task waits for that."""
        if not listener.line.write(framed):
            self._attend(listener, framed)
            return False
        listener.spoke_at = time.monotonic()
        return True

    async def _bring_up_to_date(self, listener: Listener, rest: bytes) -> None:
        """Sends `rest`, and then all that there is; or ends what is over."""
        try:
            while True:
                if rest:
                    await listener.tell(rest)
                if listener.over or listener.position >= self.newest:
                    break
                rest = await self.take(listener)
                if not rest and time.monotonic() - listener.spoke_at >= HEARTBEAT_S:
                    rest = _STILL
            if listener.over:
                await listener.end()
        except Exception as error:
            # The client comes back with its Last-Event-ID, here or to another replica.
            log.warning("a stream ends", extra={"error": repr(error)})
            listener.over = True
            await listener.end()
        finally:
            listener.task = None

    async def _from_archive(self, listener: Listener) -> bytes:
        until, audience = self.newest, listener.audience
        where = {"$and": [{"position": {"$lte": until}}, feed(audience.filter, audience.who)]}
        events = await listener.context.reading().events_after(listener.position, where, _PAGE)
        piece = _piece(audience, listener.position, [frame(event) for event in events])
        listener.position = piece.end
        if len(events) < _PAGE and (not events or piece.end == events[-1].position):
            listener.position = until
        return piece.framed

    async def _read(self, context: Context) -> int:
        """Takes what is new, at most `_BATCH`; answers how many."""
        events = await context.reading().events_after(self.newest, {}, _BATCH)
        if not events:
            return 0
        before, frames = self.newest, [frame(event) for event in events]
        for event in events:
            _ARCHIVED_AFTER.observe(max((event.archived_at - event.recorded_at).total_seconds(), 0.0))
        self._ring += frames
        self._ring_bytes += sum(len(each.data) for each in frames)
        self._trim()
        self.newest = events[-1].position
        for audience in list(self._audiences.values()):
            await self._push(audience, before, frames)
        return len(events)

    async def _push(self, audience: Audience, before: int, frames: list[Frame]) -> None:
        while before < frames[-1].event.position:
            piece = _piece(audience, before, frames[before - frames[0].event.position + 1 :])
            before, now = piece.end, time.monotonic()
            for count, listener in enumerate(list(audience.members), start=1):
                if count % AT_ONCE == 0:
                    await asyncio.sleep(0)
                if listener.task or listener.over or listener.position >= before:
                    continue
                if listener.position != piece.begin:
                    self._attend(listener)
                    continue
                listener.position = before
                # Not by `_send`: this runs for each delivery.
                if piece.framed and not listener.line.write(piece.framed):
                    self._attend(listener, piece.framed)
                listener.spoke_at = now

    def _trim(self) -> None:
        surplus = 0
        while len(self._ring) - surplus > RING_EVENTS or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self._ring[surplus].data)
            surplus += 1
        del self._ring[:surplus]


def frame(event: ArchivedEvent) -> Frame:
    """An event as server-sent event, with the same JSON as in the feed."""
    data = orjson.dumps({"position": event.position, "event": event.envelope})
    return Frame(replace(event, envelope={}), sse(event.position, event.type, data))


def sse(position: int, type_: str, data: bytes) -> bytes:
    # A type that no service of ours has may hold anything; a line break in it would forge a field.
    name = " ".join(type_.split()).encode()
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (position, name, data)


def _piece(audience: Audience, begin: int, frames: Sequence[Frame]) -> Piece:
    """What an audience is to see of the first of these, at most about `CHUNK_BYTES`."""
    wanted: list[bytes] = []
    size, end = 0, begin
    for each in frames:
        if size and size + len(each.data) > CHUNK_BYTES:
            break
        end = each.event.position
        if audience.wants(each.event):
            wanted.append(each.data)
            size += len(each.data)
    return Piece(begin, end, chunk(b"".join(wanted)) if wanted else b"")
