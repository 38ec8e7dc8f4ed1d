"""Double entry: accounts, entries, and the journal in which they are written.

An entry takes from one account what it gives to another, so its postings sum to zero in each
currency. Entries are only ever added; their number `no` has no gaps; a mistake is undone by an
opposite entry. What an account holds is kept with each entry and can always be computed again from
all of them (`audit.py`).

    partner's source ── pledged ──▶ commitment's pledged ── reserved ──▶ project's reserved
                                                                              │ tranche_released
    payee's paid ◀── spent ── project's released ◀────────────────────────────┘

No account is ever below zero, at the end of no day and after no entry of it, but for partners'
source accounts: pledges come from there. Entries stand in the order of the day for which they are
booked, then of their number. So an entry for an earlier day moves all later balances, and each
`Day` keeps its lowest point, which is all that must be seen to know whether one falls below zero.

Amounts are whole minor units (fen); what is given to an account is positive.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

OwnerKind = Literal["partner", "commitment", "project", "payee"]
Holds = Literal["source", "pledged", "reserved", "released", "paid"]
EntryType = Literal[
    "pledged", "unpledged", "reserved", "tranche_released", "spent", "returned", "transferred", "reversed"
]
# IATI's transaction types: outgoing pledge, outgoing commitment, disbursement, expenditure.
# What undoes another entry has its type, as IATI shows it by a negative value.
IATI_TYPES: Mapping[EntryType, int] = {
    "pledged": 12,
    "unpledged": 12,
    "reserved": 2,
    "returned": 2,
    "tranche_released": 3,
    "transferred": 3,
    "spent": 4,
}


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


@dataclass(frozen=True, kw_only=True)
class Posting:
    account_id: str
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A booking. `partner_ids` are the partners whose money it moves; `reverses` is the entry that it undoes."""

    id: str
    no: int
    type: EntryType
    iati_type: int
    booked_on: date
    recorded_at: datetime
    postings: tuple[Posting, ...]
    commitment_id: str
    partner_ids: tuple[str, ...]
    project_id: str | None = None
    milestone_no: int | None = None
    payee: str | None = None
    reference: str | None = None
    reverses: str | None = None
    reason: str | None = None

    @property
    def version(self) -> int:
        """An entry never changes."""
        return 1

    @property
    def amount(self) -> int:
        return sum(posting.amount for posting in self.postings if posting.amount > 0)

    @property
    def currency(self) -> str:
        return self.postings[0].currency


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Where the numbers of entries come from: whoever books writes here, so there is one order and no gap."""

    id: str = "ledger"
    last_no: int = 0


@dataclass(frozen=True, kw_only=True)
class Books:
    """The part of the ledger that a booking must see: its accounts, and their days from the day of booking on."""

    ledger: Ledger = field(default_factory=Ledger)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    days: Sequence[Day] = ()


class Overdrawn(ValueError):
    """A rule booked what it had not seen to be there."""


class Journal:
    """Books entries on a copy of some books; `saves` are the states that they leave."""

    def __init__(self, books: Books, *, now: datetime, today: date) -> None:
        self._now = now
        self._today = today
        self._ledger = books.ledger
        self._accounts = dict(books.accounts)
        self._days = {day.id: day for day in books.days}
        self._changed: dict[str, Account | Day] = {}
        self._entries: list[Entry] = []

    @property
    def saves(self) -> tuple[Any, ...]:
        return (self._ledger, *self._changed.values(), *self._entries) if self._entries else ()

    def account(self, id: str) -> Account:
        """One of the accounts of these books, as it is now."""
        return self._accounts[id]

    def balance(self, account: Account, currency: str) -> int:
        """What it holds after all entries, for whatever day."""
        return self._accounts.get(account.id, account).balance(currency)

    def free(self, account: Account, currency: str, on: date) -> int:
        """The most that can be taken for the day `on` without any later balance falling below zero."""
        balance = self.balance(account, currency)
        low = balance
        for day in sorted(self._days_after(account, currency, on), key=lambda day: day.on, reverse=True):
            opening = balance - day.moved
            low = min(low, opening, opening + day.lowest)
            balance = opening
        return max(0, low)

    def move(
        self,
        type: EntryType,
        amount: int,
        currency: str,
        *,
        out_of: Account,
        into: Account,
        on: date | None = None,
        **about: Any,
    ) -> Entry:
        """Books one amount from one account to another; see `book`."""
        return self.book(type, ((out_of, -amount, currency), (into, amount, currency)), on=on, **about)

    def book(
        self,
        type: EntryType,
        moves: Iterable[tuple[Account, int, str]],
        *,
        on: date | None = None,
        iati_type: int | None = None,
        **about: Any,
    ) -> Entry:
        """Books an entry of (account, amount, currency); `about` are further fields of `Entry`.

        Without `on` it is booked for today, or for the last day of its accounts where a clock has
        gone back: what nobody chose a day for must not be refused because of the day.

        Raises:
            Overdrawn: an account would be below zero on some day.
            ValueError: it does not sum to zero.
        """
        moves = tuple(moves)
        for currency in {currency for _, _, currency in moves}:
            if sum(amount for _, amount, each in moves if each == currency) != 0:
                raise ValueError(f"an entry of type {type} does not sum to zero in {currency}")
        accounts = [self._accounts.get(account.id, account) for account, _, _ in moves]
        day = on or max(self._today, *(account.booked_until or self._today for account in accounts))
        for account, amount, currency in moves:
            if amount < 0 and not account.may_be_below_zero and self.free(account, currency, day) < -amount:
                raise Overdrawn(f"{account.id} does not have {-amount} of {currency} on {day}")
        for account, amount, currency in moves:
            self._post(account, amount, currency, day)
        self._ledger = replace(self._ledger, last_no=self._ledger.last_no + 1)
        entry = Entry(
            id=f"{self._ledger.last_no:012d}",
            no=self._ledger.last_no,
            type=type,
            iati_type=iati_type or IATI_TYPES[type],
            booked_on=day,
            recorded_at=self._now,
            postings=tuple(
                Posting(account_id=account.id, amount=amount, currency=currency) for account, amount, currency in moves
            ),
            **about,
        )
        self._entries.append(entry)
        return entry

    def _post(self, account: Account, amount: int, currency: str, on: date) -> None:
        moved = self._accounts.get(account.id, account).moved(amount, currency, on)
        day = day_with(self._days.get(day_id(account.id, currency, on)), amount, account.id, currency, on)
        self._accounts[account.id] = self._changed[account.id] = moved
        self._days[day.id] = self._changed[day.id] = day

    def _days_after(self, account: Account, currency: str, on: date) -> Iterable[Day]:
        return (
            day
            for day in self._days.values()
            if day.account_id == account.id and day.currency == currency and day.on > on
        )
