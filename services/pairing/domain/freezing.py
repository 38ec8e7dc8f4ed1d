"""What a round looks at, frozen: the programme as it stands, as plain JSON values (see `matching.solve`).

Beside what decides, it has what explains: terms, bans, and what the last round proposed and cannot be
any more. So a round's reasons rest on the snapshot alone and stay as they are for ever.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from services.pairing.domain.commitment import Commitment, places_wire
from services.pairing.domain.county import Card, County, Need
from services.pairing.domain.rule import Rule
from services.pairing.domain.snapshot import PinsDoNotFit

Pair = tuple[str, str]


def freeze(
    commitments: Sequence[Commitment],
    counties: Sequence[tuple[County, Card]],
    rules: Sequence[Rule],
    *,
    kept: AbstractSet[Pair],
    as_of: date,
    seed: int,
) -> dict[str, Any]:
    """The snapshot of a round as of a day.

    `commitments` are those that are not over, and all that rules or `kept` name; `counties` come
    with their card as of that day; `rules` are those that hold; `kept` are the pairs (commitment,
    county) that the last completed round proposed.

    Raises:
        PinsDoNotFit: a pinned pair is not allowed, and does not stand already.
    """
    scene = _Scene(commitments, counties, rules, as_of)
    scene.check_pins()
    pairs = list(scene.pairs(kept))
    possible = {(pair["commitment"], pair["county"]) for pair in pairs if pair["kept"]}
    return {
        "as_of": as_of.isoformat(),
        "seed": seed,
        "commitments": [_commitment(giver) for giver in scene.givers],
        "waiting": [
            {"id": one.id, "partner": one.partner_id, "category": one.terms.category}
            for one in commitments
            if not one.is_over and one.open_shares and not one.is_valid_on(as_of)
        ],
        "needs": [need for county, card in counties for need in _needs(county, card, as_of)],
        "pairs": pairs,
        "bans": [
            {"rule": ban.id, "commitment": ban.commitment_id, "partner": ban.partner_id, "county": ban.county_code}
            for ban in scene.bans
        ],
        "lost": list(scene.lost(sorted(kept - possible))),
    }


class _Scene:
    def __init__(
        self,
        commitments: Sequence[Commitment],
        counties: Sequence[tuple[County, Card]],
        rules: Sequence[Rule],
        as_of: date,
    ) -> None:
        self.as_of = as_of
        self.commitments = {one.id: one for one in commitments}
        self.counties = {county.id: (county, card) for county, card in counties}
        self.givers = [one for one in commitments if one.is_valid_on(as_of) and one.open_shares > 0]
        self.bans = [rule for rule in rules if rule.kind == "ban"]
        self._pins = {(str(rule.commitment_id), rule.county_code): rule for rule in rules if rule.kind == "pin"}
        self._banned = {(rule.commitment_id, rule.county_code): rule for rule in self.bans if rule.commitment_id}
        self._shut_out = {(rule.partner_id, rule.county_code): rule for rule in self.bans if not rule.commitment_id}
        self._receivers: dict[str, dict[str, tuple[County, Need]]] = {}
        self._in_province: dict[tuple[str, str], list[str]] = {}
        for county, card in counties:
            for need in card.needs if county.is_eligible(as_of) else ():
                if county.open_slots(need) > 0:
                    self._receivers.setdefault(need.category, {})[county.id] = (county, need)
                    self._in_province.setdefault((need.category, county.province), []).append(county.id)

    def pairs(self, kept: AbstractSet[Pair]) -> Iterator[dict[str, Any]]:
        for giver in self.givers:
            receivers = self._receivers.get(giver.terms.category, {})
            for code in self._candidates(giver, receivers):
                county, need = receivers[code]
                if self._bar(giver, county):
                    continue
                pair = {
                    "commitment": giver.id,
                    "county": county.id,
                    "category": need.category,
                    "preference": giver.terms.preference(county.id, county.province),
                    "kept": (giver.id, county.id) in kept,
                    "pinned": False,
                }
                if pin := self._pins.get((giver.id, county.id)):
                    pair |= {"pinned": True, "rule": pin.id}
                yield pair

    def lost(self, pairs: Iterable[Pair]) -> Iterator[dict[str, Any]]:
        """Those of the last round's pairs that cannot be any more and do not stand, each with what bars it."""
        for id, code in pairs:
            commitment = self.commitments.get(id)
            if commitment is None or not commitment.is_paired_with(code):
                yield {"commitment": id, "county": code, "why": self._obstacle(id, code)}

    def check_pins(self) -> None:
        faults = []
        open_pins = []
        for (id, code), pin in sorted(self._pins.items()):
            commitment = self.commitments.get(id)
            if commitment is not None and commitment.is_paired_with(code):
                continue
            open_pins.append(pin)
            if why := self._obstacle(id, code):
                faults.append(f"pin {pin.id} (commitment {id}, county {code}): {self._words(why, id, code)}")
        by_commitment = Counter(pin.commitment_id for pin in open_pins)
        by_need = Counter((pin.county_code, pin.category) for pin in open_pins)
        for pin in open_pins:
            giver = self.commitments.get(str(pin.commitment_id))
            if giver and 0 < giver.open_shares < by_commitment[pin.commitment_id]:
                faults.append(
                    f"pin {pin.id} (commitment {giver.id}, county {pin.county_code}): "
                    f"the commitment has {giver.open_shares} open shares for {by_commitment[giver.id]} pins"
                )
            found = self._receivers.get(str(pin.category), {}).get(pin.county_code)
            if found and found[0].open_slots(found[1]) < by_need[pin.county_code, pin.category]:
                faults.append(
                    f"pin {pin.id} (commitment {pin.commitment_id}, county {pin.county_code}): "
                    f"the need {pin.category} has {found[0].open_slots(found[1])} open slots "
                    f"for {by_need[pin.county_code, pin.category]} pins"
                )
        if faults:
            raise PinsDoNotFit(f"as of {self.as_of} these pins name pairs that are not possible: {'; '.join(faults)}")

    def _candidates(self, giver: Commitment, receivers: dict[str, Any]) -> Iterable[str]:
        only, category = giver.terms.only, giver.terms.category
        if only is None:
            return receivers
        named = dict.fromkeys(code for code in only.counties if code in receivers)
        for province in only.provinces:
            named |= dict.fromkeys(self._in_province.get((category, province), ()))
        return named

    def _bar(self, giver: Commitment, county: County) -> str | None:
        """What of the commitment's own, or of the rules, is against this county."""
        terms = giver.terms
        if giver.is_paired_with(county.id):
            return "already-paired"
        if terms.excludes and terms.excludes.mean(county.id, county.province):
            return "excludes"
        if terms.only and not terms.only.mean(county.id, county.province):
            return "only"
        return "ban" if self._ban(giver, county.id) else None

    def _ban(self, giver: Commitment, code: str) -> Rule | None:
        return self._banned.get((giver.id, code)) or self._shut_out.get((giver.partner_id, code))

    def _obstacle(self, id: str, code: str) -> str | None:
        commitment, found = self.commitments.get(id), self.counties.get(code)
        if commitment is None or commitment.is_over:
            return "commitment-over"
        if not commitment.is_valid_on(self.as_of):
            return "dates"
        if commitment.open_shares == 0:
            return "no-open-share"
        if found is None or not found[0].is_eligible(self.as_of):
            return "not-eligible"
        county, card = found
        need = card.need(commitment.terms.category)
        if need is None:
            return "no-need"
        if county.open_slots(need) == 0:
            return "no-open-slot"
        return self._bar(commitment, county)

    def _words(self, why: str, id: str, code: str) -> str:
        commitment = self.commitments.get(id)
        if why == "ban" and commitment and (ban := self._ban(commitment, code)):
            return f"rule {ban.id} bans it"
        return {
            "commitment-over": "the commitment is over",
            "dates": "the commitment is not valid on that day",
            "no-open-share": "the commitment has no open share",
            "not-eligible": "the county is neither listed nor on watch on that day",
            "no-need": "the county's card has no such need",
            "no-open-slot": "the need has no open slot",
        }.get(why, "the commitment does not want this county")


def _commitment(giver: Commitment) -> dict[str, Any]:
    terms = giver.terms
    row: dict[str, Any] = {
        "id": giver.id,
        "open": giver.open_shares,
        "version": giver.terms_version,
        "partner": giver.partner_id,
        "category": terms.category,
        "paired": [standing.county_code for standing in giver.standing],
    }
    for name, places in (("prefers", terms.prefers), ("excludes", terms.excludes), ("only", terms.only)):
        if places is not None:
            row[name] = places_wire(places)
    return row


def _needs(county: County, card: Card, as_of: date) -> list[dict[str, Any]]:
    """Those of the card, and those that only live pairings tell of, since the card no longer names them."""
    needs = {need.category: need for need in card.needs}
    about = {"county": county.id, "province": county.province, "status": county.status_on(as_of)}
    gone = [category for category, live in county.live.items() if live and category not in needs]
    return [
        about
        | {
            "category": need.category,
            "slots": need.slots,
            "band": need.band,
            "severity": _thousandths(need.severity or 0),
            "live": county.live.get(need.category, 0),
        }
        for need in needs.values()
    ] + [
        about | {"category": category, "slots": 0, "band": 1, "severity": 0, "live": county.live[category]}
        for category in gone
    ]


def _thousandths(severity: float) -> float | int:
    """As level 6 counts it; 0 and 1 are whole, as RFC 8785 writes them."""
    thousandths = round(severity * 1000)
    return thousandths / 1000 if thousandths % 1000 else thousandths // 1000
