"""What is wrong with a request: each its status, all faults at once, nothing half done, no event."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.pairing.conftest import Desk


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return sorted(fault["pointer"] for fault in answer.json()["errors"])


@pytest.mark.parametrize(
    "amount", ["0.005", "1e2", "-1", "NaN", "", " 1", "１００", "1,200.50", "1.", 100, 0.5, None, True]
)
async def test_what_is_no_amount_is_refused(desk: Desk, amount: Any) -> None:
    partner = await desk.partner()
    before = await desk.events_total()
    support = {"kind": "money", "amount": amount, "currency": "CNY"}
    answer = await desk.send("POST", "/commitments", desk.offer(support=support, partner_id=partner))
    assert answer.status_code == 422
    assert pointers(answer) == ["/support/amount"]
    assert (await desk.get("/commitments"))["items"] == []
    assert await desk.events_total() == before


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"valid_until": "2020-02-30"}, ["/valid_until"]),
        ({"valid_from": "2026-06-02T00:00:00"}, ["/valid_from"]),
        ({"valid_from": 20260602}, ["/valid_from"]),
        ({"valid_from": "2026-06-02", "valid_until": "2026-06-01"}, ["/valid_until"]),
        ({"projects_max": 0}, ["/projects_max"]),
        ({"projects_max": "3"}, ["/projects_max"]),
        ({"projects_max": 1.0}, ["/projects_max"]),
        ({"support": {"kind": "money", "amount": "0.02", "currency": "CNY"}}, ["/projects_max"]),
        ({"support": {"kind": "goods", "quantity": 2, "unit": "台"}}, ["/projects_max"]),
        ({"support": {"kind": "goods", "quantity": 9, "unit": "台", "amount": "1.00"}}, ["/support/amount"]),
        ({"support": {"kind": "goods", "quantity": "9", "unit": "台"}}, ["/support/quantity"]),
        ({"support": {"kind": "gold", "quantity": 9, "unit": "台"}}, ["/support"]),
        ({"support": {"kind": "money", "amount": "10.50", "currency": "JPY"}}, ["/support/amount"]),
        ({"support": {"kind": "money", "amount": "10.50", "currency": "XXX"}}, ["/support/currency"]),
        ({"category": "roads"}, ["/category"]),
        ({"title": {"zh": "  ", "en": "x"}}, ["/title/zh"]),
        ({"title": {"zh": "\u200b", "en": "x"}}, ["/title/zh"]),
        ({"colour": "red"}, ["/colour"]),
        ({"partner_id": "nobody"}, ["/partner_id"]),
        ({"prefers": {"counties": ["520324", "999999"]}}, ["/prefers/counties/1"]),
        ({"only": {"counties": ["5203"]}}, ["/only/counties/0", "/only/counties/0"]),
        ({"prefers": {"counties": ["520324"]}, "excludes": {"counties": ["520324"]}}, ["/excludes"]),
        ({"prefers": {"counties": ["520324"]}, "excludes": {"provinces": ["52"]}}, ["/excludes"]),
        ({"prefers": {"counties": ["520324"]}, "only": {"provinces": ["65"]}}, ["/only"]),
        ({"excludes": {"counties": ["520324"]}, "only": {"counties": ["520324"]}}, ["/only"]),
        ({"excludes": {"provinces": ["52", "53"]}, "only": {"provinces": ["52"], "counties": ["520324"]}}, ["/only"]),
        (
            {"projects_max": 0, "category": "roads", "excludes": {"counties": ["999999"]}, "partner_id": "nobody"},
            ["/category", "/excludes/counties/0", "/partner_id", "/projects_max"],
        ),
    ],
    ids=str,
)
async def test_all_faults_of_a_commitment_are_named_at_once(desk: Desk, wrong: Any, expected: list[str]) -> None:
    await desk.county("520324")
    body = desk.offer(partner_id=await desk.partner()) | wrong
    before = await desk.events_total()
    answer = await desk.send("POST", "/commitments", body)
    assert answer.status_code == 422, answer.text
    assert pointers(answer) == sorted(set(expected))
    assert await desk.events_total() == before


@pytest.mark.parametrize("content", [b'{"broken', b"[1", b"\xff\xfe", b'{"a": NaN}'])
async def test_what_is_not_json_is_400(desk: Desk, content: bytes) -> None:
    token = (await desk.send("GET", "/partners")).request.headers["authorization"]
    headers = {"authorization": token, "content-type": "application/json"}
    answer = await desk.client.post("/partners", content=content, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [[], "text", 5, [{}]])
async def test_json_that_is_no_object_is_422(desk: Desk, body: Any) -> None:
    assert (await desk.send("POST", "/partners", body)).status_code == 422
    assert (await desk.send("POST", "/commitments", body)).status_code == 422


async def test_a_body_of_ten_megabytes_is_413(desk: Desk) -> None:
    answer = await desk.send("POST", "/partners", {"name": "x" * 10_000_000})
    assert answer.status_code == 413


async def test_another_media_type_is_415(desk: Desk) -> None:
    token = (await desk.send("GET", "/partners")).request.headers["authorization"]
    headers = {"authorization": token, "content-type": "text/csv"}
    assert (await desk.client.post("/partners", content=b"a,b", headers=headers)).status_code == 415


async def test_five_posts_with_one_key_make_one_commitment(desk: Desk) -> None:
    body = desk.offer(partner_id=await desk.partner())
    answers = await asyncio.gather(*(desk.send("POST", "/commitments", body, key="k") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert {answer.headers["etag"] for answer in answers} == {'"1"'}
    assert len((await desk.get("/commitments"))["items"]) == 1
    other = await desk.send("POST", "/commitments", body | {"projects_max": 2}, key="k")
    assert other.status_code == 422
    assert len((await desk.get("/commitments"))["items"]) == 1


async def test_places_that_leave_something_are_taken(desk: Desk) -> None:
    await desk.county("520324")
    await desk.county("520326")
    for where in (
        {"excludes": {"counties": ["520324"]}, "only": {"provinces": ["52"]}},
        {"excludes": {"counties": ["520324"]}, "only": {"counties": ["520324", "520326"]}},
        {"excludes": {"counties": ["520324"]}, "only": {"provinces": [], "counties": []}},
        {"excludes": {"counties": ["520324"]}, "prefers": {"provinces": ["52"]}},
        {"prefers": {"counties": ["520324"], "provinces": ["53"]}, "only": {"provinces": ["52"]}},
    ):
        commitment = await desk.commitment(**where)
        wrong = {"only": {"counties": ["520324"]}, "excludes": {"provinces": ["52"]}, "prefers": None}
        answer = await desk.send("PATCH", f"/commitments/{commitment['id']}", wrong, if_match=1)
        assert (answer.status_code, pointers(answer)) == (422, ["/only"])


async def test_a_change_needs_the_version_that_was_read(desk: Desk) -> None:
    commitment = await desk.commitment()
    path = f"/commitments/{commitment['id']}"
    assert (await desk.send("PATCH", path, {"nonsense": 1})).status_code == 428
    changed = await desk.send("PATCH", path, {"projects_max": 4}, if_match=1)
    assert (changed.status_code, changed.headers["etag"], changed.json()["projects_max"]) == (200, '"2"', 4)
    stale = await desk.send("PATCH", path, {"nonsense": 1}, if_match=1)
    assert (stale.status_code, stale.json()["current"]) == (412, changed.json())
    assert (await desk.send("PATCH", path, {"nonsense": 1}, if_match=2)).status_code == 422
    assert (await desk.send("PATCH", path, {"projects_max": None}, if_match=2)).status_code == 422
    assert await desk.types(commitment["id"]) == ["commitment.submitted", "commitment.amended"]


async def test_what_get_gave_can_be_sent_back(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment(prefers={"counties": ["520324"]}, support=desk.goods())
    back = await desk.send("PATCH", f"/commitments/{commitment['id']}", commitment, if_match=1)
    assert (back.status_code, back.json()) == (200, commitment)
    card = await desk.get("/counties/520324")
    put = await desk.send("PUT", "/counties/520324/card", card | {"reason": "again"}, if_match=1)
    assert (put.status_code, put.json()["version"], put.headers["etag"]) == (200, 2, '"2"')
    partner = await desk.get(f"/partners/{commitment['partner_id']}")
    back = await desk.send("PATCH", f"/partners/{partner['id']}", partner, if_match=1)
    assert (back.status_code, back.json()) == (200, partner)


async def test_a_limit_below_what_is_approved_is_refused_with_the_pairings(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    path = f"/commitments/{commitment['id']}"
    version = (await desk.get(path))["version"]
    money = {"kind": "money", "amount": "1.00", "currency": "CNY"}
    answer = await desk.send("PATCH", path, {"support": money}, if_match=version)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/limit-below-approved")
    assert answer.json()["pairings"] == [pairing["id"]]
    answer = await desk.send("PATCH", path, {"support": desk.goods()}, if_match=version)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/terms-fixed-by-pairings")


async def test_an_amendment_supersedes_the_proposals(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    path = f"/commitments/{commitment['id']}"
    assert (await desk.send("PATCH", path, {"projects_max": 1}, if_match=1)).status_code == 200
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "superseded"


@pytest.mark.parametrize("code", ["91110000100000000", "911100001000000000", "MA01", 5])
async def test_a_credit_code_with_a_wrong_check_digit_is_refused(desk: Desk, code: Any) -> None:
    body = {"name": {"zh": "企业", "en": "Ltd"}, "kind": "enterprise", "credit_code": code}
    answer = await desk.send("POST", "/partners", body)
    assert (answer.status_code, pointers(answer)) == (422, ["/credit_code"])


async def test_a_credit_code_is_one_partners(desk: Desk) -> None:
    code = "91110000600037341L"
    first = await desk.partner(credit_code=code)
    body = {"name": {"zh": "企业", "en": "Ltd"}, "kind": "enterprise", "credit_code": code}
    answers = await asyncio.gather(*(desk.send("POST", "/partners", body) for _ in range(3)))
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/credit-code-taken")
        assert answer.json()["partner_id"] == first
    mistyped = body | {"credit_code": "91110000600037431L", "kind": "club"}
    answer = await desk.send("POST", "/partners", mistyped)
    assert (answer.status_code, pointers(answer)) == (422, ["/credit_code", "/kind"])
    assert f"did you mean {code}?" in answer.text
    assert "did you mean" in (await desk.send("PATCH", f"/partners/{first}", mistyped, if_match=1)).text
    patched = await desk.send("PATCH", f"/partners/{first}", {"reference": "P-1"}, if_match=1)
    assert (patched.status_code, patched.json()["credit_code"]) == (200, code)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "cursor=zzz", "status=rich", "category=roads", "colour=red"],
)
async def test_a_list_refuses_what_it_does_not_know(desk: Desk, query: str) -> None:
    answer = await desk.send("GET", f"/commitments?{query}")
    assert answer.status_code == 422, answer.text


async def test_a_list_is_had_page_by_page_without_gap_or_repeat(desk: Desk) -> None:
    partner = await desk.partner()
    made = [(await desk.commitment(partner, reference=f"r{n}"))["id"] for n in range(5)]
    found: list[str] = []
    path = "/commitments?limit=2&total=true"
    page = await desk.get(path)
    while True:
        assert page["total"] == 5
        found += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        page = await desk.get(f"{path}&cursor={page['next_cursor']}")
    assert found == made
    assert [one["id"] for one in (await desk.get("/commitments?reference=r3"))["items"]] == [made[3]]
