"""Subscriptions: each caller's own."""

import secrets
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from schemas.shapes import Category
from services.kit.clock import rfc3339
from services.kit.decision import Decision, Invalid, NotFound
from services.kit.http import Call, Caller, Form, Page, Unread, allow, created, ok
from services.kit.idempotency import Reply
from services.notify.api import deliveries, wishes
from services.notify.api.queries import ROLES
from services.notify.domain import Delivery, Person, Secret, Subscription, Wanted
from services.notify.domain.subscriptions import Channel, Mode, amend, rotate, subscribe
from services.notify.store import Tx
from services.notify.streams.outgoing.webhook import PREFIX, new_secret

router = APIRouter()
Anyone = Annotated[Call, allow(*ROLES)]
_MANY = 500


class Filter(Form):
    """Of each list that is given an event must have one."""

    counties: list[Annotated[str, Field(pattern="^[0-9]{6}$")]] | None = Field(default=None, max_length=_MANY)
    categories: list[Category] | None = Field(default=None, max_length=_MANY)
    partners: list[str] | None = Field(default=None, max_length=_MANY)
    projects: list[str] | None = Field(default=None, max_length=_MANY)
    types: list[str] | None = Field(default=None, max_length=_MANY)

    def wanted(self) -> Wanted:
        return Wanted(**{name: tuple(values or ()) for name, values in self})


class _Form(Form):
    READ_ONLY: ClassVar[frozenset[str]] = frozenset({"id", "secret", "version", "disabled", "created_at"})


class NewSubscription(_Form):
    channel: Channel
    target: str | None = Field(None, max_length=2000)
    filter: Filter = Filter()
    mode: Mode = "at-once"
    lang: str = Field("zh", min_length=1, max_length=35)
    zone: str | None = None
    active: bool = True


class SubscriptionChange(_Form):
    """What is left out stays as it is."""

    channel: Channel | None = None
    target: str | None = Field(None, max_length=2000)
    filter: Filter | None = None
    mode: Mode | None = None
    lang: str | None = Field(None, min_length=1, max_length=35)
    zone: str | None = None
    active: bool | None = None


class DisabledView(BaseModel):
    reason: str
    at: str


class SubscriptionView(BaseModel):
    """`disabled` says why nothing is sent any more, where it was not the owner who switched it off."""

    id: str
    channel: Channel
    target: str | None
    filter: dict[str, list[str]]
    mode: Mode
    lang: str
    zone: str
    active: bool
    disabled: DisabledView | None
    created_at: str
    version: int

    @classmethod
    def of(cls, subscription: Subscription) -> "SubscriptionView":
        off = subscription.disabled
        wanted = {name: list(getattr(subscription.filter, name)) for name in Wanted.__dataclass_fields__}
        return cls(
            id=subscription.id,
            channel=subscription.channel,
            target=subscription.target,
            filter={name: values for name, values in wanted.items() if values},
            mode=subscription.mode,
            lang=subscription.lang,
            zone=subscription.zone,
            active=subscription.active,
            disabled=DisabledView(reason=off.reason, at=rfc3339(off.at)) if off else None,
            created_at=rfc3339(subscription.created_at),
            version=subscription.version,
        )


class NewSubscriptionView(SubscriptionView):
    """With the secret of a webhook, which is shown this once."""

    secret: str | None = None

    @classmethod
    def of(cls, subscription: Subscription) -> "NewSubscriptionView":
        shown = SubscriptionView.of(subscription).model_dump()
        secret = PREFIX + subscription.secrets[0].value if subscription.secrets else None
        return cls(**shown, secret=secret)


class SubscriptionList(BaseModel):
    items: list[SubscriptionView]
    next_cursor: str | None
    total: int | None = None


class SubscriptionPage(Page):
    channel: Channel | None = None


@router.get("/subscriptions", response_model=SubscriptionList)
async def list_subscriptions(call: Anyone, page: Annotated[SubscriptionPage, Query()]) -> Response:
    await remember(call)
    where: dict[str, Any] = {"owner": call.caller.sub}
    if page.channel:
        where["channel"] = page.channel
    return await call.page(Subscription, where, page, SubscriptionView.of)


@router.post("/subscriptions", status_code=201, response_model=NewSubscriptionView)
async def subscribe_(call: Anyone, form: Unread[NewSubscription]) -> Response:
    settings = call.request.app.state.context.settings

    async def work(tx: Tx) -> Decision[Subscription]:
        asked = form.read()
        fields: dict[str, Any] = {name: getattr(asked, name) for name in ("channel", "target", "mode", "lang")}
        fields |= {"filter": asked.filter.wanted(), "zone": "Asia/Shanghai" if asked.zone is None else asked.zone}
        await wishes.check(tx, call.caller, settings, **fields)
        subscription = Subscription(
            **fields,
            id=tx.new_id(),
            owner=call.caller.sub,
            active=asked.active,
            secrets=(Secret(value=new_secret()),) if asked.channel == "webhook" else (),
            unsubscribe_token=secrets.token_urlsafe(24),
            since_position=await tx.newest(),
            created_at=tx.now,
        )
        return subscribe(subscription, await _person(tx, call.caller), await tx.telling())

    return await call.perform(work, created("/subscriptions", NewSubscriptionView.of))


@router.get("/subscriptions/{id}", response_model=SubscriptionView)
async def get_subscription(id: str, call: Anyone) -> Response:
    return await call.read(lambda tx: own(tx, call, id), ok(SubscriptionView.of))


@router.patch("/subscriptions/{id}", response_model=SubscriptionView)
async def amend_subscription(id: str, call: Anyone, form: Unread[SubscriptionChange]) -> Response:
    settings = call.request.app.state.context.settings

    async def work(tx: Tx) -> Decision[Subscription]:
        subscription = await own(tx, call, id)
        call.expect(subscription.version, SubscriptionView.of(subscription), required=False)
        asked = form.read()
        if asked.channel not in (None, subscription.channel):
            raise Invalid({"/channel": "cannot be changed; make another subscription"})
        changes: dict[str, Any] = {
            name: value
            for name in ("target", "mode", "lang", "zone", "active")
            if (value := getattr(asked, name)) is not None
        }
        if asked.filter is not None:
            changes["filter"] = asked.filter.wanted()
        new = {name: value for name, value in changes.items() if value != getattr(subscription, name)}
        # Whoever may no longer see what was asked for can still switch it off.
        if new and new != {"active": False}:
            now = {
                name: getattr(subscription, name) for name in ("channel", "target", "filter", "mode", "lang", "zone")
            }
            checked = now | {name: value for name, value in new.items() if name != "active"}
            await wishes.check(tx, call.caller, settings, **checked)
        person = await _person(tx, call.caller)
        return amend(subscription, person, await tx.telling(), await tx.newest(), **changes)

    return await call.perform(work, ok(SubscriptionView.of))


@router.delete("/subscriptions/{id}", status_code=204)
async def unsubscribe(id: str, call: Anyone) -> Response:
    async def work(tx: Tx) -> Decision[Subscription]:
        subscription = await own(tx, call, id)
        call.expect(subscription.version, SubscriptionView.of(subscription), required=False)
        return Decision(subscription, deletes=(subscription,))

    return await call.perform(work, lambda _: Reply(204, b"", {}))


@router.post("/subscriptions/{id}/rotate", response_model=NewSubscriptionView)
async def rotate_secret(id: str, call: Anyone) -> Response:
    """A new secret; the old one signs beside it for 24 hours."""

    async def work(tx: Tx) -> Decision[Subscription]:
        subscription = await own(tx, call, id)
        call.expect(subscription.version, SubscriptionView.of(subscription), required=False)
        return rotate(subscription, new_secret(), tx.now)

    return await call.perform(work, ok(NewSubscriptionView.of))


class DeliveryPage(Page):
    status: Literal["waiting", "delivered", "failed", "skipped"] | None = None


@router.get("/subscriptions/{id}/deliveries", response_model=deliveries.DeliveryList)
async def list_deliveries(id: str, call: Anyone, page: Annotated[DeliveryPage, Query()]) -> Response:
    """In the order of their events."""
    await own(call.transactor.reading(), call, id)
    where: dict[str, Any] = {"subscription_id": id}
    if page.status:
        where["status"] = page.status
    return await call.page(Delivery, where, page, deliveries.DeliveryView.of, by="position")


async def own(tx: Any, call: Call, id: str) -> Subscription:
    """
    Raises:
        NotFound: it is not there, or another's.
    """
    subscription: Subscription | None = await tx.get(Subscription, id)
    if subscription is None or subscription.owner != call.caller.sub:
        raise NotFound(f"There is no subscription {id}.")
    return subscription


async def remember(call: Call) -> None:
    """Keeps the claims of a subscriber's token, where they changed: what somebody is told follows from them."""

    async def work(tx: Tx) -> Decision[None]:
        return Decision(None, saves=(await _person(tx, call.caller),))

    before = await call.transactor.reading().get(Person, call.caller.sub)
    if before not in (None, _of(call.caller)):
        await call.transactor.transact(work, call.cause())


async def _person(tx: Tx, caller: Caller) -> Person:
    """The caller as of now; read first, since only what was read is replaced."""
    await tx.get(Person, caller.sub)
    return _of(caller)


def _of(caller: Caller) -> Person:
    return Person(
        id=caller.sub,
        roles=tuple(sorted(caller.roles)),
        partner_id=caller.partner_id,
        county_codes=tuple(sorted(caller.county_codes)),
    )
