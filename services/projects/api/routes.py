"""The routes: projects, their milestones, observations and history."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.kit.decision import Decision, NotFound
from services.kit.http import Call, Page, Unread, allow, created, ok
from services.projects import domain, store
from services.projects.api.forms import (
    Because,
    MaybeBecause,
    ObservationForm,
    ObservationPage,
    ProjectPage,
    ReportForm,
    RescheduleForm,
    VerifyForm,
    read_judged,
)
from services.projects.api.views import (
    HistoryList,
    HistoryView,
    MilestoneView,
    ObservationList,
    ObservationView,
    ProjectList,
    ProjectView,
)
from services.projects.domain import HistoryEntry, Milestone, Observation, Project
from services.projects.store import Reach, Tx

router = APIRouter()

_SEE_ALL = frozenset({"coordinator", "monitor", "bookkeeper"})
_READERS = ("partner", "officer", "coordinator", "monitor", "bookkeeper")
_REPORTERS = ("officer", "coordinator")

Reader = Annotated[Call, allow(*_READERS)]
Reporter = Annotated[Call, allow(*_REPORTERS)]
Coordinator = Annotated[Call, allow("coordinator")]


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
    )
    where = {"$and": [wanted, _reach(call, *_READERS).filter()]}
    return await call.page(Project, where, page, ProjectView.of)


@router.get("/projects/{id}", response_model=ProjectView)
async def get_project(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Project:
        return await _project(tx, call, id, *_READERS)

    return await call.read(work, ok(ProjectView.of))


@router.get("/projects/{id}/history", response_model=HistoryList)
async def list_history(id: str, call: Reader, page: Annotated[Page, Query()]) -> Response:
    await _project(call.transactor.reading(), call, id, *_READERS)
    return await call.page(HistoryEntry, store.history(id), page, HistoryView.of)


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


@router.post("/projects/{id}/milestones/{no:int}/report", response_model=MilestoneView)
async def report_milestone(id: str, no: int, call: Reporter, form: Unread[ReportForm]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await _project(tx, call, id, *_REPORTERS)
        milestone = project.milestone(no)
        _expect(call, milestone)
        told = read_judged(
            form, call.sent, ReportForm, lambda told: domain.report_faults(milestone, told.report(), tx.now)
        )
        return domain.report_milestone(project, no, told.report(), who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.post("/projects/{id}/milestones/{no:int}/verify", response_model=MilestoneView)
async def verify_milestone(id: str, no: int, call: Coordinator, form: Unread[VerifyForm]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await _project(tx, call, id, "coordinator")
        # A 403 comes before what is wrong with the request itself.
        domain.check_second_person(project.milestone(no), call.caller.sub)
        _expect(call, project.milestone(no))
        return domain.verify_milestone(project, no, form.read().note, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.post("/projects/{id}/milestones/{no:int}/return", response_model=MilestoneView)
async def return_milestone(id: str, no: int, call: Coordinator, form: Unread[Because]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await _project(tx, call, id, "coordinator")
        _expect(call, project.milestone(no))
        return domain.return_milestone(project, no, form.read().reason, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.post("/projects/{id}/milestones/{no:int}/reschedule", response_model=MilestoneView)
async def reschedule_milestone(id: str, no: int, call: Coordinator, form: Unread[RescheduleForm]) -> Response:
    async def work(tx: Tx) -> Decision[Milestone]:
        project = await _project(tx, call, id, "coordinator")
        _expect(call, project.milestone(no))
        new = form.read()
        return domain.reschedule_milestone(project, no, new.due_on, new.reason, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(MilestoneView.of))


@router.get("/projects/{id}/observations", response_model=ObservationList)
async def list_observations(id: str, call: Reader, page: Annotated[ObservationPage, Query()]) -> Response:
    await _project(call.transactor.reading(), call, id, *_READERS)
    return await call.page(Observation, store.observations(id, page.indicator), page, ObservationView.of)


@router.get("/projects/{id}/observations/{observation_id}", response_model=ObservationView)
async def get_observation(id: str, observation_id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Observation:
        await _project(tx, call, id, *_READERS)
        observation = await tx.need(Observation, observation_id)
        if observation.project_id != id:
            raise NotFound(f"Project {id} has no observation {observation_id}.")
        return observation

    return await call.read(work, ok(ObservationView.of))


@router.post("/projects/{id}/observations", status_code=201, response_model=ObservationView)
async def observe(id: str, call: Reporter, form: Unread[ObservationForm]) -> Response:
    async def work(tx: Tx) -> Decision[Observation]:
        project = await _project(tx, call, id, *_REPORTERS)
        told = read_judged(
            form, call.sent, ObservationForm, lambda told: domain.claim_faults(project, told.claim(), tx.now)
        )
        claim = told.claim()
        others = await tx.observations_of(id, claim.indicator)
        return domain.observe(project, claim, others, who=call.caller.sub, now=tx.now)

    return await call.perform(work, created(f"/projects/{id}/observations", ObservationView.of))


async def _turn(call: Call, id: str, form: Any, rule: Callable[..., Decision[Project]]) -> Response:
    async def work(tx: Tx) -> Decision[Project]:
        project = await _project(tx, call, id, "coordinator")
        call.expect(project.version, ProjectView.of(project), required=False)
        return rule(project, form.read().reason, who=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(ProjectView.of))


async def _project(tx: Any, call: Call, id: str, *roles: str) -> Project:
    """The project, if one of `roles` reaches it.

    Raises:
        NotFound: it is not there or not the caller's own, which is the same to the caller.
    """
    project: Project = await tx.need(Project, id)
    if not _reach(call, *roles).covers(project):
        raise NotFound(f"There is no project {id}.")
    return project


def _reach(call: Call, *roles: str) -> Reach:
    caller, held = call.caller, call.caller.roles.intersection(roles)
    return Reach(
        everything=not held.isdisjoint(_SEE_ALL),
        partner_id=caller.partner_id if "partner" in held else None,
        county_codes=caller.county_codes if "officer" in held else frozenset(),
    )


def _expect(call: Call, milestone: Milestone) -> None:
    call.expect(milestone.version, MilestoneView.of(milestone))
