"""Cards in versions, spells with their days, and what a day in the past answers."""

import asyncio

import pytest

from tests.pairing.conftest import Desk

NEED = {"category": "coverage", "slots": 2}


async def test_the_first_card_lists_the_county_and_says_so(desk: Desk) -> None:
    answer = await desk.send("PUT", "/counties/520324/card", desk.card(NEED | {"severity": 0.65}))
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == "/counties/520324"
    card = answer.json()
    assert (card["code"], card["status"], card["version"]) == ("520324", "listed", 1)
    assert [(s["status"], s["from"], s["until"]) for s in card["spells"]] == [("listed", desk.day(-30), None)]
    (need,) = card["needs"]
    assert (need["slots"], need["open_slots"], need["severity"], need["band"]) == (2, 2, 0.65, 4)
    assert await desk.types("520324") == ["county.listed", "county.card_updated"]


async def test_a_later_card_needs_if_match_and_keeps_the_earlier_one(desk: Desk) -> None:
    await desk.county("520324", NEED)
    changed = desk.card(NEED | {"slots": 5}, valid_from=desk.day(-1), reason="survey")
    assert (await desk.send("PUT", "/counties/520324/card", changed)).status_code == 428
    stale = await desk.send("PUT", "/counties/520324/card", changed, if_match=7)
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 1)
    answer = await desk.send("PUT", "/counties/520324/card", changed, if_match=1)
    assert (answer.status_code, answer.json()["needs"][0]["slots"]) == (200, 5)
    before = await desk.get(f"/counties/520324?as_of={desk.day(-2)}")
    assert (before["needs"][0]["slots"], before["version"], before["reason"]) == (2, 1, "baseline")
    assert (await desk.get("/counties/520324"))["needs"][0]["slots"] == 5
    assert (await desk.send("GET", f"/counties/520324?as_of={desk.day(-31)}")).status_code == 404
    (listed,) = (await desk.get(f"/counties?as_of={desk.day(-2)}"))["items"]
    assert (listed["needs"][0]["slots"], listed["version"], listed["reason"]) == (2, 1, "baseline")


async def test_a_card_of_the_future_waits_for_its_day(desk: Desk) -> None:
    await desk.county("520324", NEED)
    later = desk.card(NEED | {"slots": 9}, valid_from=desk.day(10))
    assert (await desk.send("PUT", "/counties/520324/card", later, if_match=1)).status_code == 200
    now = await desk.get("/counties/520324")
    assert (now["needs"][0]["slots"], now["version"]) == (2, 2)
    then = await desk.get(f"/counties/520324?as_of={desk.day(10)}")
    assert then["needs"][0]["slots"] == 9


async def test_delisting_and_relisting_are_dated_spells(desk: Desk) -> None:
    await desk.county("520324")
    off = await desk.send("POST", "/counties/520324/delist", {"on": desk.day(-10), "reason": "out of poverty"})
    assert (off.status_code, off.json()["status"]) == (200, "delisted")
    again = await desk.send("POST", "/counties/520324/delist", {"on": desk.day(), "reason": "twice"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-delisted")
    early = await desk.send("POST", "/counties/520324/relist", {"on": desk.day(-11), "reason": "too early"})
    assert (early.status_code, early.json()["type"]) == (409, "/problems/spells-do-not-overlap")
    on = await desk.post("/counties/520324/relist", {"on": desk.day(-5), "reason": "relapse"})
    assert [(s["status"], s["from"], s["until"]) for s in on["spells"]] == [
        ("listed", desk.day(-30), desk.day(-10)),
        ("delisted", desk.day(-10), desk.day(-5)),
        ("listed", desk.day(-5), None),
    ]
    for days, status in ((-11, "listed"), (-10, "delisted"), (-6, "delisted"), (-5, "listed")):
        shown = await desk.get(f"/counties/520324?as_of={desk.day(days)}")
        assert shown["status"] == status
        listed = await desk.get(f"/counties?as_of={desk.day(days)}&status={status}&total=true")
        assert listed["total"] == 1
        other = "listed" if status == "delisted" else "delisted"
        assert (await desk.get(f"/counties?as_of={desk.day(days)}&status={other}"))["items"] == []
    assert (await desk.types("520324"))[2:] == ["county.delisted", "county.relisted"]


async def test_a_county_is_found_by_the_codes_that_it_had_and_has_since(desk: Desk) -> None:
    """米林县 had three: its card stands under the second."""
    await desk.county("540422", province="54")
    for code in ("542623", "540422", "540481"):
        assert (await desk.get(f"/counties/{code}"))["code"] == "540422"
    await desk.county("540481", province="54")
    assert (await desk.get("/counties/540481"))["code"] == "540481"
    assert (await desk.get("/counties/540422"))["code"] == "540422", "what it was stays under its old code"


async def test_lists_of_counties_are_by_province_and_status(desk: Desk) -> None:
    await desk.county("520324")
    await desk.county("653130", province="65")
    await desk.post("/counties/653130/delist", {"on": desk.day(), "reason": "out of poverty"})
    assert [c["code"] for c in (await desk.get("/counties?province=65"))["items"]] == ["653130"]
    assert [c["code"] for c in (await desk.get("/counties?status=listed"))["items"]] == ["520324"]
    assert [c["code"] for c in (await desk.get("/counties"))["items"]] == ["520324", "653130"]


async def test_two_first_cards_at_once_make_one_county(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.send("PUT", "/counties/520324/card", desk.card()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 428, 428, 428]


async def test_slots_below_the_live_pairings_are_refused_with_their_names(desk: Desk) -> None:
    school = {"category": "education", "slots": 1}
    await desk.county("520324", NEED, school)
    approved = [(await desk.approved())[1]["id"] for _ in range(2)]
    _, other = await desk.approved(category="education")
    path = "/counties/520324/card"
    for needs in ([NEED | {"slots": 1}, school], [school], [NEED | {"slots": 1}], []):
        answer = await desk.send("PUT", path, desk.card() | {"needs": needs}, if_match=1)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/limit-below-approved")
        cut = approved if school in needs else [*approved, other["id"]]
        assert sorted(answer.json()["pairings"]) == sorted(cut)
        assert all(id in answer.json()["detail"] for id in cut)
    assert await desk.types("520324") == ["county.listed", "county.card_updated"]
    assert (await desk.send("PUT", path, desk.card(NEED, school), if_match=1)).status_code == 200
    await desk.post(f"/pairings/{approved[0]}/revoke", {"reason": "the road is closed"})
    assert (await desk.send("PUT", path, desk.card(NEED | {"slots": 1}, school), if_match=2)).status_code == 200


async def test_the_last_slot_is_approved_or_cut_and_never_both(desk: Desk) -> None:
    await desk.county("520324", NEED | {"slots": 1})
    commitment = await desk.commitment(projects_max=1)
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    cut = desk.card(NEED | {"slots": 0})
    approved, changed = await asyncio.gather(
        desk.send("POST", f"/pairings/{pairing['id']}/approve", {}),
        desk.send("PUT", "/counties/520324/card", cut, if_match=1),
    )
    assert sorted((approved.status_code, changed.status_code)) == [200, 409]
    (need,) = (await desk.get("/counties/520324"))["needs"]
    assert (need["slots"], need["open_slots"]) == (int(approved.status_code == 200), 0)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"province": "5"}, "/province"),
        ({"needs": [NEED, NEED]}, "/needs"),
        ({"needs": [NEED | {"slots": -1}]}, "/needs/0/slots"),
        ({"needs": [NEED | {"severity": 1.5}]}, "/needs/0/severity"),
        ({"needs": [NEED | {"colour": "red"}]}, "/needs/0/colour"),
        ({"needs": [NEED | {"quantities": {"villages\0": 3}}]}, "/needs/0/quantities/villages\0/[key]"),
        ({"indicators": [{"code": "a"}, {"code": "a"}]}, "/indicators"),
        ({"valid_from": "2026-13-01"}, "/valid_from"),
        ({"name": {"en": "x"}}, "/name/zh"),
        ({"reason": None}, "/reason"),
    ],
    ids=str,
)
async def test_a_wrong_card_is_refused(desk: Desk, wrong: dict[str, object], pointer: str) -> None:
    answer = await desk.send("PUT", "/counties/520324/card", desk.card() | wrong)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("code", ["52032", "5203244", "52032a", "５２０３２４"])
async def test_what_is_no_county_code_is_not_there(desk: Desk, code: str) -> None:
    assert (await desk.send("PUT", f"/counties/{code}/card", desk.card())).status_code == 404
