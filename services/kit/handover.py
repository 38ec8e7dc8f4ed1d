"""Answers that go on for hours, and there are thousands of them.

Each layer between an answer and the server costs memory while it waits and time whenever it is passed.
A route that has sent the head of such an answer hands over the rest, which runs once all layers have
returned and speaks to the server directly; by a `Line`, to the connection itself.
"""

import socket
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEY = "jiedui.handed_over"
# The kernel by itself holds megabytes for each line, tells us of room only once a third of that is gone, and so lets
# one who reads slowly look like one who does not read at all.
_KERNEL_BYTES = 128 * 1024
_END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


def hand_over(scope: Scope, rest: ASGIApp) -> None:
    """Leaves the rest of an answer, whose head is sent, to `rest`."""
    scope[_KEY].append(rest)


class App(FastAPI):
    """FastAPI, and what was handed over after it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rest: list[ASGIApp] = []
        # A layer may pass on a copy of the scope; the list in it is the same.
        scope[_KEY] = rest
        await super().__call__(scope, receive, send)
        if rest:
            # What the layers left in it would live as long as the answer; the server needs no more than these.
            for name in scope.keys() - {"type", "method"}:
                del scope[name]
            await rest.pop()(scope, receive, send)


def chunk(data: bytes) -> bytes:
    """A part of an answer of unknown length as HTTP/1.1 frames it (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Line:
    """uvicorn's connection under an answer whose head is sent, and to which nobody else writes.

    Its `send` makes a coroutine and frames the same bytes anew for each connection, which takes as long as all
    else that is done here for one of thousands.
    """

    __slots__ = ("_cycle", "_send")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._cycle: Any = send.__self__  # type: ignore[attr-defined]
        # None where the client has gone already.
        if connection := self._cycle.transport.get_extra_info("socket"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)

    def write(self, framed: bytes) -> bool:
        """Sends chunks if the line takes them; False, and nothing is sent, while too much waits in it already."""
        cycle = self._cycle
        if cycle.disconnected:
            return True
        if cycle.flow.write_paused:
            return False
        cycle.transport.write(framed)
        return True

    async def drained(self) -> None:
        """Returns once the line takes something again, or has ended."""
        await self._cycle.flow.drain()

    async def end(self) -> None:
        await self._send(_END)

    def drop(self) -> None:
        """At once: a line that is closed waits until all that was sent has been read, and ASGI knows no other way."""
        self._cycle.transport.abort()
