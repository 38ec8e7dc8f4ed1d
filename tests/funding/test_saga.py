"""A project's money: once, whole, and the same in whichever order the facts reach funding."""

from collections import Counter
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.funding import FundRefused, FundReserved, FundReturned, FundReversed, FundTrancheReleased
from schemas.money import to_amount
from services.funding.domain import Entry
from tests.funding.builders import (
    GOODS,
    amended,
    approved,
    cancelled,
    completed,
    expired,
    opened,
    submitted,
    verified,
    withdrawn,
)
from tests.funding.world import World


def said(world: World) -> list[str]:
    """What was published, in few words."""
    return [in_words(event) for event in world.published]


def in_words(event: Event) -> str:
    words = {
        FundReserved: lambda: "reserved",
        FundRefused: lambda: f"refused {event.reason} {event.available}",
        FundReversed: lambda: "reversed",
        FundTrancheReleased: lambda: f"released {event.milestone_no}",
        FundReturned: lambda: f"returned {event.unreserved}+{event.refunded}",
    }
    return f"{words[type(event)]()} {event.amount}"


def told(*events: Event) -> World:
    world = World()
    world.tell(*events)
    assert world.audit() == []
    return world


def test_an_approved_share_is_reserved_and_released_by_milestones() -> None:
    world = told(submitted(100_01), approved(100_01), opened(30, 40, 30), verified(1), verified(3))
    assert said(world) == ["reserved 100.01", "released 1 30.00", "released 3 30.00"]
    assert world.balances() == {
        "partner-partner-source": -100_01,
        "project-project-p-reserved": 40_01,
        "project-project-p-released": 60_00,
    }


@pytest.mark.parametrize("kind", ["goods", "service", "training"])
def test_what_is_no_money_is_not_booked_whatever_it_is_worth(kind: str) -> None:
    support = GOODS | {"kind": kind}
    pairing = approved(allocated={"quantity": 40, "unit": "台"}, support_kind=kind)
    world = told(submitted(support=support), pairing, opened(), verified(1), cancelled(), withdrawn())
    assert world.published == []
    assert world.all(Entry) == []
    assert world.early == []


def test_a_purchase_is_booked_like_money() -> None:
    support = {"kind": "purchase", "amount": "5.00", "currency": "CNY"}
    assert said(told(submitted(support=support), approved(5_00, support_kind="purchase"))) == ["reserved 5.00"]


def test_a_milestone_verified_again_releases_no_second_tranche() -> None:
    world = told(submitted(100), approved(100), opened(), verified(2), verified(2), verified(1), verified(2))
    assert said(world)[1:] == ["released 2 0.40", "released 1 0.30"]


def test_a_tranche_of_nothing_is_published_all_the_same() -> None:
    world = told(submitted(1), approved(1), opened(1, 99), verified(1), verified(2))
    assert said(world) == ["reserved 0.01", "released 1 0.00", "released 2 0.01"]


def test_more_than_the_commitment_has_is_refused_with_what_it_has() -> None:
    world = told(submitted(100), approved(70, "p1"), approved(40, "p2"), opened(pairing="p2"), verified(1, "p2"))
    assert said(world) == ["reserved 0.70", "refused not-enough 0.30 0.40"]


def test_another_currency_is_never_met() -> None:
    share = {"amount": "1.00", "currency": "USD"}
    assert said(told(submitted(100), approved(allocated=share))) == ["refused not-enough 0.00 1.00"]


def test_a_cancelled_project_gives_back_what_was_not_released_and_what_was_not_spent_once() -> None:
    world = told(submitted(100), approved(100), opened(30, 70), verified(1), cancelled(), cancelled())
    assert said(world)[2:] == ["returned 0.70+0.30 1.00"]
    funds = world.funds("project-p")
    assert (funds.reserved, funds.released, funds.unreserved, funds.refunded) == (100, 30, 70, 30)
    assert world.balances() == {"partner-partner-source": -100, "commitment-c-pledged": 100}
    world.tell(approved(100, "again"))
    assert said(world)[3:] == ["reserved 1.00"]


def test_what_comes_back_to_an_ended_commitment_is_un_pledged() -> None:
    world = told(submitted(100), approved(60), opened(), verified(1), withdrawn(), cancelled())
    assert said(world)[2:] == ["returned 0.42+0.18 0.60"]
    assert world.balances() == {}
    assert [entry.type for entry in world.all(Entry)][-2:] == ["returned", "unpledged"]


def test_a_withdrawal_takes_back_what_has_not_begun_and_un_pledges_the_rest() -> None:
    world = told(submitted(100), approved(60), opened(), withdrawn("p"), cancelled())
    assert said(world) == ["reserved 0.60", "reversed 0.60", "refused commitment-withdrawn 0.00 0.60"]
    assert world.published[1].reverses == world.published[0].entry_id
    assert world.funds("project-p").reserved == 0
    assert world.balances() == {}


def test_a_withdrawal_leaves_a_project_that_has_got_a_tranche() -> None:
    world = told(submitted(100), approved(60), opened(), verified(1), withdrawn("p"), verified(2))
    assert said(world) == ["reserved 0.60", "released 1 0.18", "released 2 0.24"]
    assert world.balances()["partner-partner-source"] == -60


def test_an_approval_after_the_withdrawal_is_refused() -> None:
    world = told(submitted(100), withdrawn("p"), approved(60), opened(), cancelled())
    assert said(world) == ["refused commitment-withdrawn 0.00 0.60"]


def test_a_share_refused_for_want_of_money_is_not_refused_again_by_a_withdrawal() -> None:
    world = told(submitted(100), approved(90, "p1"), approved(90, "p2"), withdrawn("p1", "p2"))
    assert Counter(word.split()[0] for word in said(world)) == {"reserved": 1, "reversed": 1, "refused": 2}


def test_a_project_cancelled_before_its_approval_is_known_gets_nothing_and_says_so() -> None:
    world = told(submitted(100), opened(), verified(1), cancelled(), approved(60))
    assert said(world) == ["reserved 0.60", "released 1 0.18", "returned 0.42+0.18 0.60"]


def test_an_expired_commitment_keeps_its_word_to_what_was_approved_before() -> None:
    world = told(submitted(100), expired(), approved(60, "p1"), approved(41, "p2"))
    assert said(world) == ["reserved 0.60", "refused not-enough 0.40 0.41"]
    assert world.balances() == {"partner-partner-source": -60, "project-project-p1-reserved": 60}


def test_an_expired_commitment_cut_below_what_is_used_has_nothing_left() -> None:
    world = told(submitted(100), approved(60, "p1"), amended(50), expired(), approved(1, "p2"))
    assert said(world) == ["reserved 0.60", "refused not-enough 0.00 0.01"]


def test_an_approval_waits_for_the_terms_under_which_it_was_allocated() -> None:
    world = told(submitted(100), approved(150, commitment_version=2), amended(200))
    assert said(world) == ["reserved 1.50"]


def test_terms_are_followed_up_and_down_and_older_ones_passed_over() -> None:
    world = told(submitted(100), amended(250), amended(80, version=4), amended(500, version=3), submitted(100))
    assert world.balances() == {"partner-partner-source": -80, "commitment-c-pledged": 80}
    world.tell(amended(version=5, support={"kind": "money", "amount": "3.00", "currency": "USD"}))
    assert world.balances() == {}
    assert world.commitment("c").pledged == {"CNY": 0, "USD": 300}


def test_terms_below_what_is_used_un_pledge_the_rest_only() -> None:
    world = told(submitted(100), approved(60), amended(50))
    assert world.balances() == {"partner-partner-source": -60, "project-project-p-reserved": 60}
    world.tell(amended(90, version=3))
    assert world.balances()["commitment-c-pledged"] == 30


def test_a_commitment_that_comes_expired_pledges_nothing() -> None:
    assert told(submitted(100, status="expired"), expired()).all(Entry) == []


def test_what_speaks_of_the_unknown_waits_for_it() -> None:
    world = told(approved(60), withdrawn(), expired(), verified(1), cancelled(), completed())
    assert [about for about, _ in world.early] == ["c", "c", "c", "project-p", "project-p", "project-p"]
    assert world.states == {}


def test_a_milestone_that_is_not_in_the_plan_is_impossible() -> None:
    with pytest.raises(ValueError, match="no milestone 9"):
        told(submitted(100), approved(100), opened(), verified(9))
    with pytest.raises(ValueError, match="sum to 100"):
        told(opened(50, 49))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """One commitment, one project, in any order that keeps that of each subject's events; some come twice."""
    total = draw(st.integers(1, 10_000))
    share = draw(st.integers(0, total))
    end = draw(st.sampled_from(([], [withdrawn("p")], [expired()])))
    project = [opened(1, 33, 66), *(verified(no) for no in draw(st.lists(st.integers(1, 3), max_size=4)))]
    project += draw(st.sampled_from(([], [cancelled()], [completed()])))
    streams = [[submitted(total), *end], [approved(share)], project]
    turns = draw(st.permutations([i for i, stream in enumerate(streams) for _ in stream]))
    order = [streams[i].pop(0) for i in turns]
    for event in draw(st.lists(st.sampled_from(order), max_size=3)):
        order.insert(draw(st.integers(order.index(event) + 1, len(order))), event)
    return order


def expected(history: list[Event]) -> tuple[list[str], dict[str, int]]:
    """What contract and design say of a history, from the places of its facts alone."""

    def place(name: str, **about: int) -> float:
        fits = (
            at
            for at, event in enumerate(history)
            if type(event).__name__ == name and all(getattr(event, key) == value for key, value in about.items())
        )
        return next(fits, inf)

    submission = next(event for event in history if type(event).__name__ == "CommitmentSubmitted")
    approval = next(event for event in history if type(event).__name__ == "PairingApproved")
    total, share = (
        round(float(amount) * 100) for amount in (submission.support["amount"], approval.allocated["amount"])
    )
    known = max(place("PairingApproved"), place("CommitmentSubmitted"))
    withdrawal, cancellation = place("CommitmentWithdrawn"), max(place("ProjectCancelled"), known)
    tranches = {no: max(known, place("ProjectOpened"), place("MilestoneVerified", milestone_no=no)) for no in (1, 2, 3)}
    ended = min(withdrawal, place("CommitmentExpired")) < inf
    pledged = 0 if ended else total - share
    if withdrawal < known:
        return [f"refused commitment-withdrawn 0.00 {yuan(share)}"], {"pledged": pledged if ended else total}
    if withdrawal < min(cancellation, *tranches.values()):
        refusal = f"refused commitment-withdrawn 0.00 {yuan(share)}"
        return [f"reserved {yuan(share)}", f"reversed {yuan(share)}", refusal], {"pledged": 0}
    amounts = by_shares(share)
    out = {no: amounts[no] for no, at in tranches.items() if at < inf}
    released = sum(out.values())
    words = [f"reserved {yuan(share)}", *(f"released {no} {yuan(amount)}" for no, amount in out.items())]
    if cancellation == inf:
        return words, {"pledged": pledged, "reserved": share - released, "released": released}
    words.append(f"returned {yuan(share - released)}+{yuan(released)} {yuan(share)}")
    return words, {"pledged": 0 if ended else total}


def by_shares(share: int) -> dict[int, int]:
    """1, 33 and 66 per cent by largest remainder, said another way: try each place for what rounding down leaves."""
    exact = {1: share * 1, 2: share * 33, 3: share * 66}
    amounts = {no: value // 100 for no, value in exact.items()}
    while sum(amounts.values()) < share:
        amounts[max(exact, key=lambda no: (exact[no] - 100 * amounts[no], -no))] += 1
    return amounts


def yuan(fen: int) -> str:
    return to_amount(fen, "CNY")


@settings(max_examples=200)
@given(histories())
def test_in_any_order_each_step_is_published_once_and_the_money_is_where_it_belongs(history: list[Event]) -> None:
    world = told(*history)
    words, balances = expected(history)
    assert Counter(said(world)) == Counter(words)
    kept = {id.rpartition("-")[2]: fen for id, fen in world.balances().items()}
    assert kept.pop("source", 0) == -sum(balances.values())
    assert kept == {holds: fen for holds, fen in balances.items() if fen}
    assert world.early == []
