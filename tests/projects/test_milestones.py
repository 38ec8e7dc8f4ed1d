"""Report, verify, send back: the states, the two persons, and what each step leaves behind."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.projects import MilestoneReported, MilestoneReturned, MilestoneVerified
from services.kit.decision import Conflict, Decision, Invalid, NotAllowed
from services.projects import domain
from services.projects.domain import Report
from tests.projects.builders import NOW, a_project, project_of, reported, tell, verified


def test_a_report_carries_the_time_at_which_it_happened():
    hour_ago = NOW - timedelta(hours=1)
    decision = tell(a_project(), 1, Report(occurred_at=hour_ago, note="通"), who="officer", now=NOW)
    (event,) = decision.events
    assert isinstance(event, MilestoneReported)
    assert event.occurred_at == "2026-03-04T00:00:00.000Z"
    assert (event.note, event.evidence, event.reopened) == ("通", [], False)
    milestone = decision.state
    assert (milestone.status, milestone.reported_by, milestone.reported_at) == ("reported", "officer", NOW)
    assert milestone.occurred_at == hour_ago


def test_a_report_may_be_five_minutes_ahead_and_no_more():
    ahead = NOW + timedelta(minutes=5)
    assert tell(a_project(), 1, Report(occurred_at=ahead), who="officer", now=NOW).events
    late = ahead + timedelta(milliseconds=1)
    with pytest.raises(Invalid) as refused:
        tell(a_project(), 1, Report(occurred_at=late), who="officer", now=NOW)
    assert list(refused.value.errors) == ["/occurred_at"]


def test_a_report_that_names_unknown_evidence_is_refused_with_every_fault_at_once():
    report = Report(occurred_at=NOW + timedelta(days=1), evidence=("a" * 64, "b" * 64))
    with pytest.raises(Invalid) as refused:
        tell(a_project(), 1, report, who="officer", now=NOW)
    assert set(refused.value.errors) == {"/occurred_at", "/evidence/0", "/evidence/1"}


def test_a_report_that_leaves_out_the_note_leaves_it_as_it_was():
    first = tell(a_project(), 1, Report(occurred_at=NOW, note="first"), who="officer", now=NOW)
    again = tell(project_of(first), 1, Report(occurred_at=NOW), who="officer", now=NOW)
    assert again.state.note == "first"
    emptied = tell(project_of(again), 1, Report(occurred_at=NOW, note=""), who="officer", now=NOW)
    assert emptied.state.note == ""


def test_verifying_tells_weight_share_and_progress_after_it():
    decision = domain.verify_milestone(reported(a_project(), 2), 2, "seen", who="coordinator", now=NOW)
    (event,) = decision.events
    assert isinstance(event, MilestoneVerified)
    assert (event.weight, event.tranche_share, event.progress, event.note) == (50, 40, 50, "seen")
    assert project_of(decision).progress == 50


@pytest.mark.parametrize("status", ["pending", "returned", "verified"])
def test_only_what_is_reported_can_be_verified_or_sent_back(status):
    project = {
        "pending": a_project(),
        "returned": project_of(domain.return_milestone(reported(a_project(), 1), 1, "blurred", who="c", now=NOW)),
        "verified": verified(a_project(), 1),
    }[status]
    with pytest.raises(domain.MilestoneNotReported):
        domain.verify_milestone(project, 1, None, who="someone else", now=NOW)
    with pytest.raises(domain.MilestoneNotReported):
        domain.return_milestone(project, 1, "why", who="someone else", now=NOW)


def test_who_reported_cannot_verify_even_after_another_person_edited_the_report():
    project = reported(reported(a_project(), 1, who="wang"), 1, who="li")
    for reporter in ("wang", "li"):
        with pytest.raises(domain.ReporterCannotVerify) as refused:
            domain.verify_milestone(project, 1, None, who=reporter, now=NOW)
        assert refused.value.rule == "reporter-cannot-verify"
        assert isinstance(refused.value, NotAllowed)
    assert domain.verify_milestone(project, 1, None, who="zhao", now=NOW).state.status == "verified"


def test_an_edit_of_a_verified_milestone_is_reported_again_and_says_so():
    project = verified(a_project(), 1)
    assert project.progress == 20
    decision = tell(project, 1, Report(occurred_at=NOW), who="officer", now=NOW)
    (event,) = decision.events
    assert isinstance(event, MilestoneReported)
    assert event.reopened
    assert project_of(decision).progress == 0
    assert (decision.state.verified_by, decision.state.verified_at) == (None, None)


def test_a_milestone_that_was_sent_back_says_why_until_it_is_reported_again():
    back = domain.return_milestone(reported(a_project(), 1), 1, "blurred photo", who="coordinator", now=NOW)
    (event,) = back.events
    assert isinstance(event, MilestoneReturned)
    assert (event.reason, back.state.status, back.state.reason) == ("blurred photo", "returned", "blurred photo")
    again = tell(project_of(back), 1, Report(occurred_at=NOW), who="officer", now=NOW)
    assert (again.state.status, again.state.reason) == ("reported", None)
    assert not again.events[0].data()["reopened"]


def test_a_suspended_project_takes_reports_and_verifies_nothing():
    project = project_of(domain.suspend_project(a_project(), "flood", who="coordinator", now=NOW))
    project = reported(project, 1)
    with pytest.raises(domain.ProjectIsSuspended):
        domain.verify_milestone(project, 1, None, who="coordinator", now=NOW)


def test_an_ended_project_takes_neither_reports_nor_anything_else():
    project = project_of(domain.cancel_project(reported(a_project(), 1), "no more", who="coordinator", now=NOW))
    for attempt in (
        lambda: tell(project, 1, Report(occurred_at=NOW), who="officer", now=NOW),
        lambda: domain.verify_milestone(project, 1, None, who="coordinator", now=NOW),
        lambda: domain.return_milestone(project, 1, "why", who="coordinator", now=NOW),
        lambda: domain.reschedule_milestone(project, 1, date(2026, 5, 1), "rain", who="coordinator", now=NOW),
    ):
        with pytest.raises(domain.ProjectEnded):
            attempt()


def test_rescheduling_tells_both_days():
    decision = domain.reschedule_milestone(a_project(), 1, date(2026, 5, 1), "rain", who="coordinator", now=NOW)
    data = decision.events[0].data()
    assert (data["was"], data["due_on"], data["reason"]) == ("2026-04-03", "2026-05-01", "rain")
    assert decision.state.due_on == date(2026, 5, 1)


def test_a_number_that_the_plan_lacks_is_not_found():
    with pytest.raises(domain.NoSuchMilestone):
        tell(a_project(), 4, Report(occurred_at=NOW), who="officer", now=NOW)


PEOPLE = st.sampled_from(["wang", "li", "zhao"])
NUMBERS = st.sampled_from([1, 2, 3])


class Life(RuleBasedStateMachine):
    """Anybody tries anything; a model of plain sets says what must have come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.project = a_project()
        self.now = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
        self.ever_reported: dict[int, set[str]] = {1: set(), 2: set(), 3: set()}
        self.replayed: dict[str, Any] = {}

    def settle(self, attempt: Any, no: int | None = None) -> Decision[Any] | None:
        """Tries it; checks what any success and any refusal must leave."""
        before = self.project
        try:
            decision: Decision[Any] = attempt(before)
        except (Conflict, NotAllowed):
            return None
        self.project = project_of(decision)
        assert self.project.version == before.version + 1
        for old, new in zip(before.milestones, self.project.milestones, strict=True):
            assert new.version == old.version + (old.no == no)
            assert old.no == no or old == new
        for entry in decision.saves[1:]:
            assert self.replayed.get(entry.field, entry.old) == entry.old
            assert entry.old != entry.new
            self.replayed[entry.field] = entry.new
        return decision

    @rule(no=NUMBERS, who=PEOPLE, note=st.sampled_from([None, "", "done", "done well"]))
    def report(self, no, who, note):
        was = self.project.milestone(no)
        report = Report(occurred_at=self.now, note=note)
        decision = self.settle(lambda p: tell(p, no, report, who=who, now=self.now), no)
        assert (decision is None) == (self.project.status in ("completed", "cancelled"))
        if decision:
            self.ever_reported[no].add(who)
            assert decision.events[0].data()["reopened"] == (was.status == "verified")
            assert self.project.milestone(no).status == "reported"

    @rule(no=NUMBERS, who=PEOPLE)
    def verify(self, no, who):
        before = self.project
        decision = self.settle(lambda p: domain.verify_milestone(p, no, None, who=who, now=self.now), no)
        allowed = (
            before.status == "active"
            and before.milestone(no).status == "reported"
            and who not in self.ever_reported[no]
        )
        assert (decision is not None) == allowed
        if decision:
            assert decision.events[0].data()["progress"] == self.project.progress

    @rule(no=NUMBERS, who=PEOPLE)
    def send_back(self, no, who):
        before = self.project
        decision = self.settle(lambda p: domain.return_milestone(p, no, "why", who=who, now=self.now), no)
        running = before.status in ("active", "suspended")
        assert (decision is not None) == (running and before.milestone(no).status == "reported")

    @rule(no=NUMBERS, day=st.dates(date(2026, 1, 1), date(2027, 1, 1)))
    def reschedule(self, no, day):
        self.settle(lambda p: domain.reschedule_milestone(p, no, day, "rain", who="zhao", now=self.now), no)

    @rule(turn=st.sampled_from([domain.suspend_project, domain.resume_project]))
    def pause_or_go_on(self, turn):
        self.settle(lambda p: turn(p, "why", who="zhao", now=self.now))

    @rule()
    def complete(self):
        before = self.project
        decision = self.settle(lambda p: domain.complete_project(p, None, who="zhao", now=self.now))
        assert (decision is not None) == (before.status == "active" and before.progress == 100)

    @rule(times=st.integers(0, 9))
    def cancel_now_and_then(self, times):
        if times == 0:
            self.settle(lambda p: domain.cancel_project(p, "why", who="zhao", now=self.now))

    @invariant()
    def progress_is_the_weight_of_what_is_verified(self):
        weights = {1: 20, 2: 50, 3: 30}
        done = [m.no for m in self.project.milestones if m.status == "verified"]
        assert self.project.progress == sum(weights[no] for no in done)

    @invariant()
    def nobody_verified_their_own_report(self):
        for milestone in self.project.milestones:
            assert set(milestone.reporters) == self.ever_reported[milestone.no]
            assert milestone.verified_by not in milestone.reporters
            assert (milestone.status == "verified") == (milestone.verified_by is not None)

    @invariant()
    def history_played_from_the_start_gives_the_present(self):
        assert self.replayed.get("status", "active") == self.project.status
        for milestone in self.project.milestones:
            for name in ("status", "note"):
                path = f"milestones/{milestone.no}/{name}"
                assert self.replayed.get(path, getattr(a_project().milestone(milestone.no), name)) == getattr(
                    milestone, name
                )


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
