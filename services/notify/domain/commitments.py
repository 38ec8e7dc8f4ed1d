"""What notify knows of a commitment: what it promises, net of what is over or was passed on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas import commitments, funding, pairings
from schemas.envelope import Event
from schemas.money import to_minor
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later

_OVER = ("withdrawn", "expired")


@dataclass(frozen=True, kw_only=True)
class Share:
    """One approved pairing's part, in minor units: what it was allocated, and what of that came back."""

    allocated: int = 0
    returned: int = 0
    refused: bool = False

    @property
    def out(self) -> int:
        return 0 if self.refused else self.allocated - self.returned


@dataclass(frozen=True, kw_only=True)
class CommitmentView:
    id: str
    partner_id: str | None = None
    category: str | None = None
    title: dict[str, Any] = field(default_factory=dict)
    over: bool = False
    """Withdrawn or expired."""
    currency: str | None = None
    """None where it gives no money."""
    amount: int = 0
    transferred: int = 0
    shares: dict[str, Share] = field(default_factory=dict)
    """By pairing."""
    heard: dict[str, int] = field(default_factory=dict)

    @property
    def promised(self) -> int:
        """Minor units. What was transferred is promised again by the receiver's own commitment."""
        if self.over:
            return sum(share.out for share in self.shares.values())
        return self.amount - self.transferred


def after(view: CommitmentView, archived: ArchivedEvent, event: Event) -> CommitmentView:
    """The view once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case commitments.CommitmentSubmitted() | commitments.CommitmentAmended():
            return _on_terms(view, archived, event)
        case commitments.CommitmentWithdrawn() | commitments.CommitmentExpired():
            return replace(view, over=True)
        case pairings.PairingApproved():
            return _allocated(view, event.pairing_id, {**event.allocated})
        case funding.FundRefused():
            return _with_share(view, event.pairing_id, refused=True)
    return view


def booked(view: CommitmentView, pairing_id: str | None, moved: Mapping[str, int]) -> CommitmentView:
    """The view once the ledger moved its money by these minor units (`entries.py`)."""
    view = replace(view, transferred=view.transferred + moved.get("transferred", 0))
    back = moved.get("unreserved", 0) + moved.get("refunded", 0)
    if pairing_id is None or not back:
        return view
    return _with_share(view, pairing_id, returned=view.shares.get(pairing_id, Share()).returned + back)


def contribution(view: CommitmentView) -> Counter[str]:
    """What a commitment adds to each of the programme's figures (`tallies.py`)."""
    if view.currency is None:
        return Counter()
    return Counter({f"funds:{view.currency}:promised": view.promised})


def _on_terms(
    view: CommitmentView,
    archived: ArchivedEvent,
    event: commitments.CommitmentSubmitted | commitments.CommitmentAmended,
) -> CommitmentView:
    currency = event.support.get("currency")
    return unless_later(
        view,
        archived,
        "terms",
        partner_id=event.partner_id,
        category=event.category,
        title=dict(event.title),
        over=view.over or event.status in _OVER,
        currency=currency,
        amount=to_minor(event.support["amount"], currency) if currency else 0,
    )


def _allocated(view: CommitmentView, pairing_id: str, allocated: Mapping[str, Any]) -> CommitmentView:
    if "amount" not in allocated:
        return view
    return _with_share(view, pairing_id, allocated=to_minor(allocated["amount"], allocated["currency"]))


def _with_share(view: CommitmentView, pairing_id: str, **changes: int | bool) -> CommitmentView:
    share = view.shares.get(pairing_id, Share())
    return replace(view, shares=view.shares | {pairing_id: replace(share, **changes)})  # type: ignore[arg-type]
