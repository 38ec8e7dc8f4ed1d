"""Pins and bans: each with a reason and an author, refused where they cannot hold, and told when they hold no more."""

from tests.pairing.conftest import Desk, Json

NEED = {"category": "coverage", "slots": 1}


def pin(commitment: Json, code: str = "520324", **more: object) -> Json:
    return {"kind": "pin", "commitment_id": commitment["id"], "county_code": code, "reason": "agreed"} | more


async def refused(desk: Desk, rule: Json) -> str:
    answer = await desk.send("POST", "/rules", rule)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["type"]).removeprefix("/problems/")


async def test_a_rule_has_its_reason_and_its_author(desk: Desk) -> None:
    await desk.county()
    rule = pin(await desk.commitment())
    made = await desk.post("/rules", rule, sub="chen")
    assert (made["reason"], made["added_by"]) == ("agreed", "chen")
    (listed,) = (await desk.get("/rules"))["items"]
    assert listed == made
    for reason in (None, "", "  ", 5):
        assert (await desk.send("POST", "/rules", rule | {"reason": reason})).status_code == 422


async def test_a_pin_that_cannot_hold_is_refused_by_the_rule_that_it_breaks(desk: Desk) -> None:
    await desk.county("520324", NEED)
    await desk.county("520325", NEED | {"slots": 0})
    await desk.county("520326", NEED)
    await desk.post("/counties/520326/delist", {"on": desk.day(), "reason": "out of poverty"})
    await desk.county("520327", NEED)
    partner = await desk.partner()
    one = await desk.commitment(partner, projects_max=1)
    other = await desk.commitment(partner, projects_max=2, excludes={"counties": ["520327"]})
    assert await refused(desk, pin(one, "520325")) == "pin-cannot-hold", "no slot"
    assert await refused(desk, pin(one, "520326")) == "county-not-eligible", "delisted"
    assert await refused(desk, pin(other, "520327")) == "pin-cannot-hold", "not wanted"
    await desk.post("/rules", pin(one))
    assert await refused(desk, pin(one)) == "rule-exists"
    assert await refused(desk, pin(other)) == "pin-cannot-hold", "the slot is pinned"
    assert await refused(desk, pin(one, "520327")) == "pin-cannot-hold", "the share is pinned"
    assert await refused(desk, pin(one, kind="ban")) == "rules-contradict"
    ban = {"kind": "ban", "partner_id": partner, "county_code": "520324", "reason": "conflict of interest"}
    assert await refused(desk, ban) == "rules-contradict"
    await desk.post("/rules", ban | {"county_code": "520327"})
    assert await refused(desk, pin(one, "520327")) == "rules-contradict"
    await desk.post(f"/commitments/{other['id']}/withdraw", {"reason": "no budget"})
    assert await refused(desk, pin(other)) == "pin-cannot-hold", "withdrawn"
    over = await desk.commitment(partner, valid_from=desk.day(-9), valid_until=desk.day(-1))
    assert await refused(desk, pin(over)) == "pin-cannot-hold", "over"


async def test_a_pin_on_a_commitment_of_later_days_is_refused(desk: Desk) -> None:
    await desk.county()
    later = await desk.commitment(valid_from=desk.day(1))
    assert await refused(desk, pin(later)) == "pin-cannot-hold"
    assert (await desk.round())["status"] == "completed"


async def test_a_pin_that_has_become_a_pairing_takes_no_second_share_and_no_second_slot(desk: Desk) -> None:
    await desk.county("520324", NEED | {"slots": 2})
    await desk.county("520326", NEED)
    one, other = await desk.commitment(projects_max=2), await desk.commitment(projects_max=1)
    await desk.post("/rules", pin(one))
    await desk.round()
    (pairing,) = (await desk.get(f"/pairings?commitment={one['id']}&county=520324"))["items"]
    await desk.post(f"/pairings/{pairing['id']}/approve")
    await desk.post("/rules", pin(one, "520326"))
    await desk.post("/rules", pin(other))
    again = await desk.round()
    assert (again["status"], again["pairings"]) == ("completed", 2)
    third = await desk.commitment(projects_max=1)
    assert await refused(desk, pin(third)) == "pin-cannot-hold", "one slot is taken, the other is pinned"


async def test_a_refusal_lists_every_rule_with_what_was_found_and_what_is_asked_for(desk: Desk) -> None:
    await desk.county("520324", NEED)
    await desk.county("520326", NEED | {"slots": 0}, name={"zh": "务川县", "en": "Wuchuan County"})
    commitment = await desk.commitment(projects_max=1)
    found = await desk.round()
    await desk.post("/counties/520324/delist", {"on": desk.day(), "reason": "out of poverty"})
    (pairing,) = await desk.proposed(commitment)
    one = (await desk.send("POST", f"/pairings/{pairing['id']}/approve", {})).json()
    (same,) = (await desk.post(f"/rounds/{found['id']}/approve"))["refused"]
    assert one["rules"] == same["rules"]
    assert {rule["rule"]: rule["met"] for rule in one["rules"]} == {
        "terms-unchanged": True,
        "commitment-valid": True,
        "county-eligible": False,
        "not-paired-yet": True,
        "open-slots": True,
        "open-projects": True,
        "open-amount": True,
    }
    county = next(rule for rule in one["rules"] if rule["rule"] == "county-eligible")
    assert (county["value"], county["threshold"]) == ("delisted", "listed or watch")
    rules = (await desk.send("POST", "/rules", pin(commitment, "520326"))).json()["rules"]
    assert [(rule["rule"], rule["value"], rule["threshold"]) for rule in rules if not rule["met"]] == [
        ("open-slots", 0, 1)
    ]


async def test_two_pins_that_no_longer_fit_fail_the_round_which_names_both(desk: Desk) -> None:
    await desk.county("520324", NEED)
    await desk.county("520326", NEED)
    commitment = await desk.commitment(projects_max=2)
    pins = [await desk.post("/rules", pin(commitment, code)) for code in ("520324", "520326")]
    earlier = await desk.round()
    assert earlier["pairings"] == 2
    less = await desk.send("PATCH", f"/commitments/{commitment['id']}", {"projects_max": 1}, if_match=1)
    assert less.status_code == 200, less.text
    failed = await desk.round()
    assert (failed["status"], failed["pairings"]) == ("failed", None)
    assert all(one["id"] in failed["reason"] for one in pins)
    assert await desk.types(failed["id"]) == ["round.failed"]
    assert (await desk.send("DELETE", f"/rules/{pins[0]['id']}")).status_code == 204
    assert (await desk.round())["pairings"] == 1
