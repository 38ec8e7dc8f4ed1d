"""How grave a gap is, what lowers it, and what puts a delisted county on watch."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.counties import CountyRelapseRiskDetected
from schemas.projects import IndicatorObserved
from services.pairing.domain import County, IndicatorValue, Need, delist_county, put_card, relist_county
from services.pairing.domain.observing import Observation, Observed, observe
from services.pairing.domain.severity import gap, severity_of
from tests.pairing.conftest import Desk

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TODAY = date(2026, 6, 1)
SHARE = "fibre_village_share"
numbers = st.floats(-1e6, 1e6)


def indicator(code: str = SHARE, **values: float | None) -> IndicatorValue:
    return IndicatorValue(**{"code": code, "baseline": None, "actual": None, "target": None} | values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"baseline": 25, "actual": 25, "target": 98}, 1.0),
        ({"baseline": 25, "actual": 98, "target": 98}, 0.0),
        ({"baseline": 25, "actual": 61.5, "target": 98}, 0.5),
        ({"baseline": 25, "actual": 5, "target": 98}, 1.0),
        ({"baseline": 25, "actual": 120, "target": 98}, 0.0),
        ({"baseline": 25, "target": 98}, 1.0),
        ({"actual": 84}, 0.5),
        ({"baseline": 100, "actual": 60, "target": 20}, 0.5),
        ({"baseline": 5, "actual": 5, "target": 5}, 0.0),
        ({}, None),
    ],
)
def test_a_gap_is_the_part_of_the_way_that_is_left(values: dict[str, float], expected: float | None) -> None:
    assert gap(indicator(**values)) == expected


def test_severity_is_the_mean_of_the_categorys_gaps() -> None:
    known = [indicator(actual=84), indicator("download_mbps", actual=20), indicator("trainees", actual=0)]
    assert severity_of("coverage", known) == 0.25
    assert severity_of("ecommerce-training", known) == 1.0
    assert severity_of("education", known) is None
    assert severity_of("coverage", [indicator("of_no_category", actual=1)]) is None


@given(numbers, numbers, numbers, numbers)
def test_a_gap_lies_within_0_and_1_and_falls_towards_the_target(a: float, b: float, target: float, base: float) -> None:
    near, far = sorted((a, b), key=lambda actual: abs(target - actual))
    gaps = [gap(indicator(baseline=base, actual=actual, target=target)) for actual in (near, far)]
    assert all(found is not None and 0 <= found <= 1 for found in gaps)
    if (near - target) * (far - target) >= 0 and base != target:
        assert gaps[0] <= gaps[1]  # type: ignore[operator]


class Story:
    """A county and what is observed in it, day after day."""

    def __init__(self, actual: float | None = 98, need: Need | None = None) -> None:
        need = need or Need(category="coverage", slots=2, severity=None, quantities=None)
        self.county: County = put_card(
            None,
            code="520324",
            name={"zh": "正安县"},
            province="52",
            needs=[need],
            indicators=[indicator(baseline=25, actual=actual, target=98)] if actual is not None else [],
            valid_from=TODAY - timedelta(days=100),
            reason="baseline",
            now=NOW,
            by="u",
            live={},
        ).state
        self.known: dict[str, Observed] = {}
        self.warnings: list[CountyRelapseRiskDetected] = []
        self._days = count(-50)

    def delist(self) -> None:
        self.county = delist_county(self.county, on=TODAY - timedelta(days=60), reason="out", now=NOW, by="u").state

    def observe(self, value: float, **more: Any) -> None:
        day = more.pop("day", None) or TODAY + timedelta(days=next(self._days))
        code, kind = more.pop("indicator", SHARE), more.pop("kind", "ratio")
        entry = Observation(project_id=more.pop("project", "p"), key=str(day), day=day, value=value, recorded_at=NOW)
        done = observe(
            self.county, self.known.get(code), entry, indicator=code, kind=kind, now=NOW, today=TODAY, by="officer"
        )
        self.known[code] = done.state
        self.county = next((one for one in reversed(done.saves) if isinstance(one, County)), self.county)
        self.warnings += [event for event in done.events if isinstance(event, CountyRelapseRiskDetected)]

    @property
    def need(self) -> Need:
        return self.county.card.needs[0]


def test_observations_lower_severity_in_new_versions_of_the_card() -> None:
    story = Story(actual=25)
    assert (story.need.severity, story.need.band) == (1.0, 5)
    story.observe(61.5)
    assert (story.need.severity, story.need.band, story.county.version) == (0.5, 3, 2)
    assert story.county.card.reason == "fibre_village_share = 61.5, observed in project p"
    assert story.county.card.recorded_by == "officer"
    story.observe(98)
    assert (story.need.severity, story.county.version) == (0.0, 3)


def test_a_stated_severity_wins_over_the_formula() -> None:
    story = Story(actual=25, need=Need(category="coverage", slots=2, severity=0.7, quantities=None))
    story.observe(98)
    assert (story.need.severity, story.need.is_stated) == (0.7, True)


def test_late_observations_take_their_place_and_corrections_replace() -> None:
    story = Story(actual=25)
    story.observe(90, day=TODAY)
    story.observe(30, day=TODAY - timedelta(days=9))
    assert story.county.card.indicators[0].actual == 90
    story.observe(80, day=TODAY)
    assert story.county.card.indicators[0].actual == 80
    assert len(story.known[SHARE].entries) == 2


def test_what_projects_count_up_is_added_to_what_the_county_had() -> None:
    story = Story(actual=None)
    story.observe(30, indicator="trainees", kind="flow")
    story.observe(50, indicator="trainees", kind="flow", project="q")
    story.observe(1234567.5, indicator="online_sales", kind="flow")
    assert story.county.card.reason == "online_sales = 1234567.5, observed in project p"
    story.observe(3, indicator="schools_connected", kind="cumulative")
    story.observe(5, indicator="schools_connected", kind="cumulative")
    story.observe(4, indicator="schools_connected", kind="cumulative", project="q")
    assert {one.code: one.actual for one in story.county.card.indicators} == {
        "trainees": 80,
        "online_sales": 1234567.5,
        "schools_connected": 9,
    }


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ([97, 96], ["below-the-line"]),
        ([97, 99, 97], []),
        ([99, 83], ["sharp-fall"]),
        ([99, 85], []),
        ([80], ["sharp-fall"]),
        ([90], []),
        ([97, 96, 95, 10], ["below-the-line"]),
        ([98, 98, 98], []),
    ],
    ids=str,
)
def test_decline_after_delisting_warns_once_by_the_documented_rule(values: list[float], rules: list[str]) -> None:
    story = Story()
    story.delist()
    for value in values:
        story.observe(value)
    assert [warning.rule for warning in story.warnings] == rules
    status = "watch" if rules else "delisted"
    assert (story.county.status_on(TODAY), story.county.is_eligible(TODAY)) == (status, bool(rules))


def test_what_was_observed_before_the_delisting_warns_of_nothing() -> None:
    story = Story()
    story.observe(60, day=TODAY - timedelta(days=90))
    story.observe(60, day=TODAY - timedelta(days=89))
    story.delist()
    assert story.warnings == []
    story.observe(10, day=TODAY - timedelta(days=80))
    assert story.warnings == []


def test_a_listed_county_is_not_at_risk_of_relapse_and_flows_do_not_fall() -> None:
    story = Story()
    story.observe(10)
    story.delist()
    story.observe(1, indicator="online_sales", kind="flow")
    story.observe(1, indicator="online_sales", kind="flow")
    assert story.warnings == []


@pytest.mark.parametrize(("turn", "status"), [(delist_county, "delisted"), (relist_county, "listed")])
def test_watch_ends_by_a_delisting_or_a_relisting(turn: Any, status: str) -> None:
    story = Story()
    story.delist()
    story.observe(10)
    story.county = turn(story.county, on=TODAY, reason="looked into", now=NOW, by="u").state
    assert [spell.status for spell in story.county.spells] == ["listed", "delisted", "watch", status]


def observed(pairing: dict[str, Any], value: float, on: str) -> IndicatorObserved:
    return IndicatorObserved(
        project_id=pairing["project_id"],
        pairing_id=pairing["id"],
        commitment_id=pairing["commitment_id"],
        partner_id=pairing["partner_id"],
        county_code=pairing["county_code"],
        category="coverage",
        indicator=SHARE,
        kind="ratio",
        unit="%",
        value={"numerator": value, "denominator": 100},
        on=on,
        occurred_at="2026-01-01T00:00:00Z",
    )


async def test_a_decline_reaches_the_county_and_opens_it_to_the_next_round(desk: Desk) -> None:
    indicators = [{"code": SHARE, "baseline": 25, "actual": 98, "target": 98}]
    await desk.county("520324", {"category": "coverage", "slots": 2}, indicators=indicators)
    _, pairing = await desk.approved()
    await desk.post("/counties/520324/delist", {"on": desk.day(-9), "reason": "out of poverty"})
    for days, value in ((-8, 95.0), (-7, 94.0)):
        await desk.hear(observed(pairing, value, desk.day(days)))
    county = await desk.get("/counties/520324")
    assert county["status"] == "watch"
    assert (county["needs"][0]["severity"], county["needs"][0]["is_stated"]) == (0.055, False)
    assert county["indicators"][0]["actual"] == 94.0
    assert (await desk.get("/counties?status=watch&total=true"))["total"] == 1
    assert (await desk.types("520324"))[-2:] == ["county.card_updated", "county.relapse_risk_detected"]
    (warning,) = [e for e in await desk.published("520324") if isinstance(e.data, CountyRelapseRiskDetected)]
    assert (warning.data.indicator, warning.data.rule, warning.data.values) == (SHARE, "below-the-line", [95.0, 94.0])
    again = await desk.commitment(projects_max=1)
    await desk.round()
    assert [one["county_code"] for one in await desk.proposed(again)] == ["520324"]
    off = await desk.post("/counties/520324/delist", {"on": desk.day(), "reason": "recovered"})
    assert off["status"] == "delisted"


async def test_a_computed_severity_that_is_sent_back_stays_computed(desk: Desk) -> None:
    indicators = [{"code": SHARE, "baseline": 25, "actual": 61.5, "target": 98}]
    card = await desk.county("520324", {"category": "coverage", "slots": 2}, indicators=indicators)
    assert (card["needs"][0]["severity"], card["needs"][0]["band"]) == (0.5, 3)
    card["indicators"][0]["actual"] = 98
    answer = await desk.send("PUT", "/counties/520324/card", card, if_match=1)
    assert (answer.status_code, answer.json()["needs"][0]["severity"]) == (200, 0.0)
    card["needs"][0]["severity"] = 0.9
    answer = await desk.send("PUT", "/counties/520324/card", card, if_match=2)
    assert (answer.json()["needs"][0]["severity"], answer.json()["needs"][0]["is_stated"]) == (0.9, True)


async def test_any_past_day_answers_with_who_and_why(desk: Desk) -> None:
    await desk.county("520324", {"category": "coverage", "slots": 2})
    changed = desk.card({"category": "coverage", "slots": 5}, valid_from=desk.day(-3), reason="survey")
    officer = {"role": "officer", "counties": ("520324",), "sub": "li"}
    answer = await desk.send("PUT", "/counties/520324/card", changed, if_match=1, **officer)
    assert answer.status_code == 200
    then, now = await desk.get(f"/counties/520324?as_of={desk.day(-4)}"), await desk.get("/counties/520324")
    assert (then["version"], then["recorded_by"], then["reason"]) == (1, "coordinator", "baseline")
    assert (now["version"], now["recorded_by"], now["reason"]) == (2, "li", "survey")
    assert then["recorded_at"] < now["recorded_at"]
    off = await desk.post("/counties/520324/delist", {"on": desk.day(), "reason": "out of poverty"}, sub="wang")
    assert [(one["recorded_by"], one["reason"]) for one in off["spells"]] == [
        ("coordinator", "baseline"),
        ("wang", "out of poverty"),
    ]
