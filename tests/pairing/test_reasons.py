"""Reasons against the truth: the pairing banned, or the change made, and the same snapshot solved again."""

import json
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings

from services.pairing.domain.certificate import Certificate, faults_of
from services.pairing.domain.explanation import Step
from services.pairing.domain.frozen import Frozen
from services.pairing.domain.matching import PinsDoNotFit, answer_of, match, solve
from services.pairing.domain.network import build, objective
from services.pairing.domain.reasons import Reasons
from services.pairing.domain.residual import Residual
from services.pairing.domain.snapshot import read_snapshot
from tests.pairing.conftest import Desk, Json
from tests.pairing.snapshots import CATEGORIES, Snapshot, pair, snapshots


class Told:
    """A round, solved and ready to answer."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.frozen = Frozen(snapshot)
        self.model = build(read_snapshot(snapshot))
        found = match(self.model)
        self.certificate = found.certificate
        self.answer = answer_of(self.model, found.chosen)
        self.pairs = [tuple(one) for one in self.answer["pairs"]]
        self.values = list(objective(self.model.instance, found.chosen).values())
        residual = Residual(self.model, found.chosen, found.certificate)
        self.reasons = Reasons("r", self.frozen, residual, self.values)

    def after(self, steps: tuple[Step, ...]) -> list[list[str]]:
        left = set(self.pairs)
        for step in steps:
            left -= {(step.commitment_id, step.was)}
            left |= {(step.commitment_id, step.now)} if step.now else set()
        return sorted(map(list, left))


def with_one_more_pin(snapshot: Snapshot, key: tuple[str, str]) -> list[Json]:
    """The best round for each pair that would serve a need, where it can be pinned beside the pins that there are."""
    found = []
    for wanted in snapshot["pairs"]:
        if (wanted["county"], wanted["category"]) == key:
            pairs = [one | {"pinned": one["pinned"] or one is wanted} for one in snapshot["pairs"]]
            with suppress(PinsDoNotFit):
                found.append(solve(snapshot | {"pairs": pairs}))
    return found


def values_of(answer: Json) -> list[int]:
    return [level["value"] for level in answer["objective"]]


@settings(max_examples=150, deadline=None)
@given(snapshots())
def test_without_a_pairing_the_same_snapshot_gives_what_its_explanation_says(snapshot: Snapshot) -> None:
    told = Told(snapshot)
    for commitment, county in told.pairs:
        explanation = told.reasons.explain(commitment, county)
        pinned = (commitment, county) in told.frozen.pins
        assert (explanation.rule_id, explanation.decided_by == "pin") == ("pin" if pinned else None, pinned)
        banned = [one for one in snapshot["pairs"] if (one["commitment"], one["county"]) != (commitment, county)]
        again = solve(snapshot | {"pairs": banned})
        assert [level.with_ for level in explanation.levels] == told.values
        assert [level.without for level in explanation.levels] == values_of(again)
        assert again["pairs"] == told.after(explanation.steps)
        came = {code for id, code in again["pairs"] if id == commitment} - {
            code for id, code in told.pairs if id == commitment
        }
        assert came == ({explanation.instead} if explanation.instead else set())


@settings(max_examples=150, deadline=None)
@given(snapshots())
def test_the_smallest_change_serves_the_need_when_it_is_made(snapshot: Snapshot) -> None:
    told = Told(snapshot)
    for need in told.reasons.unserved():
        if need.reason == "not-eligible":
            continue
        key = (need.county_code, need.category)
        change, served = told.reasons.shortfall(*key)
        row = told.frozen.needs[key]
        changed = dict(snapshot)
        if change.kind == "share":
            more = {"id": "more", "open": 1}
            changed["commitments"] = [*snapshot["commitments"], more]
            added = {"commitment": "more", "county": key[0], "category": key[1], "preference": 0}
            changed["pairs"] = [*snapshot["pairs"], added | {"kept": False, "pinned": False}]
        else:
            # What it bars is allowed from now on: a ban of a partner bars several.
            opened = [
                one
                for one in snapshot["commitments"]
                if one["category"] == key[1]
                and [bar.rule or bar.kind for bar in told.frozen.bars(one["id"], key[0], "52")]
                == [change.rule_id or change.bar]
                and (change.rule_id or one["id"] == change.commitment_id)
            ]
            assert opened
            changed["pairs"] = [*snapshot["pairs"], *(pair(told.frozen, one, row) for one in opened)]
        again = solve(changed)
        category_of = {one["commitment"]: one["category"] for one in changed["pairs"]}
        assert key in {(county, category_of[id]) for id, county in again["pairs"]}
        forced = with_one_more_pin(snapshot, key)
        assert bool(forced) == (served is not None)
        if served is not None:
            best = max(values_of(one) for one in forced)
            assert [level.with_ for level in told.reasons.levels_if_served(served)] == best
            assert told.after(told.reasons.steps_of(served)) in [
                one["pairs"] for one in forced if values_of(one) == best
            ]


@settings(max_examples=100, deadline=None)
@given(snapshots())
def test_each_need_left_out_is_listed_once_with_the_right_reason(snapshot: Snapshot) -> None:
    told = Told(snapshot)
    served = {(county, told.frozen.commitments[id]["category"]) for id, county in told.pairs}
    left = {key for key, need in told.frozen.needs.items() if need["slots"] and not need["live"]} - served
    found = {(need.county_code, need.category): need for need in told.reasons.unserved()}
    assert set(found) == left
    for (county, category), need in found.items():
        allowed = [one for one in snapshot["pairs"] if (one["county"], one["category"]) == (county, category)]
        of_category = [one for one in snapshot["commitments"] if one["category"] == category]
        if told.frozen.needs[county, category]["status"] == "delisted":
            assert need.reason == "not-eligible"
        elif allowed:
            assert need.reason == "outbid"
        else:
            assert need.reason == ("excluded" if of_category else "no-commitment")


@settings(max_examples=100, deadline=None)
@given(snapshots())
def test_what_bars_how_many_is_what_each_of_them_says(snapshot: Snapshot) -> None:
    frozen = Frozen(snapshot)
    provinces = {need["county"]: need["province"] for need in snapshot["needs"]}
    for category in CATEGORIES:
        of = [one["id"] for one in snapshot["commitments"] if one["category"] == category]
        assert frozen.tallies(category, provinces) == {
            county: Counter(next((bar.kind for bar in frozen.bars(id, county, "52")), "allowed") for id in of)
            for county in provinces
        }


@settings(max_examples=100, deadline=None)
@given(snapshots())
def test_the_certificate_proves_the_pairs_and_no_others(snapshot: Snapshot) -> None:
    told = Told(snapshot)
    stated = [(level["level"], level["value"]) for level in told.answer["objective"]]
    nodes = len(told.model.network.supply)
    kept = Certificate.from_bytes(told.certificate.to_bytes(), nodes)
    assert list(faults_of(told.model, told.pairs, stated, kept)) == []
    for left_out in told.pairs:
        fewer = [one for one in told.pairs if one != left_out]
        chosen = build(read_snapshot(snapshot | {"pairs": snapshot["pairs"]}))
        assert list(faults_of(chosen, fewer, stated, kept)) != []
    if told.pairs:
        wrong = [(name, value + (name == "bands")) for name, value in stated]
        assert list(faults_of(told.model, told.pairs, wrong, kept)) != []


async def two_for_one(desk: Desk) -> tuple[Json, Json, Json]:
    """Two commitments, one slot in a county that one of them prefers, and a need that nobody may serve."""
    await desk.county("520324", {"category": "coverage", "slots": 1, "severity": 0.9})
    await desk.county("520326", {"category": "education", "slots": 2}, name={"zh": "务川县", "en": "Wuchuan County"})
    winner = await desk.commitment(projects_max=1, prefers={"counties": ["520324"]})
    loser = await desk.commitment(projects_max=1)
    barred = await desk.commitment(category="education", projects_max=1, excludes={"counties": ["520326"]})
    assert loser["id"] != winner["id"]
    return winner, loser, barred


async def test_an_explanation_names_who_would_come_to_those_only_who_decide(desk: Desk) -> None:
    winner, loser, _ = await two_for_one(desk)
    await desk.round()
    (pairing,) = await desk.proposed(winner)
    await desk.post(f"/pairings/{pairing['id']}/approve")
    path = f"/pairings/{pairing['id']}/explanation"
    told = await desk.get(path, "monitor")
    assert told["decided_by"] == "preference"
    assert {one["level"]: (one["with"], one["without"]) for one in told["levels"]}["preference"] == (2, 0)
    assert told["instead"] is None
    assert {step["commitment_id"]: (step["was"], step["now"]) for step in told["steps"]} == {
        winner["id"]: ("520324", None),
        loser["id"]: (None, "520324"),
    }
    assert "Example Ltd would come to Zheng'an County as well." in told["sentences"]["en"]
    assert "示例企业将投向正安县。" in told["sentences"]["zh"]
    for role, who in (
        ("partner", {"partner": winner["partner_id"]}),
        ("officer", {"counties": ("520324",)}),
        ("bookkeeper", {}),
    ):
        own = await desk.get(path, role, **who)
        assert own["steps"] is None
        assert own["levels"] == told["levels"]
        said = json.dumps(own["sentences"], ensure_ascii=False)
        assert loser["id"] not in said
        assert "Example Ltd" not in said
    assert (await desk.send("GET", path, None, "partner", partner="x")).status_code == 404


async def test_a_need_left_out_says_why_and_what_would_serve_it(desk: Desk) -> None:
    _, _, barred = await two_for_one(desk)
    await desk.county("520327", {"category": "smart-travel", "slots": 1})
    await desk.county("520328", {"category": "coverage", "slots": 1})
    await desk.post("/counties/520328/delist", {"on": desk.day(), "reason": "out of poverty"})
    found = await desk.round()
    listed = (await desk.get("/needs/unserved"))["items"]
    assert len(listed) == found["needs_unserved"] == 3
    by_county = {need["county_code"]: need for need in listed}
    excluded = by_county["520326"]
    assert (excluded["reason"], excluded["since"], excluded["open_slots"]) == ("excluded", desk.day(), 2)
    assert excluded["change"] == {
        "kind": "lift-exclusion",
        "category": "education",
        "county_code": "520326",
        "bar": "excludes",
        "commitment_id": barred["id"],
        "rule_id": None,
    }
    assert "It would be served if Example Ltd allowed Wuchuan County." in excluded["sentences"]["en"]
    assert (by_county["520327"]["reason"], by_county["520327"]["change"]["kind"]) == ("no-commitment", "share")
    assert (by_county["520328"]["reason"], by_county["520328"]["change"]) == ("not-eligible", None)
    own = await desk.get("/needs/unserved", "officer", counties=("520326",))
    (need,) = own["items"]
    assert need["change"]["commitment_id"] is None
    assert "Example Ltd" not in json.dumps(need["sentences"])
    others = (await desk.get("/needs/unserved", "partner", partner="x"))["items"]
    assert [need["county_code"] for need in others] == sorted(by_county)
    for need in others:
        told = json.dumps(need, ensure_ascii=False)
        assert not [id for id in (barred["id"], barred["partner_id"], "Example Ltd", "示例企业") if id in told]

    path = f"/commitments/{barred['id']}"
    assert (await desk.send("PATCH", path, {"excludes": None}, if_match=1)).status_code == 200
    again = await desk.round()
    left = (await desk.get(f"/needs/unserved?round={again['id']}"))["items"]
    assert [need["county_code"] for need in left] == ["520327", "520328"]
    assert [need["since"] for need in left] == [desk.day()] * 2


async def test_what_a_round_says_stays_when_the_programme_is_corrected_later(desk: Desk) -> None:
    winner, _, _ = await two_for_one(desk)
    found = await desk.round()
    (pairing,) = await desk.proposed(winner)
    await desk.post(f"/pairings/{pairing['id']}/approve")
    paths = (
        f"/rounds/{found['id']}",
        f"/pairings/{pairing['id']}",
        f"/pairings/{pairing['id']}/explanation",
        f"/needs/unserved?round={found['id']}",
    )
    before = [await desk.get(path) for path in paths]
    snapshot = (await desk.send("GET", f"/rounds/{found['id']}/snapshot")).content
    card = desk.card(
        {"category": "coverage", "slots": 5},
        name={"zh": "改名县", "en": "New"},
        indicators=[{"code": "fibre_village_share", "baseline": 12, "actual": 50, "target": 98}],
        reason="the baseline was read from the wrong line",
    )
    assert (await desk.send("PUT", "/counties/520324/card", card, if_match=1)).status_code == 200
    assert [await desk.get(path) for path in paths] == before
    assert (await desk.send("GET", f"/rounds/{found['id']}/snapshot")).content == snapshot
    later = await desk.get("/counties/520324")
    assert (later["version"], later["reason"]) == (2, "the baseline was read from the wrong line")
    assert [one["baseline"] for one in later["indicators"]] == [12]
    await desk.round()
    assert [await desk.get(path) for path in paths] == before


@pytest.mark.parametrize("few", [1000, 0])
async def test_a_big_rounds_reasons_are_found_when_they_are_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    from services.pairing.streams import solving

    winner, _, barred = await two_for_one(desk)
    monkeypatch.setattr(solving, "_FEW", few)
    await desk.round()
    (pairing,) = await desk.proposed(winner)
    assert await desk.database.explanations.count_documents({}) == (1 if few else 0)
    for _ in range(2):
        told = await desk.get(f"/pairings/{pairing['id']}/explanation")
        assert told["decided_by"] == "preference"
        assert len(told["sentences"]["zh"]) == len(told["sentences"]["en"]) == 3
        (need,) = (await desk.get("/needs/unserved"))["items"]
        assert need["change"]["commitment_id"] == barred["id"]
    assert await desk.database.explanations.count_documents({}) == 1


async def test_the_difference_tells_of_each_pair_that_came_and_went(desk: Desk) -> None:
    await desk.county("520324")
    await desk.county("520326")
    movable = await desk.commitment(projects_max=1, prefers={"counties": ["520324"]})
    fixed = await desk.commitment(projects_max=1, only={"counties": ["520326"]})
    first = await desk.round()
    added = await desk.get(f"/rounds/{first['id']}/difference")
    assert len(added["added"]) == 2
    assert added["dropped"] == added["moved"] == []
    await desk.post(f"/commitments/{fixed['id']}/withdraw", {"reason": "no budget"})
    rule = {"kind": "ban", "commitment_id": movable["id"], "county_code": "520324", "reason": "road is closed"}
    await desk.post("/rules", rule)
    second = await desk.round()
    found = await desk.get(f"/rounds/{second['id']}/difference")
    assert found["added"] == []
    (moved,) = found["moved"]
    assert (moved["commitment_id"], moved["was"], moved["county_code"], moved["reason"]) == (
        movable["id"],
        "520324",
        "520326",
        "ban",
    )
    (dropped,) = found["dropped"]
    assert (dropped["commitment_id"], dropped["county_code"], dropped["reason"]) == (
        fixed["id"],
        "520326",
        "commitment-over",
    )
    assert all(one["sentences"]["zh"] and one["sentences"]["en"] for one in (moved, dropped))
    (pairing,) = await desk.proposed(movable)
    await desk.post(f"/pairings/{pairing['id']}/approve")
    third = await desk.round()
    assert await desk.get(f"/rounds/{third['id']}/difference") == {"added": [], "dropped": [], "moved": []}
