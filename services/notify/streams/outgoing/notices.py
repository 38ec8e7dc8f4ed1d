"""What an owner is told in the inbox when a subscription's deliveries fail."""

from dataclasses import replace
from typing import Any

from services.notify.domain import TRIES, WARN_FROM_TRY, Errand, InboxItem, Outcome, Subscription
from services.notify.domain.subscriptions import WARNED_EVERY, switch_off
from services.notify.store import Tx
from services.notify.streams.outgoing.words import Voice


def after_failure(tx: Tx, subscription: Subscription, errand: Errand, outcome: Outcome) -> list[Any]:
    """The subscription and the notice as a failed try leaves them; nothing where there is nothing to say.

    A receiver that is gone, or a webhook whose last try failed, switches the subscription off.
    Otherwise the owner is told of failures that last, at most once an hour.
    """
    voice = Voice.of(subscription.lang, subscription.zone)
    if outcome.gone:
        return _off(tx, subscription, voice, voice.say("gone"))
    if errand.status == "failed" and not outcome.final:
        return _off(tx, subscription, voice, voice.say("exhausted", tries=TRIES, reason=outcome.detail))
    warned = subscription.warned_at is not None and tx.now - subscription.warned_at < WARNED_EVERY
    if warned or (errand.tries < WARN_FROM_TRY and not outcome.final):
        return []
    text = voice.say("failing", target=subscription.target, reason=outcome.detail)
    return [replace(subscription, warned_at=tx.now), _notice(tx, subscription, text)]


def _off(tx: Tx, subscription: Subscription, voice: Voice, reason: str) -> list[Any]:
    off = switch_off(subscription, reason, tx.now)
    if off is subscription:
        return []
    return [off, _notice(tx, subscription, voice.say("disabled", target=subscription.target, reason=reason))]


def _notice(tx: Tx, subscription: Subscription, text: str) -> InboxItem:
    return InboxItem(
        id=tx.new_id(),
        owner=subscription.owner,
        subscription_id=subscription.id,
        event_id=None,
        text=text,
        at=tx.now,
    )
