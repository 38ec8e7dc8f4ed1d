"""The stream's peer: sse-starlette's own loop, a queue a listener. Usage: python -m bench.peers.sse PORT"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

queues: set["asyncio.Queue[dict[str, Any]]"] = set()


async def told() -> AsyncIterator[dict[str, Any]]:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    queues.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        queues.discard(queue)


async def stream(_: Request) -> Response:
    return EventSourceResponse(told(), ping=15)


async def tell(request: Request) -> Response:
    event = await request.json()
    for queue in queues:
        queue.put_nowait(event)
    return Response()


async def ready(_: Request) -> Response:
    return Response()


app = Starlette(
    routes=[Route("/stream", stream), Route("/readyz", ready), Route("/", tell, methods=["POST"])],
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
