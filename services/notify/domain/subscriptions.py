"""Who wants to be told of what, and how.

A subscription is its owner's. What it may tell follows from the claims that its owner's token had
when the owner was last here (`Person`), so a filter never widens what somebody sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from services.kit.decision import Conflict, Decision
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.visibility import Principals, principals, sees

Channel = Literal["inbox", "webhook", "mail"]
Mode = Literal["at-once", "daily"]

OLD_SECRET_SIGNS = timedelta(hours=24)
WARNED_EVERY = timedelta(hours=1)
OFF_BY_OWNER = "off"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody by the `sub` of the token, with the claims that it had when last seen."""

    id: str
    roles: tuple[str, ...]
    partner_id: str | None
    county_codes: tuple[str, ...]

    def principals(self) -> Principals:
        return principals(self.roles, self.partner_id, self.county_codes)

    def roles_that_see(self, event: ArchivedEvent) -> tuple[str, ...]:
        """The roles that let this person see the event; each by itself."""
        return tuple(
            role for role in self.roles if sees(principals([role], self.partner_id, self.county_codes), event.audience)
        )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Of each list that is given an event must have one; an empty list is none."""

    counties: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def matches(self, event: ArchivedEvent) -> bool:
        pairs = (
            (self.counties, event.county_code),
            (self.categories, event.category),
            (self.partners, event.partner_id),
            (self.projects, event.project_id),
            (self.types, event.type),
        )
        return all(not wanted or value in wanted for wanted, value in pairs)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A webhook's key in base64. One that was replaced signs too, `until` then."""

    value: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Disabled:
    """Why and since when nothing is sent any more."""

    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How far the archive was looked through for those who want to be told; there is one such document."""

    id: str = "telling"
    position: int = 0
    silent_until: int = 0
    """Up to here events were told before: walking over them again tells nobody."""
    suppressed: int = 0
    """How many deliveries were not made because they belong to an earlier walk."""
    asked: int = 0
    """How many subscriptions were made or changed."""


def walk_again(telling: Telling) -> Decision[Telling]:
    """From the beginning, in silence as far as it had come."""
    again = replace(telling, position=0, silent_until=max(telling.silent_until, telling.position))
    return Decision(again, saves=(again,))


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """`target` is a URL or a mail address; None for the inbox, and there the owner is the target."""

    id: str
    version: int = 1
    owner: str
    channel: Channel
    target: str | None
    filter: Wanted = field(default_factory=Wanted)
    mode: Mode = "at-once"
    lang: str
    zone: str
    active: bool = True
    disabled: Disabled | None = None
    secrets: tuple[Secret, ...] = ()
    """The newest first."""
    unsubscribe_token: str
    since_position: int
    """Only events beyond it are told: those before were there when the subscription was made."""
    created_at: datetime
    warned_at: datetime | None = None
    """When the owner was last told that its deliveries fail."""

    def signing(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign now, the newest first."""
        return tuple(secret.value for secret in self.secrets if secret.until is None or now < secret.until)

    @property
    def recipient(self) -> tuple[str, str, str]:
        """Whoever has the same is the same reader; two webhooks are two machines, whatever their address."""
        address = self.id if self.channel == "webhook" else (self.target or "").casefold()
        return (self.owner, self.channel, address)


def subscribe(subscription: Subscription, person: Person, telling: Telling) -> Decision[Subscription]:
    """Keeps a new subscription. `telling` is written with it, so that no event passes between the two unseen."""
    return Decision(subscription, saves=(subscription, person, _asked(telling)))


def amend(
    subscription: Subscription, person: Person, telling: Telling, newest: int, **changes: object
) -> Decision[Subscription]:
    """Changes what is given. To switch it on again forgets why it was off, and what happened meanwhile."""
    amended = replace(subscription, version=subscription.version + 1, **changes)  # type: ignore[arg-type]
    if amended.active and not subscription.active:
        amended = replace(amended, disabled=None, warned_at=None, since_position=newest)
    return Decision(amended, saves=(amended, person, _asked(telling)))


def _asked(telling: Telling) -> Telling:
    return replace(telling, asked=telling.asked + 1)


def rotate(subscription: Subscription, secret: str, now: datetime) -> Decision[Subscription]:
    """A new secret; those before sign for 24 hours more.

    Raises:
        NothingToRotate: only webhooks are signed.
    """
    if subscription.channel != "webhook":
        raise NothingToRotate("Only a webhook has a secret.")
    until = now + OLD_SECRET_SIGNS
    kept = tuple(
        replace(old, until=min(old.until or until, until))
        for old in subscription.secrets
        if old.until is None or now < old.until
    )
    secrets = (Secret(value=secret), *kept)
    rotated = replace(subscription, version=subscription.version + 1, secrets=secrets)
    return Decision(rotated, saves=(rotated,))


def switch_off(subscription: Subscription, reason: str, now: datetime) -> Subscription:
    """Off until the owner switches it on again; unchanged where it is off already."""
    if not subscription.active:
        return subscription
    disabled = Disabled(reason=reason, at=now)
    return replace(subscription, version=subscription.version + 1, active=False, disabled=disabled)


def readers(
    event: ArchivedEvent, subscriptions: Sequence[Subscription], people: dict[str, Person]
) -> list[tuple[Subscription, Subscription | None]]:
    """The subscriptions that an event meets, and beside each the one by which its reader is told already.

    At once wins over a digest, otherwise the older subscription.
    """
    found: list[tuple[Subscription, Subscription | None]] = []
    told: dict[tuple[str, str, str], Subscription] = {}
    for subscription in sorted(subscriptions, key=lambda wanted: (wanted.mode != "at-once", wanted.id)):
        person = people.get(subscription.owner)
        if person is None or event.position <= subscription.since_position:
            continue
        if not subscription.filter.matches(event) or not sees(person.principals(), event.audience):
            continue
        found.append((subscription, told.get(subscription.recipient)))
        told.setdefault(subscription.recipient, subscription)
    return found


class NothingToRotate(Conflict):
    pass
