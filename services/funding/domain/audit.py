"""Recomputes the ledger from its entries, says what does not fit, and where.

Entries and seals are taken one by one in the order of their ids; what is remembered of an entry is
a few bytes (a hash for its reversal), and what its postings sum to by account and day.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.funding.domain.accounts import Account, Day, day_id, paid_of
from services.funding.domain.commitment import Commitment
from services.funding.domain.entries import Entry, digest_of, entry_id
from services.funding.domain.funds import Funds
from services.funding.domain.ledger import Ledger
from services.funding.domain.seals import Chain, Hasher, Seal
from services.funding.domain.sums import ProjectSums


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What does not fit: the `kind` and `id` of where it stands, and what is wrong there."""

    kind: str
    id: str
    detail: str


@dataclass
class _Kept:
    """What the entries say of one account."""

    partner_id: str
    postings: int = 0
    booked_until: date = date.min
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    days: dict[tuple[str, date], tuple[int, int]] = field(default_factory=dict)
    is_there: bool = False

    def post(self, amount: int, currency: str, on: date) -> None:
        self.postings += 1
        self.balances[currency] += amount
        self.booked_until = max(self.booked_until, on)
        moved, lowest = self.days.get((currency, on), (0, amount))
        self.days[currency, on] = moved + amount, min(lowest, moved + amount)

    def below_zero(self) -> Iterator[date]:
        sums: dict[str, int] = defaultdict(int)
        for (currency, on), (moved, lowest) in sorted(self.days.items()):
            if sums[currency] + lowest < 0:
                yield on
            sums[currency] += moved


class Audit:
    """Takes all entries and seals, then compares what they sum to with what is kept."""

    def __init__(self) -> None:
        self.entries = 0
        self.seals = 0
        self.sealed_until = 0
        self.faults: list[Fault] = []
        self._last_no = 0
        self._chain = Chain()
        self._hasher = Hasher(self._chain.seal)
        self._unsealed = 0
        self._accounts: dict[str, _Kept] = {}
        self._projects: dict[str, ProjectSums] = defaultdict(ProjectSums)
        self._pledged: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._references: dict[str, str] = {}
        self._reversed: dict[str, str] = {}
        self._numbers = array("q")
        self._shapes = array("q")

    def take(self, state: Any) -> None:
        """Entries and seals in the order of their ids, then accounts, then the others."""
        match state:
            case Entry():
                self._take_entry(state)
            case Seal():
                self._take_seal(state)
            case Account():
                self._take_account(state)
            case Day():
                self._take_day(state)
            case Funds():
                self._take_project(state)
            case Commitment():
                self._take_commitment(state)

    def unfit(self, kind: str, id: str, detail: str) -> None:
        """A document that cannot be what was kept; one of an entry still has its place among the others."""
        self._fault(kind, id, detail)
        if kind == "entry":
            self._follow(id)
            self._unsealed += 1

    def _take_entry(self, entry: Entry) -> None:
        self.entries += 1
        if entry.id != entry_id(entry.no):
            self._fault("entry", entry.id, f"has the number {entry.no}")
        try:
            digest = digest_of(entry)
        except ValueError:
            digest = ""
        if digest != entry.digest or not digest:
            self._fault("entry", entry.id, "is not what was booked: its digest is another")
        self._follow(entry.id)
        self._hasher.take(digest)
        self._unsealed += 1
        sums: dict[str, int] = {}
        for posting in entry.postings:
            sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount
            self._post(entry, posting.account_id, posting.amount, posting.currency)
        for currency, total in sums.items():
            if total != 0:
                self._fault("entry", entry.id, f"its postings sum to {total} minor units of {currency}")
        self._once(self._references, entry.reference, entry, "has the reference of")
        self._once(self._reversed, entry.reverses, entry, "reverses what is reversed by")
        self._hold_against_what_it_reverses(entry)
        if len(entry.postings) < 2:
            self._fault("entry", entry.id, "has fewer than two postings")
            return
        if entry.type in _PLEDGES:
            self._pledged[entry.commitment_id][entry.currency] += _PLEDGES[entry.type] * entry.amount
        if entry.project_id is not None:
            self._projects[entry.project_id].take(entry)

    def _take_seal(self, seal: Seal) -> None:
        self.seals += 1
        last, self._chain = self._chain, Chain(no=seal.no, until_no=seal.until_no, seal=seal.seal)
        if seal.id != entry_id(seal.until_no):
            self._fault("seal", seal.id, f"is of the entries until {seal.until_no}")
        elif seal.no != last.no + 1:
            self._fault("seal", seal.id, f"number {seal.no} follows {last.no}")
        elif seal.previous != last.seal:
            self._fault("seal", seal.id, "does not follow on the last seal")
        elif seal.until_no != self._last_no or seal.entries != self._unsealed:
            self._fault("seal", seal.id, f"is of {seal.entries} entries, since the last seal are {self._unsealed}")
        elif seal.seal != self._hasher.seal:
            first = last.until_no + 1
            self._fault("seal", seal.id, f"entries {first} to {seal.until_no} are not those that were sealed")
        else:
            self.sealed_until = seal.until_no
        self._hasher, self._unsealed = Hasher(seal.seal), 0

    def _take_account(self, account: Account) -> None:
        kept = self._accounts.get(account.id)
        if fault := _fault_of(account, kept):
            self._fault("account", account.id, fault)
        if kept is None:
            return
        kept.is_there = True
        if not account.may_be_below_zero:
            for on in kept.below_zero():
                self._fault("account", account.id, f"is below zero on {on}")

    def _take_day(self, day: Day) -> None:
        kept = self._accounts.get(day.account_id)
        summed = kept.days.pop((day.currency, day.on), None) if kept else None
        if day.id != day_id(day.account_id, day.currency, day.on) or summed != (day.moved, day.lowest):
            self._fault("day", day.id, "is not what its entries sum to")

    def _take_project(self, funds: Funds) -> None:
        for detail in self._projects.pop(funds.id, ProjectSums()).faults(funds):
            self._fault("project", funds.id, detail)

    def _take_commitment(self, commitment: Commitment) -> None:
        pledged = self._pledged.pop(commitment.id, {})
        for currency in sorted(pledged.keys() | commitment.pledged.keys()):
            found, summed = commitment.pledged.get(currency, 0), pledged.get(currency, 0)
            if found != summed:
                detail = f"has pledged {found} minor units of {currency}, by its entries {summed}"
                self._fault("commitment", commitment.id, detail)

    def finish(self, ledger: Ledger, chain: Chain) -> None:
        """What is missing at the ends, and what was below zero."""
        if ledger.last_no != self._last_no:
            self._fault("ledger", ledger.id, f"has numbered up to {ledger.last_no}, the last entry is {self._last_no}")
        if ledger.last_no < self._last_no:
            self._fault("entry", entry_id(ledger.last_no + 1), "was never numbered by the ledger")
        elif ledger.last_no > self._last_no:
            self._missing(self._last_no + 1, ledger.last_no)
        if chain != self._chain:
            self._fault("seal", entry_id(chain.until_no), f"is the last by what is kept; found is {self._chain.no}")
        for id, kept in sorted(self._accounts.items()):
            if not kept.is_there:
                self._fault("account", id, "is missing")
            for currency, on in sorted(kept.days):
                self._fault("day", day_id(id, currency, on), "is missing")
        for kind, left in (("project", self._projects), ("commitment", self._pledged)):
            for id in sorted(left):
                self._fault(kind, id, "is missing")

    def _follow(self, id: str) -> None:
        if len(id) != _DIGITS or not id.isdecimal():
            return
        if int(id) > self._last_no + 1:
            self._missing(self._last_no + 1, int(id) - 1)
        self._last_no = int(id)

    def _missing(self, first: int, last: int) -> None:
        self._fault("entry", entry_id(first), "is missing" if first == last else f"and all until {last} are missing")

    def _post(self, entry: Entry, account_id: str, amount: int, currency: str) -> None:
        kept = self._accounts.get(account_id)
        if kept is None:
            kept = self._accounts[account_id] = _Kept(entry.partner_ids[0] if entry.partner_ids else "")
        kept.post(amount, currency, entry.booked_on)

    def _hold_against_what_it_reverses(self, entry: Entry) -> None:
        self._numbers.append(self._last_no)
        self._shapes.append(_shape(entry, 1))
        if entry.reverses is None:
            return
        no = int(entry.reverses) if len(entry.reverses) == _DIGITS and entry.reverses.isdecimal() else 0
        at = bisect_left(self._numbers, no)
        if at == len(self._numbers) or self._numbers[at] != no:
            self._fault("entry", entry.id, f"reverses {entry.reverses}, which is not there before it")
        elif self._shapes[at] != _shape(entry, -1):
            self._fault("entry", entry.id, f"is not the opposite of entry {entry.reverses}")

    def _once(self, seen: dict[str, str], key: str | None, entry: Entry, what: str) -> None:
        if key is not None and (first := seen.setdefault(key, entry.id)) != entry.id:
            self._fault("entry", entry.id, f"{what} entry {first}")

    def _fault(self, kind: str, id: str, detail: str) -> None:
        self.faults.append(Fault(kind=kind, id=id, detail=detail))


_DIGITS = len(entry_id(0))
_PLEDGES = {"pledged": 1, "unpledged": -1}


def _shape(entry: Entry, sign: int) -> int:
    """Equal for an entry and, with the sign turned, for its reversal."""
    moves = sorted((posting.account_id, posting.currency, sign * posting.amount) for posting in entry.postings)
    return hash((entry.iati_type, entry.commitment_id, entry.project_id, *moves))


def _fault_of(account: Account, kept: _Kept | None) -> str | None:
    owner = account.owner
    id = paid_of(owner.id).id if owner.kind == "payee" else f"{owner.kind}-{owner.id}-{account.holds}"
    if account.id != id or (owner.kind == "payee") != (account.holds == "paid"):
        return "does not have the id of its owner"
    if kept is None:
        # A partner's account is opened with the partner.
        empty = account.holds == "source" and not any(account.balances.values()) and account.booked_until is None
        return None if empty else "has no entry"
    for currency in sorted(account.balances.keys() | kept.balances.keys()):
        found, summed = account.balance(currency), kept.balances.get(currency, 0)
        if found != summed:
            return f"holds {found} minor units of {currency}, its entries sum to {summed}"
    partner_id = {"payee": None, "partner": owner.id}.get(owner.kind, kept.partner_id)
    left = dict(kept.balances), kept.booked_until, kept.postings + 1, partner_id
    found_left = dict(account.balances), account.booked_until, account.version, account.partner_id
    return None if found_left == left else "is not what its entries leave"
