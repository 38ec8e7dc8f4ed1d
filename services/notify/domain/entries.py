"""Entries of the ledger as notify hears of them: which sums each one moves, and which were reversed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from schemas import funding
from schemas.envelope import Event
from schemas.money import to_minor
from services.notify.domain.archive import ArchivedEvent

_SHANGHAI = timezone(timedelta(hours=8))
# The type of the entry, its type by IATI, and the sum of a project or a commitment that it moves.
_TYPES: Mapping[type[Event], tuple[str, int, str | None]] = {
    funding.FundPledged: ("pledged", 12, None),
    funding.FundUnpledged: ("unpledged", 12, None),
    funding.FundReserved: ("reserved", 2, "reserved"),
    funding.FundTrancheReleased: ("tranche_released", 3, "released"),
    funding.FundSpent: ("spent", 4, "spent"),
    funding.FundTransferred: ("transferred", 3, "transferred"),
    funding.FundReturned: ("returned", 2, None),
}
_OPTIONAL = ("project_id", "pairing_id", "county_code", "milestone_no", "payee", "reference", "to_partner_id")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`sums` are minor units by what they count to; empty as long as only its reversal is known."""

    id: str
    sums: dict[str, int] = field(default_factory=dict)
    reversed: bool = False
    type: str | None = None
    """None as long as only its reversal is known."""
    iati_type: int | None = None
    booked_on: date | None = None
    recorded_at: datetime | None = None
    amount: int = 0
    currency: str | None = None
    partner_ids: tuple[str, ...] = ()
    """Whose money it moves: the giver, and who it was passed on to."""
    commitment_id: str | None = None
    category: str | None = None
    project_id: str | None = None
    pairing_id: str | None = None
    county_code: str | None = None
    milestone_no: int | None = None
    payee: str | None = None
    reference: str | None = None
    to_partner_id: str | None = None
    reverses: str | None = None

    @property
    def no(self) -> int | None:
        """Its number in the ledger, which its id is made of."""
        return int(self.id) if self.id.isascii() and self.id.isdecimal() else None

    def effect(self) -> Counter[str]:
        return Counter() if self.reversed else Counter(self.sums)


def entry_of(event: Event) -> str | None:
    """The id of the entry whose sums an event moves: the one that it books or reverses."""
    if isinstance(event, funding.FundReversed):
        return event.reverses
    return event.entry_id if type(event) in _TYPES else None  # type: ignore[attr-defined]


def reversal_of(event: Event) -> str | None:
    """The id of the opposite entry that an event books."""
    return event.entry_id if isinstance(event, funding.FundReversed) else None


def after(entry: Entry, archived: ArchivedEvent, event: Event) -> Entry:
    """The entry once `event` has booked or reversed it, in whichever order the two come."""
    if isinstance(event, funding.FundReversed):
        return replace(entry, reversed=True)
    type_, iati_type, counts_to = _TYPES[type(event)]
    fields = _common(archived, event)
    sums = {counts_to: fields["amount"]} if counts_to else {}
    if isinstance(event, funding.FundReturned):
        sums = {name: to_minor(getattr(event, name), event.currency) for name in ("unreserved", "refunded")}
    fields |= {name: getattr(event, name, None) for name in _OPTIONAL}
    return replace(entry, type=type_, iati_type=iati_type, sums=sums, **fields)


def opposite(entry: Entry, of: Entry, archived: ArchivedEvent, event: Event) -> Entry:
    """The entry that reverses `of`, which an event books."""
    fields = _common(archived, event) | {name: getattr(of, name) for name in _OPTIONAL if name != "reference"}
    fields |= {name: getattr(event, name, None) or fields[name] for name in ("project_id", "pairing_id", "county_code")}
    partner_ids = of.partner_ids or fields["partner_ids"]
    return replace(
        entry, **fields | {"type": "reversed", "iati_type": of.iati_type, "reverses": of.id, "partner_ids": partner_ids}
    )


def moved(before: Entry, after: Entry) -> Counter[str]:
    """By how much each sum changes."""
    change = after.effect()
    change.subtract(before.effect())
    return change


def _common(archived: ArchivedEvent, event: Any) -> dict[str, Any]:
    named = getattr(event, "spent_on", None) or getattr(event, "on", None)
    whom = event.partner_id, getattr(event, "to_partner_id", None)
    return {
        "booked_on": date.fromisoformat(named) if named else archived.recorded_at.astimezone(_SHANGHAI).date(),
        "recorded_at": archived.recorded_at,
        "amount": to_minor(event.amount, event.currency),
        "currency": event.currency,
        "partner_ids": tuple(partner for partner in whom if partner),
        "commitment_id": event.commitment_id,
        "category": event.category,
    }
