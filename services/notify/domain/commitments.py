"""What notify knows of a commitment: what it promises, net of what is over or was passed on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from schemas import commitments, funding, pairings
from schemas.envelope import Event
from schemas.money import to_minor
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later
from services.notify.domain.visibility import of_partner

_SHANGHAI = timezone(timedelta(hours=8))
_OVER = ("withdrawn", "expired")


@dataclass(frozen=True, kw_only=True)
class Share:
    """One approved pairing's part, in minor units: what it was allocated, and what of that came back."""

    allocated: int = 0
    returned: int = 0
    refused: bool = False
    approved: bool = False
    revoked: bool = False
    booked: bool = True
    """Whether it is money."""

    @property
    def out(self) -> int:
        return 0 if self.refused else self.allocated - self.returned

    @property
    def stands(self) -> bool:
        return self.approved and not self.revoked

    @property
    def is_free_again(self) -> bool:
        """Whether its project can be given to another county."""
        return self.refused or self.returned > 0 or (self.revoked and not self.booked)


@dataclass(frozen=True, kw_only=True)
class CommitmentView:
    id: str
    partner_id: str | None = None
    category: str | None = None
    title: dict[str, Any] = field(default_factory=dict)
    ended: str | None = None
    """`withdrawn` or `expired`; None while it is open."""
    ended_on: date | None = None
    status: str = "open"
    support: dict[str, Any] = field(default_factory=dict)
    projects_max: int = 0
    valid_from: date | None = None
    valid_until: date | None = None
    reference: str | None = None
    submitted_at: datetime | None = None
    currency: str | None = None
    """None where it gives no money."""
    amount: int = 0
    transferred: int = 0
    shares: dict[str, Share] = field(default_factory=dict)
    """By pairing."""
    heard: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.ended is not None

    @property
    def audience(self) -> tuple[str, ...]:
        """Who but the programme's staff may see it."""
        return tuple(principal for principal in (of_partner(self.partner_id),) if principal)

    @property
    def paired_projects(self) -> int:
        return sum(share.stands for share in self.shares.values())

    @property
    def paired_amount(self) -> int:
        return sum(share.out for share in self.shares.values())

    @property
    def remaining_projects(self) -> int:
        taken = sum(share.approved and not share.is_free_again for share in self.shares.values())
        return 0 if self.over else self.projects_max - taken

    @property
    def remaining_amount(self) -> int:
        return 0 if self.over else self.amount - self.transferred - self.paired_amount

    @property
    def promised(self) -> int:
        """Minor units. What was transferred is promised again by the receiver's own commitment."""
        if self.over:
            return self.paired_amount
        return self.amount - self.transferred


def after(view: CommitmentView, archived: ArchivedEvent, event: Event) -> CommitmentView:
    """The view once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case commitments.CommitmentSubmitted() | commitments.CommitmentAmended():
            view = _on_terms(view, archived, event)
        case commitments.CommitmentWithdrawn():
            view = replace(view, ended="withdrawn", ended_on=_day(archived))
        case commitments.CommitmentExpired():
            view = replace(view, ended=view.ended or "expired", ended_on=view.ended_on or _day(archived))
        case pairings.PairingApproved():
            view = _allocated(view, event.pairing_id, {**event.allocated})
        case pairings.PairingRevoked():
            view = _with_share(view, event.pairing_id, revoked=True)
        case funding.FundRefused():
            view = _with_share(view, event.pairing_id, refused=True)
        case _:
            return view
    return _settled(view)


def booked(view: CommitmentView, pairing_id: str | None, moved: Mapping[str, int]) -> CommitmentView:
    """The view once the ledger moved its money by these minor units (`entries.py`)."""
    view = _settled(replace(view, transferred=view.transferred + moved.get("transferred", 0)))
    back = moved.get("unreserved", 0) + moved.get("refunded", 0)
    if pairing_id is None or not back:
        return view
    return _settled(_with_share(view, pairing_id, returned=view.shares.get(pairing_id, Share()).returned + back))


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
        ended=view.ended or (event.status if event.status in _OVER else None),
        support={**event.support},
        projects_max=event.projects_max,
        valid_from=date.fromisoformat(event.valid_from),
        valid_until=date.fromisoformat(event.valid_until),
        reference=event.reference,
        submitted_at=datetime.fromisoformat(event.submitted_at),
        currency=currency,
        amount=to_minor(event.support["amount"], currency) if currency else 0,
    )


def _allocated(view: CommitmentView, pairing_id: str, allocated: Mapping[str, Any]) -> CommitmentView:
    if "amount" not in allocated:
        return _with_share(view, pairing_id, approved=True, booked=False)
    amount = to_minor(allocated["amount"], allocated["currency"])
    return _with_share(view, pairing_id, approved=True, allocated=amount)


def _day(archived: ArchivedEvent) -> date:
    return archived.time.astimezone(_SHANGHAI).date()


def _settled(view: CommitmentView) -> CommitmentView:
    """With the status that its figures give."""
    if view.ended is not None:
        return replace(view, status=view.ended)
    if view.projects_max and view.remaining_projects <= 0:
        return replace(view, status="fully_paired")
    return replace(view, status="partly_paired" if view.paired_projects else "open")


def _with_share(view: CommitmentView, pairing_id: str, **changes: int | bool) -> CommitmentView:
    share = view.shares.get(pairing_id, Share())
    return replace(view, shares=view.shares | {pairing_id: replace(share, **changes)})  # type: ignore[arg-type]
