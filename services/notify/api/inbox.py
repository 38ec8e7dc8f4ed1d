"""The inbox of the caller, and the way out of mails for those who have no token at hand."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from services.kit.clock import rfc3339
from services.kit.decision import Decision, NotFound
from services.kit.http import Call, Page, allow, ok
from services.kit.service import Context
from services.notify.api.queries import ROLES
from services.notify.api.subscriptions import remember
from services.notify.domain import InboxItem, Subscription
from services.notify.domain.deliveries import read_item
from services.notify.domain.subscriptions import OFF_BY_OWNER, switch_off
from services.notify.store import Tx
from services.notify.streams.outgoing.words import Voice

router = APIRouter()
UNSUBSCRIBE = "/unsubscribe/"


class InboxPage(Page):
    read: bool | None = None


class InboxItemView(BaseModel):
    """`event_id` is null for a daily digest and for a notice about a subscription, which is named then."""

    id: str
    event_id: str | None
    subscription_id: str
    text: str
    roles: list[str]
    read: bool
    at: str

    @classmethod
    def of(cls, item: InboxItem) -> "InboxItemView":
        return cls(
            id=item.id,
            event_id=item.event_id,
            subscription_id=item.subscription_id,
            text=item.text,
            roles=list(item.roles),
            read=item.read,
            at=rfc3339(item.at),
        )


class InboxList(BaseModel):
    items: list[InboxItemView]
    next_cursor: str | None
    total: int | None = None


@router.get("/inbox", response_model=InboxList)
async def list_inbox(call: Annotated[Call, allow(*ROLES)], page: Annotated[InboxPage, Query()]) -> Response:
    """The newest first."""
    await remember(call)
    where: dict[str, Any] = {"owner": call.caller.sub}
    if page.read is not None:
        where["read"] = page.read
    return await call.page(InboxItem, where, page, InboxItemView.of, newest_first=True)


@router.post("/inbox/{id}/read", response_model=InboxItemView)
async def mark_read(id: str, call: Annotated[Call, allow(*ROLES)]) -> Response:
    async def work(tx: Tx) -> Decision[InboxItem]:
        item: InboxItem | None = await tx.get(InboxItem, id)
        if item is None or item.owner != call.caller.sub:
            raise NotFound(f"There is no inbox item {id}.")
        return read_item(item)

    return await call.perform(work, ok(InboxItemView.of))


@router.post(UNSUBSCRIBE + "{token}", response_class=HTMLResponse)
async def stop_mails(token: str, request: Request) -> Response:
    """Switches a mail subscription off, by one click in the mail program (RFC 8058) or on the page below."""
    context: Context = request.app.state.context

    async def work(tx: Tx) -> Decision[Subscription]:
        subscription = await _by_token(tx, token)
        return Decision(off := switch_off(subscription, OFF_BY_OWNER, tx.now), saves=(off,))

    subscription = await context.transact(work, "unsubscribe")
    return _page(subscription, '<p role="status">{unsubscribed}</p>')


@router.get(UNSUBSCRIBE + "{token}", response_class=HTMLResponse)
async def ask_to_stop_mails(token: str, request: Request) -> Response:
    """A page with a button, since programs that look at links before people do must not end a subscription."""
    context: Context = request.app.state.context
    subscription = await _by_token(context.reading(), token)
    return _page(subscription, '<form method="post"><button>{unsubscribe}</button></form>')


async def _by_token(tx: Any, token: str) -> Subscription:
    found: Subscription | None = await tx.by_token(token)
    if found is None:
        raise NotFound("There is no such subscription.")
    return found


def _page(subscription: Subscription, body: str) -> Response:
    voice = Voice.of(subscription.lang, subscription.zone)
    words = {key: escape(voice.say(key)) for key in ("unsubscribe", "unsubscribed")}
    page = f'<!doctype html><html lang="{voice.lang}"><meta charset="utf-8"><title>jiedui</title>{body}</html>'
    return HTMLResponse(
        page.format(**words), headers={"content-security-policy": "default-src 'none'; form-action 'self'"}
    )
