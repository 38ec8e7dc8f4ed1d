"""What is done to a commitment: submit, amend, withdraw, let expire."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from schemas.commitments import CommitmentAmended, CommitmentExpired, CommitmentSubmitted, CommitmentWithdrawn
from schemas.envelope import Event
from services.kit.decision import Decision
from services.pairing.domain.commitment import Commitment, Terms, changed, places_wire, rfc3339, support_wire
from services.pairing.domain.county import County
from services.pairing.domain.pairing import Pairing, end_pairing, reject_pairing, supersede_pairing
from services.pairing.domain.refusals import (
    CommitmentOver,
    LimitBelowApproved,
    NothingToTakeBack,
    TermsFixedByPairings,
)


def submit_commitment(terms: Terms, *, id: str, partner_id: str, now: datetime, today: date) -> Decision[Commitment]:
    """A partner promises help. What lies in the past is taken as it is: it has expired at once."""
    commitment = Commitment(
        id=id,
        version=1,
        partner_id=partner_id,
        terms=terms,
        status="open",
        standing=(),
        paired_units=0,
        open_projects=terms.projects_max,
        open_units=terms.support.units,
        submitted_at=now,
    )
    submitted = CommitmentSubmitted(**_terms_data(commitment))
    if terms.valid_until >= today:
        return Decision(commitment, (commitment,), (submitted,))
    over = expire_commitment(commitment, ())
    return Decision(over.state, over.saves, (submitted, *over.events))


def amend_commitment(commitment: Commitment, terms: Terms, proposals: Sequence[Pairing]) -> Decision[Commitment]:
    """New terms for what is not paired yet; `proposals` are its proposed pairings, made on the old ones."""
    if commitment.is_over:
        raise CommitmentOver(f"The commitment is {commitment.status}.")
    old = commitment.terms
    if terms == old:
        return Decision(commitment)
    used_projects = old.projects_max - commitment.open_projects
    used_units = old.support.units - commitment.open_units
    pairings = [standing.pairing_id for standing in commitment.standing]
    if (used_projects or used_units) and _basis(terms) != _basis(old):
        raise TermsFixedByPairings(
            "Category, kind of support and its currency or unit are fixed by what was paired.", pairings=pairings
        )
    if terms.projects_max < used_projects or terms.support.units < used_units:
        raise LimitBelowApproved(
            f"{used_projects} projects are paired: {', '.join(pairings) or 'and ended'}.", pairings=pairings
        )
    commitment = changed(
        commitment,
        terms=terms,
        open_projects=terms.projects_max - used_projects,
        open_units=terms.support.units - used_units,
        terms_version=commitment.version + 1,
    )
    ended = [supersede_pairing(pairing, reason="Its commitment was amended.") for pairing in proposals]
    return _with(commitment, CommitmentAmended(**_terms_data(commitment)), ended)


def withdraw_commitment(
    commitment: Commitment,
    proposals: Sequence[Pairing],
    standing: Sequence[Pairing],
    counties: Mapping[str, County],
    *,
    reason: str,
) -> Decision[Commitment]:
    """Takes back what is not paired, and the pairings that have not started.

    Those with money wait for funding, which alone knows whether a tranche is out; `counties` are
    those of the standing pairings.
    """
    if commitment.is_over:
        raise CommitmentOver(f"The commitment is {commitment.status}.")
    unstarted = [pairing for pairing in standing if not pairing.has_started]
    if commitment.open_units <= 0 and not unstarted:
        projects = [pairing.project_id for pairing in standing]
        where = f"in projects that have begun: {', '.join(map(str, projects))}" if projects else "spent or passed on"
        raise NothingToTakeBack(f"All of it is {where}.", projects=projects)
    taken_back = [
        replace(pairing, version=pairing.version + 1, taken_back=True) for pairing in unstarted if pairing.is_booked
    ]
    event = CommitmentWithdrawn(**_data(commitment), reason=reason, takes_back=[pairing.id for pairing in taken_back])
    commitment = changed(commitment, status="withdrawn", open_projects=0, open_units=0)
    left = dict(counties)
    ended = [reject_pairing(pairing, reason="Its commitment was withdrawn.") for pairing in proposals]
    for pairing in unstarted:
        if not pairing.is_booked:
            decision = end_pairing(
                pairing, commitment, left[pairing.county_code], reason="Its commitment was withdrawn."
            )
            _, commitment, left[pairing.county_code] = decision.saves
            ended.append(Decision(decision.state, (decision.state, left[pairing.county_code]), decision.events))
    return _with(commitment, event, [*ended, *(Decision(pairing, (pairing,)) for pairing in taken_back)])


def take_back_commitment(commitment: Commitment, proposals: Sequence[Pairing], *, reason: str) -> Decision[Commitment]:
    """It should never have been submitted: also one that has expired is withdrawn. Nothing of it is paired."""
    event = CommitmentWithdrawn(**_data(commitment), reason=reason, takes_back=[])
    commitment = changed(commitment, status="withdrawn", open_projects=0, open_units=0)
    return _with(commitment, event, [reject_pairing(pairing, reason=reason) for pairing in proposals])


def expire_commitment(commitment: Commitment, proposals: Sequence[Pairing]) -> Decision[Commitment]:
    """Its last day has passed; what stands goes on."""
    if commitment.is_over:
        return Decision(commitment)
    commitment = changed(commitment, status="expired", open_projects=0, open_units=0)
    ended = [reject_pairing(pairing, reason="Its commitment has expired.") for pairing in proposals]
    return _with(commitment, CommitmentExpired(**_data(commitment)), ended)


def _with(commitment: Commitment, event: Event, ended: Sequence[Decision[Pairing]]) -> Decision[Commitment]:
    saves = [commitment, *(state for decision in ended for state in decision.saves)]
    return Decision(commitment, saves, [event, *(one for decision in ended for one in decision.events)])


def _basis(terms: Terms) -> tuple[str, str, str]:
    return terms.category, terms.support.kind, terms.support.measure


def _data(commitment: Commitment) -> dict[str, Any]:
    return {
        "commitment_id": commitment.id,
        "partner_id": commitment.partner_id,
        "category": commitment.terms.category,
    }


def _terms_data(commitment: Commitment) -> dict[str, Any]:
    terms = commitment.terms
    return _data(commitment) | {
        "id": commitment.id,
        "status": commitment.status,
        "title": terms.title,
        "support": support_wire(terms.support),
        "projects_max": terms.projects_max,
        "valid_from": terms.valid_from.isoformat(),
        "valid_until": terms.valid_until.isoformat(),
        "prefers": places_wire(terms.prefers),
        "excludes": places_wire(terms.excludes),
        "only": places_wire(terms.only),
        "reference": terms.reference,
        "pairings": [standing.pairing_id for standing in commitment.standing],
        "version": commitment.version,
        "submitted_at": rfc3339(commitment.submitted_at),
    }
