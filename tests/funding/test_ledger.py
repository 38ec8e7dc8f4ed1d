"""Double entry: always balanced, never below zero on any day, and always to be computed again."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.funding.domain import Account, Books, Day, Entry, Journal, Ledger
from services.funding.domain.accounts import paid_of, pledged_of, released_of, reserved_of, source_of
from services.funding.domain.ledger import Overdrawn
from tests.funding.world import NOW, World

TODAY = date(2026, 3, 4)
SOURCE = source_of("partner")
ACCOUNTS = (
    SOURCE,
    pledged_of("c", "partner"),
    reserved_of("project-p", "partner"),
    released_of("project-p", "partner"),
    paid_of("村委会"),
)
ABOUT = {"commitment_id": "c", "partner_ids": ("partner",)}
MOVES = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.sampled_from(ACCOUNTS),
    st.integers(0, 1000),
    st.sampled_from(("CNY", "USD")),
    st.integers(0, 5),
)


def on(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


def journal(world: World) -> Journal:
    """With all that is booked so far; `Books` may hold more than is needed."""
    books = Books(
        ledger=world.states.get((Ledger, "ledger"), Ledger()),
        accounts={account.id: account for account in world.all(Account)},
        days=world.all(Day),
    )
    return Journal(books, now=NOW, today=TODAY)


def balances_after_each(world: World) -> dict[tuple[str, str], list[int]]:
    """By account and currency, in the order in which entries count."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0])
    for entry in sorted(world.all(Entry), key=lambda entry: (entry.booked_on, entry.no)):
        for posting in entry.postings:
            row = found[posting.account_id, posting.currency]
            row.append(row[-1] + posting.amount)
    return found


@given(st.lists(MOVES, max_size=25))
def test_whatever_is_booked_for_whatever_day_no_account_is_ever_below_zero(moves) -> None:
    world = World()
    for out_of, into, amount, currency, days_ago in moves:
        if out_of == into:
            continue
        writing = journal(world)
        free = writing.free(out_of, currency, on(days_ago))
        try:
            writing.move("spent", amount, currency, out_of=out_of, into=into, on=on(days_ago), **ABOUT)
        except Overdrawn:
            assert amount > free
            continue
        assert out_of == SOURCE or amount <= free
        for state in writing.saves:
            world.states[type(state), state.id] = state
    rows = balances_after_each(world)
    assert all(min(row) >= 0 for (id, _), row in rows.items() if id != SOURCE.id)
    for account in ACCOUNTS[1:]:
        for currency in ("CNY", "USD"):
            assert journal(world).free(account, currency, date.min) == min(rows[account.id, currency])
    for currency in ("CNY", "USD"):
        assert sum(account.balance(currency) for account in world.all(Account)) == 0
    assert [fault for fault in world.audit() if fault.kind != "project"] == []


@given(st.lists(MOVES, min_size=1, max_size=10), st.data())
def test_what_is_free_is_exactly_what_can_be_taken(moves, data) -> None:
    world = World()
    for _, into, amount, currency, days_ago in moves:
        writing = journal(world)
        if into != SOURCE:
            writing.move("pledged", amount, currency, out_of=SOURCE, into=into, on=on(days_ago), **ABOUT)
        for state in writing.saves:
            world.states[type(state), state.id] = state
    account = data.draw(st.sampled_from(ACCOUNTS[1:]))
    day = on(data.draw(st.integers(0, 5)))
    free = journal(world).free(account, "CNY", day)
    journal(world).move("spent", free, "CNY", out_of=account, into=SOURCE, on=day, **ABOUT)
    with pytest.raises(Overdrawn):
        journal(world).move("spent", free + 1, "CNY", out_of=account, into=SOURCE, on=day, **ABOUT)


def test_an_entry_that_does_not_sum_to_zero_in_each_currency_is_not_booked() -> None:
    moves = [(SOURCE, -5, "CNY"), (ACCOUNTS[1], 5, "USD")]
    with pytest.raises(ValueError, match="does not sum to zero"):
        Journal(Books(), now=NOW, today=TODAY).book("pledged", moves, **ABOUT)


def test_numbers_have_no_gap_and_are_the_ids() -> None:
    writing = Journal(Books(), now=NOW, today=TODAY)
    entries = [writing.move("pledged", 1, "CNY", out_of=SOURCE, into=ACCOUNTS[1], **ABOUT) for _ in range(3)]
    assert [entry.no for entry in entries] == [1, 2, 3]
    assert [entry.id for entry in entries] == ["000000000001", "000000000002", "000000000003"]


def test_where_the_clock_has_gone_back_nothing_is_booked_before_what_it_uses() -> None:
    writing = Journal(Books(), now=NOW, today=TODAY)
    writing.move("pledged", 5, "CNY", out_of=SOURCE, into=ACCOUNTS[1], on=TODAY + timedelta(days=20), **ABOUT)
    entry = writing.move("reserved", 5, "CNY", out_of=ACCOUNTS[1], into=ACCOUNTS[2], **ABOUT)
    assert entry.booked_on == TODAY + timedelta(days=20)


@given(st.lists(st.integers(1, 500), min_size=2, max_size=8), st.data())
def test_each_change_of_a_kept_posting_balance_or_number_is_found(amounts, data) -> None:
    world = World()
    for amount in amounts:
        writing = journal(world)
        writing.move("transferred", amount, "CNY", out_of=SOURCE, into=ACCOUNTS[1], **ABOUT)
        for state in writing.saves:
            world.states[type(state), state.id] = state
    assert world.audit() == []
    kind = data.draw(st.sampled_from((Entry, Account, Day, Ledger)))
    victim = data.draw(st.sampled_from(world.all(kind)))
    match victim:
        case Entry():
            worse = (replace(victim.postings[0], amount=victim.postings[0].amount - 1), victim.postings[1])
            tampered = data.draw(
                st.sampled_from((replace(victim, postings=worse), replace(victim, booked_on=on(3)), None))
            )
        case Account():
            tampered = victim.moved(1, "CNY", TODAY)
        case Day():
            tampered = replace(victim, lowest=victim.lowest - 1)
        case Ledger():
            tampered = replace(victim, last_no=victim.last_no + 1)
    if tampered is None:
        del world.states[kind, victim.id]
    else:
        world.states[kind, victim.id] = tampered
    assert world.audit() != []


def test_payees_have_one_account_each() -> None:
    assert paid_of("甲公司").id == paid_of("甲公司").id != paid_of("乙公司").id
    assert isinstance(paid_of("/" * 255), Account)
