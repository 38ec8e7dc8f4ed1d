"""Observations of a project's indicators, and what they come to.

The total follows the indicator's kind: of a `flow` the sum of all periods; of a running total
(`cumulative`), a `level`, a `ratio` and a `yes-no` what the latest period says. No entry is None,
which is not 0. Periods of a flow cannot overlap, or days would be counted twice; those of the
others can, since only the latest counts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import linear_regression
from typing import Any

from schemas.projects import IndicatorObserved
from schemas.shapes import IndicatorKind
from schemas.shapes import Period as DaysFrom
from services.kit.decision import Decision, Invalid
from services.projects.domain.history import Change, Link, entries
from services.projects.domain.milestones import CLOCK_TOLERANCE, future_faults
from services.projects.domain.project import Indicator, Project, Trend, day_of, rfc3339
from services.projects.domain.refusals import PeriodsOverlap
from services.projects.domain.risk import assessed

SPLITS = ("women", "aged_60_plus", "disabled", "children")
# Below this a whole number is exact in every reader's floating point (2**53 is a little more).
_LIMIT = 10**15
_DECIMALS = 6
# Of values that are carried the latest period counts, so one without an end would stand for ever.
_LONGEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Period:
    """Both days included."""

    from_on: date
    until_on: date


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What somebody says of an indicator, not yet checked; `kind` and `unit` are only there to be held against ours."""

    indicator: str
    value: Any
    period: Period | None = None
    on: date | None = None
    splits: Mapping[str, Any] | None = None
    kind: str | None = None
    unit: str | None = None
    occurred_at: datetime

    @property
    def days(self) -> Period:
        return _days(self.period, self.on)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The value of an indicator for a `period` or `on` a day; there is one for each, a later one corrects it."""

    id: str
    project_id: str
    indicator: str
    kind: IndicatorKind
    unit: str
    value: Any
    period: Period | None
    on: date | None
    splits: Mapping[str, Any] | None
    occurred_at: datetime
    observed_by: str
    observed_at: datetime
    edit: Link | None = None
    version: int = 1

    @property
    def days(self) -> Period:
        """What it is about; a day is a period of one day."""
        return _days(self.period, self.on)


def observe(
    project: Project,
    claim: Claim,
    others: Sequence[Observation],
    *,
    who: str,
    now: datetime,
    edit: Link | None = None,
) -> Decision[Observation]:
    """Takes a value in, in the place of the one that this period had. `others` are all of this indicator here.

    Raises:
        Invalid, ProjectEnded, PeriodsOverlap
    """
    if faults := claim_faults(project, claim, now):
        raise Invalid(faults)
    project.must_run()
    indicator = next(known for known in project.indicators if known.code == claim.indicator)
    corrected = same_days(claim, others)
    if indicator.kind == "flow" and not corrected:
        _must_stand_apart(claim.days, others)
    days = claim.days
    observation = Observation(
        id=f"{project.id}.{indicator.code}.{days.from_on}.{days.until_on}",
        project_id=project.id,
        indicator=indicator.code,
        kind=indicator.kind,
        unit=indicator.unit,
        value=number(claim.value),
        period=claim.period,
        on=claim.on,
        splits=claim.splits,
        occurred_at=claim.occurred_at,
        observed_by=who,
        observed_at=now,
        edit=edit,
        version=corrected.version + 1 if corrected else 1,
    )
    all_ = [*(other for other in others if other is not corrected), observation]
    counted = replace(
        indicator, actual=total(indicator.kind, all_), observations=len(all_), trend=trend(indicator.kind, all_)
    )
    changed, risk = assessed(
        project.changed(
            indicators=tuple(counted if known.code == counted.code else known for known in project.indicators)
        ),
        now,
    )
    besides = changes_of(observation, corrected)
    told = entries(project, changed, who=who, now=now, besides=besides, edit=edit)
    return Decision(observation, (changed, observation, *told), (_observed(project, observation), *risk))


def same_days(claim: Claim, others: Sequence[Observation]) -> Observation | None:
    """The one that a claim corrects."""
    return next((other for other in others if other.days == claim.days), None)


def changes_of(new: Claim | Observation, old: Observation | None) -> tuple[Change, ...]:
    """What one observation is instead of another, for the history: its value, and its splits where they differ."""
    path = f"indicators/{new.indicator}/{new.days.from_on}/{new.days.until_on}"
    value: Change = (path, old and old.value, new.value)
    was, becomes = old and old.splits, new.splits
    return (value, (f"{path}/splits", was, becomes)) if was != becomes else (value,)


def fields_of(observations: Sequence[Observation]) -> dict[str, Any]:
    """What history is kept of in observations, by path."""
    return {path: value for one in observations for path, _, value in changes_of(one, None)}


def _must_stand_apart(days: Period, others: Sequence[Observation]) -> None:
    for other in others:
        if days.from_on <= other.days.until_on and other.days.from_on <= days.until_on:
            raise PeriodsOverlap(
                f"{other.days.from_on} to {other.days.until_on} is told already, and days would be counted twice. "
                "Correct that one, or give periods that do not overlap.",
                period={"from": other.days.from_on.isoformat(), "until": other.days.until_on.isoformat()},
            )


def total(kind: IndicatorKind, observations: Sequence[Observation]) -> Any:
    """What observations of one indicator come to; a ratio in per cent, None where there is none."""
    if not observations:
        return None
    if kind == "flow":
        # As decimals, since 0.1 + 0.2 has to be 0.3.
        return number(float(sum(Decimal(repr(observation.value)) for observation in observations)))
    latest = max(observations, key=lambda observation: (observation.days.until_on, observation.days.from_on)).value
    return _per_cent(latest) if kind == "ratio" else latest


def trend(kind: IndicatorKind, observations: Sequence[Observation]) -> Trend | None:
    """The line of least squares through what was observed until each period's end; of a flow, through its sums."""
    if kind == "yes-no":
        return None
    values = {}
    running = Decimal(0)
    for one in sorted(observations, key=lambda one: (one.days.until_on, one.days.from_on)):
        running += Decimal(repr(one.value)) if kind == "flow" else 0
        value = float(running) if kind == "flow" else _per_cent(one.value) if kind == "ratio" else one.value
        values[one.days.until_on.toordinal()] = value
    if len(values) < 2:
        return None
    last = max(values)
    per_day, at_last = linear_regression([day - last for day in values], list(values.values()))
    return Trend(last_on=date.fromordinal(last), value=at_last, per_day=per_day)


def _per_cent(ratio: Mapping[str, Any]) -> Any:
    return number(round(100 * ratio["numerator"] / ratio["denominator"], _DECIMALS))


def number(value: Any) -> Any:
    """42.0 as 42, so that counts are shown as counts; other values as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _days(period: Period | None, on: date | None) -> Period:
    if period:
        return period
    assert on
    return Period(from_on=on, until_on=on)


def _observed(project: Project, observation: Observation) -> IndicatorObserved:
    period: DaysFrom | None = None
    if observation.period:
        period = {"from": observation.period.from_on.isoformat(), "until": observation.period.until_on.isoformat()}
    return IndicatorObserved(
        **project.about,
        indicator=observation.indicator,
        kind=observation.kind,
        unit=observation.unit,
        value=observation.value,
        period=period,
        on=observation.on.isoformat() if observation.on else None,
        splits=observation.splits and dict(observation.splits),  # type: ignore[arg-type]
        occurred_at=rfc3339(observation.occurred_at),
    )


def claim_faults(project: Project, claim: Claim, now: datetime) -> dict[str, str]:
    """What is wrong with a claim, by JSON pointer."""
    indicator = next((known for known in project.indicators if known.code == claim.indicator), None)
    faults = future_faults(claim.occurred_at, now)
    if not indicator:
        codes = ", ".join(known.code for known in project.indicators)
        faults["/indicator"] = f"This project has no such indicator. It has {codes}."
    if (claim.period is None) == (claim.on is None):
        faults["/period"] = "Give either a period or the day on which it was so."
    elif claim.period and claim.period.until_on < claim.period.from_on:
        faults["/period/until"] = "A period cannot end before it begins."
    else:
        faults |= _day_faults(claim, day_of(now + CLOCK_TOLERANCE))
    if indicator:
        if claim.unit not in (None, indicator.unit):
            faults["/unit"] = f"{indicator.code} is counted in {indicator.unit}."
        if claim.kind not in (None, indicator.kind):
            faults["/kind"] = f"{indicator.code} is a {indicator.kind}."
        faults |= _value_faults(indicator, claim.value, "/value")
        if claim.splits:
            faults |= _split_faults(indicator, claim)
    return faults


def _day_faults(claim: Claim, today: date) -> dict[str, str]:
    """A period that has begun can be told of before it ends: what it comes to so far."""
    if claim.days.from_on > today:
        return {"/period/from" if claim.period else "/on": f"Today is {today}; give a day that has come."}
    if claim.days.until_on - today > _LONGEST_AHEAD:
        return {"/period/until": f"Today is {today}; give a period that ends within a year from now."}
    return {}


def _value_faults(indicator: Indicator, value: Any, at: str) -> dict[str, str]:
    if indicator.kind == "yes-no":
        return {} if isinstance(value, bool) else {at: "true or false."}
    if indicator.kind != "ratio":
        fault = _number_fault(value)
        return {at: fault} if fault else {}
    if not isinstance(value, Mapping) or set(value) != {"numerator", "denominator"}:
        return {at: "A ratio is {numerator, denominator}."}
    faults = {f"{at}/{name}": fault for name, part in value.items() if (fault := _number_fault(part))}
    if not faults and value["denominator"] == 0:
        faults[f"{at}/denominator"] = "Nothing can be divided by 0."
    elif not faults and value["numerator"] > value["denominator"]:
        faults[f"{at}/numerator"] = "A part cannot be more than its whole, the denominator."
    return faults


def _split_faults(indicator: Indicator, claim: Claim) -> dict[str, str]:
    assert claim.splits
    if indicator.kind == "yes-no":
        return {"/splits": "A yes or no cannot be split."}
    faults = {}
    for name, value in claim.splits.items():
        at = "/splits/" + name.replace("~", "~0").replace("/", "~1")
        if name not in SPLITS:
            faults[at] = f"Splits are {', '.join(SPLITS)}."
        elif of_value := _value_faults(indicator, value, at):
            faults |= of_value
        elif indicator.kind != "ratio" and not _number_fault(claim.value) and value > claim.value:
            faults[at] = "A part cannot be more than the value."
    return faults


def _number_fault(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "A JSON number."
    if abs(value) >= _LIMIT or not math.isfinite(value):
        return "A number of at most 15 digits before the point."
    if value < 0:
        return "It cannot be below 0."
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DECIMALS:
        return f"At most {_DECIMALS} decimals."
    return None
