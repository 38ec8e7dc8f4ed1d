"""Answers that go on for hours, and there are thousands of them.

Each layer between an answer and the server costs memory while it waits and time whenever it is passed.
A route that has sent the head of such an answer hands over the rest, which runs once all layers have
returned and speaks to the server directly.
"""

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

_KEY = "jiedui.handed_over"


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
