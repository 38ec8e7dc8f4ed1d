"""Opening, pausing, ending, and the decision that a delisting asks for."""

from datetime import date, timedelta

import pytest

from schemas.projects import (
    ProjectCancelled,
    ProjectCompleted,
    ProjectDecided,
    ProjectDecisionNeeded,
    ProjectOpened,
    ProjectResumed,
    ProjectSuspended,
)
from services.projects import domain
from services.projects.domain import County, Funds, OpenDecision, Project
from tests.projects.builders import NOW, PLAN, STARTS_ON, a_project, approved, project_of, reported, verified

LATER = NOW + timedelta(hours=1)
TODAY = STARTS_ON


def types_of(decision):
    return [type(event) for event in decision.events]


def delisted(project: Project) -> Project:
    decision = domain.delist_county(None, project.county_code, [project], on=TODAY, at=NOW, who="pairing", now=NOW)
    return project_of(decision)


def open_project(known=None, county=None, approved_at=NOW, **fields):
    return domain.open_project(
        known,
        approved(**fields),
        PLAN,
        county,
        who="coordinator",
        approved_at=approved_at,
        starts_on=STARTS_ON,
        now=LATER,
    )


def test_an_approved_pairing_opens_a_project_with_its_plan():
    decision = open_project()
    (event,) = decision.events
    assert isinstance(event, ProjectOpened)
    assert event.project_id == "project-1"
    assert event.starts_on == "2026-03-04"
    assert [(m["no"], m["weight"], m["tranche_share"], m["due_on"]) for m in event.milestones] == [
        (1, 20, 30, "2026-04-03"),
        (2, 50, 40, "2026-05-03"),
        (3, 30, 30, "2026-06-02"),
    ]
    assert event.indicators[0] == {
        "code": "parcels_shipped",
        "kind": "flow",
        "unit": "parcels",
        "baseline": None,
        "target": None,
    }
    project = decision.state
    assert (project.status, project.progress, project.version, project.starts_on) == ("active", 0, 1, date(2026, 3, 4))
    assert project.decision is None


def test_only_money_and_purchases_have_funds_and_those_begin_at_nought():
    nought = Funds(currency="CNY", reserved=0, released=0, spent=0, returned=0)
    assert a_project(support_kind="money").funds == nought
    assert a_project(support_kind="purchase").funds == nought
    for kind in ("goods", "service", "training"):
        assert a_project(support_kind=kind, allocated={"quantity": 3, "unit": "sets"}).funds is None


def test_an_approval_that_comes_again_opens_nothing_anew():
    project = reported(a_project(), 1)
    decision = open_project(known=project)
    assert (decision.state, decision.saves, decision.events) == (project, (), ())


def test_every_opening_writes_to_its_county_so_that_it_meets_a_delisting():
    (county,) = (state for state in open_project().saves if isinstance(state, County))
    assert (county.id, county.projects) == ("520326", 1)


def test_a_delisting_asks_each_running_project_of_the_county_once():
    running = [a_project(project_id="a"), a_project(project_id="b")]
    decision = domain.delist_county(None, "520326", running, on=TODAY, at=NOW, who="pairing", now=LATER)
    assert types_of(decision) == [ProjectDecisionNeeded, ProjectDecisionNeeded]
    assert [event.subject for event in decision.events] == ["a", "b"]
    assert decision.events[0].data()["since"] == "2026-03-04T01:00:00.000Z"
    asked = [state for state in decision.saves if isinstance(state, Project)]
    assert {project.decision for project in asked} == {OpenDecision(reason="county-delisted", since=NOW)}
    again = domain.delist_county(decision.state, "520326", asked, on=TODAY, at=LATER, who="pairing", now=LATER)
    assert again.events == []


def test_news_of_a_county_that_is_older_than_what_we_know_changes_nothing():
    relisted = domain.relist_county(None, "520326", at=LATER).state
    late = domain.delist_county(relisted, "520326", [a_project()], on=TODAY, at=NOW, who="pairing", now=LATER)
    assert (late.state, late.saves, late.events) == (relisted, (), ())
    delisted_ = domain.delist_county(None, "520326", [], on=TODAY, at=LATER, who="pairing", now=LATER).state
    assert domain.relist_county(delisted_, "520326", at=NOW).state.delisted


def test_a_project_that_opens_after_the_news_of_a_later_delisting_asks_too():
    county = domain.delist_county(None, "520326", [], on=TODAY, at=LATER, who="pairing", now=LATER).state
    decision = open_project(county=county, approved_at=NOW)
    assert types_of(decision) == [ProjectOpened, ProjectDecisionNeeded]
    assert decision.state.decision == OpenDecision(reason="county-delisted", since=LATER)


def test_a_project_approved_while_its_county_was_delisted_but_at_risk_asks_nothing():
    county = domain.delist_county(None, "520326", [], on=TODAY, at=NOW, who="pairing", now=NOW).state
    assert types_of(open_project(county=county, approved_at=LATER)) == [ProjectOpened]


def test_a_project_that_opens_after_a_relisting_asks_nothing():
    county = domain.delist_county(None, "520326", [], on=TODAY, at=NOW, who="pairing", now=NOW).state
    county = domain.relist_county(county, "520326", at=LATER).state
    assert types_of(open_project(county=county, approved_at=NOW - timedelta(hours=1))) == [ProjectOpened]


@pytest.mark.parametrize(
    ("turn", "status", "events"),
    [
        (domain.resume_project, "active", [ProjectDecided]),
        (domain.suspend_project, "suspended", [ProjectSuspended, ProjectDecided]),
        (domain.cancel_project, "cancelled", [ProjectCancelled, ProjectDecided]),
    ],
)
def test_a_decision_is_closed_by_going_on_suspending_or_cancelling(turn, status, events):
    decision = turn(delisted(a_project()), "we looked into it", who="coordinator", now=LATER)
    assert types_of(decision) == events
    assert (decision.state.status, decision.state.decision) == (status, None)
    assert decision.events[-1].data()["reason"] == "we looked into it"


def test_a_suspended_project_can_stay_so_by_decision_or_go_on():
    project = delisted(project_of(domain.suspend_project(a_project(), "flood", who="c", now=NOW)))
    stays = domain.suspend_project(project, "still under water", who="c", now=LATER)
    assert (types_of(stays), stays.state.status) == ([ProjectDecided], "suspended")
    goes_on = domain.resume_project(project, "dry again", who="c", now=LATER)
    assert (types_of(goes_on), goes_on.state.status) == ([ProjectResumed, ProjectDecided], "active")


def test_suspending_twice_and_resuming_what_runs_are_refused():
    suspended = project_of(domain.suspend_project(a_project(), "flood", who="c", now=NOW))
    with pytest.raises(domain.ProjectIsSuspended):
        domain.suspend_project(suspended, "again", who="c", now=NOW)
    with pytest.raises(domain.ProjectNotSuspended):
        domain.resume_project(a_project(), "go", who="c", now=NOW)


def test_a_project_is_completed_only_when_every_milestone_is_verified():
    project = verified(verified(a_project(), 1), 2)
    with pytest.raises(domain.MilestonesUnverified, match="3"):
        domain.complete_project(project, None, who="c", now=NOW)
    decision = domain.complete_project(verified(project, 3), None, who="c", now=NOW)
    assert (types_of(decision), decision.state.status) == ([ProjectCompleted], "completed")


def test_completing_leaves_no_decision_open():
    project = delisted(verified(verified(verified(a_project(), 1), 2), 3))
    decision = domain.complete_project(project, None, who="c", now=NOW)
    assert types_of(decision) == [ProjectCompleted, ProjectDecided]
    assert decision.state.decision is None


def test_a_suspended_project_is_not_completed():
    project = verified(verified(verified(a_project(), 1), 2), 3)
    project = project_of(domain.suspend_project(project, "audit", who="c", now=NOW))
    with pytest.raises(domain.ProjectIsSuspended):
        domain.complete_project(project, None, who="c", now=NOW)


def test_a_revoked_pairing_cancels_its_project_once():
    decision = domain.cancel_revoked(a_project(), "commitment-withdrawn", who="pairing", now=NOW)
    assert types_of(decision) == [ProjectCancelled]
    again = domain.cancel_revoked(decision.state, "commitment-withdrawn", who="pairing", now=NOW)
    assert (again.state, again.saves, again.events) == (decision.state, (), ())


@pytest.mark.parametrize(
    "turn", [domain.suspend_project, domain.resume_project, domain.cancel_project, domain.complete_project]
)
def test_nothing_more_happens_in_an_ended_project(turn):
    ended = project_of(domain.cancel_project(a_project(), "no more", who="c", now=NOW))
    with pytest.raises(domain.ProjectEnded, match="cancelled"):
        turn(ended, "why", who="c", now=NOW)


def test_a_delisting_told_ahead_asks_on_its_day():
    day = TODAY + timedelta(days=10)
    ahead = domain.delist_county(None, "520326", [a_project()], on=day, at=NOW, who="pairing", now=NOW)
    assert (ahead.events, ahead.state.asked) == ((), False)
    on_the_day = NOW + timedelta(days=10)
    asked = domain.ask_about_county(ahead.state, [a_project()], who="projects", now=on_the_day)
    assert types_of(asked) == [ProjectDecisionNeeded]
    assert asked.events[0].data()["since"] == "2026-03-13T16:00:00.000Z"
    again = domain.ask_about_county(asked.state, [project_of(asked)], who="projects", now=on_the_day)
    assert (again.saves, again.events) == ((), ())
    taken_back = domain.relist_county(ahead.state, "520326", at=LATER).state
    assert domain.ask_about_county(taken_back, [a_project()], who="projects", now=on_the_day).events == ()


def test_a_project_approved_before_the_day_of_a_delisting_told_ahead_is_asked_about():
    day = TODAY + timedelta(days=10)
    told = domain.delist_county(None, "520326", [], on=day, at=NOW, who="pairing", now=NOW).state
    opened = types_of(open_project(county=told, approved_at=LATER))
    assert opened == [ProjectOpened], "the timer asks on the day"
    asked = domain.ask_about_county(told, [], who="projects", now=NOW + timedelta(days=10)).state
    assert types_of(open_project(county=asked, approved_at=LATER)) == [ProjectOpened, ProjectDecisionNeeded]
