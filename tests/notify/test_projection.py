"""The overview's figures: by rows, whatever order the events came in."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.notify.domain import PROGRAMME, CommitmentView, ProjectView, Tally, figures, fold, keys, total
from services.notify.domain import commitments as commitment_views
from services.notify.domain import projects as project_views
from services.notify.domain.archive import ArchivedEvent
from tests.notify import builders as b


def programme(*events: Event) -> dict[str, Any]:
    return overview(b.folded(b.Log().add(*events).events))


def overview(states: dict[tuple[type, str], Any]) -> dict[str, Any]:
    numbers = states.get((Tally, PROGRAMME), Tally(id=PROGRAMME)).numbers
    return figures(numbers) | {name: numbers.get(name, 0) for name in ("partners", "counties")}


def funds(*events: Event) -> dict[str, str]:
    sums: dict[str, str] = programme(*events)["funds"]["CNY"]
    return sums


def test_an_empty_programme_has_noughts_everywhere() -> None:
    found = programme()
    assert (found["partners"], found["counties"], found["projects"], found["funds"]) == (0, 0, 0, {})
    assert found["milestones"] == {"pending": 0, "reported": 0, "returned": 0, "verified": 0}
    assert set(found["projects_by_category"].values()) == {0}


def test_partners_and_counties_count_with_a_project_that_is_not_cancelled() -> None:
    found = programme(b.approved(1), b.opened(1), b.approved(2), b.opened(2), b.cancelled(1))
    assert (found["partners"], found["counties"], found["projects"]) == (1, 1, 1)
    assert found["projects_by_status"] == {"active": 1, "suspended": 0, "completed": 0, "cancelled": 1}
    assert found["projects_by_category"]["coverage"] == 1
    assert programme(b.opened(1), b.cancelled(1))["partners"] == 0
    assert programme(b.registered(), b.listed())["counties"] == 0


def test_milestones_count_by_status_in_projects_that_are_not_cancelled() -> None:
    steps = [b.opened(1), b.reported(1, 1), b.verified(1, 1), b.reported(1, 2)]
    assert programme(*steps)["milestones"] == {"pending": 1, "reported": 1, "returned": 0, "verified": 1}
    again = programme(*steps, b.reported(1, 1, reopened=True))
    assert again["milestones"] == {"pending": 1, "reported": 2, "returned": 0, "verified": 0}
    assert sum(programme(*steps, b.cancelled(1))["milestones"].values()) == 0


def test_money_goes_from_promised_to_used() -> None:
    assert funds(b.submitted()) == {
        "promised": "3000.00", "committed": "0.00", "handed_over": "0.00", "used": "0.00"
    }  # fmt: skip
    run = [b.submitted(), b.approved(), b.opened(), b.reserved(), b.released(), b.spent()]
    assert funds(*run) == {
        "promised": "3000.00", "committed": "1000.00", "handed_over": "300.00", "used": "100.00"
    }  # fmt: skip


def test_a_cancelled_projects_money_is_neither_committed_nor_handed_over_but_what_was_spent_is() -> None:
    run = [b.submitted(), b.approved(), b.opened(), b.reserved(), b.released(), b.spent(), b.cancelled()]
    assert funds(*run, b.returned(unreserved="700.00", refunded="200.00")) == {
        "promised": "3000.00", "committed": "100.00", "handed_over": "100.00", "used": "100.00"
    }  # fmt: skip


def test_a_reversed_entry_counts_for_nothing() -> None:
    run = [b.submitted(), b.approved(), b.opened(), b.reserved(), b.released(), b.spent()]
    assert funds(*run, b.reversed_(1, "spent-1", "100.00"))["used"] == "0.00"
    assert funds(*run[:4], b.reversed_(1, "reserved-1", "1000.00"))["committed"] == "0.00"


def test_of_a_withdrawn_commitment_only_what_stands_is_promised() -> None:
    run = [b.submitted(), b.approved(1), b.reserved(1), b.approved(2), b.withdrawn("pairing-2")]
    assert funds(*run)["promised"] == "2000.00"
    assert funds(*run, b.refused(2), b.revoked(2))["promised"] == "1000.00"
    assert funds(b.submitted(), b.withdrawn())["promised"] == "0.00"


def test_of_a_withdrawn_commitments_cancelled_project_what_did_not_come_back_is_promised() -> None:
    run = [b.submitted(), b.approved(), b.reserved(), b.opened(), b.released(), b.spent(), b.withdrawn(), b.cancelled()]
    assert funds(*run, b.returned(unreserved="700.00", refunded="200.00"))["promised"] == "100.00"


def test_what_was_transferred_is_promised_by_the_receiver_alone() -> None:
    assert funds(b.submitted(), b.transferred("500.00"))["promised"] == "2500.00"
    # Withdrawn, nothing of it is left; what went to the foundation is the foundation's.
    assert funds(b.submitted(), b.transferred("500.00"), b.withdrawn())["promised"] == "0.00"


def test_an_amendment_changes_what_is_promised() -> None:
    raised = b.amended(support={"kind": "money", "amount": "5000.00", "currency": "CNY"})
    assert funds(b.submitted(), raised)["promised"] == "5000.00"
    goods = b.amended(support={"kind": "goods", "quantity": 5, "unit": "sets"})
    assert funds(b.submitted(), goods)["promised"] == "0.00"


def test_goods_are_no_money_whatever_their_value() -> None:
    support = {"kind": "goods", "quantity": 5, "unit": "sets", "value": {"amount": "900.00", "currency": "CNY"}}
    states = b.folded(b.Log().add(b.submitted(support=support), b.approved(1, None), b.opened(1)).events)
    assert overview(states)["funds"] == {}
    assert states[ProjectView, "project-1"].funds is None


def test_currencies_are_never_added() -> None:
    dollars = b.submitted(support={"kind": "money", "amount": "10.00", "currency": "USD"}, commitment_id="c2", id="c2")
    assert programme(b.submitted(), dollars)["funds"]["USD"]["promised"] == "10.00"
    assert programme(b.submitted(), dollars)["funds"]["CNY"]["promised"] == "3000.00"


def test_a_late_event_takes_back_nothing_that_came_after_it() -> None:
    log = b.Log().add(b.opened(), b.reported(), b.verified())
    late = [log.events[0], log.events[2], log.events[1]]
    (milestone, *_) = b.folded(late)[ProjectView, "project-1"].milestones
    assert milestone.status == "verified"


def test_a_plan_that_comes_late_is_laid_under_what_happened_since() -> None:
    log = b.Log().add(b.opened(), b.reported())
    view = b.folded(list(reversed(log.events)))[ProjectView, "project-1"]
    assert [milestone.status for milestone in view.milestones] == ["reported", "pending", "pending"]
    assert view.status == "active"


def test_a_corrected_observation_is_still_one() -> None:
    log = b.Log().add(b.observed("2026-03"), b.observed("2026-04"), b.observed("2026-03"))
    view = b.folded(log.events)[ProjectView, "project-1"]
    assert len(view.observed["trainees"]) == 2


def test_an_event_that_cannot_be_folded_is_passed_over_and_the_next_goes_on() -> None:
    odd = b.envelope(b.reserved(1)) | {"data": b.reserved(1).data() | {"currency": "ZZZ"}}
    events = [b.archived(odd, 1), b.archived(b.opened(2), 2)]
    changed, passed_over = fold(events, dict.fromkeys(keys(events)))
    assert [event.position for event in passed_over] == [1]
    assert (ProjectView, "project-2") in changed
    assert (ProjectView, "project-1") not in changed


LIFE = [
    b.registered(), b.listed(), b.submitted(), b.approved(1), b.opened(1), b.reserved(1), b.reported(1, 1),
    b.verified(1, 1), b.released(1, 1), b.spent(1), b.approved(2), b.opened(2), b.reserved(2),
    b.reversed_(2, "reserved-2", "1000.00"), b.withdrawn("pairing-2"), b.refused(2), b.revoked(2), b.cancelled(2),
    b.approved(3, None), b.opened(3), b.transferred("200.00"), b.cancelled(1),
    b.returned(1, "700.00", "200.00"), b.revoked(1),
]  # fmt: skip


ORDERS = st.permutations(range(len(LIFE)))


def interleaved(order: list[int]) -> list[ArchivedEvent]:
    """LIFE in another order that Kafka may deliver: within one source and subject as it was numbered."""
    log = b.Log().add(*LIFE)
    lines: dict[tuple[str, str], list[ArchivedEvent]] = {}
    for event in log.events:
        lines.setdefault((event.envelope["source"], event.subject), []).append(event)
    return [lines[log.events[n].envelope["source"], log.events[n].subject].pop(0) for n in order]


@settings(deadline=None)
@given(ORDERS)
def test_the_figures_do_not_depend_on_the_order_of_different_subjects(order: list[int]) -> None:
    def tallies(events: list[ArchivedEvent]) -> dict[str, Any]:
        return {id: state.numbers for (kind, id), state in b.folded(events).items() if kind is Tally}

    assert tallies(interleaved(order)) == tallies(b.Log().add(*LIFE).events)


@settings(deadline=None)
@given(ORDERS, st.integers(min_value=1, max_value=len(LIFE)), st.integers(min_value=1, max_value=5))
def test_each_figure_is_the_sum_over_its_rows_at_every_moment(order: list[int], until: int, batch: int) -> None:
    events = interleaved(order)
    states: dict[tuple[type, str], Any] = {}
    for begin in range(0, until, batch):
        states = b.folded(events[begin : min(begin + batch, until)], states)
    rows = [project_views.contribution(view) for (kind, _), view in states.items() if kind is ProjectView]
    rows += [commitment_views.contribution(view) for (kind, _), view in states.items() if kind is CommitmentView]
    expected = {name: number for name, number in total(rows).items() if number or name.startswith("funds:")}
    counted = dict(states.get((Tally, PROGRAMME), Tally(id=PROGRAMME)).numbers)
    live = [
        view for (kind, _), view in states.items() if kind is ProjectView and view.status not in (None, "cancelled")
    ]
    assert counted.pop("partners", 0) == len({view.partner_id for view in live})
    assert counted.pop("counties", 0) == len({view.county_code for view in live})
    assert counted == expected
