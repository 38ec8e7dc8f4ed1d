"""What a phone sees when it has a line again: a verdict for each edit, once for ever."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.kit.clock import rfc3339
from services.projects.api import sync
from services.projects.store import Tx
from services.projects.streams.edits import release_overdue
from tests.projects.conftest import Office

HERE = {"county_codes": ["520326"]}


def edit(id: str, project_id: str, note: str | None = None, **other: Any) -> dict[str, Any]:
    """A report of milestone 1, begun on its first version."""
    return {
        "id": id,
        "kind": "milestone-report",
        "project_id": project_id,
        "milestone_no": 1,
        "base_version": 1,
        "after": None,
        "occurred_at": "2020-11-01T09:30:00+08:00",
        "fields": {} if note is None else {"note": note},
    } | other


def observed(id: str, project_id: str, value: Any, **other: Any) -> dict[str, Any]:
    fields = {"indicator": "villages_with_fibre", "value": value, "on": "2020-10-31"}
    return edit(id, project_id, kind="observation", milestone_no=None, base_version=None, fields=fields) | other


async def push(office: Office, *edits: dict[str, Any], role: str = "officer", **other: Any) -> list[dict[str, Any]]:
    body = {"edits": edits} | {name: other.pop(name) for name in ("grant",) if name in other}
    answer = await office.post("/sync", body, role, **other)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["id"] for result in results] == [one["id"] for one in edits]
    assert all(result["detail"]["zh"] and result["detail"]["en"] for result in results)
    return results


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [result["outcome"] for result in results]


async def note_of(office: Office, id: str, no: int = 1) -> str | None:
    note: str | None = (await office.project(id))["milestones"][no - 1]["note"]
    return note


async def test_a_report_from_a_phone_is_a_report_of_its_officer_at_its_time(office: Office) -> None:
    id = await office.open()
    (result,) = await push(office, edit("a", id, "已完成"), sub="li")
    assert (result["outcome"], result["version"], result["conflict_id"]) == ("applied", 2, None)
    milestone = (await office.project(id))["milestones"][0]
    assert (milestone["status"], milestone["note"], milestone["reported_by"]) == ("reported", "已完成", "li")
    event = (await office.published(id))[-1]
    assert (event.envelope.type, event.envelope.actor) == ("jiedui.milestone.reported", "li")
    assert event.envelope.time == "2020-11-01T01:30:00.000Z"
    refused = await office.on_milestone(id, 1, "verify", {}, sub="li")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/reporter-cannot-verify")


async def test_an_edit_that_comes_twenty_times_at_once_is_taken_once(office: Office) -> None:
    id = await office.open()
    answers = await asyncio.gather(*(push(office, edit("a", id, "n")) for _ in range(20)))
    assert sorted(outcomes([result for (result,) in answers])) == ["applied"] + ["duplicate"] * 19
    assert {result["version"] for (result,) in answers} == {2}
    assert await office.types(id) == ["jiedui.project.opened", "jiedui.milestone.reported"]


async def test_an_id_is_good_for_one_content_only(office: Office) -> None:
    id = await office.open()
    await push(office, edit("a", id, "一"))
    (other,) = await push(office, edit("a", id, "二"))
    (again,) = await push(office, edit("a", id, "一", base_version=2))
    assert (other["outcome"], again["outcome"]) == ("refused", "duplicate")
    assert await note_of(office, id) == "一"


@pytest.mark.parametrize("calls", [[[3, 1, 2]], [[3], [1], [2]], [[2, 3], [1]], [[3], [2, 1]]])
async def test_a_chain_ends_as_if_it_had_come_in_its_order(office: Office, calls: list[list[int]]) -> None:
    id = await office.open()
    chain = {n: edit(f"e{n}", id, f"note {n}", after=f"e{n - 1}" if n > 1 else None) for n in (1, 2, 3)}
    for numbers in calls:
        await push(office, *(chain[n] for n in numbers))
    assert await note_of(office, id) == "note 3"
    assert outcomes(await push(office, *chain.values())) == ["duplicate"] * 3
    notes = [event.data.note for event in (await office.published(id))[1:]]
    assert notes == ["note 1", "note 2", "note 3"]
    assert (await office.get("/conflicts")).json()["items"] == []


async def test_what_waits_says_so_and_is_refused_after_seven_days(office: Office) -> None:
    id = await office.open()
    chain = [edit("e2", id, "二", after="e1"), edit("e3", id, "三", after="e2")]
    assert outcomes(await push(office, *chain)) == ["waiting", "waiting"]
    assert outcomes(await push(office, *chain)) == ["waiting", "waiting"]
    await release_overdue(office.context)
    assert await office.types(id) == ["jiedui.project.opened"]
    await office.database.edits.update_many({}, {"$set": {"came_at": office.context.now() - timedelta(days=7)}})
    await release_overdue(office.context)
    results = await push(office, *chain)
    assert outcomes(results) == ["refused", "refused"]
    assert "seven days" in results[0]["detail"]["en"]
    assert await office.types(id) == ["jiedui.project.opened"]


async def test_what_was_left_waiting_by_a_program_that_died_is_taken_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await office.open()

    async def die(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(sync, "release", die)
    await push(office, edit("e2", id, "二", after="e1"))
    await push(office, edit("e1", id, "一"))
    assert await note_of(office, id) == "一"
    await release_overdue(office.context)
    assert await note_of(office, id) == "二"


async def test_the_same_field_on_both_sides_is_a_conflict_that_lists_both(office: Office) -> None:
    id = await office.open()
    await office.on_milestone(id, 1, "report", {"occurred_at": "2020-11-01T09:30:00Z", "note": "40"}, sub="wang")
    (result,) = await push(office, edit("a", id, "55"), sub="li")
    assert result["outcome"] == "conflict"
    assert await note_of(office, id) == "40"
    (conflict,) = (await office.get("/conflicts")).json()["items"]
    assert (conflict["id"], conflict["project_id"], conflict["milestone_no"]) == (result["conflict_id"], id, 1)
    (field,) = conflict["fields"]
    assert (field["name"], field["base"], field["mine"], field["theirs"]) == ("note", None, "55", "40")
    assert field["by"] == "wang"
    (again,) = await push(office, edit("a", id, "55"), sub="li")
    assert (again["outcome"], again["conflict_id"]) == ("duplicate", conflict["id"])
    history = (await office.get(f"/projects/{id}/history?limit=500")).json()["items"]
    assert "55" in [item["new"] for item in history]


async def test_other_fields_changed_meanwhile_are_merged_and_evidence_is_a_union(office: Office) -> None:
    id = await office.open()
    first, second = [await office.upload(n) for n in (b"%PDF-1", b"%PDF-2")]
    assert outcomes(await push(office, edit("a", id, fields={"note": "n", "evidence": [first]}))) == ["applied"]
    (merged,) = await push(office, edit("b", id, fields={"evidence": [second]}))
    assert (merged["outcome"], merged["version"]) == ("merged", 3)
    milestone = (await office.project(id))["milestones"][0]
    assert (milestone["note"], milestone["evidence"]) == ("n", [first, second])


async def test_saving_one_milestone_does_not_spoil_another(office: Office) -> None:
    id = await office.open()
    await push(office, edit("a", id, "一"), edit("b", id, "二", milestone_no=2))
    assert outcomes(await push(office, edit("c", id, "三", milestone_no=2, base_version=2))) == ["applied"]
    assert [await note_of(office, id, no) for no in (1, 2)] == ["一", "三"]


async def test_of_ten_edits_two_are_refused_by_themselves(office: Office) -> None:
    id = await office.open()
    soon = rfc3339(office.context.now() + timedelta(minutes=6))
    edits = [
        observed(f"o{n}", id, n, fields={"indicator": "clinics_linked", "value": n, "on": f"2020-10-{n:02}"})
        for n in range(1, 9)
    ]
    edits[2:2] = [edit("ahead", id, "n", occurred_at=soon), observed("minus", id, -1)]
    results = await push(office, *edits)
    assert outcomes(results) == ["applied"] * 2 + ["refused"] * 2 + ["applied"] * 6
    assert "/occurred_at" in results[2]["detail"]["zh"]
    assert "/value" in results[3]["detail"]["zh"]


@pytest.mark.parametrize(
    "change",
    [
        {"project_id": "none"},
        {"milestone_no": 9},
        {"milestone_no": None},
        {"base_version": None},
        {"base_version": 7},
        {"base_version": 0},
        {"after": "a"},
        {"fields": {"note": 5}},
        {"fields": {"note": "x" * 10_001}},
        {"fields": {"status": "verified"}},
        {"fields": {"evidence": ["a" * 64]}},
        {"fields": {"evidence": "a"}},
        {"kind": "observation", "fields": {"indicator": "villages_with_fibre", "value": 10**20, "on": "2020-10-31"}},
        {"kind": "observation", "fields": {"indicator": "visitors", "value": 1, "on": "2020-10-31"}},
        {"kind": "observation", "fields": {}},
    ],
)
async def test_what_is_wrong_with_an_edit_is_that_edits_refusal(office: Office, change: dict[str, Any]) -> None:
    id = await office.open()
    results = await push(office, edit("a", id, "n") | change, edit("b", id, "good"))
    assert outcomes(results) == ["refused", "applied"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"edits": [{}]},
        {"edits": [edit("a", "p") | {"kind": "photo"}]},
        {"edits": [edit("", "p")]},
        {"edits": [edit("a", "p") | {"occurred_at": "now"}]},
        {"edits": [edit("a", "p") | {"extra": 1}]},
        {"edits": [edit("a", "p") | {"milestone_no": 2**64}]},
        {"edits": [], "extra": 1},
    ],
)
async def test_what_is_no_queue_at_all_is_422(office: Office, body: Any) -> None:
    assert (await office.post("/sync", body, "officer")).status_code == 422


async def test_what_was_refused_can_be_mended_under_its_id_and_holds_up_nobody(office: Office) -> None:
    id = await office.open()
    soon = rfc3339(office.context.now() + timedelta(minutes=6))
    chain = [edit("e1", id, "一", occurred_at=soon), edit("e2", id, "二", after="e1")]
    assert outcomes(await push(office, *chain)) == ["refused", "applied"]
    mended = edit("e1", id, "一")
    assert outcomes(await push(office, mended)) == ["merged"]
    assert await note_of(office, id) == "二", "the later edit of the same phone counts"
    assert outcomes(await push(office, mended)) == ["duplicate"]


async def test_work_done_while_a_grant_held_is_taken_and_other_work_is_not(office: Office) -> None:
    id = await office.open()
    grant = (await office.get("/sync", "officer", sub="li", **HERE)).json()["grant"]
    now, moved = rfc3339(office.context.now()), {"county_codes": ["513431"]}
    done = edit("a", id, "n", occurred_at=now)
    assert outcomes(await push(office, done, sub="li", **moved)) == ["refused"]
    assert outcomes(await push(office, done, sub="wang", grant=grant, **moved)) == ["refused"]
    assert outcomes(await push(office, done, sub="li", grant=grant + "x", **moved)) == ["refused"]
    assert outcomes(await push(office, done, sub="li", grant=grant, **moved)) == ["applied"]
    before = edit("b", id, "n", occurred_at="2020-01-01T00:00:00Z")
    assert outcomes(await push(office, before, sub="li", grant=grant, **moved)) == ["refused"]


async def test_a_phone_gets_the_projects_of_its_counties_page_by_page_with_a_grant(office: Office) -> None:
    mine = [await office.open() for _ in range(3)]
    await office.open(county_code="513431")
    first = (await office.get("/sync?limit=2", "officer", **HERE)).json()
    second = (await office.get(f"/sync?limit=2&cursor={first['next_cursor']}", "officer", **HERE)).json()
    assert [item["id"] for page in (first, second) for item in page["items"]] == mine
    assert all(page["grant"] for page in (first, second))
    assert second["next_cursor"] is None
    assert (await office.get("/sync", "partner", partner_id="p")).status_code == 403


async def test_of_two_observations_of_the_same_days_the_later_made_counts(office: Office) -> None:
    id = await office.open()
    late = observed("late", id, 12, occurred_at="2020-11-01T11:00:00Z")
    early = observed("early", id, 10, occurred_at="2020-11-01T09:00:00Z")
    newest = observed("newest", id, 14, occurred_at="2020-11-01T12:00:00Z")
    assert outcomes(await push(office, late, early, newest)) == ["applied", "merged", "merged"]
    indicators = {one["code"]: one for one in (await office.project(id))["indicators"]}
    assert indicators["villages_with_fibre"]["actual"] == 14
    history = (await office.get(f"/projects/{id}/history?limit=500")).json()["items"]
    assert (12, 10) in [(item["old"], item["new"]) for item in history if item["field"].startswith("superseded/")]


async def test_a_chain_of_observations_corrects_itself_whatever_the_phones_clock_says(office: Office) -> None:
    id = await office.open()
    first = observed("o1", id, 10, occurred_at="2020-11-01T11:00:00Z")
    second = observed("o2", id, 12, occurred_at="2020-11-01T09:00:00Z", after="o1")
    assert outcomes(await push(office, second, first)) == ["applied", "applied"]
    (kept,) = (await office.get(f"/projects/{id}/observations")).json()["items"]
    assert (kept["value"], kept["version"]) == (12, 2)


async def test_an_edit_of_a_verified_milestone_reopens_it_and_one_that_says_nothing_new_does_not(
    office: Office,
) -> None:
    id = await office.open()
    occurred = {"occurred_at": "2020-11-01T09:30:00Z", "note": "n"}
    await office.on_milestone(id, 1, "report", occurred, "officer", sub="li")
    await office.on_milestone(id, 1, "verify", {})
    assert outcomes(await push(office, edit("same", id, "n"), sub="wang")) == ["merged"]
    assert (await office.project(id))["milestones"][0]["status"] == "verified"
    assert outcomes(await push(office, edit("new", id, "m", base_version=2), sub="wang")) == ["merged"]
    assert (await office.project(id))["milestones"][0]["status"] == "reported"
    assert (await office.published(id))[-1].data.reopened is True


async def test_an_ended_project_refuses_and_a_suspended_one_takes(office: Office) -> None:
    id = await office.open()
    await office.post(f"/projects/{id}/suspend", {"reason": "洪水"})
    assert outcomes(await push(office, edit("a", id, "n"))) == ["applied"]
    await office.post(f"/projects/{id}/cancel", {"reason": "r"})
    assert outcomes(await push(office, edit("b", id, "m", base_version=2))) == ["refused"]


async def test_a_chain_cannot_be_anothers_nor_go_round(office: Office) -> None:
    id = await office.open()
    await push(office, edit("e1", id, "一"), sub="li")
    assert outcomes(await push(office, edit("e2", id, "二", after="e1"), sub="wang")) == ["refused"]
    round_ = [edit("x", id, "x", after="y"), edit("y", id, "y", after="x")]
    assert outcomes(await push(office, *round_)) == ["waiting", "waiting"]


async def test_with_an_idempotency_key_the_first_answer_comes_again(office: Office) -> None:
    id = await office.open()
    headers, body = {"idempotency-key": "k"}, {"edits": [edit("a", id, "n")]}
    first = await office.post("/sync", body, "officer", headers=headers)
    again = await office.post("/sync", body, "officer", headers=headers)
    assert first.json() == again.json()
    other = await office.post("/sync", {"edits": [edit("b", id, "m")]}, "officer", headers=headers)
    assert other.status_code == 422
    assert await note_of(office, id) == "n"


async def test_what_was_taken_before_the_database_broke_off_stays_taken(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await office.open()
    queue = [edit(f"e{n}", id, f"note {n}", after=f"e{n - 1}" if n else None) for n in range(5)]
    calls, around = itertools.count(), Tx.around

    async def break_off(tx: Tx, of: Any) -> Any:
        # Each is looked up twice: ahead, and when it is its turn.
        if next(calls) == 6:
            raise ServerSelectionTimeoutError
        return await around(tx, of)

    monkeypatch.setattr(Tx, "around", break_off)
    monkeypatch.setattr("services.projects.api.sync._A_UNIT", 3)
    cut = await office.post("/sync", {"edits": queue}, "officer")
    assert (cut.status_code, cut.headers["retry-after"]) == (503, "2")
    assert await note_of(office, id) == "note 2"
    assert outcomes(await push(office, *queue)) == ["duplicate"] * 3 + ["applied"] * 2
    assert await note_of(office, id) == "note 4"


async def test_a_queue_of_two_hundred_is_taken_in_the_order_of_its_chains(office: Office) -> None:
    """Several units of work, some chains over the ends of them, sent backwards and then once more."""
    ids = [await office.open() for _ in range(2)]
    queue = [
        edit(f"e{n}", ids[n % 2], f"note {n}", milestone_no=1 + n // 2 % 2, after=f"e{n - 4}" if n >= 4 else None)
        for n in range(200)
    ]
    assert outcomes(await push(office, *reversed(queue))) == ["applied"] * 200
    for place, id in enumerate(ids):
        milestones = (await office.project(id))["milestones"]
        assert [milestones[no]["note"] for no in (0, 1)] == [f"note {196 + place}", f"note {198 + place}"]
        assert [milestones[no]["version"] for no in (0, 1)] == [51, 51]
        assert (await office.types(id)).count("jiedui.milestone.reported") == 100
    assert outcomes(await push(office, *queue)) == ["duplicate"] * 200


async def test_the_same_words_under_another_id_are_taken_and_marked_as_probably_the_same(office: Office) -> None:
    id = await office.open()
    (first,) = await push(office, observed("first", id, 12))
    later = {"occurred_at": "2020-11-01T09:50:00+08:00"}
    twin, other = await push(office, observed("twin", id, 12, **later), observed("other", id, 13, **later))
    assert [one["probable_duplicate_of"] for one in (first, twin, other)] == [None, "first", None]
    assert [one["outcome"] for one in (twin, other)] == ["merged", "merged"]
    (colleagues,) = await push(office, observed("colleague's", id, 12, **later), sub="colleague")
    assert colleagues["probable_duplicate_of"] is None
    await office.database.edits.update_many({}, {"$set": {"came_at": office.context.now() - timedelta(minutes=61)}})
    (an_hour_later,) = await push(office, observed("later", id, 12, **later))
    assert an_hour_later["probable_duplicate_of"] is None
