"""What notify knows of a pairing: who helps whom with how much, and whether it stands."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from schemas import pairings
from schemas.envelope import Event
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later
from services.notify.domain.visibility import of_county, of_partner


@dataclass(frozen=True, kw_only=True)
class PairingView:
    id: str
    audience: tuple[str, ...] = ()
    """Empty until it is approved."""
    round_id: str | None = None
    commitment_id: str | None = None
    partner_id: str | None = None
    county_code: str | None = None
    category: str | None = None
    support_kind: str | None = None
    allocated: dict[str, Any] = field(default_factory=dict)
    status: str | None = None
    project_id: str | None = None
    reason: str | None = None
    """Why it ended."""
    approved_at: datetime | None = None
    heard: dict[str, int] = field(default_factory=dict)


def after(view: PairingView, archived: ArchivedEvent, event: Event) -> PairingView:
    """The pairing once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case pairings.PairingProposed():
            return _turned(view, archived, event, "proposed")
        case pairings.PairingApproved():
            view = replace(view, approved_at=archived.time)
            return _turned(view, archived, event, "approved")
        case pairings.PairingRejected():
            return _turned(view, archived, event, "rejected", event.reason)
        case pairings.PairingSuperseded():
            return _turned(view, archived, event, "superseded", event.reason)
        case pairings.PairingRevoked():
            return _turned(view, archived, event, "revoked", event.reason)
    return view


def _turned(
    view: PairingView, archived: ArchivedEvent, event: Any, status: str, reason: str | None = None
) -> PairingView:
    whom = of_partner(event.partner_id), of_county(event.county_code)
    return unless_later(
        view,
        archived,
        "status",
        audience=tuple(principal for principal in whom if principal) if status in ("approved", "revoked") else (),
        round_id=event.round_id,
        commitment_id=event.commitment_id,
        partner_id=event.partner_id,
        county_code=event.county_code,
        category=event.category,
        support_kind=event.support_kind,
        allocated={**event.allocated},
        status=status,
        project_id=event.project_id,
        reason=reason,
    )
