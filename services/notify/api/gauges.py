"""What the monitor shows, for `/metrics` of notify's API: read every few seconds.

What is unknown has no sample, or one that is no number, which is not the same as 0.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from services.kit.service import Context
from services.notify.api.lag import Lag
from services.notify.api.monitor import lags, look

log = logging.getLogger(__name__)

EVERY_S = 5.0

_LAG = Gauge("jiedui_lag_records", "Records that a consumer group has not taken in", ["group", "topic"])
_LAG_AGE = Gauge("jiedui_lag_age_seconds", "Age of the oldest record not taken in", ["group", "topic"])
_OUTBOX = Gauge("jiedui_service_outbox_depth", "Rows that a service has not sent", ["service"])
_OUTBOX_AGE = Gauge("jiedui_service_outbox_oldest_age_seconds", "Age of the oldest row not sent", ["service"])
_APPLIED = Gauge("jiedui_applied_per_minute", "Events taken in a minute; live, approximate", ["service"])
_SENT = Gauge("jiedui_sent_per_minute", "Records sent a minute; live, approximate", ["service"])
_DELIVERIES = Gauge("jiedui_deliveries_by_status", "Deliveries, and those suppressed", ["status"])
_WORKERS = Gauge("jiedui_worker_info", "Workers that spoke lately", ["worker", "build"])
_DEAD_LETTERS = Gauge("jiedui_dead_letters", "Open dead letters")
_STUCK = Gauge("jiedui_stuck_sagas", "Sagas that wait for too long")


def keep_gauges(lag: Lag) -> Callable[[Context], Awaitable[None]]:
    """A loop of the API's process that keeps the gauges, with its meter for the lag."""

    async def gauge(context: Context) -> None:
        while True:
            try:
                show(await look(context.reading(), lag, context))
            except PyMongoError as error:
                log.warning("the gauges are empty, the database is away", extra={"error": repr(error)})
                show(await unknown(lag, context))
            await asyncio.sleep(EVERY_S)

    return gauge


async def unknown(lag: Lag, context: Context) -> dict[str, Any]:
    """What can be shown without the database: the lag, of which only the broker knows."""
    nothing: dict[str, Any] = {"outbox": [], "rates": [], "workers": [], "deliveries": {}}
    return await lags(lag, context) | nothing | {"dead_letters": None, "stuck": None}


def show(found: Mapping[str, Any]) -> None:
    """Sets the gauges to what the monitor shows."""
    _rows(_LAG, found["lag"], ("group", "topic"), "count")
    _rows(_LAG_AGE, found["lag"], ("group", "topic"), "age_s")
    _rows(_OUTBOX, found["outbox"], ("service",), "depth")
    _rows(_OUTBOX_AGE, found["outbox"], ("service",), "oldest_age_s")
    _rows(_APPLIED, found["rates"], ("service",), "applied_per_minute")
    _rows(_SENT, found["rates"], ("service",), "sent_per_minute")
    _WORKERS.clear()
    for worker in found["workers"]:
        _WORKERS.labels(worker["id"], worker["build"] or "unknown").set(1)
    _DELIVERIES.clear()
    for status, count in found["deliveries"].items():
        _DELIVERIES.labels(status).set(count)
    # A gauge without labels always has a sample.
    _DEAD_LETTERS.set(math.nan if found["dead_letters"] is None else found["dead_letters"])
    _STUCK.set(math.nan if found["stuck"] is None else len(found["stuck"]))


def _rows(gauge: Gauge, rows: list[dict[str, Any]], labels: tuple[str, ...], value: str) -> None:
    gauge.clear()
    for row in rows:
        if row[value] is not None:
            gauge.labels(*(row[label] for label in labels)).set(row[value])
