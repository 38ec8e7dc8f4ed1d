"""The feed as a list, single events, and the story of one thing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from services.kit.decision import NotFound
from services.kit.http import Call, Page, allow, ok
from services.notify.api.deliveries import DeliveryView
from services.notify.api.queries import ROLES, OrderedEventQuery, Whole, principals_of
from services.notify.api.shapes import AsOf, as_of
from services.notify.domain import ArchivedEvent, Delivery, in_causal_order
from services.notify.store import Tx, feed

router = APIRouter()

# A story is read by a person; nobody reads more, and it must not fill the memory.
LONGEST_STORY = 5000


class FeedItem(BaseModel):
    """An event and its place in the feed."""

    position: int
    event: dict[str, Any]


class FeedPage(BaseModel):
    items: list[FeedItem]
    next_cursor: str | None
    total: int | None = None


class StoryItem(FeedItem):
    """`queue_ms` is the time from when the event was written to when it was archived.

    `trace_url` is where the trace can be looked at, if that is set up. The deliveries are the caller's own.
    """

    queue_ms: int
    trace_id: str | None
    trace_url: str | None
    deliveries: list[DeliveryView]


class Story(BaseModel):
    """`cut` where there is more than the oldest 5,000 events, which are told."""

    items: list[StoryItem]
    cut: bool
    as_of: AsOf


class EventPage(OrderedEventQuery, Page):
    pass


@router.get("/events", response_model=FeedPage)
async def list_events(call: Annotated[Call, allow(*ROLES)], page: Annotated[EventPage, Query()]) -> Response:
    """Events by position. `after` holds in both orders."""
    where = feed(page.filter(), principals_of(call.caller))
    if page.after is not None:
        where = {"$and": [{"position": {"$gt": page.after}}, where]}
    return await call.page(ArchivedEvent, where, page, item, by="position", newest_first=page.order == "desc")


@router.get("/events/{id}", response_model=FeedItem)
async def get_event(id: str, call: Annotated[Call, allow(*ROLES)]) -> Response:
    async def work(tx: Tx) -> ArchivedEvent:
        event = await tx.event(id, principals_of(call.caller))
        if event is None:
            raise NotFound(f"There is no event {id}.")
        return event

    return await call.read(work, ok(item))


@router.get("/story/{id}", response_model=Story)
async def tell_story(id: str, call: Annotated[Call, allow(*ROLES)], whole: Whole) -> Response:
    """Everything about a commitment, a pairing or a project: causes before effects, otherwise by time."""

    async def work(tx: Tx) -> dict[str, Any]:
        # Before the events are read: none up to here can be missing.
        positions = await tx.positions()
        found = await tx.story_of(id, principals_of(call.caller), LONGEST_STORY + 1)
        if not found:
            raise NotFound(f"There is no story of {id}.")
        events, cut = found[:LONGEST_STORY], len(found) > LONGEST_STORY
        told = await tx.told_of([event.id for event in events], call.caller.sub)
        link = call.request.app.state.context.settings.trace_url
        items = [_told(event, told.get(event.id, []), link) for event in in_causal_order(events)]
        return {"items": items, "cut": cut} | as_of(positions.newest, positions.archived_at)

    return await call.read(work, ok(dict))


def item(event: ArchivedEvent) -> dict[str, Any]:
    """An event as feed and stream show it."""
    return {"position": event.position, "event": event.envelope}


def _told(event: ArchivedEvent, deliveries: list[Delivery], link: str | None) -> dict[str, Any]:
    waited = event.archived_at - event.recorded_at
    return item(event) | {
        "queue_ms": max(round(waited.total_seconds() * 1000), 0),
        "trace_id": event.trace_id,
        "trace_url": link.replace("{trace_id}", event.trace_id) if link and event.trace_id else None,
        "deliveries": [DeliveryView.of(delivery).model_dump() for delivery in deliveries],
    }
