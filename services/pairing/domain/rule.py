"""What a coordinator lays down for all later rounds: this pair must be (pin), or must not be (ban)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from schemas.pairings import RuleAdded, RuleRemoved
from services.kit.decision import Decision, NotFound
from services.pairing.domain.commitment import Commitment
from services.pairing.domain.conditions import Condition, insist, is_eligible, is_enough, is_not_paired_yet, is_valid
from services.pairing.domain.county import Card, County
from services.pairing.domain.refusals import PinCannotHold, RuleExists, RulesContradict

RuleKind = Literal["pin", "ban"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A ban names a commitment, or a partner for all that it promises. `category` is the commitment's."""

    id: str
    version: int
    kind: RuleKind
    commitment_id: str | None
    partner_id: str | None
    county_code: str
    category: str | None
    reason: str
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None

    @property
    def holds(self) -> bool:
        return self.removed_at is None

    def means(self, commitment: Commitment, county_code: str) -> bool:
        if county_code != self.county_code:
            return False
        return self.commitment_id == commitment.id or (
            self.commitment_id is None and self.partner_id == commitment.partner_id
        )


def pin_pair(
    commitment: Commitment,
    county: County,
    card: Card | None,
    rules: Sequence[Rule],
    pinned: Mapping[str, Commitment],
    *,
    id: str,
    reason: str,
    now: datetime,
    today: date,
    by: str,
) -> Decision[Rule]:
    """From the next round on this pair must be.

    `rules` are all that hold, `pinned` the commitments that pins among them name, by id; `card` is the county's as
    of today.
    """
    pins = [rule for rule in rules if rule.kind == "pin"]
    if any(rule.means(commitment, county.id) for rule in pins):
        raise RuleExists("This pair is pinned already.")
    _refuse_contradiction(next((r for r in rules if r.kind == "ban" and r.means(commitment, county.id)), None))
    category = commitment.terms.category
    need = card.need(category) if card else None
    # A pin that has become a pairing has taken its share and its slot already.
    waiting = [rule for rule in pins if not pinned[str(rule.commitment_id)].is_paired_with(rule.county_code)]
    in_county = sum(rule.county_code == county.id and rule.category == category for rule in waiting)
    of_commitment = sum(rule.commitment_id == commitment.id for rule in waiting)
    slots = (county.open_slots(need) if need else 0) - in_county
    shares = commitment.open_shares - of_commitment
    no_slot = f"County {county.id} has no open slot in {category} besides those pinned."
    no_share = f"Commitment {commitment.id} has no open share besides those pinned."
    barred = commitment.terms.bars(county.id, county.province)
    insist(
        [
            is_valid(commitment, today, PinCannotHold),
            is_not_paired_yet(commitment, county),
            is_eligible(county, today),
            Condition(
                rule="county-wanted",
                value=not barred,
                threshold=True,
                met=not barred,
                refusal=PinCannotHold,
                detail=f"Commitment {commitment.id} does not want county {county.id}.",
            ),
            is_enough("open-slots", slots, 1, PinCannotHold, no_slot),
            is_enough("open-shares", shares, 1, PinCannotHold, no_share),
        ]
    )
    rule = Rule(
        id=id,
        version=1,
        kind="pin",
        commitment_id=commitment.id,
        partner_id=commitment.partner_id,
        county_code=county.id,
        category=commitment.terms.category,
        reason=reason,
        added_at=now,
        added_by=by,
    )
    return Decision(rule, (rule,), (RuleAdded(**_data(rule)),))


def ban_pair(
    commitment: Commitment | None,
    partner_id: str,
    county_code: str,
    rules: Sequence[Rule],
    *,
    id: str,
    reason: str,
    now: datetime,
    by: str,
) -> Decision[Rule]:
    """From the next round on this pair must not be; without a commitment, none of the partner's with this county."""
    rule = Rule(
        id=id,
        version=1,
        kind="ban",
        commitment_id=commitment.id if commitment else None,
        partner_id=partner_id,
        county_code=county_code,
        category=commitment.terms.category if commitment else None,
        reason=reason,
        added_at=now,
        added_by=by,
    )
    for other in rules:
        if _target(other) == _target(rule) and other.kind == "ban":
            raise RuleExists("This pair is banned already.")
        if other.kind == "pin" and other.county_code == county_code:
            same = other.commitment_id == rule.commitment_id if commitment else other.partner_id == partner_id
            _refuse_contradiction(other if same else None)
    return Decision(rule, (rule,), (RuleAdded(**_data(rule)),))


def remove_rule(rule: Rule, *, now: datetime) -> Decision[Rule]:
    """It no longer holds; that it once did is kept."""
    if not rule.holds:
        raise NotFound(f"There is no rule {rule.id}.")
    rule = replace(rule, version=rule.version + 1, removed_at=now)
    return Decision(rule, (rule,), (RuleRemoved(**_data(rule)),))


def _refuse_contradiction(other: Rule | None) -> None:
    if other is not None:
        raise RulesContradict(f"Rule {other.id} says the opposite ({other.kind}): {other.reason}", rule_id=other.id)


def _target(rule: Rule) -> tuple[str | None, str | None, str]:
    return rule.commitment_id, rule.partner_id, rule.county_code


def _data(rule: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "kind": rule.kind,
        "county_code": rule.county_code,
        "commitment_id": rule.commitment_id,
        "partner_id": rule.partner_id,
        "category": rule.category,
        "reason": rule.reason,
    }
