"""Recomputes the ledger from its entries and says what does not fit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.funding.domain.funds import Funds
from services.funding.domain.ledger import (
    IATI_TYPES,
    Account,
    Day,
    Entry,
    EntryType,
    Ledger,
    day_id,
    day_with,
    released_of,
    reserved_of,
)

_PARTS: Mapping[EntryType, str] = {"reserved": "reserved", "tranche_released": "released", "spent": "spent"}
# A reversal has the IATI type of what it reverses.
_REVERSED_PARTS = {IATI_TYPES[type]: part for type, part in _PARTS.items()}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What does not fit: the `kind` and `id` of where it stands, and what is wrong there."""

    kind: str
    id: str
    detail: str


@dataclass
class Audit:
    """Takes all entries in the order of their numbers, then compares what they sum to with what is kept."""

    entries: int = 0
    faults: list[Fault] = field(default_factory=list)
    _days: dict[str, Day] = field(default_factory=dict)
    _parts: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    _references: dict[str, str] = field(default_factory=dict)
    _reversed: dict[str, str] = field(default_factory=dict)
    _last_no: int = 0

    def take(self, entry: Entry) -> None:
        self.entries += 1
        if entry.no != self._last_no + 1:
            self._fault("entry", entry.id, f"number {entry.no} follows {self._last_no}")
        self._last_no = entry.no
        for currency in {posting.currency for posting in entry.postings}:
            total = sum(posting.amount for posting in entry.postings if posting.currency == currency)
            if total != 0:
                self._fault("entry", entry.id, f"its postings sum to {total} minor units of {currency}")
        self._once(self._references, entry.reference, entry, "has the reference of")
        self._once(self._reversed, entry.reverses, entry, "reverses what is reversed by")
        for posting in entry.postings:
            id = day_id(posting.account_id, posting.currency, entry.booked_on)
            self._days[id] = day_with(
                self._days.get(id), posting.amount, posting.account_id, posting.currency, entry.booked_on
            )
        self._count_parts(entry)

    def compare_accounts(self, accounts: Iterable[Account], days: Iterable[Day]) -> None:
        """What is kept of accounts and days against their entries; and none below zero."""
        kept = {account.id: account for account in accounts}
        balances: dict[tuple[str, str], int] = defaultdict(int)
        for day in sorted(self._days.values(), key=lambda day: day.on):
            place = day.account_id, day.currency
            account = kept.get(day.account_id)
            if account and not account.may_be_below_zero and balances[place] + day.lowest < 0:
                self._fault("account", day.account_id, f"is below zero on {day.on}")
            balances[place] += day.moved
        held = {(account.id, currency): sum for account in kept.values() for currency, sum in account.balances.items()}
        for (id, currency), summed, found in _differences(balances, held):
            self._fault("account", id, f"holds {found} minor units of {currency}, its entries sum to {summed}")
        found_days = {day.id: day for day in days}
        for id in sorted(self._days.keys() | found_days.keys()):
            if self._days.get(id) != found_days.get(id):
                self._fault("day", id, "is not what its entries sum to")

    def compare_projects(self, projects: Iterable[Funds]) -> None:
        """What is kept of projects' money against their entries."""
        kept = {funds.id: funds for funds in projects}
        for id in sorted(self._parts.keys() | kept.keys()):
            funds = kept.get(id)
            for part in ("reserved", "released", "spent", "unreserved", "refunded", "unknown"):
                summed, found = self._parts[id][part], getattr(funds, part, 0)
                if summed != found:
                    self._fault("project", id, f"has {part} {found} minor units, its entries sum to {summed}")

    def compare_ledger(self, ledger: Ledger) -> None:
        if ledger.last_no != self._last_no:
            self._fault("ledger", ledger.id, f"has numbered up to {ledger.last_no}, the last entry is {self._last_no}")

    def _count_parts(self, entry: Entry) -> None:
        if entry.project_id is None:
            return
        parts = self._parts[entry.project_id]
        if entry.type == "reversed":
            parts[_REVERSED_PARTS.get(entry.iati_type, "unknown")] -= entry.amount
        elif entry.type == "returned":
            for posting in entry.postings:
                if posting.account_id == reserved_of(entry.project_id, "").id:
                    parts["unreserved"] -= posting.amount
                elif posting.account_id == released_of(entry.project_id, "").id:
                    parts["refunded"] -= posting.amount
        else:
            parts[_PARTS.get(entry.type, "unknown")] += entry.amount

    def _once(self, seen: dict[str, str], key: str | None, entry: Entry, what: str) -> None:
        if key is None:
            return
        if key in seen:
            self._fault("entry", entry.id, f"{what} entry {seen[key]}")
        seen.setdefault(key, entry.id)

    def _fault(self, kind: str, id: str, detail: str) -> None:
        self.faults.append(Fault(kind=kind, id=id, detail=detail))


def _differences(
    summed: dict[tuple[str, str], int], held: dict[tuple[str, str], int]
) -> Iterator[tuple[tuple[str, str], int, int]]:
    for place in sorted(summed.keys() | held.keys()):
        if summed.get(place, 0) != held.get(place, 0):
            yield place, summed.get(place, 0), held.get(place, 0)
