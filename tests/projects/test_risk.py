"""At risk and recovered: the three rules, the days they go by, and one event for each change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.projects import ProjectAtRisk, ProjectRecovered
from services.projects import domain
from services.projects.domain import Claim, Observation, Project, Report, assess_project
from tests.projects.builders import NOW, STARTS_ON, a_project, project_of, reported, tell, verified

DUE = STARTS_ON + timedelta(days=30)  # of milestone 1; the last is due 60 days later
REFUSALS = (domain.MilestoneNotReported, domain.ProjectIsSuspended, domain.ProjectNotSuspended)
END = STARTS_ON + timedelta(days=90)


def at(day: date, hour: int = 12) -> datetime:
    """In Shanghai."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(hours=8)


def rules_at(project: Project, now: datetime) -> tuple[str, ...]:
    return assess_project(project, who="projects", now=now).state.at_risk


def test_a_milestone_is_late_from_the_fifteenth_midnight_in_shanghai_after_its_day():
    begins = at(DUE + timedelta(days=15), hour=0)
    assert begins.hour == 16
    assert rules_at(a_project(), begins - timedelta(milliseconds=1)) == ()
    assert rules_at(a_project(), begins) == ("milestone-late",)
    assert rules_at(reported(a_project(), 1), begins) != ("milestone-late",)


def test_what_is_reported_and_not_verified_for_fourteen_days_is_a_risk_however_often_it_is_corrected():
    project = reported(a_project(), 1)
    first = NOW
    corrected = project_of(tell(project, 1, Report(occurred_at=NOW, note="x"), now=NOW + timedelta(days=10)))
    for one in (project, corrected):
        assert rules_at(one, first + timedelta(days=13)) == ()
        assert rules_at(one, first + timedelta(days=14)) == ("milestone-unverified",)
    assert rules_at(verified(a_project(), 1), first + timedelta(days=14)) == ()


def with_target(kind: str, target: Any, baseline: Any, values: list[tuple[date, Any]]) -> Project:
    """A project whose only indicator was observed so, and whose milestones are all due at its end."""
    project = a_project()
    (indicator,) = [one for one in project.indicators if one.kind == kind][:1]
    project = replace(
        project,
        indicators=(replace(indicator, target=target, baseline=baseline),),
        milestones=tuple(replace(milestone, due_on=END) for milestone in project.milestones),
    )
    kept: list[Observation] = []
    for day, value in values:
        claim = Claim(indicator=indicator.code, value=value, on=day, occurred_at=NOW)
        decision = domain.observe(project, claim, kept, who="officer", now=at(day))
        project = project_of(decision)
        kept.append(decision.state)
    return project


def day(n: int) -> date:
    return STARTS_ON + timedelta(days=n)


def test_a_line_through_the_observations_that_misses_the_target_is_a_risk():
    for kind, slow, fast in (
        ("cumulative", [(day(0), 0), (day(30), 20)], [(day(0), 0), (day(30), 40)]),
        ("level", [(day(0), 0), (day(30), 20)], [(day(0), 0), (day(30), 40)]),
        ("flow", [(day(0), 0), (day(10), 5), (day(30), 15)], [(day(0), 0), (day(30), 40)]),
    ):
        assert with_target(kind, 100, 0, slow).at_risk == ("target-missed",), kind
        assert with_target(kind, 100, 0, fast).at_risk == (), kind
        assert with_target(kind, 100, 0, slow[:1]).at_risk == (), "one point is no line"
        assert with_target(kind, None, 0, slow).at_risk == (), "without a target nothing is missed"


def test_a_target_below_the_baseline_is_one_to_come_down_to():
    assert with_target("level", 10, 100, [(day(0), 100), (day(30), 90)]).at_risk == ("target-missed",)
    assert with_target("level", 10, 100, [(day(0), 100), (day(30), 60)]).at_risk == ()


def test_a_running_total_that_has_reached_its_target_misses_it_no_more():
    assert with_target("cumulative", 10, 0, [(day(0), 10), (day(30), 10)]).at_risk == ()
    assert with_target("ratio", 50, 0, [(day(n), {"numerator": n, "denominator": 60}) for n in (0, 30)]).at_risk == ()


def test_an_exact_line_to_the_target_reaches_it():
    values = [(day(n), round(100 * n / 90, 6)) for n in range(0, 81, 9)]
    assert with_target("cumulative", 100, 0, values).at_risk == ()


def test_rescheduling_and_reporting_recover_and_an_ended_project_keeps_what_it_was():
    late_day = at(DUE + timedelta(days=20))
    late = assess_project(a_project(), who="projects", now=late_day)
    assert [type(event) for event in late.events] == [ProjectAtRisk]
    moved = domain.reschedule_milestone(late.state, 1, END, "rain", who="zhao", now=late_day)
    told = tell(late.state, 1, Report(occurred_at=NOW), now=late_day)
    for recovered in (moved, told):
        assert isinstance(recovered.events[-1], ProjectRecovered)
        assert project_of(recovered).at_risk == ()
    cancelled = domain.cancel_project(late.state, "why", who="zhao", now=late_day).state
    assert cancelled.at_risk == ("milestone-late",)
    assert assess_project(cancelled, who="projects", now=late_day + timedelta(days=99)).events == ()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("report"), st.integers(1, 3)),
        st.tuples(st.just("verify"), st.integers(1, 3)),
        st.tuples(st.just("return"), st.integers(1, 3)),
        st.tuples(st.just("reschedule"), st.tuples(st.integers(1, 3), st.integers(-40, 120))),
        st.tuples(st.just("observe"), st.tuples(st.integers(0, 80), st.integers(0, 200))),
        st.tuples(st.just("turn"), st.sampled_from([domain.suspend_project, domain.resume_project])),
    ),
    max_size=25,
)


@given(STEPS)
def test_there_is_exactly_one_event_for_each_change_of_state(steps: list[Any]):
    project = with_target("cumulative", 100, 0, [])
    now, told, kept = NOW, (), {}
    for step, what in steps:
        decision: Any = None
        try:
            if step == "wait":
                now += timedelta(days=what)
                decision = assess_project(project, who="projects", now=now)
            elif step == "report":
                decision = tell(project, what, Report(occurred_at=NOW), now=now)
            elif step == "verify":
                decision = domain.verify_milestone(project, what, None, who="zhao", now=now)
            elif step == "return":
                decision = domain.return_milestone(project, what, "why", who="zhao", now=now)
            elif step == "reschedule":
                no, days = what
                decision = domain.reschedule_milestone(project, no, day(days), "why", who="zhao", now=now)
            elif step == "observe":
                on = now.date() - timedelta(days=what[0])
                claim = Claim(indicator=project.indicators[0].code, value=what[1], on=on, occurred_at=NOW)
                decision = domain.observe(project, claim, list(kept.values()), who="officer", now=now)
                kept[decision.state.id] = decision.state
            else:
                decision = what(project, "why", who="zhao", now=now)
        except REFUSALS:
            continue
        risk = [event for event in decision.events if isinstance(event, ProjectAtRisk | ProjectRecovered)]
        if decision.saves:
            project = project_of(decision)
        assert len(risk) == (project.at_risk != told)
        for event in risk:
            assert isinstance(event, ProjectAtRisk) == bool(project.at_risk)
            assert getattr(event, "rules", []) == list(project.at_risk)
        told = project.at_risk
        assert assess_project(project, who="projects", now=now).events == ()
