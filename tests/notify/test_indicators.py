"""What indicators come to, by kind: over periods, and over projects."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import projects
from services.notify.domain import ObservationView
from services.notify.domain.observations import Total, total
from tests.notify import builders as b
from tests.notify.conftest import Newsroom

PERIODS = {
    "P1": ("2026-01-01", "2026-03-31"),
    "P2": ("2026-04-01", "2026-06-30"),
    "P3": ("2026-07-01", "2026-09-30"),
}


def observed(
    value: Any, period: str = "P1", *, kind: Any = "flow", n: int = 1, unit: str = "people", **other: Any
) -> projects.IndicatorObserved:
    first, last = PERIODS[period]
    return projects.IndicatorObserved(
        **b.of_project(n),
        indicator="trainees",
        kind=kind,
        unit=unit,
        value=value,
        period={"from": first, "until": last},
        occurred_at="2026-10-01T01:00:00.000Z",
        **other,
    )


def came_to(*events: projects.IndicatorObserved, planned: tuple[str, ...] = (), **days: Any) -> Total:
    states = b.folded(b.Log().add(*events).events)
    found = [state for (kind, _), state in states.items() if kind is ObservationView]
    kind = events[0].kind if events else "flow"
    unit = events[0].unit if events else "people"
    return total(found, planned, indicator="trainees", kind=kind, unit=unit, **days)


def values(found: Total) -> list[tuple[Any, bool]]:
    return [(period["value"], period["carried"]) for period in found.periods]


def test_a_flow_is_added_over_periods_and_projects() -> None:
    found = came_to(observed(100), observed(180, "P2"), observed(7, n=2))
    assert (found.total, values(found), found.carried) == (287, [(107, False), (180, False)], False)
    assert came_to(observed(0.1), observed(0.2, "P2")).total == 0.3


def test_of_a_running_total_the_latest_counts_and_it_is_never_added_up() -> None:
    def running(value: float, period: str, n: int = 1) -> projects.IndicatorObserved:
        return observed(value, period, kind="cumulative", n=n)

    assert came_to(running(100, "P1"), running(180, "P2")).total == 180
    found = came_to(running(10, "P1"), running(25, "P2"), running(40, "P3"))
    assert (found.total, values(found)) == (40, [(10, False), (25, False), (40, False)])
    found = came_to(running(10, "P1"), running(25, "P2"), running(5, "P3", n=2))
    assert (found.total, found.carried) == (30, True)
    assert values(found) == [(10, False), (25, False), (30, True)]


def test_a_late_correction_of_one_period_changes_that_period_alone() -> None:
    events = [observed(10, "P1", kind="cumulative"), observed(25, "P2", kind="cumulative")]
    late = observed(12, "P1", kind="cumulative")
    found = came_to(*events, late, until=date(2026, 9, 30))
    assert values(found) == [(12, False), (25, False), (25, True)]
    assert (found.periods[2]["from"], found.periods[2]["until"]) == PERIODS["P3"]
    assert (found.total, found.carried) == (25, True)
    third = came_to(*events, late, since=date(2026, 7, 1), until=date(2026, 9, 30))
    assert (third.total, third.carried, values(third)) == (25, True, [(25, True)])


@pytest.mark.parametrize(
    ("kind", "unit", "first", "second", "expected"),
    [
        ("level", "people", 600, 650, 650),
        ("ratio", "%", {"numerator": 1, "denominator": 4}, {"numerator": 3, "denominator": 4}, None),
        ("yes-no", "yes-no", False, True, True),
    ],
)
def test_of_what_is_so_at_a_time_the_latest_counts(
    kind: str, unit: str, first: Any, second: Any, expected: Any
) -> None:
    found = came_to(observed(first, kind=kind, unit=unit), observed(second, "P2", kind=kind, unit=unit))
    assert found.total == (second if expected is None else expected)
    assert not found.carried


def test_over_projects_levels_add_up_rates_are_averaged_ratios_join_and_yes_is_what_all_say() -> None:
    def both(first: Any, second: Any, kind: str, unit: str) -> Total:
        return came_to(observed(first, kind=kind, unit=unit), observed(second, n=2, kind=kind, unit=unit))

    assert both(600, 50, "level", "people").total == 650
    assert both(10, 30, "level", "Mb/s").total == 20
    half, all_ = {"numerator": 1, "denominator": 2}, {"numerator": 2, "denominator": 2}
    assert both(half, all_, "ratio", "%").total == {"numerator": 3, "denominator": 4}
    found = both(True, False, "yes-no", "yes-no")
    assert (found.total, found.answers) == (False, {"yes": 1, "no": 1})


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 4)), max_size=12))
def test_at_each_periods_end_a_running_total_is_the_sum_of_each_projects_latest(
    told: list[tuple[int, int, int]],
) -> None:
    lines = {(n, day, length): _told(n, day, length, value=n + 10 * day + length) for n, day, length in told}
    found = total([*lines.values()], (), indicator="trainees", kind="cumulative", unit="people")

    def latest(n: int, day: date) -> int:
        own = [one for one in lines.values() if one.project_id == f"project-{n}" and one.until_on <= day]
        return max(((one.until_on, one.from_on, one.value) for one in own), default=(0, 0, 0))[2]

    ends = [date.fromisoformat(period["until"]) for period in found.periods]
    assert [period["value"] for period in found.periods] == [sum(latest(n, end) for n in range(4)) for end in ends]
    assert [(end, period["from"]) for end, period in zip(ends, found.periods, strict=True)] == sorted(
        {(one.until_on, one.from_on.isoformat()) for one in lines.values()}
    )


@pytest.mark.parametrize("kind", ["flow", "cumulative"])
def test_an_observation_is_read_a_few_times_however_many_periods_there_are(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Counter[str]()

    def counted(self: ObservationView, name: str) -> object:
        reads[name] += 1
        return object.__getattribute__(self, name)

    observations = [_told(n, day, 0, value=1) for n in range(10) for day in range(400)]
    monkeypatch.setattr(ObservationView, "__getattribute__", counted)
    found = total(observations, (), indicator="trainees", kind=kind, unit="people")
    assert (len(found.periods), found.total) == (400, 4_000 if kind == "flow" else 10)
    assert reads["until_on"] <= 20 * len(observations)


def _told(n: int, day: int, length: int, value: int) -> ObservationView:
    last = date(2016, 1, 1) + timedelta(days=day)
    first = last - timedelta(days=length)
    return ObservationView(
        id=f"{n}.{day}.{length}", project_id=f"project-{n}", from_on=first, until_on=last, value=value
    )


def test_nought_is_an_answer_and_no_entry_is_none() -> None:
    nought = came_to(observed(0), planned=("project-1", "project-2"))
    assert (nought.total, nought.reported, nought.of) == (0, 1, 2)
    nothing = came_to(planned=("project-1", "project-2"))
    assert (nothing.total, nothing.periods, nothing.reported, nothing.of) == (None, (), 0, 2)


def test_splits_have_totals_of_their_own_and_never_go_into_the_indicators() -> None:
    first = observed(100, splits={"women": 60, "disabled": 5})
    second = observed(50, "P2", splits={"women": 20})
    assert (came_to(first, second).total, came_to(first, second).splits) == (150, {"women": 80, "disabled": 5})
    running = [observed(value, period, kind="cumulative", splits={"women": women}) for value, period, women in (
        (100, "P1", 60), (180, "P2", 90))]  # fmt: skip
    assert came_to(*running).splits == {"women": 90}


PLAN = {"code": "trainees", "kind": "flow", "unit": "people", "baseline": 0, "target": 400}
RUN = [b.opened(1, indicators=[PLAN]), b.opened(2, indicators=[PLAN]), observed(0), observed(12, "P2")]


async def test_totals_are_listed_by_what_they_are_about_and_say_up_to_when_they_are_true(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    found = await newsroom.read("/indicators?total=true")
    assert (found["total"], found["next_cursor"], found["as_of"]["position"]) == (1, None, len(RUN))
    assert found["items"] == [
        {
            "indicator": "trainees", "kind": "flow", "unit": "people", "total": 12, "carried": False, "splits": {},
            "periods": [
                {"from": "2026-01-01", "until": "2026-03-31", "value": 0, "carried": False},
                {"from": "2026-04-01", "until": "2026-06-30", "value": 12, "carried": False},
            ],
            "reported": 1, "of": 2, "answers": None,
        }
    ]  # fmt: skip

    async def totals(query: str, role: str = "monitor", **claims: Any) -> list[Any]:
        return [item["total"] for item in (await newsroom.read(f"/indicators?{query}", role, **claims))["items"]]

    assert await totals("project=project-2") == [None]
    assert await totals("county=520326&category=coverage&partner=partner-1&indicator=trainees") == [12]
    assert await totals("from=2026-01-01&until=2026-03-31") == [0]
    assert await totals("indicator=nothing") == await totals("category=education") == []
    assert await totals("", "officer") == [12]
    assert await totals("", "officer", county_codes=["520327"]) == [None]
    assert await totals("", "partner", partner_id="partner-2") == []


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "from=2026-13-01",
        "from=yesterday",
        "from=2026-02-01&until=2026-01-01",
        "category=x",
        "cursor=eA==",
    ],
)
async def test_what_nobody_can_ask_of_indicators_is_a_clear_problem(newsroom: Newsroom, query: str) -> None:
    answer = await newsroom.get(f"/indicators?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


async def test_pages_of_indicators_neither_skip_nor_repeat(newsroom: Newsroom) -> None:
    plans = [PLAN | {"code": f"indicator-{n}"} for n in range(5)]
    await newsroom.happen(b.opened(1, indicators=plans))
    await newsroom.folded()
    seen, cursor = [], ""
    while cursor is not None:
        page = await newsroom.read(f"/indicators?limit=2{cursor and '&cursor=' + cursor}")
        seen += [item["indicator"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [plan["code"] for plan in plans]
    events = (await newsroom.read("/events?limit=1"))["next_cursor"]
    assert events is None or (await newsroom.get(f"/indicators?cursor={events}")).status_code == 422
