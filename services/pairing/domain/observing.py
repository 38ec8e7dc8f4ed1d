"""What projects observe in a county: it moves the county's indicators, and with them its severity.

Each change of an indicator is a new version of the card. In a delisted county a decline puts it on
watch (rule and parameters: docs/severity.md, data/relapse.json).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schemas.counties import CountyRelapseRiskDetected
from schemas.shapes import IndicatorKind
from services.kit.decision import Decision
from services.pairing.domain.county import County, put_card, watch_county
from services.pairing.domain.severity import DEFAULTS, IndicatorValue, way_of

_RELAPSE = json.loads((Path(__file__).parent.parent / "data" / "relapse.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Observation:
    """`key` is the period or the day; a second one of the same project and key corrects the first."""

    project_id: str
    key: str
    day: date
    value: float
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Observed:
    """All that was observed of one indicator in one county; `actual` is what the card got from it last.

    `base` is what the county had besides, for kinds that are counted up.
    """

    id: str
    county_code: str
    indicator: str
    base: float
    actual: float | None
    entries: tuple[Observation, ...]

    @staticmethod
    def key(county_code: str, indicator: str) -> str:
        return f"{county_code}/{indicator}"


def observe(
    county: County,
    known: Observed | None,
    observation: Observation,
    *,
    indicator: str,
    kind: IndicatorKind,
    now: datetime,
    today: date,
    by: str,
) -> Decision[Observed]:
    """An observation of an indicator that belongs to no category is kept and moves nothing."""
    card = county.card
    stated = next((one for one in card.indicators if one.code == indicator), None) or IndicatorValue(
        code=indicator, baseline=None, actual=None, target=None
    )
    entries = _with(known.entries if known else (), observation)
    observed = Observed(
        id=Observed.key(county.id, indicator),
        county_code=county.id,
        indicator=indicator,
        base=_base(known, stated, kind),
        actual=stated.actual,
        entries=entries,
    )
    if indicator not in DEFAULTS:
        return Decision(observed, (observed,))
    observed = replace(observed, actual=_actual(observed, kind))
    saves: list[Any] = []
    events: list[Any] = []
    if observed.actual != stated.actual:
        step = put_card(
            county,
            code=county.id,
            name=card.name,
            province=card.province,
            needs=card.needs,
            indicators=_replaced(card.indicators, replace(stated, actual=observed.actual)),
            valid_from=max(card.valid_from, min(observation.day, today)),
            reason=f"{indicator} = {observed.actual:.15g}, observed in project {observation.project_id}",
            now=now,
            by=by,
            live={},  # No slot is touched.
        )
        county, saves, events = step.state, list(step.saves), list(step.events)
    if county.status_on(today) == "delisted" and kind in _RELAPSE["kinds"]:
        found = _relapse(county, entries, stated)
        if found:
            rule, values = found
            county = watch_county(county, on=today, reason=f"{indicator}: {rule}", now=now, by=by)
            saves.append(county)
            events.append(
                CountyRelapseRiskDetected(county_code=county.id, indicator=indicator, rule=rule, values=values)
            )
    return Decision(observed, (observed, *saves), events)


def value_of(value: Any, kind: IndicatorKind, unit: str) -> float | None:
    """A ratio in per cent where its unit says so, yes as 1; None where it is no number (a ratio of nothing)."""
    if kind == "ratio":
        denominator = value["denominator"]
        return None if denominator == 0 else value["numerator"] / denominator * (100 if unit == "%" else 1)
    return float(value)


def _with(entries: Sequence[Observation], new: Observation) -> tuple[Observation, ...]:
    """In the order of their days."""
    kept = [one for one in entries if (one.project_id, one.key) != (new.project_id, new.key)]
    return tuple(sorted([*kept, new], key=lambda one: (one.day, one.recorded_at)))


def _base(known: Observed | None, stated: IndicatorValue, kind: IndicatorKind) -> float:
    """Somebody may have stated another value meanwhile: what was observed before is in it then."""
    before = stated.actual if stated.actual is not None else stated.baseline or 0.0
    if known is None:
        return before
    return known.base if known.actual == stated.actual else before - _counted(known.entries, kind)


def _actual(observed: Observed, kind: IndicatorKind) -> float:
    if kind in ("flow", "cumulative"):
        return observed.base + _counted(observed.entries, kind)
    return observed.entries[-1].value


def _counted(entries: Sequence[Observation], kind: IndicatorKind) -> float:
    """What projects brought: flows are added, of running totals each project's last one."""
    if kind == "flow":
        return sum(one.value for one in entries)
    return sum({one.project_id: one.value for one in entries}.values())


def _relapse(county: County, entries: Sequence[Observation], stated: IndicatorValue) -> tuple[str, list[float]] | None:
    """Which rule the newest observation fires, and the values that it looked at, oldest first."""
    way = way_of(stated)
    since = [one for one in entries if one.day >= county.spells[-1].start]
    if way is None or not since:
        return None
    baseline, target = way
    sign = 1 if target >= baseline else -1
    line = baseline + _RELAPSE["line_share"] * (target - baseline)
    last = [one.value for one in since[-_RELAPSE["in_a_row"] :]]
    if len(last) == _RELAPSE["in_a_row"] and all(sign * (line - value) > 0 for value in last):
        return "below-the-line", last
    # Nothing observed before: it was delisted because the target was reached.
    before = entries[-2].value if len(entries) > 1 else target if stated.actual is None else stated.actual
    if sign * (before - entries[-1].value) > _RELAPSE["fall_share"] * abs(target - baseline):
        return "sharp-fall", [before, entries[-1].value]
    return None


def _replaced(indicators: Sequence[IndicatorValue], new: IndicatorValue) -> list[IndicatorValue]:
    if any(one.code == new.code for one in indicators):
        return [new if one.code == new.code else one for one in indicators]
    return [*indicators, new]
