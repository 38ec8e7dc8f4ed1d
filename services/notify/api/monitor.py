"""`GET /monitor`: whether everything keeps up, and what does not."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from schemas.topics import SERVICES
from services.kit.clock import rfc3339
from services.kit.http import Call, allow, ok
from services.kit.service import Context
from services.notify import domain
from services.notify.api.lag import Lag, Row
from services.notify.api.queries import Whole
from services.notify.domain import DeadLetter, Delivery, PassedOver, Wait
from services.notify.store import Tx


class LagRow(BaseModel):
    """How far a consumer group is behind on a topic; null means unknown."""

    group: str
    topic: str
    count: int | None
    age_s: float | None


class OutboxRow(BaseModel):
    """What a service has not sent yet; null means unknown."""

    service: str
    depth: int | None
    oldest_age_s: float | None


class StuckRow(BaseModel):
    """A saga that has waited for over 60 s for an event of the type `waits_for`."""

    kind: str
    id: str
    since: str
    waits_for: str


class SkippedRow(BaseModel):
    """Numbers of a stream (source and subject) that never came, or an event that is not in the read models."""

    stream: str
    first: int
    last: int
    reason: str


class RateRow(BaseModel):
    """Live, approximate: events taken in and records sent a minute; null means unknown."""

    service: str
    applied_per_minute: float | None
    sent_per_minute: float | None


class WorkerRow(BaseModel):
    """A worker that spoke in the last 5 s; `build` says which program it is."""

    id: str
    service: str
    build: str | None


class DeliveryCounts(BaseModel):
    """What waits to be sent, what failed for good, and what was not sent again when the archive was walked again."""

    waiting: int
    failed: int
    suppressed: int


class Monitor(BaseModel):
    lag: list[LagRow]
    outbox: list[OutboxRow]
    dead_letters: int
    stuck: list[StuckRow]
    skipped: list[SkippedRow]
    rates: list[RateRow]
    workers: list[WorkerRow]
    deliveries: DeliveryCounts


def router(lag: Lag) -> APIRouter:
    """The monitor, with one meter for the lag."""
    router = APIRouter()

    @router.get("/monitor", response_model=Monitor)
    async def get_monitor(call: Annotated[Call, allow("coordinator", "monitor")], whole: Whole) -> Response:
        context: Context = call.request.app.state.context

        async def work(tx: Tx) -> Mapping[str, Any]:
            return await look(tx, lag, context)

        return await call.read(work, ok(dict))

    return router


async def look(tx: Tx, lag: Lag, context: Context) -> dict[str, Any]:
    """All that the monitor shows."""
    return await lags(lag, context) | await _found(tx)


async def lags(lag: Lag, context: Context) -> dict[str, Any]:
    """The part that the broker tells."""
    return {"lag": [_lag(row) for row in await lag.rows(context.settings.kafka_bootstrap)]}


async def _found(tx: Tx) -> dict[str, Any]:
    pulses = await tx.pulses()
    return {
        "outbox": domain.outboxes(pulses, SERVICES, tx.now),
        "dead_letters": await tx.count(DeadLetter, {"status": "open"}),
        "stuck": [_stuck(wait) for wait in await _waits(tx)],
        "skipped": await _skipped(tx),
        "rates": domain.rates(pulses, SERVICES, tx.now),
        "workers": domain.workers(pulses, tx.now),
        "deliveries": {
            "waiting": await tx.count(Delivery, {"status": "waiting"}),
            "failed": await tx.count(Delivery, {"status": "failed"}),
            "suppressed": (await tx.telling()).suppressed,
        },
    }


async def _waits(tx: Tx) -> list[Wait]:
    """Measured by the clock of what was folded: a projection that lags must not make sagas look stuck."""
    projection = await tx.projection()
    caught_up = projection.position == await tx.newest()
    now = tx.now if caught_up or projection.time is None else projection.time
    return domain.stuck(await tx.waiting_sagas(now), now)


async def _skipped(tx: Tx) -> list[dict[str, Any]]:
    gaps = [
        {"stream": row["stream"], "first": row["first"], "last": row["last"], "reason": "never came"}
        for row in await tx.skipped()
    ]
    return gaps + [
        {"stream": event.stream, "first": event.number, "last": event.number, "reason": event.error}
        for event in await tx.find(PassedOver, {})
    ]


def _lag(row: Row) -> dict[str, Any]:
    return asdict(row) | {"age_s": None if row.age_s is None else round(row.age_s, 1)}


def _stuck(wait: Wait) -> dict[str, Any]:
    return asdict(wait) | {"since": rfc3339(wait.since)}
