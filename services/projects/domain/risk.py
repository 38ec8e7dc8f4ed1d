"""At risk: three rules, held against each change of a project and against each new day.

    milestone-late        due more than 14 days ago, and neither reported nor verified
    milestone-unverified  reported 14 days ago or longer, and not verified
    target-missed         the straight line through an indicator's observations does not reach its
                          target by the day on which the last milestone is due

Days are days in Asia/Shanghai; a milestone that is due on a day is late from the next one on. A
project that has ended keeps what it was.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from datetime import datetime as Instant

from schemas.envelope import Event
from schemas.projects import ProjectAtRisk, ProjectRecovered
from services.kit.decision import Decision
from services.projects.domain.history import entries
from services.projects.domain.project import RUNNING, Indicator, Milestone, Project, day_of

LATE = UNVERIFIED = timedelta(days=14)
# The line is computed in floating point; so near below its target it has reached it.
_NEAR = 1e-9


def assessed(project: Project, now: Instant) -> tuple[Project, tuple[Event, ...]]:
    """The project with the rules that fire now, and what is to be told if they are others than before.

    For a project that is being changed: its version stays as the change made it.
    """
    if project.status not in RUNNING:
        return project, ()
    rules = tuple(_fired(project, day_of(now)))
    if rules == project.at_risk:
        return project, ()
    seen = replace(project, at_risk=rules)
    if rules:
        return seen, (ProjectAtRisk(**project.about, rules=list(rules)),)
    return seen, (ProjectRecovered(**project.about, reason=", ".join(project.at_risk)),)


def assess_project(project: Project, *, who: str, now: Instant) -> Decision[Project]:
    """What the passing of time did to a project."""
    seen, events = assessed(project, now)
    if not events:
        return Decision(project)
    changed = project.changed(at_risk=seen.at_risk)
    return Decision(changed, (changed, *entries(project, changed, who=who, now=now)), events)


def _fired(project: Project, today: date) -> Iterator[str]:
    if any(_is_late(milestone, today) for milestone in project.milestones):
        yield "milestone-late"
    if any(_waits_long(milestone, today) for milestone in project.milestones):
        yield "milestone-unverified"
    end = max(milestone.due_on for milestone in project.milestones)
    if any(_misses(indicator, end) for indicator in project.indicators):
        yield "target-missed"


def _is_late(milestone: Milestone, today: date) -> bool:
    return milestone.status in ("pending", "returned") and today - milestone.due_on > LATE


def _waits_long(milestone: Milestone, today: date) -> bool:
    since = milestone.waits_since or milestone.reported_at
    return milestone.status == "reported" and since is not None and today - day_of(since) >= UNVERIFIED


def _misses(indicator: Indicator, end: date) -> bool:
    trend, target = indicator.trend, indicator.target
    if trend is None or target is None:
        return False
    # A target below the baseline is one to come down to.
    sign = 1 if target >= (indicator.baseline or 0) else -1
    if indicator.kind in ("flow", "cumulative") and sign * indicator.actual >= sign * target:
        return False
    return bool(sign * trend.at(end) < sign * target - _NEAR * max(abs(target), 1))
