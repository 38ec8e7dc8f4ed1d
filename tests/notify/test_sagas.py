"""What is waited for, and when it is called stuck."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import funding, pairings, projects
from schemas.envelope import Event
from services.notify.domain import Saga, Wait, stuck
from tests.notify import builders as b


def waits(*events: Event) -> set[tuple[str, str, str]]:
    """kind, id, type waited for"""
    states = b.folded(b.Log().add(*events).events)
    sagas = [state for (kind, _), state in states.items() if kind is Saga]
    return {(wait.kind, wait.id, wait.waits_for) for saga in sagas for wait in saga.waits}


APPROVAL = ("approval", "pairing-1", projects.ProjectOpened.TYPE)
RESERVATION = ("approval", "pairing-1", funding.FundReserved.TYPE)


def test_an_approval_waits_for_its_project_and_its_money() -> None:
    assert waits(b.approved()) == {APPROVAL, RESERVATION}
    assert waits(b.approved(), b.opened()) == {RESERVATION}
    assert waits(b.approved(), b.opened(), b.reserved()) == set()


def test_an_approval_without_money_waits_for_its_project_alone() -> None:
    assert waits(b.approved(1, None)) == {APPROVAL}
    assert waits(b.approved(1, None), b.opened()) == set()


def test_a_withdrawal_waits_for_the_refusal_of_each_pairing_it_takes_back() -> None:
    running = [b.approved(), b.opened(), b.reserved()]
    expected = {("withdrawal", "pairing-1", funding.FundRefused.TYPE)}
    assert waits(*running, b.withdrawn("pairing-1")) == expected
    # A tranche was out already: funding keeps it and says nothing more.
    assert waits(*running, b.verified(), b.released(), b.withdrawn("pairing-1")) == set()


def test_a_refusal_waits_until_the_pairing_is_revoked_and_the_project_cancelled() -> None:
    run: list[Event] = [b.approved(), b.opened(), b.withdrawn("pairing-1"), b.refused()]
    assert waits(*run) == {("refusal", "project-1", pairings.PairingRevoked.TYPE)}
    assert waits(*run, b.revoked()) == {("revocation", "pairing-1", projects.ProjectCancelled.TYPE)}
    assert waits(*run, b.revoked(), b.cancelled()) == set()


def test_a_verification_waits_for_its_tranche_once() -> None:
    run = [b.approved(), b.opened(), b.reserved(), b.verified(1, 2)]
    assert waits(*run) == {("verification", "project-1", funding.FundTrancheReleased.TYPE)}
    assert waits(*run, b.released(1, 1)) == {("verification", "project-1", funding.FundTrancheReleased.TYPE)}
    assert waits(*run, b.released(1, 2)) == set()
    assert waits(*run, b.released(1, 2), b.reported(1, 2, reopened=True), b.verified(1, 2)) == set()


def test_a_verification_without_money_waits_for_nothing() -> None:
    assert waits(b.approved(1, None), b.opened(), b.verified()) == set()


def test_a_cancellation_waits_for_the_money_and_the_pairing() -> None:
    run = [b.approved(), b.opened(), b.reserved(), b.cancelled()]
    assert waits(*run) == {
        ("cancellation", "project-1", funding.FundReturned.TYPE),
        ("cancellation", "project-1", pairings.PairingRevoked.TYPE),
    }
    assert waits(*run, b.returned(), b.revoked()) == set()
    assert waits(b.approved(1, None), b.opened(), b.cancelled(), b.revoked()) == set()


FINISHED: list[Event] = [
    b.approved(), b.opened(), b.reserved(), b.reported(), b.verified(), b.released(), b.cancelled(),
    b.returned(), b.revoked(),
]  # fmt: skip
REFUSED: list[Event] = [
    b.approved(), b.opened(), b.reserved(), b.withdrawn("pairing-1"), b.reversed_(1, "reserved-1", "1000.00"),
    b.refused(), b.revoked(), b.cancelled(),
]  # fmt: skip


@settings(deadline=None)
@given(st.permutations(FINISHED))
def test_a_finished_saga_waits_for_nothing_in_whatever_order_its_events_came(events: list[Event]) -> None:
    assert waits(*events) == set()


@settings(deadline=None)
@given(st.permutations(REFUSED))
def test_a_refused_saga_waits_for_nothing_in_whatever_order_its_events_came(events: list[Event]) -> None:
    assert waits(*events) == set()


def test_a_wait_is_stuck_after_sixty_seconds() -> None:
    saga = b.folded(b.Log().add(b.approved(), b.opened()).events)[Saga, "pairing-1"]
    began = b.START + timedelta(seconds=1)
    assert saga.waiting_since == began
    assert stuck([saga], began + timedelta(seconds=60)) == []
    assert stuck([saga], began + timedelta(seconds=60.001)) == [
        Wait(kind="approval", id="pairing-1", since=began, waits_for=funding.FundReserved.TYPE)
    ]


def test_a_saga_without_waits_is_found_by_no_search() -> None:
    states = b.folded(b.Log().add(*FINISHED).events)
    assert states[Saga, "pairing-1"].waiting_since is None
