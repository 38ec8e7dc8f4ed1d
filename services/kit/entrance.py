"""What every request passes before FastAPI sees it (plain ASGI, so that streams are not buffered)."""

import logging
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit import problems
from services.kit.tokens import TokenRefused, Tokens

log = logging.getLogger(__name__)

BODY_MAX_BYTES = 1024 * 1024
# Enough of a body that is too large is read for its sender to see the answer and not a cut line.
_DRAIN_BYTES = 32 * 1024 * 1024
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Authentication:
    """Puts the caller into the request's state, or answers 401."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, open_paths: frozenset[str], open_below: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._open = open_paths
        self._open_below = open_below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path in self._open or path.startswith(self._open_below):
            return await self._app(scope, receive, send)
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or not token:
                raise TokenRefused("Send a token: Authorization: Bearer …")
            caller = await self._tokens.check(token.strip())
        except TokenRefused as error:
            log.info("kept out", extra={"who": None, "method": scope["method"], "path": path})
            response = problems.refusal(problems.Unauthorised(str(error)), scope["path"])
            return await response(scope, receive, send)
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies over the limit with 413; no body at all counts as `{}`."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int]) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY:
            return await self._app(scope, receive, send)
        most = self._limits.get(scope["path"], BODY_MAX_BYTES)
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            await _drain(receive)
            answer = problems.problem(413, "too-large", f"A body may have {most} bytes.", scope["path"])
            return await answer(scope, receive, send)
        if length in ("", "0") and "transfer-encoding" not in headers:
            scope["headers"] = [
                *((name, value) for name, value in scope["headers"] if name != b"content-type"),
                (b"content-type", b"application/json"),
            ]
            return await self._app(scope, _once(b"{}", receive), send)
        await self._app(scope, _counted(receive, most), send)


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


def _counted(receive: Receive, most: int) -> Receive:
    count = 0

    async def next_message() -> Message:
        nonlocal count
        message: dict[str, Any] = dict(await receive())
        count += len(message.get("body", b""))
        if count > most:
            await _drain(receive)
            raise HTTPException(413, f"A body may have {most} bytes.")
        return message

    return next_message


async def _drain(receive: Receive) -> None:
    count = 0
    while count < _DRAIN_BYTES:
        message = await receive()
        count += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
