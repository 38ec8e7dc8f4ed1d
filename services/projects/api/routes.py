"""The routes of projects, their milestones, observations and history."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from services.kit.decision import Decision, NotFound
from services.kit.http import Call, Unread, allow, created, ok
from services.projects import domain, store
from services.projects.api.forms import (
    Because,
    HistoryPage,
    MaybeBecause,
    ObservationForm,
    ObservationPage,
    ProjectPage,
    ReportForm,
    RescheduleForm,
    VerifyForm,
    evidence_in,
    read_judged,
)
from services.projects.api.reach import READERS, REPORTERS, Reader, Reporter, project_of, reach_of
from services.projects.api.views import (
    HistoryList,
    HistoryView,
    MilestoneView,
    ObservationList,
    ObservationView,
    ProjectList,
    ProjectView,
)
from services.projects.domain import Evidence, HistoryEntry, Milestone, Observation, Project
from services.projects.store import Tx

router = APIRouter()

Coordinator = Annotated[Call, allow("coordinator")]


def _number(text: str) -> int:
    """0, which no milestone has, for what cannot be a milestone's number: it is not there, however it looks."""
    return int(text) if re.fullmatch("[0-9]{1,4}", text, re.ASCII) else 0


MilestoneNo = Annotated[int, BeforeValidator(_number), Path()]


@router.get("/projects", response_model=ProjectList)
async def list_projects(call: Reader, page: Annotated[ProjectPage, Query()]) -> Response:
    wanted = store.matching(
        category=page.category,
        county=page.county,
        partner=page.partner,
        status=page.status,
        undecided=page.decision == "open",
        at_risk=page.at_risk,
        due_before=page.due_before,
        milestone=page.milestone,
    )
    where = {"$and": [wanted, reach_of(call, *READERS).filter()]}
    return await call.page(Project, where, page, ProjectView.of)


@router.get("/projects/{id}", response_model=ProjectView)
async def get_project(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Project:
        return await project_of(tx, call, id, *READERS)

    return await call.read(work, ok(ProjectView.of))


@router.get("/projects/{id}/history", response_model=HistoryList)
async def list_history(id: str, call: Reader, page: Annotated[HistoryPage, Query()]) -> Response:
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    project = await project_of(tx, call, id, *READERS)
    besides = None
    if page.as_of:
        observed = domain.fields_of(await tx.find(Observation, store.observations(id, None)))
        besides = {"fields": domain.fields_before(project, observed, await tx.changes_since(id, page.as_of))}
    return await call.page(HistoryEntry, store.history(id, page.as_of), page, HistoryView.of, besides=besides)


@router.post("/projects/{id}/suspend", response_model=ProjectView)
async def suspend_project(id: str, call: Coordinator, form: Unread[Because]) -> Response:
    return await _turn(call, id, form, domain.suspend_project)


@router.post("/projects/{id}/resume", response_model=ProjectView)
async def resume_project(id: str, call: Coordinator, form: Unread[Because]) -> Response:
    return await _turn(call, id, form, domain.resume_project)


@router.post("/projects/{id}/cancel", response_model=ProjectView)
async def cancel_project(id: str, call: Coordinator, form: Unread[Because]) -> Response:
    return await _turn(call, id, form, domain.cancel_project)


@router.post("/projects/{id}/complete", response_model=ProjectView)
async def complete_project(id: str, call: Coordinator, form: Unread[MaybeBecause]) -> Response:
    return await _turn(call, id, form, domain.complete_project)


@router.post("/projects/{id}/milestones/{no}/report", response_model=MilestoneView)
async def report_milestone(id: str, no: MilestoneNo, call: Reporter, form: Unread[ReportForm]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await project_of(tx, call, id, *REPORTERS)
        milestone = project.milestone(no)
        _expect(call, milestone)
        known = await tx.get_many(Evidence, evidence_in(call.sent))
        who = call.caller.sub
        told = read_judged(
            form,
            call.sent,
            ReportForm,
            lambda told: domain.report_faults(project, milestone, told.report(), known, who=who, now=tx.now),
        )
        conflicts = await tx.open_conflicts(id, no)
        return domain.report_milestone(
            project, no, told.report(), evidence=known, conflicts=conflicts, who=who, now=tx.now
        )

    return await call.perform(work, ok(MilestoneView.of))


@router.post("/projects/{id}/milestones/{no}/verify", response_model=MilestoneView)
async def verify_milestone(id: str, no: MilestoneNo, call: Coordinator, form: Unread[VerifyForm]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await project_of(tx, call, id, "coordinator")
        # A 403 comes before what is wrong with the request itself.
        domain.check_second_person(project.milestone(no), call.caller.sub)
        _expect(call, project.milestone(no))
        return domain.verify_milestone(project, no, form.read().note, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.post("/projects/{id}/milestones/{no}/return", response_model=MilestoneView)
async def return_milestone(id: str, no: MilestoneNo, call: Coordinator, form: Unread[Because]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await project_of(tx, call, id, "coordinator")
        _expect(call, project.milestone(no))
        return domain.return_milestone(project, no, form.read().reason, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.post("/projects/{id}/milestones/{no}/reschedule", response_model=MilestoneView)
async def reschedule_milestone(id: str, no: MilestoneNo, call: Coordinator, form: Unread[RescheduleForm]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await project_of(tx, call, id, "coordinator")
        _expect(call, project.milestone(no))
        new = form.read()
        return domain.reschedule_milestone(project, no, new.due_on, new.reason, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.get("/projects/{id}/observations", response_model=ObservationList)
async def list_observations(id: str, call: Reader, page: Annotated[ObservationPage, Query()]) -> Response:
    await project_of(call.transactor.reading(), call, id, *READERS)
    return await call.page(Observation, store.observations(id, page.indicator), page, ObservationView.of)


@router.get("/projects/{id}/observations/{observation_id}", response_model=ObservationView)
async def get_observation(id: str, observation_id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Observation:
        await project_of(tx, call, id, *READERS)
        observation = await tx.need(Observation, observation_id)
        if observation.project_id != id:
            raise NotFound(f"Project {id} has no observation {observation_id}.")
        return observation

    return await call.read(work, ok(ObservationView.of))


@router.post("/projects/{id}/observations", status_code=201, response_model=ObservationView)
async def observe(id: str, call: Reporter, form: Unread[ObservationForm]) -> Response:
    async def work(tx: Tx) -> Decision[Observation]:
        project = await project_of(tx, call, id, *REPORTERS)
        told = read_judged(
            form, call.sent, ObservationForm, lambda told: domain.claim_faults(project, told.claim(), tx.now)
        )
        claim = told.claim()
        others = await tx.observations_of(id, claim.indicator)
        if corrected := domain.same_days(claim, others):
            call.expect(corrected.version, ObservationView.of(corrected), required=False)
        return domain.observe(project, claim, others, who=call.caller.sub, now=tx.now)

    return await call.perform(work, created(f"/projects/{id}/observations", ObservationView.of))


async def _turn(call: Call, id: str, form: Any, rule: Callable[..., Decision[Project]]) -> Response:
    async def work(tx: Tx) -> Decision[Project]:
        project = await project_of(tx, call, id, "coordinator")
        call.expect(project.version, ProjectView.of(project), required=False)
        return rule(project, form.read().reason, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(ProjectView.of))


def _expect(call: Call, milestone: Milestone) -> None:
    call.expect(milestone.version, MilestoneView.of(milestone))
