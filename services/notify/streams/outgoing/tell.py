"""Who is told of what: the archive is looked through once, by one worker, event by event.

The deliveries that an event makes are written together with the position that was reached, so each
event is told once, whatever dies in between. The read models are folded apart from this: to drop
and fold them again tells nobody. Where the archive is walked again (`walk_again`), what was told
before is counted as suppressed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from services.kit.decision import Decision
from services.kit.service import Context
from services.notify.domain import (
    ArchivedEvent,
    CountyView,
    Delivery,
    Digest,
    InboxItem,
    PartnerView,
    Person,
    Positions,
    ProjectView,
    Subscription,
    Telling,
)
from services.notify.domain.deliveries import GATHERED, counted, delivery_id, digest_due, digest_id, made, told_by
from services.notify.domain.subscriptions import readers
from services.notify.store import Tx
from services.notify.streams.outgoing import metrics
from services.notify.streams.outgoing.receivers import receiver_of
from services.notify.streams.outgoing.words import Names, Voice, notice

BATCH = 200


async def tell(context: Context) -> None:
    """Follows the archive, in the one worker that leads."""
    async with context.leader("telling") as lease:
        async for _ in context.changes(Positions):
            while telling := await context.transact(tell_next, "telling"):
                metrics.SUPPRESSED.set(telling.suppressed)
            if lease.lost:
                return


async def tell_next(tx: Tx) -> Decision[Telling | None]:
    """Makes the deliveries of the next events; nothing where there are none."""
    if (await tx.rebuild()).is_under_way:
        # A notice has names in it that are not there now.
        return Decision(None)
    telling = await tx.telling()
    subscriptions = await tx.find(Subscription, {"active": True})
    if not subscriptions:
        # Nobody listens, so there is nothing to look through.
        newest = await tx.newest()
        return _reached(telling, newest) if newest > telling.position else Decision(None)
    events = await tx.events_after(telling.position, {}, BATCH)
    if not events:
        return Decision(None)
    people = await tx.get_many(Person, {subscription.owner for subscription in subscriptions})
    meetings = [
        _Meeting(event, subscription, by)
        for event in events
        for subscription, by in readers(event, subscriptions, people)
    ]
    there = await tx.get_many(Delivery, [meeting.id for meeting in meetings])
    fresh = [m for m in meetings if m.id not in there and m.event.position > telling.silent_until]
    names = await _names(tx, [meeting.event for meeting in fresh])
    saves: list[Any] = []
    digests: dict[str, Digest] = {}
    for meeting in fresh:
        saves += await _deliver(tx, meeting, people, names[meeting.event.id], digests)
    suppressed = len(meetings) - len(fresh)
    telling = replace(telling, suppressed=telling.suppressed + suppressed)
    return _reached(telling, events[-1].position, *saves, *digests.values())


def _reached(telling: Telling, position: int, *saves: Any) -> Decision[Telling | None]:
    telling = replace(telling, position=position)
    return Decision[Telling | None](telling, saves=(telling, *saves))


@dataclass(frozen=True)
class _Meeting:
    """An event and a subscription that wants it; `told_by` is another of the same reader that tells it already."""

    event: ArchivedEvent
    subscription: Subscription
    told_by: Subscription | None

    @property
    def id(self) -> str:
        return delivery_id(self.subscription.id, self.event.id)


async def _deliver(
    tx: Tx, meeting: _Meeting, people: Mapping[str, Person], names: Names, digests: dict[str, Digest]
) -> list[Any]:
    event, subscription = meeting.event, meeting.subscription
    content = content_of(event, subscription, people[subscription.owner], names)
    delivery = made(event, subscription, receiver_of(subscription), tx.now, **content)
    if meeting.told_by is not None:
        return [told_by(delivery, meeting.told_by.id)]
    return await _queued(tx, delivery, subscription, digests)


async def told_instead(tx: Tx, skipped: Sequence[Delivery]) -> list[Any]:
    """What subscriptions that are off did not tell, by the next of the same reader's that was left out for them."""
    left = await tx.left_to(skipped)
    subscriptions = await tx.get_many(Subscription, {delivery.subscription_id for delivery in left})
    told: dict[tuple[str, str | None], str] = {}
    saves: list[Any] = []
    digests: dict[str, Digest] = {}
    for delivery in left:
        subscription = subscriptions.get(delivery.subscription_id)
        if subscription is None or not subscription.active or delivery.position <= subscription.since_position:
            continue
        by = told.setdefault((delivery.event_id, delivery.reason), subscription.id)
        if by == subscription.id:
            due = replace(delivery, status="waiting", reason=None, next_at=tx.now)
            saves += await _queued(tx, due, subscription, digests)
        else:
            saves.append(told_by(delivery, by))
    return [*saves, *digests.values()]


async def _queued(tx: Tx, delivery: Delivery, subscription: Subscription, digests: dict[str, Digest]) -> list[Any]:
    """A delivery that is due, as its subscription wants it."""
    if subscription.mode == "daily":
        digest = await _open_digest(tx, subscription, digests)
        if digest.gathered >= GATHERED:
            digests[digest.id] = replace(digest, more=digest.more + 1)
            return [counted(delivery)]
        digests[digest.id] = replace(digest, gathered=digest.gathered + 1)
        return [replace(delivery, digest_id=digest.id, next_at=None)]
    if subscription.channel == "inbox":
        return [replace(delivery, status="delivered", next_at=None), inbox_item(delivery, tx)]
    return [delivery]


async def _open_digest(tx: Tx, subscription: Subscription, digests: Mapping[str, Digest]) -> Digest:
    """The digest that is open for more. One that is on its way already is followed by the next day's.

    Both, this and the sending, write the digest's own document, so that nothing is added to what is being sent.
    """
    due = digest_due(tx.now, subscription.zone)
    while True:
        id = digest_id(subscription, due)
        digest = digests.get(id) or await tx.get(Digest, id)
        if digest is None:
            return Digest(
                id=id,
                subscription_id=subscription.id,
                owner=subscription.owner,
                channel=subscription.channel,
                receiver=receiver_of(subscription),
                created_at=tx.now,
                next_at=due,
            )
        if digest.status == "waiting" and digest.message is None:
            return digest
        due = digest_due(due, subscription.zone)


def content_of(event: ArchivedEvent, subscription: Subscription, person: Person, names: Names) -> dict[str, Any]:
    """What goes out: the event as in the feed to a webhook, a notice to people."""
    if subscription.channel == "webhook":
        return {"body": orjson.dumps({"position": event.position, "event": event.envelope})}
    roles = person.roles_that_see(event)
    voice = Voice.of(subscription.lang, subscription.zone)
    return {"message": notice(voice, event.envelope, names, roles), "roles": roles}


def inbox_item(delivery: Delivery, tx: Tx) -> InboxItem:
    """The notice of a delivery as it lies in its owner's inbox."""
    assert delivery.message is not None
    return InboxItem(
        id=tx.new_id(),
        owner=delivery.owner,
        subscription_id=delivery.subscription_id,
        event_id=delivery.event_id,
        text=delivery.message.text,
        roles=delivery.roles,
        at=tx.now,
    )


async def _names(tx: Tx, events: Sequence[ArchivedEvent]) -> dict[str, Names]:
    """Names by event, as far as the read models know them by now; where they do not, ids are told."""
    counties = await tx.get_many(CountyView, {event.county_code for event in events if event.county_code})
    partners = await tx.get_many(PartnerView, {event.partner_id for event in events if event.partner_id})
    projects = await tx.get_many(ProjectView, {event.project_id for event in events if event.project_id})
    return {
        event.id: Names(
            county=getattr(counties.get(event.county_code or ""), "name", None),
            partner=getattr(partners.get(event.partner_id or ""), "name", None),
            project=getattr(projects.get(event.project_id or ""), "title", None),
        )
        for event in events
    }
