"""Answers of the read models: read in one snapshot, with the event up to which they are true."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from services.kit.http import Call, ok
from services.notify.api.shapes import as_of
from services.notify.domain import Projection
from services.notify.store import Tx


async def at_one_moment(call: Call, work: Callable[[Tx], Awaitable[Mapping[str, Any]]]) -> Response:
    """What `work` finds, and `as_of`."""

    async def snapshot(tx: Tx) -> tuple[Projection, Mapping[str, Any]]:
        return await tx.projection(), await work(tx)

    async def read(_: Tx) -> tuple[Projection, Mapping[str, Any]]:
        # In a transaction: what is read one after the other must be of the same moment.
        return await call.transactor.unit(call.cause(), snapshot)  # type: ignore[arg-type]

    return await call.read(read, ok(lambda seen: dict(seen[1]) | as_of(seen[0].position, seen[0].time)))
