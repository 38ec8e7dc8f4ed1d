"""One commitment with one county: proposed by a round, decided upon by a coordinator.

What other services say of it later is in `saga.py`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from schemas.pairings import PairingApproved, PairingProposed, PairingRejected, PairingRevoked, PairingSuperseded
from schemas.shapes import BOOKED_KINDS, Category, SupportKind
from services.kit.decision import Decision
from services.pairing.domain.commitment import (
    Commitment,
    Standing,
    Support,
    end_standing,
    give_back,
    measured,
    take_share,
)
from services.pairing.domain.conditions import Condition, insist, is_eligible, is_enough, is_not_paired_yet, is_valid
from services.pairing.domain.county import Card, County, count_live
from services.pairing.domain.refusals import (
    CancelTheProject,
    NoOpenShare,
    NoOpenSlot,
    PairingNotApproved,
    PairingNotProposed,
    TermsHaveChanged,
)

PairingStatus = Literal["proposed", "approved", "rejected", "superseded", "revoked"]


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """`units` and `measure` as in its commitment's support, fixed when it was proposed on `terms_version`.

    What is known of it from other services: `project_seen` (opened), `reserved`, `completed`;
    `came_back`, in units, once its money has (None: not yet). `taken_back`: its withdrawal waits
    for funding's answer. `settled`: what came back was given back to the commitment.
    """

    id: str
    version: int
    round_id: str
    commitment_id: str
    partner_id: str
    county_code: str
    category: Category
    support_kind: SupportKind
    units: int
    measure: str
    status: PairingStatus
    proposed_at: datetime
    terms_version: int = 1
    project_id: str | None = None
    approved_at: datetime | None = None
    reason: str | None = None
    project_seen: bool = False
    reserved: bool = False
    completed: bool = False
    taken_back: bool = False
    came_back: int | None = None
    settled: bool = False

    @property
    def is_booked(self) -> bool:
        return self.support_kind in BOOKED_KINDS

    @property
    def is_live(self) -> bool:
        """Whether it uses up a slot."""
        return self.status == "approved" and not self.completed

    @property
    def has_started(self) -> bool:
        """Whether a withdrawal comes too late for it."""
        return self.reserved if self.is_booked else self.project_seen

    @property
    def allocated(self) -> dict[str, Any]:
        support = Support(kind=self.support_kind, units=self.units, measure=self.measure, value=None)
        return measured(support, self.units)


def proposed(commitment: Commitment, county_code: str, units: int, *, id: str, round_id: str, now: datetime) -> Pairing:
    """A round's new pairing."""
    return Pairing(
        id=id,
        version=1,
        round_id=round_id,
        commitment_id=commitment.id,
        partner_id=commitment.partner_id,
        county_code=county_code,
        category=commitment.terms.category,
        support_kind=commitment.terms.support.kind,
        units=units,
        measure=commitment.terms.support.measure,
        status="proposed",
        proposed_at=now,
        terms_version=commitment.terms_version,
    )


def approve_pairing(
    pairing: Pairing,
    commitment: Commitment,
    county: County,
    card: Card | None,
    *,
    project_id: str,
    now: datetime,
    today: date,
) -> Decision[Pairing]:
    """It stands from now on: a share and a slot are taken. `card` is the county's as of today."""
    if pairing.status != "proposed":
        raise PairingNotProposed(f"The pairing is {pairing.status}.")
    need = card.need(pairing.category) if card else None
    slots = county.open_slots(need) if need else 0
    no_share = f"Commitment {commitment.id} has not this share any more."
    insist(
        [
            Condition(
                rule="terms-unchanged",
                value=pairing.terms_version,
                threshold=commitment.terms_version,
                met=pairing.terms_version == commitment.terms_version,
                refusal=TermsHaveChanged,
                detail=f"Commitment {commitment.id} was amended after this was proposed.",
            ),
            is_valid(commitment, today),
            is_eligible(county, today),
            is_not_paired_yet(commitment, county),
            is_enough(
                "open-slots", slots, 1, NoOpenSlot, f"County {county.id} has no open slot in {pairing.category}."
            ),
            is_enough("open-projects", commitment.open_projects, 1, NoOpenShare, no_share),
            is_enough("open-amount", commitment.open_units, pairing.units, NoOpenShare, no_share),
        ]
    )
    pairing = replace(pairing, version=pairing.version + 1, status="approved", project_id=project_id, approved_at=now)
    commitment = take_share(commitment, Standing(pairing_id=pairing.id, county_code=county.id), pairing.units)
    county = count_live(county, pairing.category, 1)
    event = PairingApproved(
        **event_data(pairing), title=commitment.terms.title, commitment_version=commitment.terms_version
    )
    return Decision(pairing, (pairing, commitment, county), (event,))


def reject_pairing(pairing: Pairing, *, reason: str) -> Decision[Pairing]:
    """A coordinator says no, or its commitment is over."""
    if pairing.status != "proposed":
        raise PairingNotProposed(f"The pairing is {pairing.status}.")
    pairing = replace(pairing, version=pairing.version + 1, status="rejected", reason=reason)
    return Decision(pairing, (pairing,), (PairingRejected(**event_data(pairing), reason=reason),))


def supersede_pairing(pairing: Pairing, *, reason: str) -> Decision[Pairing]:
    """Something newer has taken its place."""
    pairing = replace(pairing, version=pairing.version + 1, status="superseded", reason=reason)
    return Decision(pairing, (pairing,), (PairingSuperseded(**event_data(pairing), reason=reason),))


def revoke_pairing(pairing: Pairing, commitment: Commitment, county: County, *, reason: str) -> Decision[Pairing]:
    """A coordinator takes an approval back before its project is known."""
    if pairing.status != "approved":
        raise PairingNotApproved(f"The pairing is {pairing.status}.")
    if pairing.project_seen:
        raise CancelTheProject(
            f"It is project {pairing.project_id} by now: cancel the project.", project_id=pairing.project_id
        )
    return end_pairing(pairing, commitment, county, reason=reason)


def end_pairing(
    pairing: Pairing, commitment: Commitment, county: County, *, reason: str, came_back: int | None = None
) -> Decision[Pairing]:
    """`approved` → `revoked`: its slot is free. Its share comes back when its money has; without money at once."""
    if pairing.is_live:
        county = count_live(county, pairing.category, -1)
    if not pairing.is_booked:
        came_back = pairing.units
    pairing = replace(
        pairing,
        version=pairing.version + 1,
        status="revoked",
        reason=reason,
        taken_back=False,
        came_back=pairing.came_back if came_back is None else came_back,
    )
    pairing, commitment = settled(pairing, end_standing(commitment, pairing.id))
    event = PairingRevoked(**event_data(pairing), reason=reason)
    return Decision(pairing, (pairing, commitment, county), (event,))


def settled(pairing: Pairing, commitment: Commitment) -> tuple[Pairing, Commitment]:
    """Gives back what has come back of a revoked pairing, once."""
    if pairing.status != "revoked" or pairing.came_back is None or pairing.settled:
        return pairing, commitment
    return replace(pairing, settled=True), give_back(commitment, pairing.came_back)


def event_data(pairing: Pairing) -> dict[str, Any]:
    return {
        "pairing_id": pairing.id,
        "round_id": pairing.round_id,
        "commitment_id": pairing.commitment_id,
        "partner_id": pairing.partner_id,
        "county_code": pairing.county_code,
        "category": pairing.category,
        "allocated": pairing.allocated,
        "support_kind": pairing.support_kind,
        "project_id": pairing.project_id,
    }


def propose_event(pairing: Pairing) -> PairingProposed:
    return PairingProposed(**event_data(pairing))
