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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from services.funding.domain.accounts import Account, Day, day_id, day_with
from services.funding.domain.entries import IATI_TYPES, Entry, EntryType, Posting, digest_of, entry_id


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

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was booked in it, in order."""
        return tuple(self._entries)

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
            id=entry_id(self._ledger.last_no),
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
        entry = replace(entry, digest=digest_of(entry))
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
