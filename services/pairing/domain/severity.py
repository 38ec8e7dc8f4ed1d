"""How grave a county's gap in a category is, from its indicators (told in docs/severity.md).

gap of an indicator  = (target − actual) ÷ (target − baseline), held within 0 and 1
severity of a need   = the mean of the gaps of its category's indicators, in thousandths
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.shapes import Category


@dataclass(frozen=True, kw_only=True)
class IndicatorValue:
    code: str
    baseline: float | None
    actual: float | None
    target: float | None


@dataclass(frozen=True, kw_only=True)
class Default:
    """What counts where a card says nothing of it. A target below its baseline means that less is better."""

    category: Category
    baseline: float
    target: float
    unit: str
    source: str


DEFAULTS: dict[str, Default] = {
    code: Default(**default)
    for code, default in json.loads(
        (Path(__file__).parent.parent / "data" / "indicators.json").read_text(encoding="utf-8")
    ).items()
}


def way_of(indicator: IndicatorValue) -> tuple[float, float] | None:
    """From where to where it is to go; None for an indicator of no category."""
    default = DEFAULTS.get(indicator.code)
    if default is None:
        return None
    baseline = default.baseline if indicator.baseline is None else indicator.baseline
    return baseline, default.target if indicator.target is None else indicator.target


def gap(indicator: IndicatorValue) -> float | None:
    """0: the target is reached, 1: it stands where it began; None: nothing is known of it."""
    way = way_of(indicator)
    actual = indicator.baseline if indicator.actual is None else indicator.actual
    if way is None or actual is None:
        return None
    baseline, target = way
    if baseline == target:
        return 0.0 if actual >= target else 1.0
    return min(1.0, max(0.0, (target - actual) / (target - baseline)))


def severity_of(category: Category, indicators: Iterable[IndicatorValue]) -> float | None:
    """None where nothing is known of the category."""
    of = [one for one in indicators if (default := DEFAULTS.get(one.code)) and default.category == category]
    gaps = [found for one in of if (found := gap(one)) is not None]
    return round(sum(gaps) / len(gaps), 3) if gaps else None
