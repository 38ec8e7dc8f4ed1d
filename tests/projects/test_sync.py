"""What a phone sees when it has a line again: a verdict for each edit, once for ever."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.kit.clock import rfc3339
from services.projects.streams.edits import release_overdue
from tests.projects.conftest import Office
from tests.projects.phone import HERE, edit, note_of, observed, outcomes, push


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

    monkeypatch.setattr("services.projects.api.sync.release", die)
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
