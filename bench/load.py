"""Requests over kept connections, with as little work on the client's side as can be: it shares the machine."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


class Connection:
    """One HTTP/1.1 connection to this machine, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> Answer:
        self._writer.write(request)
        head = await self._reader.readuntil(_END)
        status, length = int(head[9:12]), 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        return Answer(status, await self._reader.readexactly(length))

    def close(self) -> None:
        self._writer.close()


def request(method: str, path: str, token: str, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {token}"]
    lines += ["content-type: application/json", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + _END + content


async def at_once(port: int, connections: int, count: int, make: Callable[[], bytes], wanted: int) -> float:
    """Sends `count` requests over so many connections, each waiting for its answer; answers the seconds it took.

    Raises:
        RuntimeError: an answer was not `wanted`.
    """
    opened = [await Connection.to(port) for _ in range(connections)]
    left = count

    async def one(connection: Connection) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            answer = await connection.send(make())
            if answer.status != wanted:
                raise RuntimeError(f"answered {answer.status}: {answer.body.decode()}")

    began = time.perf_counter()
    await asyncio.gather(*(one(connection) for connection in opened))
    took = time.perf_counter() - began
    for connection in opened:
        connection.close()
    return took
