"""The work that approved pairings become. Published by projects."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from schemas.envelope import Event, event
from schemas.shapes import (
    Category,
    CountyCode,
    Day,
    Fragment,
    Id,
    IndicatorKind,
    Instant,
    Ordinal,
    PerCent,
    Period,
    PlannedIndicator,
    PlannedMilestone,
    Ratio,
    Sha256,
    Share,
    Text,
)
from schemas.topics import PROJECTS


@dataclass(frozen=True, kw_only=True)
class _Project(Event):
    project_id: Id
    pairing_id: Id
    commitment_id: Id
    partner_id: Id
    county_code: CountyCode
    category: Category


@event("jiedui.project.opened", topic=PROJECTS, subject="project_id")
class ProjectOpened(_Project):
    """A project with its whole plan; weights and tranche shares each sum to 100."""

    title: Text
    starts_on: Day
    milestones: Annotated[list[PlannedMilestone], Fragment(minItems=1)]
    indicators: list[PlannedIndicator]


@event("jiedui.project.suspended", topic=PROJECTS, subject="project_id")
class ProjectSuspended(_Project):
    """Reports are taken, verification is not, until it is resumed."""

    reason: str


@event("jiedui.project.resumed", topic=PROJECTS, subject="project_id")
class ProjectResumed(_Project):
    """It goes on."""

    reason: str


@event("jiedui.project.cancelled", topic=PROJECTS, subject="project_id")
class ProjectCancelled(_Project):
    """It ends without its result; money not spent goes back."""

    reason: str


@event("jiedui.project.completed", topic=PROJECTS, subject="project_id")
class ProjectCompleted(_Project):
    """Every milestone is verified and it was closed."""

    reason: str | None = None


@event("jiedui.project.at_risk", topic=PROJECTS, subject="project_id")
class ProjectAtRisk(_Project):
    """One or more of the `rules` fire."""

    rules: list[str]


@event("jiedui.project.recovered", topic=PROJECTS, subject="project_id")
class ProjectRecovered(_Project):
    """No rule fires any more."""

    reason: str


@event("jiedui.project.decision_needed", topic=PROJECTS, subject="project_id")
class ProjectDecisionNeeded(_Project):
    """Something happened that a coordinator must decide upon."""

    reason: str
    since: Instant


@event("jiedui.project.decided", topic=PROJECTS, subject="project_id")
class ProjectDecided(_Project):
    """The open decision was taken."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class _Milestone(_Project):
    milestone_no: Ordinal
    occurred_at: Instant
    note: str | None = None


@event("jiedui.milestone.reported", topic=PROJECTS, subject="project_id")
class MilestoneReported(_Milestone):
    """An officer says it is reached; `reopened` when it had been verified before."""

    evidence: list[Sha256]
    reopened: bool


@event("jiedui.milestone.verified", topic=PROJECTS, subject="project_id")
class MilestoneVerified(_Milestone):
    """A second person agrees; `progress` is the project's after it, in per cent."""

    weight: Share
    tranche_share: Share
    progress: PerCent


@event("jiedui.milestone.returned", topic=PROJECTS, subject="project_id")
class MilestoneReturned(_Milestone):
    """Sent back to the reporter with a reason."""

    reason: str


@event("jiedui.milestone.rescheduled", topic=PROJECTS, subject="project_id")
class MilestoneRescheduled(_Milestone):
    """Due on another day."""

    due_on: Day
    was: Day
    reason: str


def _value_of(kind: IndicatorKind, type_: str) -> dict[str, Any]:
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"properties": {"value": {"type": type_}}},
    }


@event("jiedui.indicator.observed", topic=PROJECTS, subject="project_id")
class IndicatorObserved(_Project):
    """A value of an indicator, for a `period` or `on` a day. Splits overlap and are never summed."""

    RULES: ClassVar = Fragment(
        oneOf=[{"required": ["period"]}, {"required": ["on"]}],
        allOf=[
            _value_of("ratio", "object"),
            _value_of("yes-no", "boolean"),
            *(_value_of(kind, "number") for kind in ("flow", "cumulative", "level")),
        ],
    )

    indicator: str
    kind: IndicatorKind
    unit: str
    value: float | bool | Ratio
    period: Period | None = None
    on: Day | None = None
    splits: dict[Literal["women", "aged_60_plus", "disabled", "children"], float | Ratio] | None = None
    occurred_at: Instant
