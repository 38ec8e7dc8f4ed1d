"""Webhooks by Standard Webhooks: signed posts of events, to receivers that are not trusted.

A try ends after `LONGEST_S` whatever the receiver does, or after `PATIENT_S` where it left the one before
unanswered: it may be at work that takes longer. Of its answer only the status matters, and at most
`ANSWER_BYTES` of the rest are read. A redirect is not followed: it could lead anywhere.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import httpcore

from services.notify.domain import Outcome
from services.notify.settings import Network
from services.notify.streams.outgoing.addresses import AddressRefused, GuardedNetwork

PREFIX = "whsec_"
LONGEST_S = 20.0
PATIENT_S = 60.0
ANSWER_BYTES = 64 * 1024
_CONNECT_S = 5.0
_REST_S = 2.0
_GONE = 410
_IDLE_CONNECTIONS = 20
_KEPT_S = 15.0
_Faults = (
    AddressRefused,
    OSError,
    ValueError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


def new_secret() -> str:
    """32 random bytes in base64, without the prefix."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def sign(id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The three headers of Standard Webhooks; a signature for each key."""
    stamp = str(int(at.timestamp()))
    content = f"{id}.{stamp}.".encode() + body
    signatures = [hmac.new(base64.b64decode(key), content, hashlib.sha256).digest() for key in keys]
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


class Webhooks:
    """Posts to receivers."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=None,
            max_keepalive_connections=_IDLE_CONNECTIONS,
            keepalive_expiry=_KEPT_S,
            network_backend=GuardedNetwork(networks),
        )

    async def post(self, url: str, headers: dict[str, str], body: bytes, within_s: float = LONGEST_S) -> Outcome:
        """One try. Where no answer came in time the receiver may have it or not: `unknown`."""
        sent = {
            "content-type": "application/json; charset=utf-8",
            "content-length": str(len(body)),
            "user-agent": "jiedui-webhooks/1",
        } | headers
        timeouts = {"connect": _CONNECT_S, "read": within_s, "write": within_s, "pool": within_s}
        outcome: Outcome | None = None
        try:
            async with asyncio.timeout(within_s):
                async with self._pool.stream(
                    "POST", url, headers=list(sent.items()), content=body, extensions={"timeout": timeouts}
                ) as response:
                    outcome = _judge(response.status)
                    await _rest(response)
        except _Faults as error:
            # Once the status is there, what becomes of the rest does not matter.
            return outcome or _what_went_wrong(error, within_s)
        return outcome

    async def close(self) -> None:
        await self._pool.aclose()


def _what_went_wrong(error: Exception, within_s: float) -> Outcome:
    match error:
        case AddressRefused():
            return Outcome(status="failed", detail=str(error))
        case httpcore.ConnectError() | httpcore.ConnectTimeout():
            return Outcome(status="failed", detail=f"cannot be connected to: {_brief(error)}")
        case TimeoutError():
            return Outcome(status="unknown", detail=f"no answer within {within_s:g} s")
        case OSError():
            return Outcome(status="failed", detail=f"cannot be connected to: {_brief(error)}")
        case httpcore.UnsupportedProtocol() | ValueError():
            return Outcome(status="failed", detail=f"cannot be posted to: {_brief(error)}")
    return Outcome(status="unknown", detail=f"no whole answer: {_brief(error)}")


def _judge(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status="delivered", code=status)
    if 300 <= status < 400:
        return Outcome(status="failed", code=status, detail=f"answered {status}; redirects are not followed")
    return Outcome(status="failed", code=status, detail=f"answered {status}", gone=status == _GONE)


async def _rest(response: httpcore.Response) -> None:
    """Reads a short answer to its end, so that the connection can be used again; a long one is dropped."""
    size = 0
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        async with asyncio.timeout(_REST_S):
            async for part in response.aiter_stream():
                size += len(part)
                if size > ANSWER_BYTES:
                    return


def _brief(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]
