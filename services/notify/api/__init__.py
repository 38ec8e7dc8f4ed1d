"""Notify's HTTP: the feed and its stream, stories, views, the monitor, dead letters."""

from fastapi import APIRouter

from services.notify.api import dead_letters, exports, feed, indicators, monitor, stream, views
from services.notify.api.hub import Hub
from services.notify.api.lag import Lag

__all__ = ["Hub", "Lag", "routers"]


def routers(hub: Hub, lag: Lag) -> tuple[APIRouter, ...]:
    """All routes. The stream's comes first: `/events/stream` must not be taken for an event's id."""
    return (
        stream.router(hub),
        feed.router,
        views.router,
        indicators.router,
        exports.router,
        monitor.router(lag),
        dead_letters.router,
    )
