"""What passing days do by themselves, and what was so on a day that has passed."""

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.counties import CountyDelisted
from services.kit.clock import day_of
from services.projects.streams.days import begin_day
from tests.projects.conftest import Office

OCCURRED = {"occurred_at": "2020-11-01T09:30:00+08:00"}


class Calendar:
    """Turns the office's clock."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock, self._monkeypatch = office.context.clock, monkeypatch

    def go(self, days: int) -> None:
        self._monkeypatch.setattr(self._clock, "_shift", timedelta(days=days))

    def day(self, days: int) -> date:
        return day_of(self._clock.now()) + timedelta(days=days)


@pytest.fixture
def calendar(office: Office, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    return Calendar(office, monkeypatch)


async def listed(office: Office, query: str) -> list[str]:
    return [item["id"] for item in (await office.get(f"/projects?{query}")).json()["items"]]


async def test_a_project_becomes_late_by_itself_and_recovers_when_it_is_reported(
    office: Office, calendar: Calendar
) -> None:
    id = await office.open()
    due = date.fromisoformat((await office.project(id))["milestones"][0]["due_on"])
    await begin_day(office.context)
    assert await listed(office, "at_risk=true") == []
    calendar.go((due - calendar.day(0)).days + 15)
    for _ in range(2):
        await begin_day(office.context)
    assert (await office.project(id))["at_risk"] == ["milestone-late"]
    assert await listed(office, "at_risk=true") == [id]
    await office.on_milestone(id, 1, "report", OCCURRED, "officer")
    assert (await office.project(id))["at_risk"] == []
    assert [kind.removeprefix("jiedui.") for kind in await office.types(id)] == [
        "project.opened",
        "project.at_risk",
        "milestone.reported",
        "project.recovered",
    ]
    assert (await office.published(id))[1].envelope.actor == "projects"


async def test_a_delisting_told_ahead_asks_on_its_day_and_not_before(office: Office, calendar: Calendar) -> None:
    id = await office.open()
    await office.hear(CountyDelisted(county_code="520326", on=calendar.day(10).isoformat(), reason="摘帽"))
    for days, asked in ((0, False), (9, False), (10, True), (11, True)):
        calendar.go(days)
        await begin_day(office.context)
        assert ((await office.project(id))["decision"] is not None) == asked, days
    assert (await office.types(id)).count("jiedui.project.decision_needed") == 1
    assert await listed(office, "decision=open") == [id]


async def test_history_tells_each_field_as_of_any_day(office: Office, calendar: Calendar) -> None:
    id = await office.open()
    for days, note in ((0, "一"), (5, "二"), (10, "三")):
        calendar.go(days)
        await office.on_milestone(id, 1, "report", OCCURRED | {"note": note}, "officer", sub="li")
    calendar.go(11)
    await office.on_milestone(id, 1, "return", {"reason": "照片不清"})
    observation = OCCURRED | {"indicator": "villages_with_fibre", "value": 7, "on": "2020-10-31"}
    await office.post(f"/projects/{id}/observations", observation | {"splits": {"women": 3}})
    calendar.go(12)
    await office.post(f"/projects/{id}/observations", observation | {"splits": {"women": 4}})

    async def as_of(days_ago: int) -> dict[str, Any]:
        found: dict[str, Any] = (
            await office.get(f"/projects/{id}/history?limit=500&as_of={calendar.day(-days_ago)}")
        ).json()
        return found

    for days_ago, note, status in (
        (1, "三", "returned"),
        (2, "三", "reported"),
        (7, "二", "reported"),
        (9, "一", "reported"),
    ):
        then = await as_of(days_ago)
        assert then["fields"]["milestones/1/note"] == note
        assert then["fields"]["milestones/1/status"] == status
        notes = [item["new"] for item in then["items"] if item["field"] == "milestones/1/note"]
        assert notes == ["一", "二", "三"][: "一二三".index(note) + 1]
    before = await as_of(13)
    assert (before["items"], before["fields"]["milestones/1/note"]) == ([], None)
    value, observed = "indicators/villages_with_fibre/actual", "indicators/villages_with_fibre/2020-10-31/2020-10-31"
    for days_ago, told in ((0, [7, 7, {"women": 4}]), (1, [7, 7, {"women": 3}]), (13, [None, None, None])):
        then = await as_of(days_ago)
        assert [then["fields"][field] for field in (value, observed, f"{observed}/splits")] == told
    for_ever = (await office.get(f"/projects/{id}/history?as_of=9999-12-31")).json()
    assert for_ever["fields"] == (await as_of(0))["fields"]
    at_first = (await office.get(f"/projects/{id}/history?as_of=0001-01-01")).json()
    assert at_first["fields"] == (await as_of(13))["fields"]
    assert "fields" not in (await office.get(f"/projects/{id}/history")).json()


async def test_a_report_that_was_sent_back_keeps_its_thread(office: Office) -> None:
    id = await office.open()
    await office.on_milestone(id, 1, "report", OCCURRED | {"note": "一"}, "officer", sub="li")
    await office.on_milestone(id, 1, "return", {"reason": "照片不清"}, sub="zhao")
    await office.on_milestone(id, 1, "report", OCCURRED | {"note": "二"}, "officer", sub="li")
    await office.on_milestone(id, 1, "verify", {"note": "现场核实"}, sub="zhao")
    items = (await office.get(f"/projects/{id}/history?limit=500", "officer", county_codes=["520326"])).json()["items"]
    thread = [(item["who"], item["new"], item["reason"]) for item in items if item["field"] == "milestones/1/status"]
    assert thread == [
        ("li", "reported", None),
        ("zhao", "returned", "照片不清"),
        ("li", "reported", None),
        ("zhao", "verified", "现场核实"),
    ]


@pytest.mark.parametrize("no", ["0", "9", "x", "-1", "1.0", "²", "9" * 5000])
async def test_a_number_that_no_milestone_has_is_not_found(office: Office, no: str) -> None:
    id = await office.open()
    path = f"/projects/{id}/milestones/{no}/report"
    assert (await office.post(path, OCCURRED, headers={"if-match": '"1"'})).status_code == 404


async def test_overlapping_days_of_a_flow_are_a_conflict_that_names_the_period(office: Office) -> None:
    id = await office.open(category="produce-sales")
    path, flow = f"/projects/{id}/observations", OCCURRED | {"indicator": "parcels_shipped", "value": 5}
    q1 = {"from": "2020-01-01", "until": "2020-03-31"}
    assert (await office.post(path, flow | {"period": q1})).status_code == 201
    refused = await office.post(path, flow | {"on": "2020-03-31"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/periods-overlap")
    assert refused.json()["period"] == q1
    assert (await office.post(path, flow | {"period": q1, "value": 0})).status_code == 201
    parcels = next(one for one in (await office.project(id))["indicators"] if one["code"] == "parcels_shipped")
    assert (parcels["actual"], parcels["observations"]) == (0, 1)
