"""How a project opens, pauses, goes on and ends.

    active ⇄ suspended;  active → completed;  active, suspended → cancelled

An open decision (`counties.py`) is closed by a resume (go on), a suspension, a cancellation or the
completion.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from schemas.envelope import Event
from schemas.pairings import PairingApproved
from schemas.projects import (
    ProjectCancelled,
    ProjectCompleted,
    ProjectDecided,
    ProjectOpened,
    ProjectResumed,
    ProjectSuspended,
)
from schemas.shapes import BOOKED_KINDS
from services.kit.decision import Decision
from services.projects.domain.counties import County, ask
from services.projects.domain.history import entries
from services.projects.domain.plan import Plan
from services.projects.domain.project import RUNNING, Funds, Project
from services.projects.domain.refusals import MilestonesUnverified, ProjectIsSuspended, ProjectNotSuspended
from services.projects.domain.risk import assessed


def open_project(
    known: Project | None,
    approved: PairingApproved,
    plan: Plan,
    county: County | None,
    *,
    who: str,
    approved_at: datetime,
    starts_on: date,
    now: datetime,
) -> Decision[Project]:
    """An approved pairing becomes a project with its category's plan.

    The county may have been delisted between the approval and now; the topics are not in order
    with each other. A county that was delisted before the approval was eligible all the same (at
    risk), and nothing is asked.
    """
    if known:
        return Decision(known)
    project = Project(
        id=approved.project_id,
        pairing_id=approved.pairing_id,
        commitment_id=approved.commitment_id,
        partner_id=approved.partner_id,
        county_code=approved.county_code,
        category=approved.category,
        title=approved.title,
        starts_on=starts_on,
        milestones=plan.milestones_from(starts_on),
        indicators=plan.indicators_at_start(),
        funds=_funds(approved),
    )
    county = county or County(id=approved.county_code)
    # An approval that is learnt of late may open a project that is late already.
    opened, risk = assessed(project, now)
    events = (_opened(project), *risk)
    counted = replace(county, projects=county.projects + 1)
    delisted_since = county.delisted_since
    if not (county.asked and delisted_since and delisted_since > approved_at):
        return Decision(opened, (opened, counted), events)
    asked = ask(opened, since=delisted_since, who=who, now=now)
    return Decision(asked.state, (*asked.saves, counted), (*events, *asked.events))


def suspend_project(project: Project, reason: str, *, who: str, now: datetime) -> Decision[Project]:
    """Reports are taken, verification is not. On a suspended one it closes an open decision.

    Raises:
        ProjectEnded, ProjectIsSuspended
    """
    project.must_run()
    if project.status == "suspended":
        if not project.decision:
            raise ProjectIsSuspended("The project is suspended already.")
        return _turn(project, "suspended", (), reason, who=who, now=now)
    return _turn(project, "suspended", (ProjectSuspended(**project.about, reason=reason),), reason, who=who, now=now)


def resume_project(project: Project, reason: str, *, who: str, now: datetime) -> Decision[Project]:
    """A suspended one goes on; an active one that waits for a decision goes on too, which closes it.

    Raises:
        ProjectEnded, ProjectNotSuspended
    """
    project.must_run()
    if project.status == "active":
        if not project.decision:
            raise ProjectNotSuspended("The project is active, and no decision is open.")
        return _turn(project, "active", (), reason, who=who, now=now)
    return _turn(project, "active", (ProjectResumed(**project.about, reason=reason),), reason, who=who, now=now)


def cancel_project(project: Project, reason: str, *, who: str, now: datetime) -> Decision[Project]:
    """It ends without its result; what was not spent goes back.

    Raises:
        ProjectEnded
    """
    project.must_run()
    return _turn(project, "cancelled", (ProjectCancelled(**project.about, reason=reason),), reason, who=who, now=now)


def cancel_revoked(project: Project, reason: str, *, who: str, now: datetime) -> Decision[Project]:
    """Its pairing no longer stands; where that is because the project ended, nothing is left to do."""
    if project.status not in RUNNING:
        return Decision(project)
    return cancel_project(project, reason, who=who, now=now)


def complete_project(project: Project, reason: str | None, *, who: str, now: datetime) -> Decision[Project]:
    """Every milestone is verified; it is closed, and a decision about it is no longer needed.

    Raises:
        ProjectEnded, ProjectIsSuspended, MilestonesUnverified
    """
    project.must_run()
    if project.status == "suspended":
        raise ProjectIsSuspended("The project is suspended. Resume it, then complete it.")
    open_nos = [milestone.no for milestone in project.milestones if milestone.status != "verified"]
    if open_nos:
        numbers = ", ".join(map(str, open_nos))
        raise MilestonesUnverified(f"Not verified yet: milestones {numbers}.", milestones=open_nos)
    return _turn(project, "completed", (ProjectCompleted(**project.about, reason=reason),), reason, who=who, now=now)


def _turn(
    project: Project, status: str, events: tuple[Event, ...], reason: str | None, *, who: str, now: datetime
) -> Decision[Project]:
    turned, risk = assessed(project.changed(status=status, decision=None), now)
    if project.decision:
        events = (*events, ProjectDecided(**project.about, reason=reason or status))
    return Decision(turned, (turned, *entries(project, turned, who=who, now=now, reason=reason)), (*events, *risk))


def _funds(approved: PairingApproved) -> Funds | None:
    if approved.support_kind not in BOOKED_KINDS:
        return None
    allocated: Any = approved.allocated
    return Funds(currency=allocated["currency"])


def _opened(project: Project) -> ProjectOpened:
    return ProjectOpened(
        **project.about,
        title=project.title,
        starts_on=project.starts_on.isoformat(),
        milestones=[
            {
                "no": milestone.no,
                "title": milestone.title,
                "weight": milestone.weight,
                "due_on": milestone.due_on.isoformat(),
                "tranche_share": milestone.tranche_share,
            }
            for milestone in project.milestones
        ],
        indicators=[
            {
                "code": indicator.code,
                "kind": indicator.kind,
                "unit": indicator.unit,
                "baseline": indicator.baseline,
                "target": indicator.target,
            }
            for indicator in project.indicators
        ],
    )
