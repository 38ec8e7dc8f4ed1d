"""What a project is. Days are days in Asia/Shanghai, instants UTC, money whole minor units."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from schemas.shapes import Category, IndicatorKind, Text
from services.projects.domain.refusals import NoSuchMilestone, ProjectEnded

ProjectStatus = Literal["active", "suspended", "completed", "cancelled"]
MilestoneStatus = Literal["pending", "reported", "returned", "verified"]

_SHANGHAI = ZoneInfo("Asia/Shanghai")
RUNNING: tuple[ProjectStatus, ...] = ("active", "suspended")


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """A dated step. `weight` and `tranche_share` are whole per cents.

    `reported_at` and `verified_at` are when we learnt it, `occurred_at` is when it happened, and
    `waits_since` when the report came that is not verified yet (a correction of it changes nothing there).
    `reporters` are all who ever reported it: an edit by another person makes nobody a second person.
    `reason` is why it was sent back, until it is reported again.
    """

    no: int
    title: Text
    weight: int
    tranche_share: int
    due_on: date
    status: MilestoneStatus = "pending"
    occurred_at: datetime | None = None
    note: str | None = None
    evidence: tuple[str, ...] = ()
    reason: str | None = None
    reporters: tuple[str, ...] = ()
    reported_by: str | None = None
    reported_at: datetime | None = None
    waits_since: datetime | None = None
    verified_by: str | None = None
    verified_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The straight line through an indicator's observations: `value` on the last day observed, so much `per_day`."""

    last_on: date
    value: float
    per_day: float

    def at(self, day: date) -> float:
        """Where the line is on a day that is not before the last one observed."""
        return self.value + self.per_day * max((day - self.last_on) / timedelta(days=1), 0)


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """What is counted. `actual` is what all observations come to (a ratio in per cent), None where there is none.

    `trend` is None where the days observed make no line.
    """

    code: str
    kind: IndicatorKind
    unit: str
    baseline: Any
    target: Any
    actual: Any = None
    observations: int = 0
    trend: Trend | None = None


@dataclass(frozen=True, kw_only=True)
class Funds:
    """The project's money in minor units; the first three net of reversals, `returned` unreserved and refunded."""

    currency: str
    reserved: int = 0
    released: int = 0
    spent: int = 0
    returned: int = 0


@dataclass(frozen=True, kw_only=True)
class OpenDecision:
    """What a coordinator must decide upon, and since when."""

    reason: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Project:
    """The work that an approved pairing became; `funds` is None where no money is booked."""

    id: str
    pairing_id: str
    commitment_id: str
    partner_id: str
    county_code: str
    category: Category
    title: Text
    status: ProjectStatus = "active"
    decision: OpenDecision | None = None
    at_risk: tuple[str, ...] = ()
    starts_on: date
    milestones: tuple[Milestone, ...]
    indicators: tuple[Indicator, ...]
    funds: Funds | None
    version: int = 1

    @property
    def progress(self) -> int:
        """Per cent: the weights of what is verified."""
        return sum(milestone.weight for milestone in self.milestones if milestone.status == "verified")

    @property
    def about(self) -> dict[str, Any]:
        """What the data of every event of this project begins with."""
        return {
            "project_id": self.id,
            "pairing_id": self.pairing_id,
            "commitment_id": self.commitment_id,
            "partner_id": self.partner_id,
            "county_code": self.county_code,
            "category": self.category,
        }

    def milestone(self, no: int) -> Milestone:
        """By its number.

        Raises:
            NoSuchMilestone: the plan has none.
        """
        for milestone in self.milestones:
            if milestone.no == no:
                return milestone
        raise NoSuchMilestone(f"This project has milestones 1 to {len(self.milestones)}, no {no}.")

    def changed(self, **fields: Any) -> "Project":
        """With other fields, one version on."""
        return replace(self, version=self.version + 1, **fields)

    def with_milestone(self, milestone: Milestone) -> "Project":
        """With this one in the place of the one that had its number, one version on."""
        return self.changed(milestones=tuple(milestone if old.no == milestone.no else old for old in self.milestones))

    def must_run(self) -> None:
        """
        Raises:
            ProjectEnded: it is completed or cancelled.
        """
        if self.status not in RUNNING:
            raise ProjectEnded(f"The project is {self.status}; nothing more can happen in it.")


def rfc3339(moment: datetime) -> str:
    """`2020-10-26T03:04:05.678Z`, as instants stand in events."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(moment: datetime) -> date:
    """The day in Asia/Shanghai on which an instant falls."""
    return moment.astimezone(_SHANGHAI).date()


def beginning_of(day: date) -> datetime:
    """The instant at which a day begins in Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=_SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The instant at which a day ends in Asia/Shanghai; also of the first and the last day that there are."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=_SHANGHAI)
    return noon.astimezone(UTC) + timedelta(hours=12)
