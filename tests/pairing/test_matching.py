"""The matching against an enumeration of every allowed set of pairs, by the definition of the levels."""

import json
import os
import random
import subprocess
import sys
from hashlib import sha256
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pairing.domain import matching, network
from services.pairing.domain.matching import PinsDoNotFit, solve
from tests.pairing.snapshots import CATEGORIES, drawn_needs


@st.composite
def snapshots(draw: st.DrawFn) -> dict[str, Any]:
    commitments = [{"id": f"commitment-{i}", "open": draw(st.integers(0, 3))} for i in range(draw(st.integers(1, 4)))]
    needs = draw(drawn_needs())
    possible = [(one["id"], need["county"]) for one in commitments for need in needs]
    chosen = draw(st.lists(st.sampled_from(sorted(set(possible))), max_size=12, unique=True))
    pairs = []
    for commitment, county in chosen:
        categories = [need["category"] for need in needs if need["county"] == county]
        pairs.append(
            {
                "commitment": commitment,
                "county": county,
                "category": draw(st.sampled_from(categories)),
                "preference": draw(st.integers(0, 2)),
                "kept": draw(st.booleans()),
                "pinned": draw(st.sampled_from((False, False, False, True))),
            }
        )
    return {"seed": draw(st.integers(0, 9)), "commitments": commitments, "needs": needs, "pairs": pairs}


def allowed(snapshot: dict[str, Any]) -> list[tuple[dict[str, Any], ...]]:
    shares = {one["id"]: one["open"] for one in snapshot["commitments"]}
    slots = {(need["county"], need["category"]): need["slots"] - need["live"] for need in snapshot["needs"]}
    pairs = snapshot["pairs"]
    found = []
    for size in range(len(pairs) + 1):
        for some in combinations(pairs, size):
            given_shares = [pair["commitment"] for pair in some]
            taken_slots = [(pair["county"], pair["category"]) for pair in some]
            if (
                all(given_shares.count(one) <= shares[one] for one in given_shares)
                and all(taken_slots.count(one) <= slots[one] for one in taken_slots)
                and all(pair in some for pair in pairs if pair["pinned"])
            ):
                found.append(some)
    return found


def worth(snapshot: dict[str, Any], some: tuple[dict[str, Any], ...]) -> tuple[int, ...]:
    needs = {(need["county"], need["category"]): need for need in snapshot["needs"]}
    live_needs = {key for key, need in needs.items() if need["live"]}
    new_needs = [(pair["county"], pair["category"]) for pair in some]
    bands = 0
    for county in {pair["county"] for pair in some}:
        live = sum(need["live"] for need in needs.values() if need["county"] == county)
        falling = sorted((needs[key]["band"] for key in new_needs if key[0] == county), reverse=True)
        bands += sum(max(1, band - live - k) for k, band in enumerate(falling))
    return (
        len({county for county, _ in live_needs | set(new_needs)}),
        len(live_needs | set(new_needs)),
        bands,
        sum(pair["preference"] for pair in some),
        sum(pair["kept"] for pair in some),
        sum(round(needs[key]["severity"] * 1000) for key in new_needs),
    )


def tie_break(snapshot: dict[str, Any], pair: dict[str, Any], counter: int, bits: int) -> int:
    def of(text: str) -> int:
        return int.from_bytes(sha256(text.encode()).digest()[:8])

    def mixed(number: int) -> int:
        number = (number + 0x9E3779B97F4A7C15) % 2**64
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
        return number ^ (number >> 31)

    salted = mixed((of(pair["county"]) + of(f"{snapshot['seed']}/{counter}")) % 2**64)
    return mixed(of(pair["commitment"]) ^ salted) >> (64 - bits)


def enumerated(snapshot: dict[str, Any], bits: int = 20) -> dict[str, Any] | None:
    every = [(worth(snapshot, some), some) for some in allowed(snapshot)]
    if not every:
        return None
    best = max(value for value, _ in every)
    left = [some for value, some in every if value == best]
    for counter in count():
        if len(left) == 1:
            break
        sums = [sum(tie_break(snapshot, pair, counter, bits) for pair in some) for some in left]
        left = [some for value, some in zip(sums, left, strict=True) if value == max(sums)]
    return {
        "objective": [{"level": name, "value": value} for name, value in zip(matching.LEVELS, best, strict=True)],
        "pairs": sorted([pair["commitment"], pair["county"]] for pair in left[0]),
    }


def agrees(snapshot: dict[str, Any], bits: int = 20) -> None:
    expected = enumerated(snapshot, bits)
    if expected is None:
        with pytest.raises(PinsDoNotFit):
            solve(snapshot)
    else:
        assert solve(snapshot) == expected


@settings(max_examples=20_000 if os.environ.get("JIEDUI_TEST_PROVE") else 500, deadline=None)
@pytest.mark.timeout(3600)
@given(snapshots())
def test_the_pairs_are_those_that_an_enumeration_finds_best(snapshot: dict[str, Any]) -> None:
    agrees(snapshot)


@settings(max_examples=100, deadline=None)
@given(snapshots())
def test_a_wrong_guess_changes_nothing(snapshot: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "_GUESSED_WEIGHTS", (1, 3, 2**5, 2**11, 2**14, 2**20))
        agrees(snapshot)


@settings(max_examples=100, deadline=None)
@given(snapshots())
def test_ties_of_the_hash_are_broken_by_the_next_counter(snapshot: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "HASH_BITS", 2)
        agrees(snapshot, bits=2)


def programme(rng: random.Random, commitments: int, counties: int) -> dict[str, Any]:
    """Of a programme's size, with so many equal values that nearly all is decided by the hash."""
    codes = [f"{520000 + no}" for no in range(counties)]
    return {
        "seed": 7,
        "commitments": [{"id": f"c{no}", "open": rng.randint(1, 3)} for no in range(commitments)],
        "needs": [
            {"county": code, "category": category, "slots": 2, "band": 3, "severity": 0.5, "live": int(no % 7 == 0)}
            for no, code in enumerate(codes)
            for category in CATEGORIES
        ],
        "pairs": [
            {
                "commitment": f"c{no}",
                "county": code,
                "category": CATEGORIES[no % 2],
                "preference": 0,
                "kept": False,
                "pinned": False,
            }
            for no in range(commitments)
            for code in codes
        ],
    }


def shuffled(snapshot: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    return {
        name: rng.sample([dict(rng.sample(list(row.items()), len(row))) for row in value], len(value))
        if isinstance(value, list)
        else value
        for name, value in rng.sample(list(snapshot.items()), len(snapshot))
    }


def test_the_order_of_the_input_changes_nothing() -> None:
    rng = random.Random(1)
    snapshot = programme(rng, 38, 42)
    expected = rfc8785.dumps(solve(snapshot))
    for _ in range(50):
        assert rfc8785.dumps(solve(shuffled(snapshot, rng))) == expected


def test_jiedui_solve_prints_the_same_bytes_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    snapshot = programme(random.Random(2), 20, 15)
    expected = rfc8785.dumps(solve(snapshot))
    for hash_seed in ("0", "1", "4242"):
        file = tmp_path / "snapshot.json"
        file.write_text(json.dumps(shuffled(snapshot, random.Random(hash_seed))))
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", "solve", str(file)],
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )
        assert done.stdout == expected + b"\n"


def test_another_seed_breaks_ties_otherwise() -> None:
    snapshot = programme(random.Random(3), 20, 15)
    found = {json.dumps(solve(snapshot | {"seed": seed})["pairs"]) for seed in range(5)}
    assert len(found) == 5


def test_no_pairs_and_no_commitments_are_a_snapshot_too() -> None:
    need = {"county": "520326", "category": "coverage", "slots": 1, "band": 1, "severity": 0, "live": 1}
    answer = solve({"seed": 1, "commitments": [], "needs": [need], "pairs": []})
    assert answer["pairs"] == []
    assert [level["value"] for level in answer["objective"]] == [1, 1, 0, 0, 0, 0]
    nothing = solve({"seed": 1, "commitments": [], "needs": [], "pairs": []})
    assert [level["value"] for level in nothing["objective"]] == [0, 0, 0, 0, 0, 0]


def a_snapshot(**changes: Any) -> dict[str, Any]:
    """One sound pair; `changes` replace fields wherever they stand."""

    def changed(row: dict[str, Any]) -> dict[str, Any]:
        return row | {name: value for name, value in changes.items() if name in row}

    need = {"county": "520326", "category": "coverage", "slots": 1, "band": 1, "severity": 0.5, "live": 0}
    pair = {"commitment": "c1", "county": "520326", "category": "coverage"}
    weighed = {"preference": 0, "kept": False, "pinned": False}
    whole = {
        "seed": 1,
        "commitments": [changed({"id": "c1", "open": 1})],
        "needs": [changed(need)],
        "pairs": [pair | changed(weighed)],
    }
    return changed(whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": "1"},
        {"seed": None},
        {"seed": 1.5},
        {"open": -1},
        {"open": "1"},
        {"open": True},
        {"slots": 1.0},
        {"slots": 2**31},
        {"band": 0},
        {"band": 6},
        {"severity": 1.01},
        {"severity": -0.1},
        {"severity": float("nan")},
        {"severity": "0.5"},
        {"live": -1},
        {"preference": 3},
        {"kept": 2},
        {"pinned": None},
        {"id": "c2"},
        {"id": ""},
        {"category": "education"},
        {"county": "520327"},
        {"pairs": "none"},
        {"pairs": [1]},
        {"needs": None},
        {"commitments": [{"id": "c1", "open": 1}, {"id": "c1", "open": 2}]},
    ],
    ids=str,
)
def test_what_is_no_snapshot_is_refused_in_one_line(changes: dict[str, Any]) -> None:
    solve(a_snapshot())
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        solve(a_snapshot(**changes))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("changes", [{"open": 0}, {"slots": 0}, {"live": 1}], ids=str)
def test_a_pin_without_a_share_or_a_slot_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PinsDoNotFit):
        solve(a_snapshot(pinned=True, **changes))
