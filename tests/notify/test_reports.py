"""Filed reports: the same bytes for ever, whatever comes later; what differs is listed row by row."""

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas import projects
from services.notify.domain.reports import Draft, difference
from tests.notify import builders as b
from tests.notify.conftest import Newsroom

QUARTER = {"from": "2026-01-01", "until": "2026-03-31", "lang": "zh"}


def observed(value: float, until: str = "2026-03-31", occurred_at: str = "2026-03-30T01:00:00.000Z") -> Any:
    return projects.IndicatorObserved(
        **b.of_project(), indicator="trainees", kind="flow", unit="people", value=value,
        period={"from": "2026-01-01", "until": until}, occurred_at=occurred_at,
    )  # fmt: skip


def document(*events: Any, since: str = "2026-01-01", until: str = "2026-03-31", lang: str = "zh") -> dict[str, Any]:
    draft = Draft(date.fromisoformat(since), date.fromisoformat(until), lang)
    for event in events:
        draft.add(event)
    found: dict[str, Any] = json.loads(draft.document(len(events)))
    return found


def at(moment: str, event: Any, number: int = 1) -> Any:
    return b.archived(event, number, datetime.fromisoformat(moment), number=number)


async def file(newsroom: Newsroom, role: str = "monitor", **changes: Any) -> dict[str, Any]:
    answer = await newsroom.post("/reports", QUARTER | changes, role)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/reports/{found['id']}"
    return found


async def bytes_of(newsroom: Newsroom, id: str) -> bytes:
    answer = await newsroom.get(f"/reports/{id}", "bookkeeper")
    assert answer.status_code == 200
    return answer.content


def test_a_row_stands_in_the_month_that_it_was_in_shanghai() -> None:
    before = at("2026-03-31T23:30:00+08:00", b.reported(1, 1), 1)
    after = at("2026-04-01T00:30:00+08:00", b.reported(1, 2), 2)
    march, april = document(before, after), document(before, after, since="2026-04-01", until="2026-04-30")
    assert [row["milestone_no"] for row in march["rows"]] == [1]
    assert [row["milestone_no"] for row in april["rows"]] == [2]


def test_money_stands_by_the_day_that_was_given_and_a_county_by_the_day_from_which_it_holds() -> None:
    spent = at("2026-04-02T10:00:00+08:00", b.spent(spent_on="2026-03-31"))
    listed = at("2026-04-02T10:00:00+08:00", b.listed())
    found = document(spent, listed)
    assert [(row["id"], row["day"], row["amount"]) for row in found["rows"]] == [("spent-1", "2026-03-31", "100.00")]
    assert found["figures"]["money"] == {"CNY": {"jiedui.fund.spent": "100.00"}}


def test_a_value_stands_by_its_periods_last_day_or_when_it_was_told_if_that_was_first() -> None:
    late = at("2026-05-05T10:00:00+08:00", observed(7))
    assert [row["day"] for row in document(late)["rows"]] == ["2026-03-31"]
    early = at("2026-03-10T10:00:00+08:00", observed(7, until="2026-12-31"))
    assert [row["day"] for row in document(early)["rows"]] == ["2026-03-10"]


def test_a_corrected_value_is_one_row_with_what_is_known() -> None:
    first, second = at("2026-03-30T10:00:00+08:00", observed(100), 1), at("2026-05-05T10:00:00+08:00", observed(120), 2)
    before, after = document(first), document(first, second)
    assert [row["value"] for row in after["rows"]] == [120]
    assert after["indicators"] == [
        {"indicator": "trainees", "kind": "flow", "unit": "people", "total": 120, "carried": False}
    ]
    (row,) = difference(json.dumps(before).encode(), json.dumps(after).encode())
    assert (row["kind"], row["was"]["value"], row["now"]["value"]) == ("changed", 100, 120)


def test_another_language_says_the_same() -> None:
    event = at("2026-03-04T10:00:00+08:00", b.opened())
    zh, en = document(event), document(event, lang="en")
    assert (zh["rows"][0]["what"], en["rows"][0]["what"]) == ("项目启动", "project opened")
    assert difference(json.dumps(zh).encode(), json.dumps(en).encode()) == []


def test_proposals_rounds_and_what_is_unknown_are_in_no_report() -> None:
    unknown = b.envelope(b.registered()) | {"type": "jiedui.unheard.of"}
    assert document(at("2026-03-04T10:00:00+08:00", b.proposed()), b.archived(unknown))["rows"] == []


async def test_a_filed_report_stays_as_it_is_and_a_later_filing_lists_what_differs(newsroom: Newsroom) -> None:
    day = (newsroom.context.now() + timedelta(hours=8)).date()
    period = {"from": "2026-01-01", "until": day.isoformat()}
    await newsroom.happen(b.registered(), b.opened(1), observed(100))
    first = await file(newsroom, **period)
    before = await bytes_of(newsroom, first["id"])
    assert hashlib.sha256(before).hexdigest() == first["sha256"]
    assert (first["known_at"], first["filed_by"], first["from"], first["lang"]) == (3, "monitor", "2026-01-01", "zh")
    await newsroom.happen(observed(120), b.spent())
    second = await file(newsroom, **period)
    assert await bytes_of(newsroom, first["id"]) == before
    assert second["sha256"] != first["sha256"]
    found = await newsroom.read(f"/reports/{second['id']}/difference", "bookkeeper")
    assert found["to"] == first["id"]
    assert [(row["kind"], row["id"]) for row in found["items"]] == [
        ("added", "spent-1"), ("changed", "project-1.trainees.2026-01-01.2026-03-31")
    ]  # fmt: skip
    back = await newsroom.read(f"/reports/{first['id']}/difference?to={second['id']}")
    assert [(row["kind"], row["now"] is None) for row in back["items"]] == [("removed", True), ("changed", False)]
    listed = (await newsroom.read("/reports", "coordinator"))["items"]
    assert listed == [first, second]
    async with newsroom.replica() as other:
        assert await bytes_of(other, first["id"]) == before


async def test_what_cannot_be_filed_or_compared_is_a_clear_problem(newsroom: Newsroom) -> None:
    tomorrow = (newsroom.context.now() + timedelta(hours=8, days=1)).date().isoformat()
    wrong = {
        "/until": {"until": tomorrow},
        "/from": {"from": "2026-04-01"},
        "/lang": {"lang": "fr"},
        "/more": {"more": 1},
    }
    for pointer, change in wrong.items():
        answer = await newsroom.post("/reports", QUARTER | change)
        assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert (await newsroom.post("/reports", {})).status_code == 422
    report = await file(newsroom)
    assert (await newsroom.get(f"/reports/{report['id']}/difference")).status_code == 404
    assert (await newsroom.get(f"/reports/{report['id']}/difference?to=nothing")).status_code == 422
    assert (await newsroom.get("/reports/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("role", "reads", "files"),
    [("partner", 403, 403), ("officer", 403, 403), ("coordinator", 200, 201), ("monitor", 200, 201),
     ("bookkeeper", 200, 403)],
)  # fmt: skip
async def test_who_may_read_and_who_may_file(newsroom: Newsroom, role: str, reads: int, files: int) -> None:
    report = await file(newsroom)
    assert (await newsroom.get(f"/reports/{report['id']}", role)).status_code == reads
    assert (await newsroom.get("/reports", role)).status_code == reads
    assert (await newsroom.post("/reports", QUARTER, role)).status_code == files
