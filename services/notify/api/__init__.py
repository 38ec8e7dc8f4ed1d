"""Notify's HTTP: the console, feed and stream, stories, views, the monitor, dead letters, subscriptions, inboxes."""

from fastapi import APIRouter

from services.notify.api import (
    console,
    dead_letters,
    deliveries,
    exports,
    feed,
    iati,
    inbox,
    indicators,
    monitor,
    reports,
    sign_in,
    stream,
    subscriptions,
    views,
)
from services.notify.api.gauges import keep_gauges
from services.notify.api.hub import Hub
from services.notify.api.inbox import UNSUBSCRIBE
from services.notify.api.lag import Lag

PUBLIC = console.OPEN | sign_in.OPEN
PUBLIC_BELOW = (UNSUBSCRIBE, console.OPEN_BELOW)

__all__ = ["PUBLIC", "PUBLIC_BELOW", "Hub", "Lag", "keep_gauges", "routers"]


def routers(hub: Hub, lag: Lag) -> tuple[APIRouter, ...]:
    """All routes. The stream's comes first: `/events/stream` must not be taken for an event's id."""
    return (
        stream.router(hub),
        feed.router,
        views.router,
        indicators.router,
        exports.router,
        iati.router,
        reports.router,
        monitor.router(lag),
        dead_letters.router,
        subscriptions.router,
        deliveries.router,
        inbox.router,
        sign_in.router,
        console.router(),
    )
