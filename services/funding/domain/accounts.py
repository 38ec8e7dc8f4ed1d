"""Accounts and their days: what each owner holds, and what each day moved there."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

OwnerKind = Literal["partner", "commitment", "project", "payee"]
Holds = Literal["source", "pledged", "reserved", "released", "paid"]


@dataclass(frozen=True, kw_only=True)
class Owner:
    kind: OwnerKind
    id: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one owner holds. `partner_id` is whose money it is; payees are nobody's."""

    id: str
    owner: Owner
    holds: Holds
    partner_id: str | None
    balances: Mapping[str, int] = field(default_factory=dict)
    booked_until: date | None = None
    version: int = 1

    @property
    def may_be_below_zero(self) -> bool:
        return self.holds == "source"

    def balance(self, currency: str) -> int:
        return self.balances.get(currency, 0)

    def moved(self, amount: int, currency: str, on: date) -> "Account":
        """As it is after a posting for the day `on`."""
        return replace(
            self,
            balances={**self.balances, currency: self.balance(currency) + amount},
            booked_until=max(on, self.booked_until or on),
            version=self.version + 1,
        )


def source_of(partner_id: str) -> Account:
    """A partner's own account, as it is before its first entry."""
    return _opened("partner", partner_id, "source", partner_id)


def pledged_of(commitment_id: str, partner_id: str) -> Account:
    return _opened("commitment", commitment_id, "pledged", partner_id)


def accounts_of(commitment_id: str, partner_id: str) -> tuple[Account, ...]:
    """Where a commitment's pledge comes from, and where it is until it is used."""
    return source_of(partner_id), pledged_of(commitment_id, partner_id)


def reserved_of(project_id: str, partner_id: str) -> Account:
    return _opened("project", project_id, "reserved", partner_id)


def released_of(project_id: str, partner_id: str) -> Account:
    return _opened("project", project_id, "released", partner_id)


def paid_of(payee: str) -> Account:
    """A payee's account. Names have no length or characters that fit a path, so its id has a hash."""
    digest = hashlib.sha256(payee.encode()).hexdigest()[:32]
    return Account(id=f"payee-{digest}-paid", owner=Owner(kind="payee", id=payee), holds="paid", partner_id=None)


def accounts_about(event: Any) -> Iterator[Account]:
    """All accounts of the partner, the commitment and the project that an event speaks of."""
    if commitment_id := getattr(event, "commitment_id", None):
        yield from accounts_of(commitment_id, event.partner_id)
    if project_id := getattr(event, "project_id", None):
        yield reserved_of(project_id, event.partner_id)
        yield released_of(project_id, event.partner_id)


def _opened(kind: OwnerKind, id: str, holds: Holds, partner_id: str) -> Account:
    return Account(id=f"{kind}-{id}-{holds}", owner=Owner(kind=kind, id=id), holds=holds, partner_id=partner_id)


@dataclass(frozen=True, kw_only=True)
class Day:
    """What one day moved on one account. `lowest` is the lowest sum after any of its postings, from 0."""

    id: str
    account_id: str
    currency: str
    on: date
    moved: int
    lowest: int


def day_id(account_id: str, currency: str, on: date) -> str:
    return f"{account_id}.{currency}.{on.isoformat()}"


def day_with(day: Day | None, amount: int, account_id: str, currency: str, on: date) -> Day:
    """A day after one more posting, its last."""
    if day is None:
        id = day_id(account_id, currency, on)
        return Day(id=id, account_id=account_id, currency=currency, on=on, moved=amount, lowest=amount)
    moved = day.moved + amount
    return replace(day, moved=moved, lowest=min(day.lowest, moved))
