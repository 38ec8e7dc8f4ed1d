"""`GET /events/stream`: the feed as server-sent events (HTML Living Standard, 9.2).

A client that comes back says by `Last-Event-ID` what it has; it gets exactly what follows. The
rest of the answer is handed over, past FastAPI and its layers, to the hub.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.kit.handover import Line, hand_over
from services.kit.http import Call, allow
from services.kit.service import Context
from services.notify.api.hub import Hub, sse
from services.notify.api.listener import Listener
from services.notify.api.queries import GREATEST, ROLES, EventQuery, principals_of

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would hold back what comes until its buffer is full.
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """One client's stream, from now on, or from after the position that it asked for."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, call: Call, query: EventQuery, asked: int | None) -> None:
        super().__init__()
        self._hub = hub
        self._context: Context = call.request.app.state.context
        self._who = principals_of(call.caller)
        self._filter = query.filter()
        self._expires_at = call.caller.expires_at
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Before the client sees that the line is open: what it causes from then on it must be told.
        position, reset = await self._begin()
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        listening = partial(
            self._hub.listening, self._who, self._filter, self._context, position=position, expires_at=self._expires_at
        )
        hand_over(scope, partial(_talk, self._hub, listening, b": open\n\n" + reset))

    async def _begin(self) -> tuple[int, bytes]:
        """After which position to go on, and what to say first."""
        tx = self._context.reading()
        newest = await tx.newest()
        if self._asked is None:
            return newest, b""
        oldest = await tx.oldest()
        if self._asked == 0 or (oldest is not None and oldest - 1 <= self._asked <= newest):
            return self._asked, b""
        told = {
            "oldest": oldest if oldest is not None else newest + 1,
            "newest": newest,
            "detail": "This id is unknown here or too old. What is later than `newest` follows; "
            "read GET /events for what was before.",
        }
        return newest, sse(newest, "reset", orjson.dumps(told))


def router(hub: Hub) -> APIRouter:
    """The stream of one hub."""
    router = APIRouter()

    @router.get(
        "/events/stream",
        status_code=200,
        response_class=EventStream,
        responses={
            200: {"description": "Server-sent events: `id` the position, `event` the type, `data` the feed item"}
        },
    )
    async def stream_events(
        call: Annotated[Call, allow(*ROLES)],
        query: Annotated[EventQuery, Query()],
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Any:
        """From now on; from `after`; or, which wins, from `Last-Event-ID`. 0 means all."""
        return EventStream(hub, call, query, _asked(last_event_id, query.after))

    return router


def _asked(last_event_id: str | None, after: int | None) -> int | None:
    """The position to go on from; -1 for an id that never was one, None for "from now on"."""
    if last_event_id is None or not last_event_id.strip():
        return after
    text = last_event_id.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(GREATEST)) else -1


async def _talk(
    hub: Hub,
    listening: Callable[[Line], AbstractContextManager[Listener]],
    first: bytes,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Until the client has gone, or the hub has ended the answer."""
    with listening(Line(send)) as listener:
        hub.greet(listener, first)
        while (await receive())["type"] != "http.disconnect":
            pass
