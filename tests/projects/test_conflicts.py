"""Conflicts: who may settle them, what comes of it, and that no value is lost."""

import csv
import io
from typing import Any

import pytest

from tests.projects.conftest import Office
from tests.projects.phone import edit, note_of, outcomes, push

OCCURRED = "2020-11-01T09:30:00Z"


async def a_conflict(office: Office) -> tuple[str, str]:
    """Project and conflict: wang wrote 40 here, li 55 on a phone."""
    id = await office.open()
    await office.on_milestone(id, 1, "report", {"occurred_at": OCCURRED, "note": "40"}, sub="wang")
    (result,) = await push(office, edit("a", id, "55"), sub="li")
    return id, result["conflict_id"]


async def resolve(office: Office, conflict_id: str, note: Any, role: str = "coordinator", **claims: Any) -> Any:
    body = {"fields": {"note": note}, "reason": "现场核实"}
    return await office.post(f"/conflicts/{conflict_id}/resolve", body, role, **claims)


@pytest.mark.parametrize(
    ("note", "reporters"), [("40", ["wang", "li"]), ("55", ["wang", "li"]), ("50", ["wang", "li", "zhao"])]
)
async def test_a_person_decides_and_whoever_gave_the_value_cannot_verify_it(
    office: Office, note: str, reporters: list[str]
) -> None:
    id, conflict_id = await a_conflict(office)
    resolved = await resolve(office, conflict_id, note, sub="zhao")
    assert (resolved.status_code, resolved.json()["status"], resolved.json()["resolved_by"]) == (
        200,
        "resolved",
        "zhao",
    )
    assert await note_of(office, id) == note
    assert (await office.get("/conflicts")).json()["items"] == []
    (kept,) = (await office.get("/conflicts?status=resolved")).json()["items"]
    assert (kept["resolution"], kept["reason"]) == ({"note": note}, "现场核实")
    history = (await office.get(f"/projects/{id}/history?limit=500")).json()["items"]
    assert ("55", note, "zhao") in [(item["old"], item["new"], item["who"]) for item in history]
    for sub in ("wang", "li", "zhao"):
        answer = await office.on_milestone(id, 1, "verify", {}, sub=sub)
        assert (answer.status_code == 403) == (sub in reporters), sub
        if answer.status_code == 200:
            break


async def test_taking_the_phones_value_is_a_report_and_keeping_ours_is_none(office: Office) -> None:
    id, conflict_id = await a_conflict(office)
    before = await office.types(id)
    await resolve(office, conflict_id, "40")
    assert await office.types(id) == before
    id, conflict_id = await a_conflict_of(office, "b")
    await resolve(office, conflict_id, "55")
    event = (await office.published(id))[-1]
    assert (event.envelope.type, event.data.note) == ("jiedui.milestone.reported", "55")


async def a_conflict_of(office: Office, name: str) -> tuple[str, str]:
    id = await office.open()
    await office.on_milestone(id, 1, "report", {"occurred_at": OCCURRED, "note": "40"}, sub="wang")
    (result,) = await push(office, edit(name, id, "55"), sub="li")
    return id, result["conflict_id"]


async def test_a_conflict_is_settled_once_and_with_its_own_fields(office: Office) -> None:
    _, conflict_id = await a_conflict(office)
    path = f"/conflicts/{conflict_id}/resolve"
    for fields in ({}, {"evidence": "x"}, {"note": "x", "status": "y"}, {"note": 5}):
        assert (await office.post(path, {"fields": fields, "reason": "r"})).status_code == 422, fields
    assert (await office.post(path, {"fields": {"note": "x"}})).status_code == 422
    assert (await resolve(office, conflict_id, "x")).status_code == 200
    again = await resolve(office, conflict_id, "y")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict-is-resolved")


async def test_officers_see_and_settle_those_of_their_counties_and_others_none(office: Office) -> None:
    _, conflict_id = await a_conflict(office)
    there = {"county_codes": ["513431"]}
    assert (await office.get("/conflicts", "officer", **there)).json()["items"] == []
    assert (await office.get(f"/conflicts/{conflict_id}", "officer", **there)).status_code == 404
    assert (await resolve(office, conflict_id, "x", "officer", **there)).status_code == 404
    for role in ("partner", "monitor", "bookkeeper"):
        assert (await office.get("/conflicts", role)).status_code == 403
    here = {"county_codes": ["520326"]}
    assert len((await office.get("/conflicts", "officer", **here)).json()["items"]) == 1
    assert (await resolve(office, conflict_id, "x", "officer", **here)).status_code == 200


async def test_an_open_conflict_shows_what_stands_here_now_and_the_phones_last_word(office: Office) -> None:
    id, conflict_id = await a_conflict(office)
    await office.on_milestone(id, 1, "report", {"occurred_at": OCCURRED, "note": "41"}, sub="zhao")
    (later,) = await push(office, edit("b", id, "56", after="a"), sub="li")
    assert (later["outcome"], later["conflict_id"]) == ("conflict", conflict_id)
    (conflict,) = (await office.get("/conflicts")).json()["items"]
    (field,) = conflict["fields"]
    assert (field["base"], field["mine"], field["theirs"], field["by"]) == (None, "56", "41", "zhao")
    stale = await office.post(
        f"/conflicts/{conflict_id}/resolve",
        {"fields": {"note": "x"}, "reason": "r"},
        headers={"if-match": '"1"'},
    )
    assert (stale.status_code, stale.json()["current"]["fields"][0]["theirs"]) == (412, "41")


async def test_in_an_ended_project_a_conflict_can_only_be_settled_for_what_stands(office: Office) -> None:
    id, conflict_id = await a_conflict(office)
    await office.post(f"/projects/{id}/cancel", {"reason": "r"})
    assert (await resolve(office, conflict_id, "55")).status_code == 409
    assert (await resolve(office, conflict_id, "40")).status_code == 200


async def test_as_a_table_each_conflict_says_how_and_by_whom_it_was_settled(office: Office) -> None:
    for note in ("55", "40", "=1+1"):
        _, conflict_id = await a_conflict(office) if note == "55" else await a_conflict_of(office, note)
        await resolve(office, conflict_id, note, sub="zhao")
    await a_conflict_of(office, "open")
    answer = await office.get("/conflicts?status=all&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    told = [[row[name] for name in ("mine", "theirs", "resolution", "resolved_how", "resolved_by")] for row in rows]
    assert told == [
        ["55", "40", "55", "mine", "zhao"],
        ["55", "40", "40", "theirs", "zhao"],
        ["55", "40", "'=1+1", "other", "zhao"],
        ["55", "40", "", "", ""],
    ]
    (only,) = csv.DictReader(io.StringIO((await office.get("/conflicts?format=csv")).content.decode("utf-8-sig")))
    assert only["status"] == "open"


async def test_two_phones_with_the_same_report_are_both_kept(office: Office) -> None:
    id = await office.open()
    first, second = (
        await push(office, edit("a", id, "甲"), sub="li"),
        await push(office, edit("b", id, "乙"), sub="wang"),
    )
    assert outcomes(first + second) == ["applied", "conflict"]
    same = await push(office, edit("c", id, "甲"), sub="zhao")
    assert outcomes(same) == ["merged"], "the same words are no clash"
