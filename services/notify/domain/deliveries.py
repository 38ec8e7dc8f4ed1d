"""What is sent to whom, once: single events and digests, and the tries that each took.

    waiting ──try──▶ delivered
       │  └───────▶ failed     the receiver refused for good, or the last of `TRIES` failed
       └──────────▶ skipped    switched off meanwhile, or its reader is told by another subscription

There is one delivery a (subscription, event); its id follows from the two, and is what the receiver
sees on each try. What is sent is fixed when the delivery is made.

A try begins with a claim: it takes the delivery out of the queue for `LEASE`, under a name of its
own, and enters the try as `unknown`. Only the holder of that name enters how it ended. A worker
that dies in between leaves the entry `unknown`, and the delivery goes out once more after the
lease: the receiver knows it by its id. A success is entered once; nothing is tried after it.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from services.kit.decision import Conflict, Decision
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.subscriptions import Channel, Subscription

LEASE = timedelta(seconds=90)
"""Longer than any try may take."""
TRIES = 20
# 5 s, 15 s, 1 min, then longer, three days in all between the first try and the last.
_PAUSES_S = (5, 15, 60, 300, 900, 1800, 3600, 7200, 10800, 14400, *(24458 for _ in range(9)))
_JITTER = 0.1
# A fault that lasts so long is worth telling the owner.
WARN_FROM_TRY = 4
DIGEST_AT = time(8, 0)
GATHERED = 1000
"""A digest is written in one transaction with all that it gathers, and everything else waits for that."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try. `status` is `unknown`, `delivered`, `failed`, or `repeated`: taken, as one before it had been already.

    `code` is the receiver's, if it answered; `lease` that under which it goes on, None once it has ended.
    """

    at: datetime
    status: str = "unknown"
    code: int | None = None
    detail: str | None = None
    lease: str | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a person reads."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Something that goes out once. `receiver` names what is spared: a webhook's host, the mail server."""

    id: str
    subscription_id: str
    owner: str
    channel: Channel
    receiver: str
    status: str = "waiting"
    reason: str | None = None
    created_at: datetime
    next_at: datetime | None = None
    """When it is due, or the lease over; None where nothing is to be done by itself."""
    lease: str | None = None
    tries: int = 0
    """Since it was made or sent again by hand."""
    attempts: tuple[Attempt, ...] = ()
    message: Message | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery(Errand):
    """`message` is for people, `body` for webhooks. One in a digest goes out with it and not by itself."""

    event_id: str
    position: int
    body: bytes | None = None
    traceparent: str | None = None
    roles: tuple[str, ...] = ()
    digest_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Digest(Errand):
    """What one subscription gathers until `next_at`. `message` is None as long as it is open for more."""

    gathered: int = 0
    more: int = 0
    """How many beyond `GATHERED` it only counts."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a try ended. `final` when no other try can help, `gone` when the receiver wants no more at all."""

    status: str
    code: int | None = None
    detail: str | None = None
    final: bool = False
    gone: bool = False


E = TypeVar("E", bound=Errand)


def delivery_id(subscription_id: str, event_id: str) -> str:
    """Also the `webhook-id`, which must have no dot (Standard Webhooks)."""
    return "msg_" + hashlib.sha256(f"{subscription_id} {event_id}".encode()).hexdigest()[:32]


def digest_due(now: datetime, zone: str) -> datetime:
    """The end of the day's digest that is open now: the next 8 o'clock in the reader's zone."""
    local = now.astimezone(ZoneInfo(zone))
    due = datetime.combine(local.date(), DIGEST_AT, local.tzinfo)
    if due <= local:
        due = datetime.combine(local.date() + timedelta(days=1), DIGEST_AT, local.tzinfo)
    return due.astimezone(now.tzinfo)


def digest_id(subscription: Subscription, due: datetime) -> str:
    return f"{subscription.id}-{due.astimezone(ZoneInfo(subscription.zone)).date().isoformat()}"


def claim(errand: E, subscription: Subscription | None, lease: str, now: datetime) -> E:
    """Takes an errand that is due for one try, or out of the queue where its subscription is off by now."""
    if subscription is None:
        return _ended(errand, "skipped", "the subscription was deleted")
    if not subscription.active:
        return _ended(errand, "skipped", "the subscription is off")
    return replace(
        errand,
        lease=lease,
        tries=errand.tries + 1,
        next_at=now + LEASE,
        attempts=(*errand.attempts, Attempt(at=now, lease=lease)),
    )


def record(errand: E, lease: str, outcome: Outcome, now: datetime) -> E:
    """Enters how a try ended, once. Where another holds the errand by now, only the log says so."""
    if all(attempt.lease != lease for attempt in errand.attempts):
        return errand
    again = errand.status == outcome.status == "delivered"
    status = "repeated" if again else outcome.status
    attempts = tuple(
        replace(attempt, status=status, code=outcome.code, detail=outcome.detail, lease=None)
        if attempt.lease == lease
        else attempt
        for attempt in errand.attempts
    )
    errand = replace(errand, attempts=attempts)
    if errand.status != "waiting":
        return errand
    if outcome.status == "delivered":
        return _ended(errand, "delivered", None)
    if errand.lease != lease:
        return errand
    if outcome.final or outcome.gone:
        return _ended(errand, "failed", outcome.detail)
    if errand.tries >= TRIES:
        return _ended(errand, "failed", f"{TRIES} tries failed; the last: {outcome.detail}")
    return replace(errand, lease=None, next_at=now + pause(errand.id, errand.tries), reason=outcome.detail)


def pause(id: str, tries: int) -> timedelta:
    """The wait after the `tries`th try, ±10 % by the errand's id, so that those that failed together spread."""
    seed = hashlib.sha256(f"{id} {tries}".encode()).digest()
    share = int.from_bytes(seed[:4], "big") / 2**32
    return timedelta(seconds=_PAUSES_S[tries - 1] * (1 + _JITTER * (2 * share - 1)))


def resend(delivery: Delivery, subscription: Subscription | None, now: datetime) -> Delivery:
    """Sends a delivery again by hand, whatever became of it, by itself and with the same id.

    Raises:
        SubscriptionOff: nothing is sent for a subscription that is off.
        AlreadyInInbox: it lies there.
    """
    if subscription is None or not subscription.active:
        raise SubscriptionOff("The subscription is off. Switch it on first.")
    if delivery.channel == "inbox" and delivery.status == "delivered":
        raise AlreadyInInbox("It is in the inbox already.")
    return replace(
        delivery,
        status="waiting",
        reason=None,
        digest_id=None,
        lease=None,
        tries=0,
        next_at=now,
    )


def part_of(digest: Digest, delivery: Delivery) -> Delivery:
    """A delivery as its digest ended, or tried, so far."""
    return replace(delivery, status=digest.status, reason=digest.reason, attempts=digest.attempts, tries=digest.tries)


def told_by(delivery: Delivery, other_id: str) -> Delivery:
    """A delivery whose reader is told by another of their subscriptions."""
    return _ended(delivery, "skipped", left_to(other_id))


def counted(delivery: Delivery) -> Delivery:
    """A delivery beyond what a digest gathers."""
    return _ended(delivery, "skipped", f"counted in the day's digest, which gathers {GATHERED}")


def left_to(subscription_id: str) -> str:
    return f"told by the subscription {subscription_id}"


def _ended(errand: E, status: str, reason: str | None) -> E:
    return replace(errand, status=status, reason=reason, lease=None, next_at=None)


@dataclass(frozen=True, kw_only=True)
class InboxItem:
    """A notice in somebody's inbox. `event_id` is None for a digest, and for a notice about a subscription."""

    id: str
    owner: str
    subscription_id: str
    event_id: str | None
    text: str
    roles: tuple[str, ...] = ()
    read: bool = False
    at: datetime


def read_item(item: InboxItem) -> Decision[InboxItem]:
    item = replace(item, read=True)
    return Decision(item, saves=(item,))


def made(event: ArchivedEvent, subscription: Subscription, receiver: str, now: datetime, **content: object) -> Delivery:
    """The delivery of an event to a subscription, due at once."""
    return Delivery(
        id=delivery_id(subscription.id, event.id),
        subscription_id=subscription.id,
        owner=subscription.owner,
        channel=subscription.channel,
        receiver=receiver,
        created_at=now,
        next_at=now,
        event_id=event.id,
        position=event.position,
        traceparent=event.envelope.get("traceparent"),
        **content,  # type: ignore[arg-type]
    )


class SubscriptionOff(Conflict):
    pass


class AlreadyInInbox(Conflict):
    pass
