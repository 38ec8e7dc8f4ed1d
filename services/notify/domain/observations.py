"""Values of indicators, each for a period or a day of one project, and what they come to.

The total follows the indicator's kind:

- `flow`: periods are added, and projects too.
- `cumulative`: a running total. Of each project the latest value counts, carried forward to where
  there is none yet, and marked so.
- `level`: of each project the latest; projects are added, unless the unit is itself a rate (`%`,
  `Mb/s`), which is averaged.
- `ratio`: of each project the latest; numerators and denominators are added, never quotients.
- `yes-no`: of each project the latest; yes where all say yes.

No entry is None, which is not 0. Splits (women, children …) overlap: each has a total of its own,
and none goes into the total of the indicator.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from schemas.projects import IndicatorObserved
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later
from services.notify.domain.visibility import of_county, of_partner


@dataclass(frozen=True, kw_only=True)
class ObservationView:
    """The newest value for one period or day. `id` is the one that projects gives it."""

    id: str
    audience: tuple[str, ...] = ()
    project_id: str = ""
    partner_id: str = ""
    county_code: str = ""
    category: str = ""
    indicator: str = ""
    kind: str = ""
    unit: str = ""
    value: Any = None
    from_on: date = date.min
    until_on: date = date.min
    """A day is a period of one day."""
    on: date | None = None
    splits: dict[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    observed_by: str = ""
    observed_at: datetime | None = None
    version: int = 0
    """1, and one more with each correction."""
    heard: dict[str, int] = field(default_factory=dict)


def observation_of(event: IndicatorObserved) -> str:
    """The id of the observation that an event makes or corrects."""
    from_on, until_on = days_of(event)
    return f"{event.project_id}.{event.indicator}.{from_on}.{until_on}"


def days_of(event: IndicatorObserved) -> tuple[date, date]:
    """The first and the last day that it is about."""
    if event.period:
        return date.fromisoformat(event.period["from"]), date.fromisoformat(event.period["until"])
    day = date.fromisoformat(str(event.on))
    return day, day


def after(view: ObservationView, archived: ArchivedEvent, event: IndicatorObserved) -> ObservationView:
    """The observation once `event` has made or corrected it."""
    from_on, until_on = days_of(event)
    whom = of_partner(event.partner_id), of_county(event.county_code)
    return unless_later(
        replace(view, version=view.version + 1),
        archived,
        "value",
        audience=tuple(principal for principal in whom if principal),
        project_id=event.project_id,
        partner_id=event.partner_id,
        county_code=event.county_code,
        category=event.category,
        indicator=event.indicator,
        kind=event.kind,
        unit=event.unit,
        value=event.value,
        from_on=from_on,
        until_on=until_on,
        on=date.fromisoformat(event.on) if event.on else None,
        splits=dict(event.splits or {}),
        occurred_at=archived.time,
        observed_by=archived.envelope["actor"],
        observed_at=archived.recorded_at,
    )


@dataclass(frozen=True, kw_only=True)
class Total:
    """What several projects' observations of one indicator come to; `of` projects plan it, `reported` have an entry."""

    indicator: str
    kind: str
    unit: str
    total: Any
    carried: bool
    splits: dict[str, Any]
    periods: tuple[dict[str, Any], ...]
    reported: int
    of: int
    answers: dict[str, int] | None = None
    """Of a yes-no: how many projects say what."""


def total(
    observations: Iterable[ObservationView],
    planned: Iterable[str],
    *,
    indicator: str,
    kind: str,
    unit: str,
    since: date | None = None,
    until: date | None = None,
) -> Total:
    """The total of one indicator over `planned` projects and those that have observations.

    A period counts by its last day, from `since` until `until`, both included.
    """
    by_project: dict[str, list[ObservationView]] = {}
    for one in observations:
        if until is None or one.until_on <= until:
            by_project.setdefault(one.project_id, []).append(one)
    lines = [sorted(line, key=lambda one: (one.until_on, one.from_on)) for line in by_project.values()]
    if kind != "cumulative":
        lines = [[one for one in line if since is None or one.until_on >= since] for line in lines]
    lines = [line for line in lines if line]
    latest = [line[-1] for line in lines]
    counted = [one for line in lines for one in line] if kind == "flow" else latest
    join = _joiner(kind, unit)
    names = sorted({name for one in counted for name in one.splits})
    return Total(
        indicator=indicator,
        kind=kind,
        unit=unit,
        total=join([one.value for one in counted]),
        carried=kind == "cumulative" and _is_carried(latest, since, until),
        splits={name: join([one.splits[name] for one in counted if name in one.splits]) for name in names},
        periods=_periods(lines, kind, join, since, until),
        reported=len(lines),
        of=len({*planned, *by_project}),
        answers=_answers(latest) if kind == "yes-no" else None,
    )


def _is_carried(latest: Sequence[ObservationView], since: date | None, until: date | None) -> bool:
    """Whether some project's running total is of before the end of what is asked for."""
    end = until or max((one.until_on for one in latest), default=None)
    return end is not None and any(one.until_on < end for one in latest)


def _periods(
    lines: Sequence[Sequence[ObservationView]],
    kind: str,
    join: Callable[[Sequence[Any]], Any],
    since: date | None,
    until: date | None,
) -> tuple[dict[str, Any], ...]:
    by_days: dict[tuple[date, date], list[ObservationView]] = {}
    for line in lines:
        for one in line:
            by_days.setdefault((one.until_on, one.from_on), []).append(one)
    latest: dict[str, ObservationView] = {}
    found = []
    for last, ending in groupby(sorted(by_days), key=itemgetter(0)):
        shown = list(ending)
        for days in shown:
            latest |= {one.project_id: one for one in by_days[days]}
        if since is not None and last < since:
            continue
        for days in shown:
            values = [*latest.values()] if kind == "cumulative" else by_days[days]
            carried = any((one.until_on, one.from_on) != days for one in values)
            found.append(_period(days[1], last, join([one.value for one in values]), carried))
    if kind == "cumulative" and lines and until is not None:
        newest = max(by_days)[0]
        first = max(newest + timedelta(days=1), since or date.min)
        if first <= until:
            found.append(_period(first, until, join([line[-1].value for line in lines]), True))
    return tuple(found)


def _period(first: date, last: date, value: Any, carried: bool) -> dict[str, Any]:
    return {"from": first.isoformat(), "until": last.isoformat(), "value": value, "carried": carried}


def _joiner(kind: str, unit: str) -> Callable[[Sequence[Any]], Any]:
    if kind == "ratio":
        return _ratio
    if kind == "yes-no":
        return lambda values: all(values) if values else None
    if kind == "level" and ("/" in unit or "%" in unit):
        return _mean
    return _sum


def _sum(values: Sequence[Any]) -> Any:
    # As decimals, since 0.1 + 0.2 has to be 0.3.
    return _number(sum((Decimal(repr(value)) for value in values), Decimal())) if values else None


def _mean(values: Sequence[Any]) -> Any:
    if not values:
        return None
    return _number(round(sum(Decimal(repr(value)) for value in values) / Decimal(len(values)), 6))


def _ratio(values: Sequence[Mapping[str, Any]]) -> Any:
    if not values:
        return None
    return {name: _sum([value[name] for value in values]) for name in ("numerator", "denominator")}


def _answers(latest: Sequence[ObservationView]) -> dict[str, int]:
    yes = sum(one.value is True for one in latest)
    return {"yes": yes, "no": len(latest) - yes}


def _number(value: Decimal) -> Any:
    """42 for 42.0, so that counts are shown as counts."""
    return int(value) if value == value.to_integral_value() else float(value)
