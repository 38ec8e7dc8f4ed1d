"""Shares and states of a commitment, whatever happens to it: a machine that tries anything in any order."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.kit.decision import Conflict, Decision
from services.pairing import domain
from services.pairing.domain import Card, Commitment, County, Need, Pairing, Support, Terms
from services.pairing.domain.pairing import proposed

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TODAY = date(2026, 3, 1)


def terms(units: int, projects: int, kind: Any = "money") -> Terms:
    return Terms(
        category="coverage",
        title={"zh": "光纤"},
        support=Support(kind=kind, units=units, measure="CNY" if kind == "money" else "台", value=None),
        projects_max=projects,
        valid_from=TODAY,
        valid_until=TODAY + timedelta(days=365),
        prefers=None,
        excludes=None,
        only=None,
        reference=None,
    )


def commitment(units: int, projects: int, kind: Any = "money") -> Commitment:
    made = domain.submit_commitment(terms(units, projects, kind), id="c1", partner_id="p1", now=NOW, today=TODAY)
    return made.state


def county(code: str, slots: int = 1) -> tuple[County, Card]:
    need = Need(category="coverage", slots=slots, severity=None, quantities=None)
    made = domain.put_card(
        None,
        code=code,
        name={"zh": code},
        province=code[:2],
        needs=[need],
        indicators=[],
        valid_from=TODAY,
        reason="baseline",
        now=NOW,
        by="coordinator",
        live={},
    )
    return made.state, made.state.card


@given(st.integers(1, 10**15), st.integers(1, 50))
def test_shares_sum_to_the_whole_and_differ_by_one_unit_at_most(units: int, projects: int) -> None:
    shares = list(commitment(max(units, projects), projects).next_shares())
    assert len(shares) == projects
    assert sum(shares) == max(units, projects)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


def test_a_hundred_in_three() -> None:
    assert list(commitment(10_000, 3).next_shares()) == [3334, 3333, 3333]


def test_no_share_is_of_nothing() -> None:
    after = domain.transfer_out(commitment(3, 3), 1)
    assert list(after.next_shares()) == [1, 1]


class Life(RuleBasedStateMachine):
    """One commitment, six counties, and all that may be done to it or heard of it."""

    kind = "money"

    def __init__(self) -> None:
        super().__init__()
        self.total = 1000
        self.commitment = commitment(self.total, 4, self.kind)
        self.counties: dict[str, County] = {}
        self.cards: dict[str, Card] = {}
        for code in (f"52032{no}" for no in range(6)):
            self.counties[code], self.cards[code] = county(code)
        self.pairings: dict[str, Pairing] = {}
        self.ids = (f"x{no}" for no in count())
        self.revoked: list[str] = []

    def keep(self, decision: Decision[Any]) -> None:
        for state in decision.saves:
            if isinstance(state, Commitment):
                self.commitment = state
            elif isinstance(state, County):
                self.counties[state.id] = state
            elif isinstance(state, Pairing):
                self.pairings[state.id] = state
        self.revoked += [event.subject for event in decision.events if event.TYPE == "jiedui.pairing.revoked"]

    def attempt(self, act: Any, *args: Any, **more: Any) -> None:
        with suppress(Conflict):
            self.keep(act(*args, **more))

    def some(self, data: st.DataObject, *statuses: str) -> Pairing | None:
        found = sorted(id for id, pairing in self.pairings.items() if pairing.status in statuses)
        return self.pairings[data.draw(st.sampled_from(found))] if found else None

    def sides(self, pairing: Pairing) -> tuple[Commitment, County]:
        return self.commitment, self.counties[pairing.county_code]

    @rule(data=st.data())
    def propose_and_approve(self, data: st.DataObject) -> None:
        code = data.draw(st.sampled_from(sorted(self.counties)))
        share = next(self.commitment.next_shares(), 1)
        pairing = proposed(self.commitment, code, share, id=next(self.ids), round_id="r", now=NOW)
        self.pairings[pairing.id] = pairing
        if data.draw(st.booleans()):
            self.attempt(
                domain.approve_pairing,
                pairing,
                *self.sides(pairing),
                self.cards[code],
                project_id=f"project-{pairing.id}",
                now=NOW,
                today=TODAY,
            )

    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        if pairing := self.some(data, "approved", "revoked"):
            self.attempt(domain.revoke_pairing, pairing, *self.sides(pairing), reason="mistake")

    @rule(data=st.data())
    def hear_of_the_start(self, data: st.DataObject) -> None:
        if pairing := self.some(data, "approved", "revoked"):
            for see in (domain.see_project, domain.see_reservation):
                self.keep(see(self.pairings[pairing.id]))

    @rule(data=st.data())
    def hear_of_a_refusal(self, data: st.DataObject) -> None:
        if pairing := self.some(data, "approved", "revoked"):
            self.keep(domain.refuse_reservation(pairing, *self.sides(pairing), reason="not-enough"))

    @rule(data=st.data())
    def hear_of_a_cancellation(self, data: st.DataObject) -> None:
        if pairing := self.some(data, "approved", "revoked"):
            self.keep(domain.cancel_project(pairing, *self.sides(pairing), reason="gone"))

    @rule(data=st.data())
    def hear_of_money_back(self, data: st.DataObject) -> None:
        pairing = self.some(data, "approved", "revoked")
        if pairing and pairing.is_booked:
            minor = data.draw(st.integers(0, pairing.units))
            self.keep(domain.return_money(pairing, self.commitment, minor=minor))

    @rule(data=st.data())
    def hear_of_completion(self, data: st.DataObject) -> None:
        if pairing := self.some(data, "approved", "revoked"):
            self.keep(domain.complete_project(pairing, self.counties[pairing.county_code]))

    @rule(data=st.data())
    def hear_of_a_tranche(self, data: st.DataObject) -> None:
        if pairing := self.some(data, "approved"):
            self.keep(domain.see_tranche(pairing))

    @rule(units=st.integers(1, 2000), projects=st.integers(1, 8))
    def amend(self, units: int, projects: int) -> None:
        before = self.commitment
        proposals = [pairing for pairing in self.pairings.values() if pairing.status == "proposed"]
        new = terms(max(units, projects), projects, self.kind)
        self.attempt(domain.amend_commitment, before, new, proposals)
        if self.commitment is not before:
            self.total = new.support.units
            assert all(pairing.status != "proposed" for pairing in self.pairings.values())

    @precondition(lambda self: len(self.pairings) > 3)
    @rule()
    def withdraw(self) -> None:
        before = self.commitment
        standing = [self.pairings[one.pairing_id] for one in before.standing]
        proposals = [pairing for pairing in self.pairings.values() if pairing.status == "proposed"]
        self.attempt(domain.withdraw_commitment, before, proposals, standing, self.counties, reason="no budget")
        if self.commitment is not before:
            assert not [pairing for pairing in self.pairings.values() if pairing.status == "proposed"]
            waiting = [pairing for pairing in self.pairings.values() if pairing.taken_back]
            assert all(pairing.is_booked and not pairing.reserved for pairing in waiting)

    @invariant()
    def paired_and_remaining_are_the_whole(self) -> None:
        found = self.commitment
        if not found.is_over:
            assert found.paired_units + found.open_units == self.total
        else:
            assert (found.open_projects, found.open_units) == (0, 0)
        assert 0 <= found.paired_units <= self.total
        assert found.open_projects >= 0

    @invariant()
    def what_stands_is_what_is_approved(self) -> None:
        approved = {id for id, pairing in self.pairings.items() if pairing.status == "approved"}
        assert {one.pairing_id for one in self.commitment.standing} == approved
        counties = [one.county_code for one in self.commitment.standing]
        assert len(set(counties)) == len(counties)

    @invariant()
    def slots_are_counted(self) -> None:
        for code, found in self.counties.items():
            live = sum(pairing.is_live for pairing in self.pairings.values() if pairing.county_code == code)
            assert found.live.get("coverage", 0) == live <= 1

    @invariant()
    def paired_units_are_what_is_allocated_less_what_came_back(self) -> None:
        out = sum(pairing.units for pairing in self.pairings.values() if pairing.status == "approved")
        out += sum(
            pairing.units - (pairing.came_back or 0)
            for pairing in self.pairings.values()
            if pairing.status == "revoked"
        )
        assert self.commitment.paired_units == out

    @invariant()
    def a_pairing_is_revoked_once(self) -> None:
        assert len(set(self.revoked)) == len(self.revoked)

    @invariant()
    def the_status_says_what_the_figures_say(self) -> None:
        found = self.commitment
        if found.status == "open":
            assert found.open_projects
            assert not found.standing
        if found.status == "partly_paired":
            assert found.open_projects
            assert found.standing
        if found.status == "fully_paired":
            assert not found.open_projects


class LifeOfGoods(Life):
    kind = "goods"


TestMoney = Life.TestCase
TestMoney.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestGoods = LifeOfGoods.TestCase
TestGoods.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)


def test_a_withdrawal_takes_back_in_one_decision_what_has_no_money() -> None:
    giver = commitment(10, 2, "goods")
    place, card = county("520324")
    pairing = proposed(giver, place.id, 5, id="x", round_id="r", now=NOW)
    made = domain.approve_pairing(pairing, giver, place, card, project_id="project", now=NOW, today=TODAY)
    pairing, giver, place = made.saves
    withdrawn = domain.withdraw_commitment(giver, [], [pairing], {place.id: place}, reason="no budget")
    assert [event.TYPE for event in withdrawn.events] == ["jiedui.commitment.withdrawn", "jiedui.pairing.revoked"]
    assert withdrawn.state.paired_units == 0
    assert replace(withdrawn.state, version=0).open_units == 0
