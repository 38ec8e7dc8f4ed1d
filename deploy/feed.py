"""The live feed on the terminal, one line an event, over restarts of the service that sends it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from deploy.access import Tokens
from services.kit.clock import SHANGHAI, instant

_RETRY_S = 1.0


async def follow(port: int, tokens: Tokens, *, after: int) -> None:
    """Print what comes after position `after`, for ever."""
    # The service sends a comment each 15 s, so a silence of 30 s is a connection that has died.
    async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(5, read=30)) as client:
        while True:
            try:
                async for entry in _entries(client, port, tokens, after):
                    # A reset (our position is unknown there, as after a restore) names the position to go on from.
                    after = entry["position"] if "event" in entry else entry["newest"]
                    if "event" in entry:
                        print(line(entry), flush=True)
            except httpx.HTTPError:
                pass
            await asyncio.sleep(_RETRY_S)


async def _entries(client: httpx.AsyncClient, port: int, tokens: Tokens, after: int) -> AsyncIterator[dict[str, Any]]:
    headers = {"authorization": f"Bearer {tokens('monitor')}", "last-event-id": str(after)}
    async with client.stream("GET", f"http://127.0.0.1:{port}/events/stream", headers=headers) as stream:
        stream.raise_for_status()
        async for row in stream.aiter_lines():
            if row.startswith("data:"):
                yield json.loads(row.removeprefix("data:"))


def line(entry: dict[str, Any]) -> str:
    """`   412 14:03:07 jiedui.milestone.verified   520326 coverage <project id>`, Beijing time."""
    event = entry["event"]
    data = event["data"]
    about = " ".join(str(data[name]) for name in ("county_code", "category") if data.get(name))
    at = instant(event["time"]).astimezone(SHANGHAI)
    return f"{entry['position']:>6} {at:%H:%M:%S} {event['type']:<32} {about} {event['subject']}"
