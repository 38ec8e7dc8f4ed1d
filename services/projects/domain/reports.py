"""What a milestone's report says, changed in whichever way: told here, sent from a phone, settled in a conflict."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from schemas.projects import MilestoneReported
from services.kit.decision import Decision
from services.projects.domain.history import Change, Link, entries
from services.projects.domain.project import Milestone, Project, rfc3339
from services.projects.domain.risk import assessed


def change_report(
    project: Project,
    milestone: Milestone,
    *,
    occurred_at: datetime,
    note: str | None,
    evidence: Sequence[str],
    reported_by: str,
    who: str,
    now: datetime,
    said_at: datetime | None = None,
    reason: str | None = None,
    besides: Sequence[Change] = (),
    edit: Link | None = None,
) -> Decision[Milestone]:
    """The milestone is `reported`, also where it was verified before.

    `said_at` is when `reported_by` said it, where that is not when it happened (`occurred_at`).
    """
    waits = milestone.status == "reported"
    reported = replace(
        milestone,
        status="reported",
        occurred_at=occurred_at,
        note=note,
        evidence=tuple(evidence),
        reason=None,
        reporters=tuple(dict.fromkeys([*milestone.reporters, reported_by])),
        reported_by=reported_by,
        reported_at=now,
        waits_since=(milestone.waits_since or milestone.reported_at) if waits else now,
        verified_by=None,
        verified_at=None,
        version=milestone.version + 1,
    )
    changed, risk = assessed(project.with_milestone(reported), now)
    event = MilestoneReported(
        **project.about,
        milestone_no=milestone.no,
        occurred_at=rfc3339(said_at or occurred_at),
        note=reported.note,
        evidence=list(reported.evidence),
        reopened=milestone.status == "verified",
    )
    told = entries(project, changed, who=who, now=now, reason=reason, besides=besides, edit=edit)
    return Decision(reported, (changed, *told), (event, *risk))
