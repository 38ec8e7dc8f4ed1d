"""What is due goes out: by every worker, each errand by one of them at a time (`domain/deliveries.py`).

A worker claims only what it can begin at once, so a switch that was turned off holds for all that
waits. Tries run side by side; `receivers.py` keeps one receiver from holding them all.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

from services.kit import tracing
from services.kit.decision import Decision
from services.kit.ids import new_id
from services.kit.service import Context
from services.notify.domain import Delivery, Digest, Errand, InboxItem, Outcome, Subscription
from services.notify.domain.deliveries import claim, part_of, record
from services.notify.settings import Settings
from services.notify.store import Tx
from services.notify.streams.outgoing import mail, metrics
from services.notify.streams.outgoing.notices import after_failure
from services.notify.streams.outgoing.receivers import Receivers
from services.notify.streams.outgoing.tell import inbox_item, told_instead
from services.notify.streams.outgoing.webhook import LONGEST_S, PATIENT_S, Webhooks, sign
from services.notify.streams.outgoing.words import Voice
from services.notify.streams.outgoing.words import digest as digest_of

log = logging.getLogger(__name__)

SLOTS = 256
_GRACE_S = 5.0
_LOOKED_AT = 64


@dataclass(frozen=True)
class _Try:
    """One errand claimed under a lease, and the subscription that says where it goes."""

    errand: Delivery | Digest
    subscription: Subscription
    lease: str


async def send(context: Context) -> None:
    """Sends what is due, until it is cancelled."""
    sender = Sender(context)
    try:
        async for _ in context.changes(Delivery):
            await sender.begin_due()
    finally:
        await sender.close(_GRACE_S)


class Sender:
    """One worker's tries."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        assert isinstance(settings, Settings)
        self._context = context
        self._settings = settings
        self._receivers = Receivers()
        self._webhooks = Webhooks(settings.webhook_allow)
        self._under_way: set[asyncio.Task[None]] = set()

    async def begin_due(self) -> int:
        """Begins all tries that are due and that there is room for; answers how many."""
        begun = 0
        for kind in (Digest, Delivery):
            while (room := SLOTS - len(self._under_way)) > 0:
                tries, seen = await self._claim(kind, room)
                begun += len(tries)
                for try_ in tries:
                    self._begin(try_)
                if not seen:
                    break
        return begun

    async def idle(self) -> None:
        """Waits until all tries that have begun have ended."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self, grace_s: float = 0.0) -> None:
        """Lets tries that are under way end for so long; what is cut off goes out again after its lease."""
        if self._under_way and grace_s:
            await asyncio.wait(self._under_way, timeout=grace_s)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._webhooks.close()

    async def _claim(self, kind: type[Any], room: int) -> tuple[list[_Try], int]:
        """Claims what may begin now; beside it, how many were taken out of the queue or claimed."""

        async def work(tx: Tx) -> Decision[tuple[list[_Try], int]]:
            rows: list[Any] = await tx.due(kind, self._receivers.full(), min(room, _LOOKED_AT))
            subscriptions = await tx.get_many(Subscription, {row.subscription_id for row in rows})
            saves: list[Any] = []
            tries: list[_Try] = []
            taken: dict[str, int] = {}
            for row in rows:
                subscription = subscriptions.get(row.subscription_id)
                claimed = claim(row, subscription, new_id(), tx.now)
                if claimed.status != "waiting" or subscription is None:
                    saves += [claimed, *await _with_parts(tx, claimed)]
                    continue
                if isinstance(claimed, Digest) and claimed.message is None:
                    claimed = await _composed(tx, claimed, subscription)
                if claimed.status != "waiting":
                    saves.append(claimed)
                    continue
                if taken.get(row.receiver, 0) >= self._receivers.room(row.receiver):
                    continue
                taken[row.receiver] = taken.get(row.receiver, 0) + 1
                saves.append(claimed)
                tries.append(_Try(claimed, subscription, claimed.lease))
            skipped = [save for save in saves if isinstance(save, Delivery) and save.status == "skipped"]
            saves += await told_instead(tx, skipped) if skipped else []
            return Decision((tries, len(saves)), saves=saves)

        return await self._context.transact(work, "sender")

    def _begin(self, try_: _Try) -> None:
        self._receivers.begin(try_.errand.receiver)
        metrics.UNDER_WAY.inc()
        task = asyncio.create_task(self._run(try_))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _run(self, try_: _Try) -> None:
        outcome = Outcome(status="unknown", detail="it ended in a fault of ours")
        began = time.monotonic()
        try:
            outcome = await self._try(try_)
        except Exception:
            log.exception("a delivery failed by a fault of ours", extra={"delivery": try_.errand.id})
        finally:
            self._receivers.end(try_.errand.receiver, failed=outcome.status != "delivered")
            metrics.UNDER_WAY.dec()
        metrics.TRIED.labels(try_.errand.channel, outcome.status).inc()
        metrics.TOOK.labels(try_.errand.channel).observe(time.monotonic() - began)
        try:
            await self._context.transact(lambda tx: _enter(tx, try_, outcome), "sender")
        except Exception as error:
            # It stays `unknown` and goes out once more after the lease.
            log.warning(
                "how a delivery ended could not be kept", extra={"delivery": try_.errand.id, "error": repr(error)}
            )

    async def _try(self, try_: _Try) -> Outcome:
        errand, subscription = try_.errand, try_.subscription
        if isinstance(errand, Delivery) and subscription.channel == "webhook":
            now = self._context.now()
            url, body = subscription.target or "", errand.body or b""
            headers = sign(errand.id, now, body, subscription.signing(now))
            with tracing.sending(errand.traceparent, "webhook", errand.id) as traceparent:
                if traceparent:
                    headers["traceparent"] = traceparent
                return await self._webhooks.post(url, headers, body, _patience_s(errand))
        if subscription.channel == "mail":
            return await self._mail(errand, subscription)
        # The inbox is in our own database: the item is written with the entry of its success.
        return Outcome(status="delivered")

    async def _mail(self, errand: Errand, subscription: Subscription) -> Outcome:
        server = self._settings.smtp_url
        if server is None:
            return Outcome(status="failed", detail="no mail server is set up here (JIEDUI_SMTP_URL)")
        assert errand.message is not None
        assert subscription.target is not None
        voice = Voice.of(subscription.lang, subscription.zone)
        link = f"{self._settings.public_url}/unsubscribe/{subscription.unsubscribe_token}"
        letter = mail.letter(server, subscription.target, errand.id, errand.message, voice, link, errand.created_at)
        return await mail.send(server, letter, subscription.target)


def _patience_s(delivery: Delivery) -> float:
    """A receiver that did not answer the last try in time gets more of it."""
    unanswered = len(delivery.attempts) > 1 and delivery.attempts[-2].status == "unknown"
    return PATIENT_S if unanswered else LONGEST_S


async def _enter(tx: Tx, try_: _Try, outcome: Outcome) -> Decision[None]:
    """Writes how a try ended, and what follows from it for the subscription and the inbox."""
    before = await tx.get(type(try_.errand), try_.errand.id)
    if before is None:
        return Decision(None)
    errand = record(before, try_.lease, outcome, tx.now)
    saves: list[Any] = [errand, *await _with_parts(tx, errand)]
    ended = errand.status != before.status
    if ended and errand.status == "delivered" and errand.channel == "inbox":
        saves.append(_laid_in_inbox(tx, errand))
    elif outcome.status != "delivered" and before.lease == try_.lease:
        subscription = await tx.get(Subscription, errand.subscription_id)
        if subscription is not None:
            saves += after_failure(tx, subscription, errand, outcome)
    return Decision(None, saves=saves)


def _laid_in_inbox(tx: Tx, errand: Delivery | Digest) -> InboxItem:
    if isinstance(errand, Delivery):
        return inbox_item(errand, tx)
    assert errand.message is not None
    return InboxItem(
        id=tx.new_id(),
        owner=errand.owner,
        subscription_id=errand.subscription_id,
        event_id=None,
        text=errand.message.text,
        at=tx.now,
    )


async def _composed(tx: Tx, errand: Digest, subscription: Subscription) -> Digest:
    """A digest is put together at its first try, and is the same on all that follow."""
    told = [delivery.message for delivery in await tx.gathered(errand) if delivery.message is not None]
    if not told:
        return replace(errand, status="skipped", reason="nothing is left to tell", lease=None, next_at=None)
    return replace(errand, message=digest_of(Voice.of(subscription.lang, subscription.zone), told, errand.more))


async def _with_parts(tx: Tx, errand: Delivery | Digest) -> list[Delivery]:
    """The deliveries of a digest, as far as it has come."""
    if not isinstance(errand, Digest):
        return []
    return [part_of(errand, delivery) for delivery in await tx.gathered(errand)]
