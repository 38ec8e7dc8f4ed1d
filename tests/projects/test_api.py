"""What callers of projects see: states, versions, who may what, and what is wrong with a request."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.kit.clock import rfc3339
from tests.projects.conftest import Office

OCCURRED = {"occurred_at": "2020-11-01T09:30:00+08:00"}
VERSION_1 = {"if-match": '"1"'}


async def test_a_project_shows_all_that_the_contract_names(office: Office) -> None:
    id = await office.open()
    response = await office.get(f"/projects/{id}")
    project = response.json()
    assert response.headers["etag"] == '"1"'
    assert (project["id"], project["status"], project["decision"], project["at_risk"]) == (id, "active", None, [])
    assert (project["progress"], project["county_code"], project["category"]) == (0, "520326", "coverage")
    assert project["title"] == {"zh": "村村通光纤", "en": "Fibre to every village"}
    assert sum(milestone["weight"] for milestone in project["milestones"]) == 100
    first = project["milestones"][0]
    assert (first["no"], first["status"], first["version"], first["reported_by"]) == (1, "pending", 1, None)
    share = next(indicator for indicator in project["indicators"] if indicator["code"] == "fibre_village_share")
    assert share == {
        "code": "fibre_village_share",
        "kind": "ratio",
        "unit": "%",
        "baseline": 70,
        "target": 98,
        "actual": None,
        "observations": 0,
    }
    nought = {"currency": "CNY", "reserved": "0.00", "released": "0.00", "spent": "0.00", "returned": "0.00"}
    assert project["funds"] == nought


async def test_a_milestone_goes_from_report_to_verified_and_the_project_shows_it(office: Office) -> None:
    id = await office.open()
    reported = await office.on_milestone(id, 1, "report", OCCURRED | {"note": "已完成"}, "officer")
    assert (reported.status_code, reported.headers["etag"]) == (200, '"2"')
    assert reported.json()["occurred_at"] == "2020-11-01T01:30:00.000Z"
    assert reported.json()["reported_by"] == "officer"
    verified = await office.on_milestone(id, 1, "verify", {"note": "现场核实"})
    assert verified.json()["verified_by"] == "coordinator"
    project = await office.project(id)
    assert project["progress"] == project["milestones"][0]["weight"]
    assert project["version"] == 3
    _, report, verification = await office.published(id)
    assert report.envelope.time == "2020-11-01T01:30:00.000Z"
    assert report.envelope.recordedtime > report.envelope.time
    assert report.envelope.actor == "officer"
    assert verification.data.progress == project["progress"]
    assert await office.types(id) == [
        "jiedui.project.opened",
        "jiedui.milestone.reported",
        "jiedui.milestone.verified",
    ]


async def test_versions_are_per_milestone_so_saving_one_does_not_spoil_another(office: Office) -> None:
    id = await office.open()
    for no in (1, 2):
        path = f"/projects/{id}/milestones/{no}/report"
        assert (await office.post(path, OCCURRED, "officer", headers=VERSION_1)).status_code == 200


async def test_a_missing_if_match_is_428_and_a_stale_one_412_with_the_current_milestone(office: Office) -> None:
    id = await office.open()
    path = f"/projects/{id}/milestones/1/report"
    assert (await office.post(path, {"nonsense": 1}, "officer")).status_code == 428
    assert (await office.post(path, OCCURRED | {"note": "40"}, "officer", headers=VERSION_1)).status_code == 200
    stale = await office.post(path, OCCURRED | {"note": "55"}, "officer", headers=VERSION_1, sub="another")
    assert stale.status_code == 412
    current = stale.json()["current"]
    assert (current["note"], current["version"], current["reported_by"]) == ("40", 2, "officer")


async def test_the_reporter_cannot_verify_whatever_roles_they_have(office: Office) -> None:
    id = await office.open()
    await office.on_milestone(id, 1, "report", OCCURRED, "coordinator", sub="wang")
    await office.on_milestone(id, 1, "report", OCCURRED, "officer", sub="li")
    for sub in ("wang", "li"):
        refused = await office.on_milestone(id, 1, "verify", {}, "coordinator", sub=sub)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/reporter-cannot-verify")
    # A 403 is told first, even where the request itself is wrong.
    assert (await office.post(f"/projects/{id}/milestones/1/verify", {}, sub="li")).status_code == 403
    assert (await office.on_milestone(id, 1, "verify", {}, sub="zhao")).status_code == 200


async def test_an_edit_after_verification_is_reported_again(office: Office) -> None:
    id = await office.open()
    await office.on_milestone(id, 1, "report", OCCURRED, "officer")
    await office.on_milestone(id, 1, "verify", {})
    again = await office.on_milestone(id, 1, "report", OCCURRED | {"note": "更正"}, "officer")
    assert (again.json()["status"], again.json()["verified_by"]) == ("reported", None)
    assert (await office.project(id))["progress"] == 0
    assert (await office.published(id))[-1].data.reopened is True


async def test_sending_back_and_rescheduling_need_a_reason(office: Office) -> None:
    id = await office.open()
    await office.on_milestone(id, 1, "report", OCCURRED, "officer")
    for step, body in (("return", {}), ("return", {"reason": " \u200b "}), ("reschedule", {"due_on": "2030-01-31"})):
        refused = await office.on_milestone(id, 1, step, body)
        assert (refused.status_code, [e["pointer"] for e in refused.json()["errors"]]) == (422, ["/reason"])
    returned = await office.on_milestone(id, 1, "return", {"reason": "照片不清"})
    assert (returned.json()["status"], returned.json()["reason"]) == ("returned", "照片不清")
    moved = await office.on_milestone(id, 1, "reschedule", {"due_on": "2030-01-31", "reason": "雨季"})
    assert moved.json()["due_on"] == "2030-01-31"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/occurred_at"}),
        ({"occurred_at": "2020-11-01", "note": 5, "extra": 1}, {"/occurred_at", "/note", "/extra"}),
        ({"occurred_at": "2020-11-01T09:30:00"}, {"/occurred_at"}),
        ({"occurred_at": "2020-02-30T09:30:00Z"}, {"/occurred_at"}),
        ({"occurred_at": "0001-01-01T00:00:00+08:00"}, {"/occurred_at"}),
        ({"occurred_at": "1604194200"}, {"/occurred_at"}),
        ({"occurred_at": 1604194200}, {"/occurred_at"}),
        ({"occurred_at": "2999-01-01T00:00:00Z", "evidence": ["a" * 64]}, {"/occurred_at", "/evidence/0"}),
        (OCCURRED | {"evidence": ["nonsense", 5]}, {"/evidence/0", "/evidence/1"}),
        (OCCURRED | {"note": "x" * 10_001}, {"/note"}),
        (
            {"occurred_at": "2999-01-01T00:00:00Z", "evidence": ["a" * 64], "note": 5, "a/b": 1},
            {"/occurred_at", "/evidence/0", "/note", "/a~1b"},
        ),
        ({"evidence": ["a" * 64]}, {"/occurred_at", "/evidence/0"}),
    ],
)
async def test_a_wrong_report_is_told_every_fault_and_changes_nothing(
    office: Office, body: dict[str, Any], pointers: set[str]
) -> None:
    id = await office.open()
    refused = await office.on_milestone(id, 1, "report", body, "officer")
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == pointers
    assert (await office.project(id))["version"] == 1
    assert await office.types(id) == ["jiedui.project.opened"]


async def test_a_report_may_be_a_little_ahead_of_our_clock(office: Office) -> None:
    id = await office.open()
    ahead = {"occurred_at": rfc3339(office.context.now() + timedelta(minutes=4))}
    assert (await office.on_milestone(id, 1, "report", ahead, "officer")).status_code == 200
    too_far = {"occurred_at": rfc3339(office.context.now() + timedelta(minutes=6))}
    assert (await office.on_milestone(id, 1, "report", too_far, "officer")).status_code == 422


async def test_what_a_get_gave_can_be_sent_back_with_a_report(office: Office) -> None:
    id = await office.open()
    reported = await office.on_milestone(id, 1, "report", OCCURRED | {"note": "一"}, "officer")
    again = await office.on_milestone(id, 1, "report", reported.json() | {"note": "二"}, "officer")
    assert (again.status_code, again.json()["note"]) == (200, "二")


async def test_a_suspended_project_takes_reports_but_verifies_nothing(office: Office) -> None:
    id = await office.open()
    assert (await office.post(f"/projects/{id}/suspend", {"reason": "洪水"})).json()["status"] == "suspended"
    assert (await office.on_milestone(id, 1, "report", OCCURRED, "officer")).status_code == 200
    refused = await office.on_milestone(id, 1, "verify", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/project-is-suspended")
    assert (await office.post(f"/projects/{id}/resume", {"reason": "水退"})).json()["status"] == "active"
    assert (await office.on_milestone(id, 1, "verify", {})).status_code == 200


async def test_a_cancelled_project_takes_nothing_more(office: Office) -> None:
    id = await office.open()
    await office.on_milestone(id, 1, "report", OCCURRED, "officer")
    assert (await office.post(f"/projects/{id}/cancel", {"reason": "不再需要"})).json()["status"] == "cancelled"
    for step, body in (("report", OCCURRED), ("verify", {}), ("return", {"reason": "r"})):
        refused = await office.on_milestone(id, 1, step, body, sub="someone")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/project-ended")
    observation = OCCURRED | {"indicator": "clinics_linked", "value": 3, "on": "2020-11-01"}
    assert (await office.post(f"/projects/{id}/observations", observation)).status_code == 409
    assert (await office.types(id))[-1] == "jiedui.project.cancelled"


async def test_completing_needs_every_milestone_verified(office: Office) -> None:
    id = await office.open()
    refused = await office.post(f"/projects/{id}/complete", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/milestones-unverified")
    for milestone in (await office.project(id))["milestones"]:
        await office.on_milestone(id, milestone["no"], "report", OCCURRED, "officer")
        await office.on_milestone(id, milestone["no"], "verify", {})
    completed = await office.post(f"/projects/{id}/complete", {})
    assert (completed.json()["status"], completed.json()["progress"]) == ("completed", 100)


async def test_other_changes_hold_if_match_only_where_it_is_given(office: Office) -> None:
    id = await office.open()
    stale = await office.post(f"/projects/{id}/suspend", {"reason": "r"}, headers={"if-match": '"7"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 1)
    assert (await office.post(f"/projects/{id}/suspend", {"reason": "r"}, headers=VERSION_1)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"x"',
        b"null",
        b'{"note":"\\ud800","occurred_at":"2020-11-01T09:30:00Z"}',
        b'{"evidence":["\\ud800"],"occurred_at":"2020-11-01T09:30:00Z"}',
    ],
)
async def test_a_body_that_is_no_report_at_all_is_422(office: Office, body: bytes) -> None:
    id = await office.open()
    headers = office.token("coordinator") | VERSION_1 | {"content-type": "application/json"}
    refused = await office.client.post(f"/projects/{id}/milestones/1/report", content=body, headers=headers)
    assert refused.status_code == 422


async def test_officers_and_partners_see_their_own_projects_only(office: Office) -> None:
    mine = await office.open(county_code="520326", partner_id="mine")
    other = await office.open(county_code="513431", partner_id="theirs")
    officer, partner = {"county_codes": ["520326"]}, {"partner_id": "mine"}
    for role, claims in (("officer", officer), ("partner", partner)):
        listed = (await office.get("/projects?total=true", role, **claims)).json()
        assert ([item["id"] for item in listed["items"]], listed["total"]) == ([mine], 1)
        for path in ("", "/history", "/observations"):
            assert (await office.get(f"/projects/{mine}{path}", role, **claims)).status_code == 200
            assert (await office.get(f"/projects/{other}{path}", role, **claims)).status_code == 404
    for role in ("coordinator", "monitor", "bookkeeper"):
        assert (await office.get("/projects?total=true", role)).json()["total"] == 2
    report = f"/projects/{other}/milestones/1/report"
    assert (await office.post(report, OCCURRED, "officer", headers=VERSION_1)).status_code == 404
    assert (await office.get("/projects", "officer")).json()["items"] == []


async def test_roles_without_the_right_are_refused_before_anything_else(office: Office) -> None:
    for role in ("partner", "monitor", "bookkeeper"):
        assert (await office.post("/projects/none/milestones/1/report", {}, role)).status_code == 403
        assert (await office.post("/projects/none/observations", {}, role)).status_code == 403
    for role in ("partner", "officer", "monitor", "bookkeeper"):
        for step in ("milestones/1/verify", "milestones/1/return", "suspend", "resume", "cancel", "complete"):
            assert (await office.post(f"/projects/none/{step}", {}, role)).status_code == 403
    assert (await office.client.get("/projects")).status_code == 401


async def test_what_a_path_names_is_404_when_it_is_not_there(office: Office) -> None:
    id = await office.open()
    for path in (
        "/projects/none/suspend",
        f"/projects/{id}/milestones/9/report",
        f"/projects/{id}/milestones/0/verify",
        f"/projects/{id}/milestones/x/report",
    ):
        assert (await office.post(path, {})).status_code == 404, path
    assert (await office.get(f"/projects/{id}/observations/none")).status_code == 404


async def test_lists_are_asked_by_what_the_contract_names(office: Office) -> None:
    coverage = await office.open()
    education = await office.open(category="education", county_code="513431", partner_id="partner-2")
    await office.post(f"/projects/{education}/suspend", {"reason": "r"})
    due = (await office.project(coverage))["milestones"][0]["due_on"]

    async def found(query: str) -> list[str]:
        return [item["id"] for item in (await office.get(f"/projects?{query}")).json()["items"]]

    assert await found("category=coverage") == [coverage]
    assert await found("county=513431") == [education]
    assert await found("partner=partner-2") == [education]
    assert await found("status=suspended") == [education]
    assert await found("decision=open") == []
    assert await found("at_risk=true") == []
    assert await found("at_risk=false") == [coverage, education]
    assert coverage not in await found(f"due_before={due}")
    await office.on_milestone(coverage, 1, "reschedule", {"due_on": "2020-01-01", "reason": "r"})
    assert await found("due_before=2020-01-02") == [coverage]
    await office.on_milestone(coverage, 1, "report", OCCURRED, "officer")
    assert await found("milestone=reported") == [coverage]
    await office.on_milestone(coverage, 1, "verify", {})
    assert await found("due_before=2020-01-02") == []
    for wrong in (
        "status=done",
        "category=roads",
        "decision=closed",
        "due_before=soon",
        "milestone=done",
        "colour=red",
    ):
        assert (await office.get(f"/projects?{wrong}")).status_code == 422, wrong


async def test_history_tells_of_each_field_who_when_old_and_new(office: Office) -> None:
    id = await office.open()
    for note in ("一", "二", "三"):
        await office.on_milestone(id, 1, "report", OCCURRED | {"note": note}, "officer", sub="li")
    await office.on_milestone(id, 1, "return", {"reason": "照片不清"})
    items = (await office.get(f"/projects/{id}/history?limit=500")).json()["items"]
    notes = [item for item in items if item["field"] == "milestones/1/note"]
    assert [(item["who"], item["old"], item["new"]) for item in notes] == [
        ("li", None, "一"),
        ("li", "一", "二"),
        ("li", "二", "三"),
    ]
    assert [item["when"] for item in items] == sorted(item["when"] for item in items)
    assert (items[-1]["field"], items[-1]["new"], items[-1]["reason"]) == (
        "milestones/1/status",
        "returned",
        "照片不清",
    )


async def test_five_reports_with_one_key_are_one_report(office: Office) -> None:
    id = await office.open()
    path, headers = f"/projects/{id}/milestones/1/report", VERSION_1 | {"idempotency-key": "k"}
    answers = await asyncio.gather(*(office.post(path, OCCURRED, "officer", headers=headers) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.content for answer in answers}) == 1
    assert await office.types(id) == ["jiedui.project.opened", "jiedui.milestone.reported"]
    other = await office.post(path, OCCURRED | {"note": "n"}, "officer", headers=headers)
    assert other.status_code == 422


async def test_two_who_save_the_same_version_at_once_are_one_success_and_one_412(office: Office) -> None:
    id = await office.open()
    path = f"/projects/{id}/milestones/1/report"
    answers = await asyncio.gather(
        *(office.post(path, OCCURRED | {"note": sub}, "officer", sub=sub, headers=VERSION_1) for sub in ("a", "b"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
