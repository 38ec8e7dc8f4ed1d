"""Tranches: how reserved money is cut along the milestones' shares."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Share:
    """The part of the money that a milestone releases, in whole per cents."""

    milestone_no: int
    per_cent: int


def tranche_amounts(total: int, shares: Sequence[Share]) -> dict[int, int]:
    """Each milestone's tranche in minor units; together exactly `total`.

    By largest remainder (Hamilton's method): each share rounded down, then one unit more for those
    that lost most by it, the lowest number first where two lost the same.

    Raises:
        ValueError: the shares do not sum to 100.
    """
    if sum(share.per_cent for share in shares) != 100:
        raise ValueError("tranche shares must sum to 100 per cent")
    amounts = {share.milestone_no: total * share.per_cent // 100 for share in shares}
    lost_most = sorted(shares, key=lambda share: (-(total * share.per_cent % 100), share.milestone_no))
    for share in lost_most[: total - sum(amounts.values())]:
        amounts[share.milestone_no] += 1
    return amounts
