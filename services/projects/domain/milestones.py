"""Milestones: an officer reports, a coordinator verifies or sends back.

    pending → reported → verified;  reported → returned → reported
    an edit of a verified one is `reported` again, and says so (`reopened`)

Two persons: whoever ever reported a milestone cannot verify it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from schemas.projects import MilestoneRescheduled, MilestoneReturned, MilestoneVerified
from services.kit.decision import Decision, Invalid
from services.projects.domain.conflicts import Conflict, refreshed
from services.projects.domain.evidence import EVIDENCE_OF_A_MILESTONE, Evidence, named, unusable
from services.projects.domain.history import entries
from services.projects.domain.project import Milestone, Project, rfc3339
from services.projects.domain.refusals import MilestoneNotReported, ProjectIsSuspended, ReporterCannotVerify
from services.projects.domain.reports import change_report
from services.projects.domain.risk import assessed

# Phones' clocks are not all right; more than this ahead is a mistake.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an officer says. None leaves a field as it was; `evidence` are SHA-256 in hex."""

    occurred_at: datetime
    note: str | None = None
    evidence: tuple[str, ...] | None = None


def report_milestone(
    project: Project,
    no: int,
    report: Report,
    *,
    evidence: Mapping[str, Evidence],
    conflicts: Sequence[Conflict],
    who: str,
    now: datetime,
) -> Decision[Milestone]:
    """The milestone is reached, or what was reported of it is corrected.

    `evidence` is what we have of what the report names, `conflicts` are the milestone's open ones.

    Raises:
        Invalid, ProjectEnded
    """
    milestone = project.milestone(no)
    if faults := report_faults(project, milestone, report, evidence, who=who, now=now):
        raise Invalid(faults)
    project.must_run()
    done = change_report(
        project,
        milestone,
        occurred_at=report.occurred_at,
        note=milestone.note if report.note is None else report.note,
        evidence=milestone.evidence if report.evidence is None else tuple(dict.fromkeys(report.evidence)),
        reported_by=who,
        who=who,
        now=now,
    )
    newer = refreshed(conflicts, done.state, who=who, now=now)
    return Decision(done.state, (*done.saves, *newer, *named(report.evidence or (), evidence, project)), done.events)


def report_faults(
    project: Project,
    milestone: Milestone,
    report: Report,
    evidence: Mapping[str, Evidence],
    *,
    who: str,
    now: datetime,
) -> dict[str, str]:
    """What is wrong with a report, by JSON pointer."""
    faults = future_faults(report.occurred_at, now)
    told = report.evidence or ()
    missing = set(unusable([sha256 for sha256 in told if sha256 not in milestone.evidence], evidence, project, who))
    for index, sha256 in enumerate(told):
        if sha256 in missing:
            faults[f"/evidence/{index}"] = f"There is no evidence {sha256} here. Upload it first."
    if len(set(told)) > EVIDENCE_OF_A_MILESTONE:
        faults["/evidence"] = f"A milestone has {EVIDENCE_OF_A_MILESTONE} pieces of evidence at most."
    return faults


def check_second_person(milestone: Milestone, who: str) -> None:
    """
    Raises:
        ReporterCannotVerify: `who` reported it, now or earlier.
    """
    if who in milestone.reporters:
        raise ReporterCannotVerify(
            f"You reported milestone {milestone.no}, so a second person has to verify it.", milestone_no=milestone.no
        )


def verify_milestone(project: Project, no: int, note: str | None, *, who: str, now: datetime) -> Decision[Milestone]:
    """A second person agrees; the milestone's weight counts as progress from now on.

    Raises:
        ReporterCannotVerify, ProjectEnded, ProjectIsSuspended, MilestoneNotReported
    """
    milestone = project.milestone(no)
    check_second_person(milestone, who)
    project.must_run()
    if project.status == "suspended":
        raise ProjectIsSuspended("The project is suspended: reports are taken, but nothing is verified.")
    _must_be_reported(milestone)
    verified = replace(milestone, status="verified", verified_by=who, verified_at=now, version=milestone.version + 1)
    changed, risk = assessed(project.with_milestone(verified), now)
    event = MilestoneVerified(
        **project.about,
        milestone_no=no,
        occurred_at=rfc3339(now),
        note=note,
        weight=milestone.weight,
        tranche_share=milestone.tranche_share,
        progress=changed.progress,
    )
    return Decision(verified, (changed, *entries(project, changed, who=who, now=now, reason=note)), (event, *risk))


def return_milestone(project: Project, no: int, reason: str, *, who: str, now: datetime) -> Decision[Milestone]:
    """Sent back to the reporter.

    Raises:
        ProjectEnded, MilestoneNotReported
    """
    milestone = project.milestone(no)
    project.must_run()
    _must_be_reported(milestone)
    returned = replace(milestone, status="returned", reason=reason, version=milestone.version + 1)
    changed, risk = assessed(project.with_milestone(returned), now)
    event = MilestoneReturned(**project.about, milestone_no=no, occurred_at=rfc3339(now), reason=reason)
    return Decision(returned, (changed, *entries(project, changed, who=who, now=now, reason=reason)), (event, *risk))


def reschedule_milestone(
    project: Project, no: int, due_on: date, reason: str, *, who: str, now: datetime
) -> Decision[Milestone]:
    """Due on another day.

    Raises:
        ProjectEnded
    """
    milestone = project.milestone(no)
    project.must_run()
    moved = replace(milestone, due_on=due_on, version=milestone.version + 1)
    changed, risk = assessed(project.with_milestone(moved), now)
    event = MilestoneRescheduled(
        **project.about,
        milestone_no=no,
        occurred_at=rfc3339(now),
        due_on=due_on.isoformat(),
        was=milestone.due_on.isoformat(),
        reason=reason,
    )
    return Decision(moved, (changed, *entries(project, changed, who=who, now=now, reason=reason)), (event, *risk))


def future_faults(occurred_at: datetime, now: datetime) -> dict[str, str]:
    """What is wrong with when something is said to have happened, by JSON pointer."""
    if occurred_at <= now + CLOCK_TOLERANCE:
        return {}
    return {"/occurred_at": "This is in the future: check the clock."}


def _must_be_reported(milestone: Milestone) -> None:
    if milestone.status != "reported":
        raise MilestoneNotReported(f"Milestone {milestone.no} is {milestone.status}, not reported.")
