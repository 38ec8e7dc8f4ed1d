"""Rounds over HTTP: frozen, solved, proposed; approved by pairing and by round."""

import asyncio
import json
from hashlib import sha256
from typing import Any

from services.pairing.domain.matching import solve
from tests.pairing.conftest import Desk, Json


def need(slots: int = 1, category: str = "coverage", **more: Any) -> Json:
    return {"category": category, "slots": slots} | more


async def test_a_round_shows_its_figures_and_its_snapshot_hashes_to_what_it_says(desk: Desk) -> None:
    await desk.county("520324", need(1, severity=0.9), need(2, "education"))
    await desk.county("520326", need(1))
    commitment = await desk.commitment(prefers={"counties": ["520326"]})
    asked = await desk.send("POST", "/rounds", {"as_of": desk.day(), "seed": 7})
    assert asked.status_code == 202
    assert asked.headers["location"] == f"/rounds/{asked.json()['id']}"
    assert (asked.json()["status"], asked.json()["progress"]) == ("running", 0)
    await desk.post(f"/rounds/{asked.json()['id']}/cancel")

    found = await desk.round(seed=7)
    assert (found["status"], found["progress"], found["pairings"]) == ("completed", 100, 2)
    assert (found["counties_reached"], found["needs_served"], found["needs_unserved"]) == (2, 2, 1)
    assert [level["level"] for level in found["objective"]] == [
        "counties",
        "needs",
        "bands",
        "preference",
        "kept",
        "severity",
    ]
    assert [level["value"] for level in found["objective"]] == [2, 2, 6, 2, 0, 900]
    snapshot = await desk.send("GET", f"/rounds/{found['id']}/snapshot", role="monitor")
    assert sha256(snapshot.content).hexdigest() == found["snapshot_sha256"]
    pairs = [[p["commitment_id"], p["county_code"]] for p in await desk.proposed(commitment)]
    assert solve(json.loads(snapshot.content))["pairs"] == sorted(pairs)
    assert await desk.types(found["id"]) == ["round.completed"]


async def test_shares_go_by_county_code_and_are_rounded_up_first(desk: Desk) -> None:
    for code in ("520326", "520324", "520325"):
        await desk.county(code)
    money = {"kind": "money", "amount": "100.00", "currency": "CNY"}
    commitment = await desk.commitment(support=money)
    await desk.round()
    shares = {p["county_code"]: p["allocated"]["amount"] for p in await desk.proposed(commitment)}
    assert shares == {"520324": "33.34", "520325": "33.33", "520326": "33.33"}


async def test_an_approved_round_takes_shares_and_slots_and_what_is_approved_stays(desk: Desk) -> None:
    await desk.county("520324", need(2))
    await desk.county("520326")
    commitment = await desk.commitment()
    found = await desk.round()
    answer = await desk.post(f"/rounds/{found['id']}/approve")
    assert (len(answer["approved"]), answer["refused"]) == (2, [])
    assert await desk.post(f"/rounds/{found['id']}/approve") == {"approved": [], "refused": []}

    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["status"], shown["paired"]["projects"], shown["remaining"]["projects"]) == ("partly_paired", 2, 1)
    assert shown["paired"]["amount"] == {"amount": "2800000.00", "currency": "CNY"}
    assert shown["remaining"]["amount"] == {"amount": "1400000.00", "currency": "CNY"}
    assert sorted(shown["pairings"]) == sorted(answer["approved"])
    (card_need,) = (await desk.get("/counties/520324"))["needs"]
    assert (card_need["slots"], card_need["open_slots"]) == (2, 1)
    chains = {(await desk.published(id))[-1].envelope.correlationid for id in answer["approved"]}
    assert len(chains) == 1
    for id in answer["approved"]:
        assert await desk.types(id) == ["pairing.proposed", "pairing.approved"]
        event = (await desk.published(id))[-1]
        assert event.data.project_id == (await desk.get(f"/pairings/{id}"))["project_id"]

    later = await desk.round()
    assert await desk.proposed(commitment) == []
    assert (later["counties_reached"], later["pairings"]) == (2, 0)


async def test_no_round_moves_what_stands(desk: Desk) -> None:
    """Though the next round would send it elsewhere: a county that is preferred now, and bands that have turned."""
    await desk.county("520324", need(1, severity=0.9))
    commitment, standing = await desk.approved()
    assert standing["county_code"] == "520324"
    await desk.county("520326", need(3, severity=1.0))
    card = desk.card(need(1, severity=0.0), reason="better")
    assert (await desk.send("PUT", "/counties/520324/card", card, if_match=1)).status_code == 200
    rival = await desk.commitment(projects_max=1, prefers={"counties": ["520324"]})
    for _ in range(2):
        await desk.round()
        assert await desk.get(f"/pairings/{standing['id']}") == standing
        assert await desk.proposed(commitment) == []
        assert [pairing["county_code"] for pairing in await desk.proposed(rival)] == ["520326"]


async def test_a_newer_round_supersedes_what_the_older_one_still_proposes(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    first = await desk.round()
    (old,) = await desk.proposed(commitment)
    second = await desk.round()
    assert second["objective"][4] == {"level": "kept", "value": 1}
    assert (await desk.get(f"/pairings/{old['id']}"))["status"] == "superseded"
    refused = await desk.send("POST", f"/rounds/{first['id']}/approve", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/round-not-newest")
    refused = await desk.send("POST", f"/pairings/{old['id']}/approve", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/pairing-not-proposed")


async def test_one_round_runs_at_a_time_and_a_cancelled_one_makes_room(desk: Desk) -> None:
    running = await desk.post("/rounds", {"as_of": desk.day(), "seed": 1})
    refused = await desk.send("POST", "/rounds", {"as_of": desk.day(), "seed": 1})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/round-is-running")
    assert refused.json()["round_id"] == running["id"]
    cancelled = await desk.post(f"/rounds/{running['id']}/cancel", {"reason": "wrong day"})
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "wrong day")
    assert (await desk.round())["status"] == "completed"


async def test_a_round_of_the_future_or_of_no_day_is_refused(desk: Desk) -> None:
    for as_of in (desk.day(1), "2026-02-30", "soon", 5, None):
        refused = await desk.send("POST", "/rounds", {"as_of": as_of, "seed": 1})
        assert refused.status_code == 422
        assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/as_of"]


async def test_a_county_delisted_since_the_round_is_refused_and_the_others_go_on(desk: Desk) -> None:
    await desk.county("520324")
    await desk.county("520326")
    commitment = await desk.commitment()
    found = await desk.round()
    await desk.post("/counties/520324/delist", {"on": desk.day(), "reason": "out of poverty"})
    answer = await desk.post(f"/rounds/{found['id']}/approve")
    assert len(answer["approved"]) == 1
    (refusal,) = answer["refused"]
    assert refusal["type"] == "/problems/county-not-eligible"
    assert "delisted" in refusal["detail"]
    await desk.round()
    assert await desk.proposed(commitment) == []


async def test_of_many_claims_on_the_last_slot_exactly_one_is_approved(desk: Desk) -> None:
    await desk.county("520324", need(5))
    made = [await desk.commitment(projects_max=1) for _ in range(5)]
    await desk.round()
    pairings = [pairing for commitment in made for pairing in await desk.proposed(commitment)]
    assert len(pairings) == 5
    card = desk.card(need(1), reason="fewer")
    assert (await desk.send("PUT", "/counties/520324/card", card, if_match=1)).status_code == 200
    answers = await asyncio.gather(*(desk.send("POST", f"/pairings/{p['id']}/approve", {}) for p in pairings))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert {a.json()["type"] for a in answers if a.status_code == 409} == {"/problems/no-open-slot"}


async def test_one_approval_sent_twenty_times_at_once_opens_one_project(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    path = f"/pairings/{pairing['id']}/approve"
    answers = await asyncio.gather(*(desk.send("POST", path, {}, key=f"k{n % 2}") for n in range(20)))
    assert {answer.status_code for answer in answers} == {200, 409}
    assert await desk.types(pairing["id"]) == ["pairing.proposed", "pairing.approved"]


async def test_a_rejected_pairing_takes_nothing_and_may_come_again(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    rejected = await desk.post(f"/pairings/{pairing['id']}/reject", {"reason": "road is closed"})
    assert (rejected["status"], rejected["reason"]) == ("rejected", "road is closed")
    assert (await desk.get(f"/commitments/{commitment['id']}"))["remaining"]["projects"] == 3
    await desk.round()
    assert len(await desk.proposed(commitment)) == 1


async def test_a_pin_is_kept_and_a_ban_is_obeyed(desk: Desk) -> None:
    await desk.county("520324")
    await desk.county("520326")
    commitment = await desk.commitment(projects_max=1, prefers={"counties": ["520324"]})
    rule = {"commitment_id": commitment["id"], "county_code": "520326", "reason": "agreed with both"}
    pin = await desk.post("/rules", rule | {"kind": "pin"})
    await desk.round()
    assert [p["county_code"] for p in await desk.proposed(commitment)] == ["520326"]
    refused = await desk.send("POST", "/rules", rule | {"kind": "ban"})
    assert (refused.status_code, refused.json()["rule_id"]) == (409, pin["id"])
    assert (await desk.send("DELETE", f"/rules/{pin['id']}")).status_code == 204
    assert (await desk.send("DELETE", f"/rules/{pin['id']}")).status_code == 404
    await desk.post("/rules", rule | {"kind": "ban"})
    await desk.round()
    assert [p["county_code"] for p in await desk.proposed(commitment)] == ["520324"]
    assert await desk.types(pin["id"]) == ["rule.added", "rule.removed"]


async def test_a_pin_that_stopped_holding_fails_the_round_and_says_so(desk: Desk) -> None:
    await desk.county("520324")
    commitment = await desk.commitment()
    rule = {"kind": "pin", "commitment_id": commitment["id"], "county_code": "520324", "reason": "agreed"}
    pin = await desk.post("/rules", rule)
    await desk.post("/counties/520324/delist", {"on": desk.day(), "reason": "out of poverty"})
    found = await desk.round()
    assert found["status"] == "failed"
    assert pin["id"] in found["reason"]
    assert await desk.types(found["id"]) == ["round.failed"]
    refused = await desk.send("POST", "/rules", rule | {"reason": "again"})
    assert refused.status_code == 409
