"""A client of the stream, as strict as a browser's (HTML Living Standard, 9.2.6)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    id: str
    type: str
    data: Any


class Stream:
    """Events and comments of one response."""

    def __init__(self, response: httpx.Response) -> None:
        self.headers = response.headers
        self.comments: list[str] = []
        self._lines = response.aiter_lines()
        self._events = self._read()

    async def next(self, timeout: float = 15.0) -> Told:
        async with asyncio.timeout(timeout):
            return await anext(self._events)

    async def take(self, count: int) -> list[Told]:
        return [await self.next() for _ in range(count)]

    async def rest(self) -> list[Told]:
        """Everything until the server ends it."""
        async with asyncio.timeout(15):
            return [told async for told in self._events]

    async def comment(self, timeout: float = 20.0) -> str:
        """The next comment; events before it are an error."""
        async with asyncio.timeout(timeout):
            line = await anext(self._lines)
            assert line.startswith(":"), line
            await anext(self._lines)
            return line

    async def _read(self) -> AsyncIterator[Told]:
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line.startswith(":"):
                self.comments.append(line)
            elif line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif fields:
                yield Told(fields["id"], fields["event"], json.loads(fields["data"]))
                fields = {}
