"""Notify's HTTP: the feed and its stream, stories, views, the monitor, dead letters, subscriptions and inboxes."""

from fastapi import APIRouter

from services.notify.api import (
    dead_letters,
    deliveries,
    exports,
    feed,
    iati,
    inbox,
    indicators,
    monitor,
    reports,
    stream,
    subscriptions,
    views,
)
from services.notify.api.gauges import keep_gauges
from services.notify.api.hub import Hub
from services.notify.api.inbox import UNSUBSCRIBE
from services.notify.api.lag import Lag

__all__ = ["UNSUBSCRIBE", "Hub", "Lag", "keep_gauges", "routers"]


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
    )
