"""What the entries of one project sum to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.funding.domain.accounts import released_of, reserved_of
from services.funding.domain.entries import IATI_TYPES, Entry, EntryType
from services.funding.domain.funds import Funds

_PARTS: Mapping[EntryType, str] = {"reserved": "reserved", "tranche_released": "released", "spent": "spent"}
# A reversal has the IATI type of what it reverses.
_REVERSED_PARTS = {IATI_TYPES[type]: part for type, part in _PARTS.items()}


@dataclass
class ProjectSums:
    """Its parts in minor units, and the steps that its entries show."""

    reserved: int = 0
    released: int = 0
    spent: int = 0
    unreserved: int = 0
    refunded: int = 0
    reservation: str | None = None
    tranches: list[int | None] = field(default_factory=list)
    returned: bool = False
    strangers: list[str] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        """The project's next entry."""
        self.currencies.add(entry.currency)
        if entry.type == "returned":
            self._take_back(entry)
            return
        part = _REVERSED_PARTS.get(entry.iati_type) if entry.type == "reversed" else _PARTS.get(entry.type)
        if part is None:
            self.strangers.append(entry.id)
            return
        amount = -entry.amount if entry.type == "reversed" else entry.amount
        setattr(self, part, getattr(self, part) + amount)
        if entry.type == "reserved":
            self.reservation = entry.id
        elif entry.type == "tranche_released":
            self.tranches.append(entry.milestone_no)

    def _take_back(self, entry: Entry) -> None:
        self.returned = True
        reserved, released = reserved_of(str(entry.project_id), "").id, released_of(str(entry.project_id), "").id
        for posting in entry.postings:
            if posting.account_id == reserved:
                self.unreserved -= posting.amount
            elif posting.account_id == released:
                self.refunded -= posting.amount

    def faults(self, funds: Funds) -> Iterator[str]:
        """What is kept of the project and is not what its entries say."""
        for part in ("reserved", "released", "spent", "unreserved", "refunded"):
            summed, found = getattr(self, part), getattr(funds, part)
            if summed != found:
                yield f"has {part} {found} minor units, its entries sum to {summed}"
        if self.strangers:
            yield f"has entries that belong to no project: {', '.join(self.strangers)}"
        if (funds.reservation, funds.tranches, funds.returned) != (
            self.reservation,
            tuple(self.tranches),
            self.returned,
        ):
            yield "has gone through other steps than its entries show"
        if self.currencies - {funds.currency}:
            yield f"has its money in {funds.currency}, its entries are in {', '.join(sorted(self.currencies))}"
