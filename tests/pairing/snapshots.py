"""Snapshots as a round freezes them, drawn at random."""

from typing import Any

from hypothesis import strategies as st

from services.pairing.domain.frozen import Frozen
from tests.pairing.conftest import Json

Snapshot = dict[str, Any]
CATEGORIES = ("coverage", "education")


@st.composite
def drawn_needs(draw: st.DrawFn) -> list[Json]:
    """Of one to four counties, in one or two categories."""
    return [
        {
            "county": f"52032{j}",
            "category": category,
            "slots": draw(st.integers(0, 3)),
            "band": draw(st.integers(1, 5)),
            "severity": draw(st.integers(0, 1000)) / 1000,
            "live": draw(st.sampled_from((0, 0, 0, 1, 2))),
        }
        for j in range(draw(st.integers(1, 4)))
        for category in draw(st.sampled_from((CATEGORIES, CATEGORIES[:1])))
    ]


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """As a round freezes them: what is barred is barred by a ban, an exclusion, or a list of others."""
    needs = draw(drawn_needs())
    codes = sorted({need["county"] for need in needs})
    status = {code: draw(st.sampled_from(("listed", "listed", "watch", "delisted"))) for code in codes}
    needs = [need | {"province": "52", "status": status[need["county"]]} for need in needs]
    some = st.lists(st.sampled_from(codes), max_size=2, unique=True)
    commitments: list[Json] = []
    for no in range(draw(st.integers(1, 5))):
        row: Json = {
            "id": f"c{no}",
            "open": draw(st.integers(1, 2)),
            "version": 1,
            "partner": f"p{no % 3}",
            "category": draw(st.sampled_from(CATEGORIES)),
            "paired": [],
        }
        for name in ("prefers", "excludes", "only"):
            if (places := draw(some)) and draw(st.booleans()):
                row[name] = {"counties": places} | draw(st.sampled_from(({}, {}, {"provinces": ["52"]})))
        commitments.append(row)
    bans = [
        {"rule": f"r{no}", "commitment": one, "partner": None if one else f"p{no % 3}", "county": code}
        for no, (one, code) in enumerate(
            draw(st.lists(st.tuples(st.sampled_from((None, "c0", "c1")), st.sampled_from(codes)), max_size=2))
        )
    ]
    bare: Snapshot = {
        "as_of": "2026-03-01",
        "seed": draw(st.integers(0, 9)),
        "commitments": commitments,
        "waiting": [],
        "needs": needs,
        "pairs": [],
        "bans": bans,
        "lost": [],
    }
    frozen = Frozen(bare)
    pairs = [
        pair(frozen, one, need, kept=draw(st.booleans()))
        for one in commitments
        for need in needs
        if need["category"] == one["category"]
        and need["status"] != "delisted"
        and need["slots"] > need["live"]
        and not frozen.bars(one["id"], need["county"], need["province"])
    ]
    shares = {one["id"]: one["open"] for one in commitments}
    slots = {(need["county"], need["category"]): need["slots"] - need["live"] for need in needs}
    for one in pairs:
        commitment, need = one["commitment"], (one["county"], one["category"])
        if shares[commitment] and slots[need] and draw(st.sampled_from((False, False, False, True))):
            one |= {"pinned": True, "rule": "pin"}
            shares[commitment] -= 1
            slots[need] -= 1
    return bare | {"pairs": pairs}


def pair(frozen: Frozen, commitment: Json, need: Json, *, kept: bool = False) -> Json:
    return {
        "commitment": commitment["id"],
        "county": need["county"],
        "category": need["category"],
        "preference": frozen.preference(commitment["id"], need["county"], need["province"]),
        "kept": kept,
        "pinned": False,
    }
