"""What a round looks at, frozen: the programme as it stands, as plain JSON values (see `matching.solve`)."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from services.pairing.domain.commitment import Commitment
from services.pairing.domain.county import Card, County, Need
from services.pairing.domain.rule import Rule
from services.pairing.domain.snapshot import PinsDoNotFit


def freeze(
    commitments: Iterable[Commitment],
    counties: Sequence[tuple[County, Card]],
    rules: Sequence[Rule],
    *,
    kept: AbstractSet[tuple[str, str]],
    as_of: date,
    seed: int,
) -> dict[str, Any]:
    """The snapshot of a round as of a day.

    `counties` come with their card as of that day; `rules` are those that hold; `kept` are the
    pairs (commitment, county) that the last completed round proposed.

    Raises:
        PinsDoNotFit: a pinned pair is not allowed, and does not stand already.
    """
    givers = [one for one in commitments if one.is_valid_on(as_of) and one.open_shares > 0]
    receivers: dict[str, list[tuple[County, Need]]] = {}
    for county, card in counties:
        if county.is_eligible(as_of):
            for need in card.needs:
                if county.open_slots(need) > 0:
                    receivers.setdefault(need.category, []).append((county, need))
    bans = [rule for rule in rules if rule.kind == "ban"]
    banned = {(rule.commitment_id, rule.county_code) for rule in bans if rule.commitment_id}
    shut_out = {(rule.partner_id, rule.county_code) for rule in bans if not rule.commitment_id}
    pins = {(rule.commitment_id, rule.county_code): rule for rule in rules if rule.kind == "pin"}
    pairs = [
        {
            "commitment": giver.id,
            "county": county.id,
            "category": need.category,
            "preference": giver.terms.preference(county.id, county.province),
            "kept": (giver.id, county.id) in kept,
            "pinned": (giver.id, county.id) in pins,
        }
        for giver in givers
        for county, need in receivers.get(giver.terms.category, ())
        if not giver.terms.bars(county.id, county.province)
        and (giver.id, county.id) not in banned
        and (giver.partner_id, county.id) not in shut_out
        and not giver.is_paired_with(county.id)
    ]
    standing = {(one.id, pairing.county_code) for one in commitments for pairing in one.standing}
    lost = pins.keys() - standing - {(pair["commitment"], pair["county"]) for pair in pairs}
    if lost:
        names = "; ".join(f"{pins[pair].id} (commitment {pair[0]}, county {pair[1]})" for pair in sorted(lost, key=str))
        raise PinsDoNotFit(f"these pins name pairs that are not possible as of {as_of}: {names}")
    return {
        "as_of": as_of.isoformat(),
        "seed": seed,
        "commitments": [
            {"id": giver.id, "open": giver.open_shares, "version": giver.terms_version} for giver in givers
        ],
        "needs": [need for county, card in counties for need in _needs(county, card)],
        "pairs": pairs,
    }


def _needs(county: County, card: Card) -> list[dict[str, Any]]:
    """Those of the card, and those that only live pairings tell of, since the card no longer names them."""
    needs = {need.category: need for need in card.needs}
    gone = [category for category, live in county.live.items() if live and category not in needs]
    return [
        {
            "county": county.id,
            "category": need.category,
            "slots": need.slots,
            "band": need.band,
            "severity": need.severity or 0,
            "live": county.live.get(need.category, 0),
        }
        for need in needs.values()
    ] + [
        {"county": county.id, "category": category, "slots": 0, "band": 1, "severity": 0, "live": county.live[category]}
        for category in gone
    ]
