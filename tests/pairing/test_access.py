"""The five roles, route by route, and what each of them does not see."""

from typing import Any

import pytest

from tests.pairing.conftest import Desk

ROLES = ("partner", "officer", "coordinator", "monitor", "bookkeeper")
REASON = {"reason": "test"}

# Who is let in: all others get 403. Ids that are not there answer 404 to those who are let in.
TABLE: list[tuple[str, str, set[str]]] = [
    ("GET", "/partners", set(ROLES)),
    ("POST", "/partners", {"coordinator"}),
    ("GET", "/partners/none", set(ROLES)),
    ("PATCH", "/partners/none", {"coordinator"}),
    ("GET", "/counties", set(ROLES)),
    ("GET", "/counties/520399", set(ROLES)),
    ("PUT", "/counties/520399/card", {"officer", "coordinator"}),
    ("POST", "/counties/520399/delist", {"coordinator"}),
    ("POST", "/counties/520399/relist", {"coordinator"}),
    ("POST", "/commitments", {"partner", "coordinator"}),
    ("GET", "/commitments", {"partner", "coordinator", "monitor", "bookkeeper"}),
    ("GET", "/commitments/none", {"partner", "coordinator", "monitor", "bookkeeper"}),
    ("PATCH", "/commitments/none", {"partner", "coordinator"}),
    ("POST", "/commitments/none/withdraw", {"partner", "coordinator"}),
    ("POST", "/rounds", {"coordinator"}),
    ("GET", "/rounds", {"coordinator", "monitor"}),
    ("GET", "/rounds/none", {"coordinator", "monitor"}),
    ("GET", "/rounds/none/snapshot", {"coordinator", "monitor"}),
    ("GET", "/rounds/none/difference", {"coordinator", "monitor"}),
    ("POST", "/rounds/none/approve", {"coordinator"}),
    ("POST", "/rounds/none/cancel", {"coordinator"}),
    ("GET", "/pairings", set(ROLES)),
    ("GET", "/pairings/none", set(ROLES)),
    ("GET", "/pairings/none/explanation", set(ROLES)),
    ("GET", "/needs/unserved", set(ROLES)),
    ("GET", "/needs/unserved?round=none", set(ROLES)),
    ("POST", "/pairings/none/approve", {"coordinator"}),
    ("POST", "/pairings/none/reject", {"coordinator"}),
    ("POST", "/pairings/none/revoke", {"coordinator"}),
    ("GET", "/rules", {"coordinator", "monitor"}),
    ("POST", "/rules", {"coordinator"}),
    ("GET", "/rules/none", {"coordinator", "monitor"}),
    ("DELETE", "/rules/none", {"coordinator"}),
    ("POST", "/imports/commitments", {"partner", "coordinator"}),
    ("POST", "/imports/counties", {"coordinator"}),
    ("POST", "/imports/partners", {"coordinator"}),
    ("GET", "/imports/none", {"partner", "coordinator", "monitor"}),
    ("GET", "/imports/none/problems", {"partner", "coordinator", "monitor"}),
    ("POST", "/imports/none/undo", {"partner", "coordinator"}),
]


async def test_each_route_lets_in_whom_the_table_names_and_nobody_else(desk: Desk) -> None:
    for method, path, allowed in TABLE:
        for role in ROLES:
            answer = await desk.send(method, path, None if method == "GET" else {}, role, partner="p")
            refused = answer.status_code == 403
            assert refused == (role not in allowed), (method, path, role, answer.status_code, answer.text)
            assert answer.status_code < 500
            if role in allowed and "none" in path:
                assert answer.status_code == 404, (method, path, role)
    assert await desk.events_total() == 0


async def test_without_a_token_nothing_is_answered(desk: Desk) -> None:
    for method, path, _ in TABLE:
        answer = await desk.client.request(method, path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


async def test_partners_see_and_change_their_own_only(desk: Desk) -> None:
    mine, other = await desk.partner(), await desk.partner()
    made = await desk.send("POST", "/commitments", desk.offer(), "partner", partner=mine)
    assert (made.status_code, made.json()["partner_id"]) == (201, mine)
    theirs = await desk.commitment(other)
    assert [one["id"] for one in (await desk.get("/partners", "partner", partner=mine))["items"]] == [mine]
    assert (await desk.send("GET", f"/partners/{other}", None, "partner", partner=mine)).status_code == 404
    listed = await desk.get("/commitments?total=true", "partner", partner=mine)
    assert ([one["id"] for one in listed["items"]], listed["total"]) == ([made.json()["id"]], 1)
    assert (await desk.get(f"/commitments?partner={other}", "partner", partner=mine))["items"] == []
    path = f"/commitments/{theirs['id']}"
    for method, at, body in (("GET", path, None), ("PATCH", path, {}), ("POST", f"{path}/withdraw", REASON)):
        answer = await desk.send(method, at, body, "partner", partner=mine, if_match=1)
        assert answer.status_code == 404, (method, answer.text)
    answer = await desk.send("POST", "/commitments", desk.offer(partner_id=other), "partner", partner=mine)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/partner_id")


async def test_officers_write_the_card_of_their_own_county_only(desk: Desk) -> None:
    own = await desk.send("PUT", "/counties/520324/card", desk.card(), "officer", counties=("520324",))
    assert own.status_code == 201
    assert own.json()["recorded_by"] == "officer"
    other = await desk.send("PUT", "/counties/520326/card", desk.card(), "officer", counties=("520324",))
    assert other.status_code == 404
    assert (await desk.get("/counties/520324", "officer", counties=("520326",)))["code"] == "520324"


async def test_partners_and_officers_see_pairings_from_their_approval_on(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    seen_by: list[tuple[str, dict[str, Any]]] = [
        ("partner", {"partner": commitment["partner_id"]}),
        ("officer", {"counties": ("520324",)}),
    ]
    strangers: list[tuple[str, dict[str, Any]]] = [
        ("partner", {"partner": "x"}),
        ("officer", {"counties": ("520326",)}),
    ]
    path = f"/pairings/{pairing['id']}"
    for role, who in (*seen_by, *strangers):
        assert (await desk.get("/pairings", role, **who))["items"] == []
        assert (await desk.send("GET", path, None, role, **who)).status_code == 404
    await desk.post(f"{path}/approve")
    for role, who in seen_by:
        assert [one["id"] for one in (await desk.get("/pairings", role, **who))["items"]] == [pairing["id"]]
        assert (await desk.get(path, role, **who))["status"] == "approved"
    for role, who in strangers:
        assert (await desk.get("/pairings", role, **who))["items"] == []
        assert (await desk.send("GET", path, None, role, **who)).status_code == 404


@pytest.mark.parametrize("role", ["monitor", "bookkeeper"])
async def test_monitors_and_bookkeepers_see_proposals(desk: Desk, role: str) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    found = await desk.get(f"/pairings?commitment={commitment['id']}", role)
    assert [one["status"] for one in found["items"]] == ["proposed"]
