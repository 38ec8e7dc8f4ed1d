"""Tranches sum to the whole fen, and each is within a fen of its share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.funding.domain.tranches import Share, tranche_amounts


@st.composite
def plans(draw: st.DrawFn) -> list[Share]:
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=11)))
    per_cents = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    return [Share(milestone_no=no, per_cent=per_cent) for no, per_cent in enumerate(per_cents, start=1)]


@given(st.integers(0, 10**17), plans())
def test_tranches_sum_to_the_whole_and_are_within_one_fen_of_their_share(total: int, shares: list[Share]) -> None:
    amounts = tranche_amounts(total, shares)
    assert sum(amounts.values()) == total
    assert amounts.keys() == {share.milestone_no for share in shares}
    assert all(abs(100 * amounts[share.milestone_no] - total * share.per_cent) < 100 for share in shares)


def test_the_remaining_fen_goes_to_whom_rounding_down_cost_most() -> None:
    shares = [
        Share(milestone_no=1, per_cent=33),
        Share(milestone_no=2, per_cent=33),
        Share(milestone_no=3, per_cent=34),
    ]
    assert tranche_amounts(100, shares) == {1: 33, 2: 33, 3: 34}
    assert tranche_amounts(1, shares) == {1: 0, 2: 0, 3: 1}
    assert tranche_amounts(5, shares) == {1: 2, 2: 1, 3: 2}


def test_shares_that_are_not_a_hundred_are_impossible() -> None:
    with pytest.raises(ValueError, match="sum to 100"):
        tranche_amounts(100, [Share(milestone_no=1, per_cent=99)])
