"""The money shown on a project follows the ledger's entries, each once."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.funding import FundReserved, FundReturned, FundReversed, FundSpent, FundTrancheReleased
from schemas.money import to_amount
from services.kit.decision import NotYet
from services.projects import domain
from services.projects.domain import FundEntry, Project
from tests.projects.builders import a_project, project_of

ABOUT = a_project().about | {"currency": "CNY"}
KINDS = {
    "reserved": lambda **f: FundReserved(**ABOUT, **f),
    "released": lambda **f: FundTrancheReleased(**ABOUT, milestone_no=1, **f),
    "spent": lambda **f: FundSpent(**ABOUT, payee="村委会", spent_on="2026-04-01", **f),
    "returned": lambda **f: FundReturned(**ABOUT, unreserved="0.00", refunded=f["amount"], **f),
}


class Ledger:
    """Plays entries to a project and keeps them as the store would."""

    def __init__(self) -> None:
        self.project: Project = a_project()
        self.entries: dict[str, FundEntry] = {}

    def keep(self, decision):
        for state in decision.saves:
            if isinstance(state, FundEntry):
                self.entries[state.id] = state
            else:
                self.project = project_of(decision)

    def book(self, part: str, id: str, fen: int):
        booked = KINDS[part](entry_id=id, amount=to_amount(fen, "CNY"))
        self.keep(domain.book(self.project, self.entries.get(id), booked))

    def reverse(self, id: str, reverses: str, fen: int = 1):
        reversal = FundReversed(**ABOUT, entry_id=id, reverses=reverses, amount=to_amount(fen, "CNY"))
        known, original = self.entries.get(id), self.entries.get(reverses)
        self.keep(domain.reverse(self.project, known, original, reversal))

    @property
    def shown(self) -> dict[str, int]:
        return {part: getattr(self.project.funds, part) for part in KINDS}


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 10**14), st.booleans(), st.integers(1, 3))))
def test_each_part_is_what_was_booked_less_what_was_reversed_however_often_it_is_told(entries):
    ledger = Ledger()
    expected = dict.fromkeys(KINDS, 0)
    for number, (part, fen, undone, times) in enumerate(entries):
        for _ in range(times):
            ledger.book(part, f"e{number}", fen)
            if undone:
                ledger.reverse(f"r{number}", f"e{number}", fen)
        expected[part] += 0 if undone else fen
    assert ledger.shown == expected


def test_a_reversal_of_a_reversal_counts_again():
    ledger = Ledger()
    ledger.book("spent", "e1", 500)
    ledger.reverse("r1", "e1")
    ledger.reverse("r2", "r1")
    assert ledger.shown["spent"] == 500


def test_a_reversal_before_what_it_reverses_waits_for_it():
    ledger = Ledger()
    with pytest.raises(NotYet) as waiting:
        ledger.reverse("r1", "e1")
    assert waiting.value.about == "project-1"


def test_money_raises_the_version_of_the_project_that_shows_it():
    ledger = Ledger()
    versions = [ledger.project.version]
    for number in range(3):
        ledger.book("reserved", f"e{number}", 100)
        versions.append(ledger.project.version)
    assert all(later == earlier + 1 for earlier, later in pairwise(versions))


def test_an_entry_in_another_currency_or_without_any_money_is_not_the_projects():
    booked = FundReserved(**ABOUT | {"currency": "USD"}, entry_id="e1", amount="1.00")
    with pytest.raises(domain.NotItsMoney):
        domain.book(a_project(), None, booked)
    goods = a_project(support_kind="goods", allocated={"quantity": 3, "unit": "sets"})
    with pytest.raises(domain.NotItsMoney):
        domain.book(goods, None, KINDS["reserved"](entry_id="e1", amount="1.00"))
