"""What must hold for a commitment to be paired with a county: each condition is looked at, not the first alone.

Whoever is refused reads all of them, with the value that was found, what was asked for, and whether it is met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.kit.decision import Conflict
from services.pairing.domain.commitment import Commitment
from services.pairing.domain.county import ELIGIBLE, County
from services.pairing.domain.refusals import AlreadyPaired, CommitmentOver, CountyNotEligible


@dataclass(frozen=True, kw_only=True)
class Condition:
    """`refusal` and `detail` say what its breach is called."""

    rule: str
    value: Any
    threshold: Any
    met: bool
    refusal: type[Conflict]
    detail: str


def insist(conditions: Sequence[Condition]) -> None:
    """Refuses by the first that is not met, and names them all."""
    broken = next((one for one in conditions if not one.met), None)
    if broken is None:
        return
    rules = [{"rule": one.rule, "value": one.value, "threshold": one.threshold, "met": one.met} for one in conditions]
    raise broken.refusal(broken.detail, rules=rules)


def is_valid(commitment: Commitment, today: date, refusal: type[Conflict] = CommitmentOver) -> Condition:
    start, end = commitment.terms.valid_from, commitment.terms.valid_until
    why = "over" if commitment.is_over or end < today else f"valid from {start}"
    return Condition(
        rule="commitment-valid",
        value=commitment.status if commitment.is_over else f"{start} to {end}",
        threshold=today.isoformat(),
        met=commitment.is_valid_on(today),
        refusal=refusal,
        detail=f"Commitment {commitment.id} is {why}.",
    )


def is_eligible(county: County, today: date) -> Condition:
    status = county.status_on(today)
    return Condition(
        rule="county-eligible",
        value=status,
        threshold=" or ".join(ELIGIBLE),
        met=county.is_eligible(today),
        refusal=CountyNotEligible,
        detail=f"County {county.id} is {status or 'not in the programme yet'} on {today}.",
    )


def is_not_paired_yet(commitment: Commitment, county: County) -> Condition:
    paired = commitment.is_paired_with(county.id)
    return Condition(
        rule="not-paired-yet",
        value=int(paired),
        threshold=0,
        met=not paired,
        refusal=AlreadyPaired,
        detail=f"Commitment {commitment.id} is paired with county {county.id} already.",
    )


def is_enough(rule: str, value: int, threshold: int, refusal: type[Conflict], detail: str) -> Condition:
    """There must be at least `threshold` of something."""
    return Condition(
        rule=rule, value=value, threshold=threshold, met=value >= threshold, refusal=refusal, detail=detail
    )
