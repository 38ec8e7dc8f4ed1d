"""The end of the archive, held once a process for all who listen to the stream.

The hub follows the archive by position and keeps the newest events as ready bytes in a ring. A
listener is only a position: it takes what follows from the ring, or, where that begins too late for
it, from the archive. So a listener that does not read costs what is in its socket and nothing more,
and none can miss anything: what is not in the ring is in the archive.

A change of `Positions` wakes the hub; what it misses the next second's look finds.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from prometheus_client import Gauge, Histogram

from services.kit.service import Context
from services.notify.domain import ArchivedEvent, EventFilter, Positions, Principals, sees
from services.notify.store import feed

# What a listener is given at once: little enough that a slow line has read it long before `STALLED_S`.
CHUNK_BYTES = 64 * 1024
STALLED_S = 30.0
# Looked at once a second, so that a comment comes each 15 s at the latest.
HEARTBEAT_S = 14.0
RING_EVENTS = 2000
RING_BYTES = 8 * 1024 * 1024
_PAGE = 50
_BATCH = 500
_TICK_S = 1.0

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


@dataclass(eq=False, slots=True)
class Listener:
    """One client of the stream. Times are monotonic seconds, but for `expires_at`, which is Unix time."""

    who: Principals
    filter: EventFilter
    task: "asyncio.Task[Any]"
    position: int
    """Everything up to here was given, or is not for it."""
    expires_at: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    sending: bool = False
    spoke_at: float = 0.0
    """When something was last sent, or began to be."""
    quiet: bool = False
    """It has been sent nothing for so long that the line might be taken for dead."""
    over: bool = False
    """Its token has expired, it has gone, or this process stops."""
    cut: bool = False
    """It does not read; nothing more can be sent to it."""

    def wants(self, event: ArchivedEvent) -> bool:
        return sees(self.who, event.audience) and self.filter.matches(event)


class Hub:
    """Follows the archive for this process's listeners."""

    def __init__(self) -> None:
        self.newest = 0
        self._ring: list[Frame] = []
        self._ring_bytes = 0
        self._listeners: set[Listener] = set()

    async def follow(self, context: Context) -> None:
        """Reads on as the archive grows."""
        if not self._ring:
            # Whoever comes back after a restart of this process is most often not far behind.
            self.newest = max(self.newest, await context.reading().newest() - RING_EVENTS // 2)
        async for _ in context.changes(Positions):
            while await self._read(context):
                pass

    async def tend(self, context: Context) -> None:
        """Once a second looks at every listener's clock; cuts off those that do not read."""
        while True:
            now, moment = time.monotonic(), context.now().timestamp()
            for listener in self._listeners:
                listener.over = listener.over or moment >= listener.expires_at or context.stopping.is_set()
                if listener.sending and now - listener.spoke_at > STALLED_S:
                    listener.cut = True
                    listener.task.cancel()
                elif listener.over or now - listener.spoke_at >= HEARTBEAT_S:
                    listener.quiet = True
                    listener.wake.set()
            await asyncio.sleep(_TICK_S)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        self._listeners.add(listener)
        _LISTENERS.inc()
        try:
            yield
        finally:
            self._listeners.discard(listener)
            _LISTENERS.dec()

    async def take(self, listener: Listener, context: Context) -> bytes:
        """The next that a listener should be sent, at most about `CHUNK_BYTES`; moves its position on."""
        while listener.position < self.newest:
            known = listener.position - self._ring[0].event.position + 1 if self._ring else -1
            if known >= 0:
                chunk = _chunk(listener, self._ring[known:])
            else:
                chunk = await self._from_archive(listener, context)
            if chunk:
                return chunk
        return b""

    async def _from_archive(self, listener: Listener, context: Context) -> bytes:
        until = self.newest
        where = {"$and": [{"position": {"$lte": until}}, feed(listener.filter, listener.who)]}
        events = await context.reading().events_after(listener.position, where, _PAGE)
        chunk = _chunk(listener, [frame(event) for event in events])
        if len(events) < _PAGE and (not events or listener.position == events[-1].position):
            listener.position = until
        return chunk

    async def _read(self, context: Context) -> int:
        events = await context.reading().events_after(self.newest, {}, _BATCH)
        for event in events:
            _ARCHIVED_AFTER.observe(max((event.archived_at - event.recorded_at).total_seconds(), 0.0))
            self._ring.append(frame(event))
            self._ring_bytes += len(self._ring[-1].data)
        if events:
            self._trim()
            self.newest = events[-1].position
            for listener in self._listeners:
                listener.wake.set()
        return len(events)

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


def _chunk(listener: Listener, frames: list[Frame]) -> bytes:
    wanted: list[bytes] = []
    size = 0
    for each in frames:
        if size and size + len(each.data) > CHUNK_BYTES:
            break
        listener.position = each.event.position
        if listener.wants(each.event):
            wanted.append(each.data)
            size += len(each.data)
    # Most often it is one event for many listeners: then all of them send the same bytes.
    return wanted[0] if len(wanted) == 1 else b"".join(wanted)
