"""What goes out."""

from datetime import date, datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from schemas.money import to_amount
from schemas.shapes import Category, IndicatorKind
from services.kit.clock import rfc3339
from services.projects.domain import (
    Funds,
    HistoryEntry,
    Indicator,
    Milestone,
    Observation,
    OpenDecision,
    Period,
    Project,
)
from services.projects.domain.project import MilestoneStatus, ProjectStatus


def _when(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


class Words(BaseModel):
    zh: str
    en: str | None = None


class DecisionView(BaseModel):
    reason: str
    since: str

    @classmethod
    def of(cls, decision: OpenDecision) -> Self:
        return cls(reason=decision.reason, since=rfc3339(decision.since))


class MilestoneView(BaseModel):
    """`occurred_at` is when it happened, `reported_at` when it was told; `reason` says why it was sent back."""

    no: int
    title: Words
    weight: int
    due_on: date
    status: MilestoneStatus
    tranche_share: int
    occurred_at: str | None
    note: str | None
    evidence: list[str]
    reason: str | None
    reported_by: str | None
    reported_at: str | None
    verified_by: str | None
    verified_at: str | None
    version: int

    @classmethod
    def of(cls, milestone: Milestone) -> Self:
        return cls(
            no=milestone.no,
            title=Words(**milestone.title),
            weight=milestone.weight,
            due_on=milestone.due_on,
            status=milestone.status,
            tranche_share=milestone.tranche_share,
            occurred_at=_when(milestone.occurred_at),
            note=milestone.note,
            evidence=list(milestone.evidence),
            reason=milestone.reason,
            reported_by=milestone.reported_by,
            reported_at=_when(milestone.reported_at),
            verified_by=milestone.verified_by,
            verified_at=_when(milestone.verified_at),
            version=milestone.version,
        )


class IndicatorView(BaseModel):
    """`actual` is null where there is no entry; 0 is a value. A ratio's is in per cent."""

    code: str
    kind: IndicatorKind
    unit: str
    baseline: int | float | bool | None
    target: int | float | bool | None
    actual: int | float | bool | None
    observations: int

    @classmethod
    def of(cls, indicator: Indicator) -> Self:
        return cls(
            code=indicator.code,
            kind=indicator.kind,
            unit=indicator.unit,
            baseline=indicator.baseline,
            target=indicator.target,
            actual=indicator.actual,
            observations=indicator.observations,
        )


class FundsView(BaseModel):
    """Amounts as texts; reserved, released and spent are net of reversals."""

    currency: str
    reserved: str
    released: str
    spent: str
    returned: str

    @classmethod
    def of(cls, funds: Funds) -> Self:
        currency = funds.currency
        return cls(
            currency=currency,
            reserved=to_amount(funds.reserved, currency),
            released=to_amount(funds.released, currency),
            spent=to_amount(funds.spent, currency),
            returned=to_amount(funds.returned, currency),
        )


class ProjectView(BaseModel):
    """`funds` is null where no money is booked, `decision` where none is open."""

    id: str
    pairing_id: str
    commitment_id: str
    partner_id: str
    county_code: str
    category: Category
    title: Words
    status: ProjectStatus
    decision: DecisionView | None
    at_risk: list[str]
    progress: int
    starts_on: date
    version: int
    milestones: list[MilestoneView]
    indicators: list[IndicatorView]
    funds: FundsView | None

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(
            id=project.id,
            pairing_id=project.pairing_id,
            commitment_id=project.commitment_id,
            partner_id=project.partner_id,
            county_code=project.county_code,
            category=project.category,
            title=Words(**project.title),
            status=project.status,
            decision=DecisionView.of(project.decision) if project.decision else None,
            at_risk=list(project.at_risk),
            progress=project.progress,
            starts_on=project.starts_on,
            version=project.version,
            milestones=[MilestoneView.of(milestone) for milestone in project.milestones],
            indicators=[IndicatorView.of(indicator) for indicator in project.indicators],
            funds=FundsView.of(project.funds) if project.funds else None,
        )


class PeriodView(BaseModel):
    """Both days included."""

    from_on: date = Field(alias="from")
    until: date

    @classmethod
    def of(cls, period: Period) -> Self:
        return cls.model_validate({"from": period.from_on, "until": period.until_on})


class ObservationView(BaseModel):
    """The value of an indicator for a `period` or `on` a day."""

    id: str
    project_id: str
    indicator: str
    kind: IndicatorKind
    unit: str
    value: Any
    period: PeriodView | None
    on: date | None
    splits: dict[str, Any] | None
    occurred_at: str
    observed_by: str
    observed_at: str
    version: int

    @classmethod
    def of(cls, observation: Observation) -> Self:
        return cls(
            id=observation.id,
            project_id=observation.project_id,
            indicator=observation.indicator,
            kind=observation.kind,
            unit=observation.unit,
            value=observation.value,
            period=PeriodView.of(observation.period) if observation.period else None,
            on=observation.on,
            splits=dict(observation.splits) if observation.splits else None,
            occurred_at=rfc3339(observation.occurred_at),
            observed_by=observation.observed_by,
            observed_at=rfc3339(observation.observed_at),
            version=observation.version,
        )


class HistoryView(BaseModel):
    """One field's way from `old` to `new`; `reason` is what `who` said about it."""

    field: str
    who: str
    when: str
    old: Any
    new: Any
    reason: str | None

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        return cls(
            field=entry.field,
            who=entry.who,
            when=rfc3339(entry.when),
            old=entry.old,
            new=entry.new,
            reason=entry.reason,
        )


class Listed(BaseModel):
    """A page of a list; `total` where it was asked for."""

    next_cursor: str | None
    total: int | None = None


class ProjectList(Listed):
    items: list[ProjectView]


class ObservationList(Listed):
    items: list[ObservationView]


class HistoryList(Listed):
    items: list[HistoryView]
