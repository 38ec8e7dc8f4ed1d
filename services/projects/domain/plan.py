"""Plan templates: which milestones and indicators a project of a category opens with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args

from schemas.shapes import CATEGORIES, Category, IndicatorKind, Text
from services.projects.domain.project import Indicator, Milestone


@dataclass(frozen=True, kw_only=True)
class MilestoneTemplate:
    """Per cents of the work (`weight`) and of the money (`tranche_share`); due so many days after the start."""

    title: Text
    weight: int
    tranche_share: int
    due_days: int


@dataclass(frozen=True, kw_only=True)
class IndicatorTemplate:
    code: str
    kind: IndicatorKind
    unit: str
    baseline: Any
    target: Any


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The template of one category."""

    milestones: Sequence[MilestoneTemplate]
    indicators: Sequence[IndicatorTemplate]

    def milestones_from(self, starts_on: date) -> tuple[Milestone, ...]:
        """The milestones of a project that starts on that day."""
        return tuple(
            Milestone(
                no=no,
                title=template.title,
                weight=template.weight,
                tranche_share=template.tranche_share,
                due_on=starts_on + timedelta(days=template.due_days),
            )
            for no, template in enumerate(self.milestones, start=1)
        )

    def indicators_at_start(self) -> tuple[Indicator, ...]:
        return tuple(
            Indicator(
                code=template.code,
                kind=template.kind,
                unit=template.unit,
                baseline=template.baseline,
                target=template.target,
            )
            for template in self.indicators
        )


def read_plans(text: str) -> Mapping[Category, Plan]:
    """Plans by category from JSON, each with `milestones` and `indicators`; `source` in it is for people.

    Raises:
        ValueError: a category is missing, or a plan could not be worked by; the message names it.
    """
    raw = json.loads(text)
    if sorted(raw) != sorted(CATEGORIES):
        raise ValueError(f"plans are for {', '.join(sorted(CATEGORIES))}, not {', '.join(sorted(raw))}")
    plans: dict[Category, Plan] = {}
    for category in CATEGORIES:
        plans[category] = plan = _plan(raw[category])
        for fault in _faults(plan):
            raise ValueError(f"the plan of {category}: {fault}")
    return plans


def _plan(raw: Mapping[str, Any]) -> Plan:
    return Plan(
        milestones=tuple(MilestoneTemplate(**milestone) for milestone in raw["milestones"]),
        indicators=tuple(
            IndicatorTemplate(**{name: value for name, value in indicator.items() if name != "source"})
            for indicator in raw["indicators"]
        ),
    )


def _faults(plan: Plan) -> list[str]:
    faults = []
    for part in ("weight", "tranche_share"):
        shares = [getattr(milestone, part) for milestone in plan.milestones]
        if sum(shares) != 100 or min(shares) < 1:
            faults.append(f"{part} must be whole per cents from 1 that sum to 100")
    days = [milestone.due_days for milestone in plan.milestones]
    if days != sorted(days):
        faults.append("due_days must not fall")
    codes = [indicator.code for indicator in plan.indicators]
    if len(codes) != len(set(codes)):
        faults.append("an indicator stands there twice")
    for indicator in plan.indicators:
        if indicator.kind not in get_args(IndicatorKind):
            faults.append(f"{indicator.code} has no known kind")
        if indicator.kind == "ratio" and indicator.unit != "%":
            faults.append(f"{indicator.code} is a ratio, so its unit is %")
        for value in (indicator.baseline, indicator.target):
            if value is not None and isinstance(value, bool) != (indicator.kind == "yes-no"):
                faults.append(f"{indicator.code} has a baseline or target that is not of its kind")
    return faults
