"""The matching against another solver and another formulation: HiGHS, level by level, pairs assigned to positions."""

import os
import random
from typing import Any

import highspy
import pytest

from services.pairing.domain.matching import match
from services.pairing.domain.network import build, objective
from services.pairing.domain.snapshot import Instance, PinsDoNotFit, read_snapshot

INSTANCES = 500 if os.environ.get("JIEDUI_TEST_PROVE") else 50
CATEGORIES = ("coverage", "education", "smart-travel")


def a_snapshot(rng: random.Random) -> dict[str, Any]:
    """Up to 40 × 20, tight or roomy, with live pairings and a few pins."""
    commitments = [
        {"id": f"c{no}", "open": rng.randint(1, 3), "category": rng.choice(CATEGORIES)}
        for no in range(rng.randint(10, 40))
    ]
    needs = [
        {
            "county": f"{520300 + no}",
            "category": category,
            "slots": rng.randint(1, 3),
            "band": rng.randint(1, 5),
            "severity": rng.randint(0, 1000) / 1000,
            "live": rng.choice((0, 0, 0, 1)),
        }
        for no in range(rng.randint(5, 20))
        for category in rng.sample(CATEGORIES, rng.randint(1, 3))
    ]
    density, pinned = rng.choice((0.1, 0.3, 0.6)), rng.choice((0, 0.02))
    pairs = [
        {
            "commitment": one["id"],
            "county": need["county"],
            "category": need["category"],
            "preference": rng.choice((0, 0, 1, 2)),
            "kept": rng.random() < 0.2,
            "pinned": rng.random() < pinned,
        }
        for one in commitments
        for need in needs
        if one["category"] == need["category"] and rng.random() < density
    ]
    return {"seed": rng.randint(0, 99), "commitments": commitments, "needs": needs, "pairs": pairs}


class Milp:
    """Binary: each pair; each county reached; each need served; each pair at each position of its county."""

    def __init__(self, instance: Instance) -> None:
        self.highs = highs = highspy.Highs()
        highs.silent()
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setOptionValue("mip_abs_gap", 0.5)
        # It called programmes infeasible of which it had just found a solution (HiGHS 1.16, seed 245).
        highs.setOptionValue("presolve", "off")
        self.pairs = [highs.addBinary() for _ in instance.pinned]
        at_need: dict[int, list[int]] = {}
        at_county: dict[int, list[int]] = {}
        of_commitment: dict[int, list[int]] = {}
        for no, (i, j) in enumerate(zip(instance.pair_commitment, instance.pair_need, strict=True)):
            of_commitment.setdefault(int(i), []).append(no)
            at_need.setdefault(int(j), []).append(no)
            at_county.setdefault(int(instance.need_county[j]), []).append(no)
            if instance.pinned[no]:
                highs.addConstr(self.pairs[no] >= 1)
        for i, some in of_commitment.items():
            highs.addConstr(highs.qsum(self.pairs[no] for no in some) <= int(instance.open[i]))
        bands: list[Any] = []
        for j, some in at_need.items():
            slots = max(0, int(instance.slots[j] - instance.live[j]))
            highs.addConstr(highs.qsum(self.pairs[no] for no in some) <= slots)
        for county, some in at_county.items():
            live = int(instance.county_live[county])
            places = range(max(0, 5 - live))
            taken: dict[int, list[Any]] = {k: [] for k in places}
            for no in some:
                band = int(instance.band[instance.pair_need[no]])
                terms = []
                for k in places:
                    if band - live - k > 1:
                        at = highs.addBinary()
                        taken[k].append(at)
                        terms.append(at)
                        bands.append((band - live - k - 1) * at)
                if terms:
                    highs.addConstr(highs.qsum(terms) <= self.pairs[no])
            for ones in taken.values():
                if ones:
                    highs.addConstr(highs.qsum(ones) <= 1)
        # Whoever counts in level 3 counts at least 1; a position adds what it is worth above that.
        floor = highs.qsum(self.pairs) if self.pairs else 0
        self.levels = [
            self._reached(at_county, [int(live) for live in instance.county_live]),
            self._reached(at_need, [int(live) for live in instance.live]),
            floor + highs.qsum(bands) if bands else floor,
            *(
                highs.qsum(int(weight) * pair for weight, pair in zip(weights, self.pairs, strict=True))
                for weights in (instance.preference, instance.kept, instance.severity[instance.pair_need])
            ),
        ]
        self.fixed = [
            len([live for live in instance.county_live if live]),
            len([live for live in instance.live if live]),
        ]

    def _reached(self, some: dict[int, list[int]], live: list[int]) -> Any:
        found = []
        for at, pairs in some.items():
            if not live[at]:
                reached = self.highs.addBinary()
                self.highs.addConstr(reached <= self.highs.qsum(self.pairs[no] for no in pairs))
                found.append(reached)
        return self.highs.qsum(found)

    def best(self, lots: list[int]) -> tuple[list[int], list[int]]:
        """The best values of the six levels, and the pairs (by number) that the lots then choose."""
        values = []
        for no, level in enumerate(self.levels):
            values.append(self._maximum(level) + (self.fixed[no] if no < 2 else 0))
        self._maximum(self.highs.qsum(lot * pair for lot, pair in zip(lots, self.pairs, strict=True)))
        chosen = [no for no, pair in enumerate(self.pairs) if self.highs.val(pair) > 0.5]
        return values, chosen

    def _maximum(self, level: Any) -> int:
        self.highs.maximize(level)
        assert self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        value = round(self.highs.getObjectiveValue())
        self.highs.addConstr(level >= value)
        return value


@pytest.mark.parametrize("seed", range(INSTANCES))
def test_another_solver_finds_the_same_pairs(seed: int) -> None:
    rng = random.Random(seed)
    while True:
        try:
            instance = read_snapshot(a_snapshot(rng))
            break
        except PinsDoNotFit:
            continue
    if not len(instance.pinned):
        return
    model = build(instance)
    chosen = match(model).chosen
    lots = [0] * len(instance.pinned)
    drawn = model.lots(0).tolist()
    loose = [no for no, pinned in enumerate(instance.pinned) if not pinned]
    for at, no in enumerate(loose):
        lots[no] = drawn[at]
    values, pairs = Milp(instance).best(lots)
    assert values == list(objective(instance, chosen).values())
    assert pairs == [no for no, is_chosen in enumerate(chosen) if is_chosen]
