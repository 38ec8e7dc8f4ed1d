"""What notify knows of a project: its plan, how far it is, its money.

Events of different subjects come in any order (a reservation before the opening, say), so a view
begins with whatever is heard first.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from schemas import pairings, projects
from schemas.envelope import Event
from schemas.shapes import BOOKED_KINDS
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later
from services.notify.domain.visibility import of_county, of_partner

_SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, kw_only=True)
class Milestone:
    no: int
    title: dict[str, Any] = field(default_factory=dict)
    weight: int = 0
    tranche_share: int = 0
    due_on: date | None = None
    status: str = "pending"
    reported_by: str | None = None
    reported_at: datetime | None = None
    verified_by: str | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Funds:
    """Sums in minor units. `reserved`, `released` and `spent` are net of reversals."""

    currency: str
    reserved: int = 0
    released: int = 0
    spent: int = 0
    unreserved: int = 0
    refunded: int = 0


@dataclass(frozen=True, kw_only=True)
class ProjectView:
    id: str
    audience: tuple[str, ...] = ()
    """Who but the programme's staff may see it."""
    pairing_id: str | None = None
    commitment_id: str | None = None
    partner_id: str | None = None
    county_code: str | None = None
    category: str | None = None
    title: dict[str, Any] = field(default_factory=dict)
    status: str | None = None
    """None until it is opened."""
    decision: dict[str, Any] | None = None
    at_risk: tuple[str, ...] = ()
    starts_on: date | None = None
    ended_on: date | None = None
    milestones: tuple[Milestone, ...] = ()
    indicators: tuple[dict[str, Any], ...] = ()
    observed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The periods and days for which each indicator has a value; a second value for one corrects the first."""
    funds: Funds | None = None
    """None where no money is booked."""
    heard: dict[str, int] = field(default_factory=dict)

    @property
    def progress(self) -> int:
        return sum(milestone.weight for milestone in self.milestones if milestone.status == "verified")


def after(view: ProjectView, archived: ArchivedEvent, event: Event) -> ProjectView:
    """The view once `event` has happened; unchanged by events that say nothing new of it."""
    view = _identified(view, archived.data)
    match event:
        case pairings.PairingApproved():
            return _approved(view, event)
        case projects.ProjectOpened():
            return _opened(view, archived, event)
        case projects.ProjectSuspended():
            return unless_later(view, archived, "status", status="suspended")
        case projects.ProjectResumed():
            return unless_later(view, archived, "status", status="active")
        case projects.ProjectCancelled():
            return unless_later(view, archived, "status", status="cancelled", ended_on=_day(archived))
        case projects.ProjectCompleted():
            return unless_later(view, archived, "status", status="completed", ended_on=_day(archived))
        case projects.ProjectAtRisk():
            return unless_later(view, archived, "risk", at_risk=tuple(event.rules))
        case projects.ProjectRecovered():
            return unless_later(view, archived, "risk", at_risk=())
        case projects.ProjectDecisionNeeded():
            return unless_later(view, archived, "decision", decision={"reason": event.reason, "since": event.since})
        case projects.ProjectDecided():
            return unless_later(view, archived, "decision", decision=None)
        case projects.MilestoneRescheduled():
            return _of_milestone(view, archived, event.milestone_no, "due", due_on=date.fromisoformat(event.due_on))
        case projects.MilestoneReported():
            return _of_milestone(view, archived, event.milestone_no, "status", **_reported(archived))
        case projects.MilestoneReturned():
            return _of_milestone(view, archived, event.milestone_no, "status", status="returned")
        case projects.MilestoneVerified():
            return _of_milestone(view, archived, event.milestone_no, "status", **_verified(archived))
        case projects.IndicatorObserved():
            return _observed(view, event)
    return view


def booked(view: ProjectView, currency: str, moved: Mapping[str, int]) -> ProjectView:
    """The view once the ledger moved its money by these minor units (`entries.py`)."""
    funds = view.funds or Funds(currency=currency)
    return replace(view, funds=replace(funds, **{name: getattr(funds, name) + sum_ for name, sum_ in moved.items()}))


def contribution(view: ProjectView) -> Counter[str]:
    """What a project adds to each of the programme's figures (`tallies.py`)."""
    numbers: Counter[str] = Counter()
    if view.status is not None:
        numbers[f"status:{view.status}"] = 1
        if view.status != "cancelled":
            numbers["projects"] = 1
            numbers[f"category:{view.category}"] = 1
            numbers.update(f"milestone:{milestone.status}" for milestone in view.milestones)
    if view.funds is not None:
        funds, of = view.funds, f"funds:{view.funds.currency}"
        numbers[f"{of}:committed"] = funds.reserved - funds.unreserved - funds.refunded
        numbers[f"{of}:handed_over"] = funds.released - funds.refunded
        numbers[f"{of}:used"] = funds.spent
    return numbers


def _identified(view: ProjectView, data: Mapping[str, Any]) -> ProjectView:
    names = ("pairing_id", "commitment_id", "partner_id", "county_code", "category")
    new = {name: data[name] for name in names if getattr(view, name) is None and name in data}
    if not new:
        return view
    view = replace(view, **new)
    whom = of_partner(view.partner_id), of_county(view.county_code)
    return replace(view, audience=tuple(principal for principal in whom if principal))


def _approved(view: ProjectView, event: pairings.PairingApproved) -> ProjectView:
    if event.support_kind not in BOOKED_KINDS or view.funds is not None:
        return view
    return replace(view, funds=Funds(currency=str(event.allocated.get("currency"))))


def _opened(view: ProjectView, archived: ArchivedEvent, event: projects.ProjectOpened) -> ProjectView:
    known = {milestone.no: milestone for milestone in view.milestones}
    for planned in event.milestones:
        no = planned["no"]
        milestone = known.get(no, Milestone(no=no))
        due_on = milestone.due_on if _aspect("due", no) in view.heard else date.fromisoformat(planned["due_on"])
        known[no] = replace(
            milestone,
            title=dict(planned["title"]),
            weight=planned["weight"],
            tranche_share=planned["tranche_share"],
            due_on=due_on,
        )
    view = replace(
        view,
        title=dict(event.title),
        starts_on=date.fromisoformat(event.starts_on),
        milestones=tuple(known[no] for no in sorted(known)),
        indicators=tuple(dict(indicator) for indicator in event.indicators),
    )
    return unless_later(view, archived, "status", status="active")


def _of_milestone(view: ProjectView, archived: ArchivedEvent, no: int, aspect: str, **changes: Any) -> ProjectView:
    known = {milestone.no: milestone for milestone in view.milestones}
    known[no] = replace(known.get(no, Milestone(no=no)), **changes)
    milestones = tuple(known[each] for each in sorted(known))
    return unless_later(view, archived, _aspect(aspect, no), milestones=milestones)


def _observed(view: ProjectView, event: projects.IndicatorObserved) -> ProjectView:
    known = view.observed.get(event.indicator, ())
    when = f"{event.period['from']}/{event.period['until']}" if event.period else str(event.on)
    if when in known:
        return view
    return replace(view, observed=view.observed | {event.indicator: (*known, when)})


def _reported(archived: ArchivedEvent) -> dict[str, Any]:
    by, at = archived.envelope["actor"], archived.time
    return {"status": "reported", "reported_by": by, "reported_at": at, "verified_by": None, "verified_at": None}


def _verified(archived: ArchivedEvent) -> dict[str, Any]:
    return {"status": "verified", "verified_by": archived.envelope["actor"], "verified_at": archived.time}


def _day(archived: ArchivedEvent) -> date:
    return archived.time.astimezone(_SHANGHAI).date()


def _aspect(name: str, no: int) -> str:
    return f"{name}-{no}"
