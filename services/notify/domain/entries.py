"""Entries of the ledger as notify hears of them: which sums each one moves, and which were reversed."""

from collections import Counter
from dataclasses import dataclass, field, replace

from schemas import funding
from schemas.envelope import Event
from schemas.money import to_minor


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`sums` are minor units by what they count to; empty as long as only its reversal is known."""

    id: str
    sums: dict[str, int] = field(default_factory=dict)
    reversed: bool = False

    def effect(self) -> Counter[str]:
        return Counter() if self.reversed else Counter(self.sums)


def entry_of(event: Event) -> str | None:
    """The id of the entry that an event books or reverses."""
    match event:
        case funding.FundReversed():
            return event.reverses
        case (
            funding.FundReserved()
            | funding.FundTrancheReleased()
            | funding.FundSpent()
            | funding.FundReturned()
            | funding.FundTransferred()
        ):
            return event.entry_id
    return None


def after(entry: Entry, event: Event) -> Entry:
    """The entry once `event` has booked or reversed it, in whichever order the two come."""
    match event:
        case funding.FundReversed():
            return replace(entry, reversed=True)
        case funding.FundReserved():
            return replace(entry, sums={"reserved": to_minor(event.amount, event.currency)})
        case funding.FundTrancheReleased():
            return replace(entry, sums={"released": to_minor(event.amount, event.currency)})
        case funding.FundSpent():
            return replace(entry, sums={"spent": to_minor(event.amount, event.currency)})
        case funding.FundTransferred():
            return replace(entry, sums={"transferred": to_minor(event.amount, event.currency)})
        case funding.FundReturned():
            sums = {
                "unreserved": to_minor(event.unreserved, event.currency),
                "refunded": to_minor(event.refunded, event.currency),
            }
            return replace(entry, sums=sums)
    return entry


def moved(before: Entry, after: Entry) -> Counter[str]:
    """By how much each sum changes."""
    change = after.effect()
    change.subtract(before.effect())
    return change
