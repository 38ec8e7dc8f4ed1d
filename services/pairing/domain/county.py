"""Who receives: a county's card in versions, its spells of being listed, its slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from schemas.counties import CountyCardUpdated, CountyDelisted, CountyListed, CountyRelisted
from schemas.shapes import Category, Text
from services.kit.decision import Decision
from services.pairing.domain.bands import band_of
from services.pairing.domain.refusals import AlreadyDelisted, AlreadyListed, LimitBelowApproved, SpellsDoNotOverlap
from services.pairing.domain.severity import IndicatorValue, severity_of

CountyStatus = Literal["listed", "delisted", "watch"]
ELIGIBLE: Sequence[CountyStatus] = ("listed", "watch")
# By category, the ids of a county's live pairings.
LivePairings = Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Need:
    """A county's gap in one category: `slots` are all of it, `severity` is 0 to 1, `quantities` by name.

    A severity that is not stated by a person follows from the card's indicators.
    """

    category: Category
    slots: int
    severity: float | None
    quantities: dict[str, float] | None
    is_stated: bool = False

    @property
    def band(self) -> int:
        return band_of(self.severity)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One version of what is known of a county, kept for ever; it holds from `valid_from` until a later one does."""

    id: str
    county_code: str
    version: int
    name: Text
    province: str
    needs: tuple[Need, ...]
    indicators: tuple[IndicatorValue, ...]
    valid_from: date
    reason: str
    recorded_at: datetime
    recorded_by: str

    def need(self, category: Category) -> Need | None:
        return next((need for need in self.needs if need.category == category), None)


@dataclass(frozen=True, kw_only=True)
class Spell:
    """A time in one status: from `start`, up to but without `until`."""

    status: CountyStatus
    start: date
    until: date | None
    reason: str
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class County:
    """`card` is the newest version; `live` counts by category the pairings whose projects go on.

    The counts stand here, so that two approvals for the last slot touch the same document and only
    one of them gets through.
    """

    id: str
    version: int
    province: str
    card: Card
    spells: tuple[Spell, ...]
    live: dict[str, int]

    def status_on(self, day: date) -> CountyStatus | None:
        """None: on that day it is not in the programme yet."""
        for spell in reversed(self.spells):
            if spell.start <= day and (spell.until is None or day < spell.until):
                return spell.status
        return None

    def is_eligible(self, day: date) -> bool:
        return self.status_on(day) in ELIGIBLE

    def open_slots(self, need: Need) -> int:
        return max(0, need.slots - self.live.get(need.category, 0))


def put_card(
    county: County | None,
    *,
    code: str,
    name: Text,
    province: str,
    needs: Sequence[Need],
    indicators: Sequence[IndicatorValue],
    valid_from: date,
    reason: str,
    now: datetime,
    by: str,
    live: LivePairings,
) -> Decision[County]:
    """A new version of the card; the first one lists the county from `valid_from`."""
    if county and (cut := cut_below_live(county, needs, live)):
        raise LimitBelowApproved("; ".join(cut.values()), pairings=[id for category in cut for id in live[category]])
    version = county.version + 1 if county else 1
    card = Card(
        id=f"{code}/{version}",
        county_code=code,
        version=version,
        name=name,
        province=province,
        needs=tuple(_assessed(need, indicators, county.card if county else None) for need in needs),
        indicators=tuple(indicators),
        valid_from=valid_from,
        reason=reason,
        recorded_at=now,
        recorded_by=by,
    )
    updated = CountyCardUpdated(
        county_code=code,
        name=name,
        province=province,
        version=version,
        needs=[need_wire(need) for need in card.needs],  # type: ignore[misc]
        reason=reason,
    )
    if county:
        county = replace(county, version=version, province=province, card=card)
        return Decision(county, (county, card), (updated,))
    spell = Spell(status="listed", start=valid_from, until=None, reason=reason, recorded_at=now, recorded_by=by)
    county = County(id=code, version=1, province=province, card=card, spells=(spell,), live={})
    listed = CountyListed(county_code=code, name=name, province=province, on=valid_from.isoformat())
    return Decision(county, (county, card), (listed, updated))


def delist_county(county: County, *, on: date, reason: str, now: datetime, by: str) -> Decision[County]:
    """From day `on`, that day included, the county is not listed."""
    if county.spells[-1].status == "delisted":
        raise AlreadyDelisted(f"It is delisted from {county.spells[-1].start}.")
    county = _turn(county, "delisted", on=on, reason=reason, now=now, by=by)
    event = CountyDelisted(county_code=county.id, on=on.isoformat(), reason=reason)
    return Decision(county, (county,), (event,))


def relist_county(county: County, *, on: date, reason: str, now: datetime, by: str) -> Decision[County]:
    """From day `on` the county is listed again."""
    if county.spells[-1].status == "listed":
        raise AlreadyListed(f"It is listed from {county.spells[-1].start}.")
    county = _turn(county, "listed", on=on, reason=reason, now=now, by=by)
    event = CountyRelisted(county_code=county.id, on=on.isoformat(), reason=reason)
    return Decision(county, (county,), (event,))


def remember_listing(
    county: County, *, start: date, delisted_on: date | None, reason: str, now: datetime, by: str
) -> Decision[County]:
    """It was listed from `start`, before all that is known of it. Today nothing is otherwise, so nobody is told."""
    first = county.spells[0].start
    begun: list[tuple[CountyStatus, date]] = [("listed", start)]
    if delisted_on and delisted_on < first:
        begun.append(("delisted", delisted_on))
    ends = [*(day for _, day in begun[1:]), first]
    earlier = [
        Spell(status=status, start=day, until=until, reason=reason, recorded_at=now, recorded_by=by)
        for (status, day), until in zip(begun, ends, strict=True)
    ]
    county = replace(county, version=county.version + 1, spells=(*earlier, *county.spells))
    return Decision(county, (county,))


def watch_county(county: County, *, on: date, reason: str, now: datetime, by: str) -> County:
    """A delisted county is at risk from day `on`: it may be helped again. A delisting or a relisting ends that."""
    return _turn(county, "watch", on=on, reason=reason, now=now, by=by)


def cut_below_live(county: County, needs: Sequence[Need], live: LivePairings) -> dict[Category, str]:
    """By category, why its slots would become fewer than are taken. As many as the card has now may always stay."""
    slots = {need.category: need.slots for need in needs}
    faults: dict[Category, str] = {}
    for need in county.card.needs:
        left, ids = slots.get(need.category, 0), live.get(need.category, ())
        if left < min(need.slots, len(ids)):
            faults[need.category] = f"{need.category} would have {left} slots for {len(ids)} pairings: {', '.join(ids)}"
    return faults


def count_live(county: County, category: Category, change: int) -> County:
    """A slot is taken (1) or freed (-1)."""
    return replace(county, live=county.live | {category: county.live.get(category, 0) + change})


def need_wire(need: Need) -> dict[str, Any]:
    """A need as events have it."""
    wire: dict[str, Any] = {"category": need.category, "slots": need.slots, "band": need.band}
    return wire if need.severity is None else wire | {"severity": need.severity}


def _assessed(need: Need, indicators: Sequence[IndicatorValue], before: Card | None) -> Need:
    """With the severity that it has now; a computed one that comes back as it was read is not a stated one."""
    old = before.need(need.category) if before else None
    echoed = old is not None and not old.is_stated and old.severity == need.severity
    if need.severity is not None and not echoed:
        return replace(need, is_stated=True)
    return replace(need, severity=severity_of(need.category, indicators), is_stated=False)


def _turn(county: County, status: CountyStatus, *, on: date, reason: str, now: datetime, by: str) -> County:
    last = county.spells[-1]
    if on < last.start:
        raise SpellsDoNotOverlap(f"It is {last.status} from {last.start}: give that day or a later one.")
    spell = Spell(status=status, start=on, until=None, reason=reason, recorded_at=now, recorded_by=by)
    return replace(county, version=county.version + 1, spells=(*county.spells[:-1], replace(last, until=on), spell))
