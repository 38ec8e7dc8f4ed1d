"""What is still waited for after an approval, a withdrawal, a cancellation or a verification.

All of it concerns one pairing, so there is one saga a pairing: which facts were seen, and when we
learnt each first. What it waits for follows from the facts alone, whatever order they came in. A
wait that has lasted `STUCK_AFTER` is listed as stuck.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from schemas import commitments, funding, pairings, projects
from schemas.envelope import Event
from schemas.shapes import BOOKED_KINDS
from services.notify.domain.archive import ArchivedEvent

STUCK_AFTER = timedelta(seconds=60)

_OPENED = projects.ProjectOpened.TYPE
_CANCELLED = projects.ProjectCancelled.TYPE
_REVOKED = pairings.PairingRevoked.TYPE
_RESERVED = funding.FundReserved.TYPE
_REFUSED = funding.FundRefused.TYPE
_RELEASED = funding.FundTrancheReleased.TYPE
_RETURNED = funding.FundReturned.TYPE


@dataclass(frozen=True, kw_only=True)
class Wait:
    """`id` is what the wait's first event was about, `waits_for` the type of the event that ends it."""

    kind: str
    id: str
    since: datetime
    waits_for: str


@dataclass(frozen=True, kw_only=True)
class Saga:
    """`id` is the pairing's."""

    id: str
    project_id: str | None = None
    booked: bool | None = None
    """Whether money is booked; None until the approval is seen."""
    seen: dict[str, datetime] = field(default_factory=dict)
    waits: tuple[Wait, ...] = ()
    waiting_since: datetime | None = None


def facts(event: Event) -> dict[str, str]:
    """The facts that an event establishes: pairing id → fact."""
    match event:
        case commitments.CommitmentWithdrawn():
            return dict.fromkeys(event.takes_back, "taken-back")
        case pairings.PairingApproved():
            return {event.pairing_id: "approved"}
        case pairings.PairingRevoked():
            return {event.pairing_id: "revoked"}
        case projects.ProjectOpened():
            return {event.pairing_id: "opened"}
        case projects.ProjectCancelled():
            return {event.pairing_id: "cancelled"}
        case projects.MilestoneVerified():
            return {event.pairing_id: f"verified-{event.milestone_no}"}
        case funding.FundReserved():
            return {event.pairing_id: "reserved"}
        case funding.FundRefused():
            return {event.pairing_id: "refused"}
        case funding.FundTrancheReleased():
            return {event.pairing_id: f"released-{event.milestone_no}"}
        case funding.FundReturned():
            return {event.pairing_id: "returned"}
    return {}


def after(saga: Saga, fact: str, archived: ArchivedEvent, event: Event) -> Saga:
    """The saga once `fact` is known. A fact that is known already changes nothing."""
    if fact in saga.seen:
        return saga
    saga = replace(saga, seen=saga.seen | {fact: archived.recorded_at})
    if isinstance(event, pairings.PairingApproved):
        saga = replace(saga, booked=event.support_kind in BOOKED_KINDS)
    if archived.project_id:
        saga = replace(saga, project_id=archived.project_id)
    waits = _waits(saga)
    return replace(saga, waits=waits, waiting_since=min((wait.since for wait in waits), default=None))


def stuck(sagas: list[Saga], now: datetime) -> list[Wait]:
    """The waits that have lasted too long, the oldest first."""
    found = [wait for saga in sagas for wait in saga.waits if now - wait.since > STUCK_AFTER]
    return sorted(found, key=lambda wait: (wait.since, wait.id, wait.waits_for))


def _waits(saga: Saga) -> tuple[Wait, ...]:
    seen, project = saga.seen, saga.project_id or saga.id
    # Once it is refused or returned, funding publishes nothing more.
    settled = "refused" in seen or "returned" in seen
    released = any(fact.startswith("released-") for fact in seen)
    waits: list[Wait] = []

    def wait(kind: str, id: str, since: str, waits_for: str, *, unless: bool) -> None:
        if since in seen and not unless:
            waits.append(Wait(kind=kind, id=id, since=seen[since], waits_for=waits_for))

    wait("approval", saga.id, "approved", _OPENED, unless="opened" in seen)
    if saga.booked:
        wait("approval", saga.id, "approved", _RESERVED, unless="reserved" in seen or settled)
        wait("cancellation", project, "cancelled", _RETURNED, unless=settled)
        for fact in seen:
            verb, _, no = fact.partition("-")
            if verb == "verified":
                wait("verification", project, fact, _RELEASED, unless=f"released-{no}" in seen or settled)
    # A withdrawal that comes after the first tranche, or after the end, takes nothing back.
    over = settled or released or "cancelled" in seen or "revoked" in seen
    wait("withdrawal", saga.id, "taken-back", _REFUSED, unless=over)
    wait("refusal", project, "refused", _REVOKED, unless="revoked" in seen)
    wait("cancellation", project, "cancelled", _REVOKED, unless="revoked" in seen or "refused" in seen)
    wait("revocation", saga.id, "revoked", _CANCELLED, unless="cancelled" in seen)
    return tuple(waits)
