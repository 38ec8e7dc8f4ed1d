"""Observations: what is taken, what it comes to, and what a correction changes."""

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.decision import Invalid
from services.projects import domain
from services.projects.domain import Claim, Observation, Period, Project
from tests.projects.builders import NOW, a_project, project_of

Q1 = Period(from_on=date(2025, 1, 1), until_on=date(2025, 3, 31))
Q2 = Period(from_on=date(2025, 4, 1), until_on=date(2025, 6, 30))
Q3 = Period(from_on=date(2025, 7, 1), until_on=date(2025, 9, 30))


class Notebook:
    """A project and its observations, kept as the store would."""

    def __init__(self) -> None:
        self.project: Project = a_project()
        self.observations: dict[str, Observation] = {}

    def observe(self, indicator: str, value: Any, period: Period | None = None, **fields: Any):
        claim = Claim(indicator=indicator, value=value, period=period, **{"occurred_at": NOW} | fields)
        others = [known for known in self.observations.values() if known.indicator == indicator]
        decision = domain.observe(self.project, claim, others, who="officer", now=NOW)
        self.project = project_of(decision)
        self.observations[decision.state.id] = decision.state
        return decision

    def indicator(self, code: str):
        return next(indicator for indicator in self.project.indicators if indicator.code == code)

    def actual(self, code: str) -> Any:
        return self.indicator(code).actual


def faults_of(indicator: str, value: Any, period: Period | None = Q1, **fields: Any) -> set[str]:
    with pytest.raises(Invalid) as refused:
        Notebook().observe(indicator, value, period, **fields)
    return set(refused.value.errors)


def test_running_totals_are_not_added_up_and_flows_are():
    book = Notebook()
    for code in ("villages_with_fibre", "parcels_shipped"):
        book.observe(code, 100, Q1)
        book.observe(code, 180, Q2)
    assert book.actual("villages_with_fibre") == 180
    assert book.actual("parcels_shipped") == 280


def test_a_late_correction_of_an_early_period_changes_that_period_alone():
    book = Notebook()
    book.observe("villages_with_fibre", 10, Q1)
    book.observe("villages_with_fibre", 25, Q2)
    corrected = book.observe("villages_with_fibre", 12, Q1)
    assert book.actual("villages_with_fibre") == 25
    assert (corrected.state.value, corrected.state.version) == (12, 2)
    assert book.indicator("villages_with_fibre").observations == 2
    (entry,) = corrected.saves[2:]
    assert (entry.field, entry.old, entry.new) == ("indicators/villages_with_fibre/2025-01-01/2025-03-31", 10, 12)


def test_nought_and_no_entry_differ():
    book = Notebook()
    assert book.actual("parcels_shipped") is None
    book.observe("parcels_shipped", 0, Q1)
    assert book.actual("parcels_shipped") == 0
    assert book.actual("parcels_shipped") is not None


def test_a_ratio_is_shown_in_per_cent_and_a_yes_or_no_as_it_is():
    book = Notebook()
    book.observe("fibre_village_share", {"numerator": 45, "denominator": 60}, on=date(2025, 3, 31))
    book.observe("booking_online", False, on=date(2025, 3, 31))
    assert book.actual("fibre_village_share") == 75
    assert book.actual("booking_online") is False
    book.observe("booking_online", True, on=date(2025, 4, 1))
    assert book.actual("booking_online") is True


def test_a_day_is_a_period_of_one_day():
    book = Notebook()
    book.observe("download_mbps", 8.5, on=date(2025, 3, 31))
    book.observe("download_mbps", 9, Period(from_on=date(2025, 3, 31), until_on=date(2025, 3, 31)))
    assert (book.actual("download_mbps"), book.indicator("download_mbps").observations) == (9, 1)


def test_the_event_says_kind_unit_and_the_days_it_is_about():
    (event,) = Notebook().observe("trainees", 40.0, Q1, splits={"women": 22, "aged_60_plus": 30}).events
    data = event.data()
    assert (data["kind"], data["unit"], data["value"]) == ("flow", "people", 40)
    assert data["period"] == {"from": "2025-01-01", "until": "2025-03-31"}
    assert data["splits"] == {"women": 22, "aged_60_plus": 30}
    assert "on" not in data


@given(st.lists(st.tuples(st.sampled_from([Q1, Q2, Q3]), st.integers(0, 10**8)), min_size=1))
def test_totals_depend_on_the_last_word_for_each_period_and_not_on_the_order_of_periods(told):
    book = Notebook()
    for period, hundredths in told:
        book.observe("parcels_shipped", hundredths / 100, period)
        book.observe("villages_with_fibre", hundredths, period)
    last = {period.from_on: hundredths for period, hundredths in told}
    assert book.actual("parcels_shipped") == sum(last.values()) / 100
    assert book.actual("villages_with_fibre") == last[max(last)]
    assert book.indicator("parcels_shipped").observations == len(last)


def test_ten_tenths_are_one():
    book = Notebook()
    for day in range(1, 11):
        book.observe("parcels_shipped", 0.1, on=date(2025, 3, day))
    assert book.actual("parcels_shipped") == 1


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        10**20,
        10**400,
        1e300,
        -1,
        -0.5,
        0.1234567,
        True,
        "5",
        None,
        [5],
        {"numerator": 1},
    ],
)
def test_a_number_that_cannot_be_is_refused(value):
    assert faults_of("parcels_shipped", value) == {"/value"}


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        (0.75, {"/value"}),
        ({"numerator": 3}, {"/value"}),
        ({"numerator": 3, "denominator": 4, "unit": "%"}, {"/value"}),
        ({"numerator": 3, "denominator": 0}, {"/value/denominator"}),
        ({"numerator": 5, "denominator": 4}, {"/value/numerator"}),
        ({"numerator": -1, "denominator": math.nan}, {"/value/numerator", "/value/denominator"}),
    ],
)
def test_a_ratio_that_cannot_be_is_refused(value, faults):
    assert faults_of("fibre_village_share", value) == faults


def test_a_yes_or_no_is_neither_a_number_nor_split():
    assert faults_of("booking_online", 1) == {"/value"}
    assert faults_of("booking_online", True, splits={"women": True}) == {"/splits"}


def test_every_fault_is_told_at_once():
    backwards = Period(from_on=date(2025, 3, 2), until_on=date(2025, 3, 1))
    tomorrow = NOW + timedelta(days=1)
    faults = faults_of(
        "trainees", -1, backwards, splits={"men": 3, "women": -3}, unit="shops", kind="level", occurred_at=tomorrow
    )
    assert faults == {
        "/value",
        "/period/until",
        "/splits/men",
        "/splits/women",
        "/unit",
        "/kind",
        "/occurred_at",
    }


def test_an_indicator_of_another_category_is_refused():
    assert faults_of("visitors", 5) == {"/indicator"}


def test_a_day_that_has_not_come_cannot_be_told_of():
    """In Shanghai it is the fourth of March, and for a phone that is five minutes fast no other day."""
    assert faults_of("trainees", 5, None, on=date(2026, 3, 5)) == {"/on"}
    ahead = Period(from_on=date(2026, 3, 5), until_on=date(2026, 3, 5))
    assert faults_of("trainees", 5, ahead) == {"/period/from"}
    endless = Period(from_on=date(2026, 1, 1), until_on=date(9999, 12, 31))
    assert faults_of("trainees", 5, endless) == {"/period/until"}
    begun = Period(from_on=date(2026, 3, 1), until_on=date(2026, 3, 31))
    assert Notebook().observe("trainees", 5, begun).state.value == 5
    assert Notebook().observe("trainees", 5, on=date(2026, 3, 4)).state.value == 5


def test_either_a_period_or_a_day():
    assert faults_of("trainees", 5, None) == {"/period"}
    assert faults_of("trainees", 5, Q1, on=date(2025, 3, 1)) == {"/period"}


def test_splits_overlap_but_none_is_more_than_the_value():
    book = Notebook()
    book.observe("trainees", 40, Q1, splits={"women": 40, "children": 40})
    assert faults_of("trainees", 40, splits={"women": 41}) == {"/splits/women"}


def test_a_ratio_is_split_into_ratios():
    book = Notebook()
    half = {"numerator": 1, "denominator": 2}
    book.observe("fibre_village_share", half, Q1, splits={"women": half})
    assert faults_of("fibre_village_share", half, splits={"women": 1}) == {"/splits/women"}


def test_a_period_before_the_opening_is_taken_and_an_ended_project_takes_nothing():
    book = Notebook()
    book.observe("trainees", 5, Period(from_on=date(2020, 1, 1), until_on=date(2020, 12, 31)))
    book.project = project_of(domain.cancel_project(book.project, "no more", who="c", now=NOW))
    with pytest.raises(domain.ProjectEnded):
        book.observe("trainees", 5, Q1)


def test_periods_of_a_flow_cannot_overlap_or_days_would_count_twice():
    book = Notebook()
    book.observe("parcels_shipped", 10, Q1)
    for period, on in (
        (Period(from_on=date(2025, 3, 1), until_on=date(2025, 4, 30)), None),
        (Period(from_on=date(2024, 1, 1), until_on=date(2025, 12, 31)), None),
        (None, date(2025, 3, 31)),
    ):
        with pytest.raises(domain.PeriodsOverlap) as refused:
            book.observe("parcels_shipped", 5, period, on=on)
        assert refused.value.extra["period"] == {"from": "2025-01-01", "until": "2025-03-31"}
    book.observe("parcels_shipped", 12, Q1)
    book.observe("parcels_shipped", 5, Q2)
    assert book.actual("parcels_shipped") == 17


def test_periods_of_a_running_total_may_overlap_since_only_the_latest_counts():
    book = Notebook()
    book.observe("villages_with_fibre", 10, Q1)
    book.observe("villages_with_fibre", 12, on=date(2025, 2, 28))
    assert book.actual("villages_with_fibre") == 10
