"""What a bookkeeper books: within what there is, each paper once, each mistake undone once."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.money import to_minor
from services.funding import domain
from services.funding.domain import Account, Commitment, Entry, Expenditure, Funds, Transfer
from services.kit.decision import Conflict, Invalid, Refused
from tests.funding.builders import (
    GOODS,
    amended,
    approved,
    cancelled,
    completed,
    expired,
    opened,
    registered,
    submitted,
    verified,
    withdrawn,
)
from tests.funding.world import World, run

TODAY = date(2026, 3, 4)
YESTERDAY = TODAY - timedelta(days=1)


class Books(World):
    """A world with a bookkeeper."""

    def spend(self, amount: int, pairing: str = "p", **changes: Any) -> Entry:
        fields = {"project_id": f"project-{pairing}", "amount": amount, "currency": "CNY", "payee": "村委会"}
        terms = Expenditure(**fields | {"spent_on": self.tx.today} | changes)
        funds = self.states.get((Funds, terms.project_id))
        accounts = funds.accounts if funds else ()
        journal = run(self.tx.journal(*accounts, domain.paid_of(terms.payee), on=terms.spent_on))
        first = run(self.tx.with_reference(terms.reference))
        return self.keep(domain.spend(terms, funds, first, journal=journal, today=self.tx.today))

    def transfer(self, amount: int, **changes: Any) -> Entry:
        fields = {"commitment_id": "c", "amount": amount, "currency": "CNY", "to_partner_id": "foundation"}
        terms = Transfer(**fields | {"on": self.tx.today} | changes)
        commitment = self.states.get((Commitment, terms.commitment_id))
        into = domain.source_of(terms.to_partner_id)
        journal = run(self.tx.journal(*(commitment.accounts if commitment else ()), into, on=terms.on))
        found = run(self.tx.get(Account, into.id)), run(self.tx.projects_of(terms.commitment_id))
        first = run(self.tx.with_reference(terms.reference))
        return self.keep(domain.transfer(terms, commitment, *found, first, journal=journal, today=self.tx.today))

    def reverse(self, entry: Entry) -> Entry:
        funds = self.states.get((Funds, entry.project_id))
        commitment = self.commitment(entry.commitment_id)
        accounts = (self.states[Account, posting.account_id] for posting in entry.postings)
        journal = run(self.tx.journal(*accounts, *commitment.accounts))
        earlier = run(self.tx.reversal_of(entry.id))
        return self.keep(domain.reverse(entry, earlier, "记错了", funds=funds, commitment=commitment, journal=journal))


@pytest.fixture
def books() -> Books:
    """100.00 are reserved, 60.00 of them released; 100.00 more are pledged."""
    world = Books()
    world.tell(registered("foundation"), submitted(200_00), approved(100_00), opened(60, 40), verified(1))
    return world


def refused(work: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def test_an_expenditure_takes_from_what_is_released(books: Books) -> None:
    entry = books.spend(25_00, reference="INV-1")
    spent = books.published[-1]
    assert (spent.amount, spent.entry_id, spent.payee, spent.spent_on) == ("25.00", entry.id, "村委会", "2026-03-04")
    assert books.funds("project-p").spent == 25_00
    assert books.balances()["project-project-p-released"] == 35_00
    assert books.audit() == []


def test_over_what_is_released_is_refused_with_what_it_is_made_of(books: Books) -> None:
    books.spend(25_00)
    refusal = refused(lambda: books.spend(35_01))
    assert (refusal.rule, dict(refusal.extra)) == (
        "not-enough",
        {
            "available": "35.00",
            "made_of": {"reserved": "100.00", "released": "60.00", "spent": "25.00", "returned": "0.00"},
        },
    )


def test_an_expenditure_for_an_earlier_day_cannot_overdraw_a_later_one(books: Books) -> None:
    books.tell(opened(pairing="q"))
    funds = books.funds("project-p")
    books.states[Funds, funds.id] = replace(funds, starts_on=YESTERDAY)
    refusal = refused(lambda: books.spend(1, spent_on=YESTERDAY))
    assert refusal.extra["available"] == "0.00"
    books.now += timedelta(days=2)
    books.spend(50_00)
    assert refused(lambda: books.spend(10_01, spent_on=TODAY)).extra["available"] == "10.00"
    assert books.spend(10_00, spent_on=TODAY).booked_on == TODAY
    assert books.audit() == []


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"project_id": "nowhere"}, {"/project_id"}),
        ({"currency": "USD"}, {"/currency"}),
        ({"spent_on": TODAY + timedelta(days=1)}, {"/spent_on"}),
        ({"spent_on": YESTERDAY}, {"/spent_on"}),
        ({"currency": "USD", "spent_on": YESTERDAY}, {"/currency", "/spent_on"}),
        ({"project_id": "nowhere", "spent_on": TODAY + timedelta(days=1)}, {"/project_id", "/spent_on"}),
    ],
)
def test_wrong_fields_are_named_all_at_once(books: Books, changes: dict[str, Any], pointers: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        books.spend(1, **changes)
    assert caught.value.errors.keys() == pointers


def test_nothing_is_spent_or_reversed_in_a_cancelled_project(books: Books) -> None:
    entry = books.spend(10_00)
    books.tell(cancelled())
    assert books.published[-1].refunded == "50.00"
    money = {"reserved": "100.00", "released": "60.00", "spent": "10.00", "returned": "90.00"}
    for refusal in (refused(lambda: books.spend(1)), refused(lambda: books.reverse(entry))):
        assert refusal.rule == "project-is-cancelled"
        assert refusal.extra == {"available": "0.00", "made_of": money}


def test_nothing_is_spent_where_no_money_is_booked(books: Books) -> None:
    books.tell(submitted(id="g", support=GOODS))
    books.tell(approved(0, "g", "g", allocated={"quantity": 1, "unit": "台"}, support_kind="goods"))
    assert refused(lambda: books.spend(1, "g")).rule == "no-money-booked"
    assert refused(lambda: books.transfer(1, commitment_id="g")).rule == "no-money-booked"


def test_nothing_can_be_spent_before_the_approval_is_known(books: Books) -> None:
    books.tell(opened(pairing="q"))
    assert refused(lambda: books.spend(1, "q")).extra["available"] == "0.00"


def test_a_completed_project_can_still_spend_what_was_released(books: Books) -> None:
    books.tell(verified(2), completed())
    assert books.spend(100_00).amount == 100_00


def test_an_external_reference_is_booked_once(books: Books) -> None:
    first = books.spend(1, reference="INV-1")
    for again in (lambda: books.spend(2, reference="INV-1"), lambda: books.transfer(2, reference="INV-1")):
        refusal = refused(again)
        assert (refusal.rule, refusal.extra["entry_id"]) == ("reference-taken", first.id)


def test_a_reversal_leaves_the_balances_as_they_were_and_comes_once(books: Books) -> None:
    before, funds = books.balances(), books.funds("project-p")
    entry = books.spend(5_00)
    opposite = books.reverse(entry)
    assert books.balances() == before
    assert replace(books.funds("project-p"), version=funds.version) == funds
    assert (opposite.type, opposite.iati_type, opposite.reverses) == ("reversed", 4, entry.id)
    event = books.published[-1]
    assert (event.amount, event.entry_id, event.reverses, event.project_id) == (
        "5.00",
        opposite.id,
        entry.id,
        "project-p",
    )
    refusal = refused(lambda: books.reverse(entry))
    assert (refusal.rule, refusal.extra["entry_id"]) == ("already-reversed", opposite.id)
    assert refused(lambda: books.reverse(opposite)).rule == "not-reversible"


def test_a_tranche_can_be_taken_back_as_far_as_it_is_not_spent(books: Books) -> None:
    (tranche,) = (entry for entry in books.all(Entry) if entry.type == "tranche_released")
    spent = books.spend(1)
    assert refused(lambda: books.reverse(tranche)).extra["available"] == "59.99"
    books.reverse(spent)
    books.reverse(tranche)
    assert books.funds("project-p").released == 0
    books.tell(verified(1))
    assert books.funds("project-p").released == 0
    books.tell(cancelled())
    assert (books.published[-1].unreserved, books.published[-1].refunded) == ("100.00", "0.00")


def test_a_tranche_of_a_completed_project_stays_out(books: Books) -> None:
    books.tell(verified(2), completed())
    tranche = next(entry for entry in books.all(Entry) if entry.type == "tranche_released")
    assert refused(lambda: books.reverse(tranche)).rule == "project-is-completed"


@pytest.mark.parametrize("type", ["pledged", "reserved", "returned", "unpledged"])
def test_what_follows_from_a_decision_is_not_reversed_by_hand(books: Books, type: str) -> None:
    books.tell(approved(10_00, "q"), opened(pairing="q"), cancelled("q"), amended(150_00))
    entry = next(entry for entry in books.all(Entry) if entry.type == type)
    refusal = refused(lambda: books.reverse(entry))
    assert isinstance(refusal, Conflict)
    assert refusal.rule == "not-reversible"


def test_a_transfer_lowers_what_its_commitment_has_and_outlives_its_withdrawal(books: Books) -> None:
    entry = books.transfer(40_00, reference="T-1")
    event = books.published[-1]
    assert (event.subject, event.amount, event.to_partner_id, event.entry_id) == ("c", "40.00", "foundation", entry.id)
    assert refused(lambda: books.transfer(60_01)).extra == {
        "available": "60.00",
        "made_of": {"reserved": "100.00", "released": "60.00", "spent": "0.00", "returned": "0.00"},
    }
    books.tell(submitted(40_00, "f", partner_id="foundation"))
    assert "partner-foundation-source" not in books.balances()
    books.tell(withdrawn())
    assert books.balances()["partner-partner-source"] == -140_00
    assert books.audit() == []


def test_a_reversed_transfer_is_there_again_unless_the_commitment_has_ended(books: Books) -> None:
    first, second = books.transfer(40_00), books.transfer(10_00)
    books.reverse(first)
    assert books.balances()["commitment-c-pledged"] == 90_00
    assert (books.published[-1].subject, books.published[-1].data().get("project_id")) == ("c", None)
    books.tell(withdrawn())
    books.reverse(second)
    assert "commitment-c-pledged" not in books.balances()
    assert books.balances()["partner-partner-source"] == -100_00
    assert books.audit() == []


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"commitment_id": "none"}, {"/commitment_id"}),
        ({"to_partner_id": "nobody"}, {"/to_partner_id"}),
        ({"to_partner_id": "partner"}, {"/to_partner_id"}),
        ({"currency": "USD", "on": TODAY + timedelta(days=1)}, {"/currency", "/on"}),
    ],
)
def test_a_transfer_with_wrong_fields_names_them(books: Books, changes: dict[str, Any], pointers: set[str]) -> None:
    books.tell(registered())
    with pytest.raises(Invalid) as caught:
        books.transfer(1, **changes)
    assert caught.value.errors.keys() == pointers


class AnyHistory(RuleBasedStateMachine):
    """Two commitments, three projects, a bookkeeper, in any order, on any day."""

    pairings = st.sampled_from((("p", "c"), ("q", "c"), ("r", "d")))
    fen = st.integers(1, 300)

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.books.tell(registered("foundation"), submitted(500, "c"), submitted(300, "d"))
        self.version = 1

    @rule(pairing=pairings, fen=fen)
    def approve(self, pairing, fen) -> None:
        self.books.tell(approved(fen, *pairing))

    @rule(pairing=pairings)
    def open(self, pairing) -> None:
        self.books.tell(opened(pairing=pairing[0], commitment=pairing[1]))

    @rule(pairing=pairings, no=st.integers(1, 3))
    def verify(self, pairing, no) -> None:
        self.books.tell(verified(no, *pairing))

    @rule(pairing=pairings, ends=st.sampled_from((cancelled, completed)))
    def end(self, pairing, ends) -> None:
        self.books.tell(ends(*pairing))

    @rule(id=st.sampled_from("cd"), fen=st.integers(1, 600))
    def amend(self, id, fen) -> None:
        self.version += 1
        self.books.tell(amended(fen, id, self.version))

    @rule(id=st.sampled_from("cd"), takes_back=st.sets(st.sampled_from("pqr")), is_withdrawn=st.booleans())
    def end_commitment(self, id, takes_back, is_withdrawn) -> None:
        own = takes_back & ({"p", "q"} if id == "c" else {"r"})
        self.books.tell(withdrawn(*sorted(own), id=id) if is_withdrawn else expired(id))

    @rule(pairing=pairings, fen=fen, days=st.integers(0, 3))
    def spend(self, pairing, fen, days) -> None:
        self._try(lambda: self.books.spend(fen, pairing[0], spent_on=self.books.tx.today - timedelta(days)))

    @rule(id=st.sampled_from("cd"), fen=fen, days=st.integers(0, 3))
    def transfer(self, id, fen, days) -> None:
        on = self.books.tx.today - timedelta(days)
        self._try(lambda: self.books.transfer(fen, commitment_id=id, on=on))

    @rule(data=st.data())
    def reverse(self, data) -> None:
        self._try(lambda: self.books.reverse(data.draw(st.sampled_from(self.books.all(Entry)))))

    @rule(days=st.integers(-1, 2))
    def time_passes(self, days) -> None:
        """Or a clock is put back."""
        self.books.now += timedelta(days=days)

    def _try(self, work) -> None:
        with suppress(Conflict, Invalid):
            work()

    @invariant()
    def the_ledger_is_sound(self) -> None:
        assert self.books.audit() == []

    @invariant()
    def what_was_published_is_what_is_booked(self) -> None:
        for funds in self.books.all(Funds):
            told = [event for event in self.books.published if event.data().get("project_id") == funds.id]
            sums = {"reserved": 0, "released": 0, "spent": 0, "returned": 0}
            parts = {"reserved": "reserved", "tranche_released": "released", "spent": "spent", "returned": "returned"}
            kinds = {event.entry_id: event.TYPE.rpartition(".")[2] for event in told if "entry_id" in event.data()}
            for event in told:
                kind = event.TYPE.rpartition(".")[2]
                if kind == "reversed":
                    sums[parts[kinds[event.reverses]]] -= to_minor(event.amount, "CNY")
                elif kind != "refused":
                    sums[parts[kind]] += to_minor(event.amount, "CNY")
            assert sums == {
                "reserved": funds.reserved,
                "released": funds.released,
                "spent": funds.spent,
                "returned": funds.unreserved + funds.refunded,
            }
            assert funds.reserved >= funds.released >= funds.spent >= 0


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
