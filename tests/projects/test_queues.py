"""A queue of edits as one call: what is wrong with one of them, or breaks off, spoils none of the others."""

import itertools
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.kit.clock import rfc3339
from services.projects import domain
from services.projects.store import Tx
from tests.projects.conftest import Office
from tests.projects.phone import edit, note_of, observed, outcomes, push


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
    assert "/occurred_at" in results[2]["detail"]["en"]
    assert results[2]["detail"]["zh"] == "内容有误：这个时间还没有到；请检查手机的时钟。"
    assert "/value" in results[3]["detail"]["en"]
    assert results[3]["detail"]["zh"] == "内容有误：不能小于 0。"


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
        {"kind": "observation", "fields": {"indicator": "villages_with_fibre", "value": 1, "on": "2999-01-01"}},
        {"kind": "observation", "fields": {}},
    ],
)
async def test_what_is_wrong_with_an_edit_is_that_edits_refusal(office: Office, change: dict[str, Any]) -> None:
    id = await office.open()
    results = await push(office, edit("a", id, "n") | change, edit("b", id, "good"))
    assert outcomes(results) == ["refused", "applied"]
    assert not re.search("[a-z]{3,} [a-z]{2,}", results[0]["detail"]["zh"]), results[0]["detail"]


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


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of edits on which a fault of ours shows."""
    ids: set[str] = set()
    settle = domain.settle_edit

    def settled(edit: Any, *given: Any, **named: Any) -> Any:
        if edit.id in ids:
            raise ZeroDivisionError
        return settle(edit, *given, **named)

    for module in ("domain", "domain.sync"):
        monkeypatch.setattr(f"services.projects.{module}.settle_edit", settled)
    return ids


async def test_an_edit_on_which_we_fail_is_refused_alone_and_can_be_sent_again(
    office: Office, failing: set[str]
) -> None:
    id = await office.open()
    queue = [edit(f"e{n}", id, f"note {n}", after=f"e{n - 1}" if n in (1, 2, 4) else None) for n in range(5)]
    failing.add("e2")
    assert outcomes(await push(office, *queue)) == ["applied", "applied", "refused", "conflict", "conflict"]
    assert await note_of(office, id) == "note 1"
    failing.clear()
    again = await push(office, *queue)
    assert outcomes(again) == ["duplicate", "duplicate", "applied", "duplicate", "duplicate"]
    assert await note_of(office, id) == "note 2"


async def test_an_edit_that_waited_and_on_which_we_fail_is_refused_and_holds_up_nothing(
    office: Office, failing: set[str]
) -> None:
    id = await office.open()
    waiting = [edit("b", id, "二", after="a"), edit("c", id, "三", milestone_no=2, after="a")]
    assert outcomes(await push(office, *waiting)) == ["waiting", "waiting"]
    failing.add("b")
    assert outcomes(await push(office, edit("a", id, "一"))) == ["applied"]
    assert outcomes(await push(office, waiting[1])) == ["duplicate"]
    assert (await office.database.edits.find_one({"_id": "b"}))["outcome"] == "refused"
    failing.clear()
    assert outcomes(await push(office, waiting[0])) == ["applied"]
    assert await note_of(office, id) == "二"


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


async def test_a_note_that_was_cut_within_a_character_holds_up_nothing(office: Office) -> None:
    id = await office.open()
    body = json.dumps({"edits": [edit("cut", id, "通了\ud83d"), edit("other", id, "好", milestone_no=2)]})
    headers = office.token("officer", county_codes=["520326"]) | {"content-type": "application/json"}
    answer = await office.client.post("/sync", content=body, headers=headers)
    assert outcomes(answer.json()["results"]) == ["applied", "applied"]
    assert await note_of(office, id) == "通了?"
