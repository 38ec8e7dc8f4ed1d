"""The figures of 2020 come out of the matching: 38 partners, 42 counties, 77 projects, 35 of them in Guizhou."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from deploy.example.files import Body, Programme, read
from deploy.example.load import EXAMPLE
from services.pairing.domain.matching import solve

GUIZHOU = "52"
PROGRAMME = read(EXAMPLE, date(2026, 3, 1))


def meant(places: Body, county: str) -> bool:
    return county in places.get("counties", ()) or county[:2] in places.get("provinces", ())


def preference(prefers: Body, county: str) -> int:
    if county in prefers.get("counties", ()):
        return 2
    return int(county[:2] in prefers.get("provinces", ()))


def snapshot(programme: Programme, seed: int, without: str = "") -> dict[str, Any]:
    """What a round over freshly loaded data sees, with every band 1 and references for ids."""
    offers = {reference: offer.body for reference, offer in programme.commitments.items() if reference != without}
    needs = [(county, need) for county, card in programme.cards.items() for need in card["needs"]]
    return {
        "seed": seed,
        "commitments": [{"id": reference, "open": body["projects_max"]} for reference, body in offers.items()],
        "needs": [
            {
                "county": county,
                "category": need["category"],
                "slots": need["slots"],
                "band": 1,
                "severity": need["severity"],
                "live": 0,
            }
            for county, need in needs
        ],
        "pairs": [
            {
                "commitment": reference,
                "county": county,
                "category": need["category"],
                "preference": preference(body.get("prefers", {}), county),
                "kept": False,
                "pinned": False,
            }
            for reference, body in offers.items()
            for county, need in needs
            if need["category"] == body["category"] and ("only" not in body or meant(body["only"], county))
        ],
    }


def pairs_of(without: str = "", seed: int = PROGRAMME.seed) -> list[tuple[str, str]]:
    return [(commitment, county) for commitment, county in solve(snapshot(PROGRAMME, seed, without))["pairs"]]


@pytest.mark.parametrize("seed", [PROGRAMME.seed, *range(1, 10)])
def test_a_round_gives_the_figures_of_2020(seed: int) -> None:
    pairs = pairs_of(seed=seed)
    assert len({PROGRAMME.commitments[commitment].partner for commitment, _ in pairs}) == 38
    assert len({county for _, county in pairs}) == 42
    assert len(set(pairs)) == len(pairs) == 77
    assert sum(county.startswith(GUIZHOU) for _, county in pairs) == 35


def test_guizhous_eighteen_partners_have_all_its_projects() -> None:
    partners = Counter(PROGRAMME.commitments[c].partner for c, county in pairs_of() if county.startswith(GUIZHOU))
    assert len(partners) == 18
    assert all(
        meant(offer.body.get("only", {}), GUIZHOU + "0000")
        for offer in PROGRAMME.commitments.values()
        if offer.partner in partners
    )


@pytest.mark.parametrize("reference", PROGRAMME.commitments)
def test_a_withdrawn_commitment_leaves_as_many_projects_fewer(reference: str) -> None:
    pairs = pairs_of(without=reference)
    assert len(pairs) == 77 - PROGRAMME.commitments[reference].body["projects_max"]
