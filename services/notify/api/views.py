"""The read models: the programme at a glance, and each county, partner and project.

Each answer says by `as_of` up to which event it is true.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from services.kit.decision import NotFound
from services.kit.http import Call, allow
from services.notify.api import shapes
from services.notify.api.moment import at_one_moment
from services.notify.api.queries import ROLES, Whole, principals_of
from services.notify.domain import (
    PROGRAMME,
    CountyView,
    PartnerView,
    Principals,
    ProjectView,
    Tally,
    of_county,
    of_partner,
    sees,
    sees_county,
    total,
)
from services.notify.domain.projects import contribution
from services.notify.store import Tx

router = APIRouter()


@router.get("/overview", response_model=shapes.Overview)
async def get_overview(call: Annotated[Call, allow(*ROLES)], whole: Whole) -> Response:
    async def work(tx: Tx) -> Mapping[str, Any]:
        tally = await tx.get(Tally, PROGRAMME)
        # Every event has a position, so the last one's says how many there are.
        events = (await tx.projection()).position
        return shapes.overview(tally.numbers if tally else {}) | {"events": events}

    return await at_one_moment(call, work)


@router.get("/views/counties/{code}", response_model=shapes.County)
async def view_county(code: str, call: Annotated[Call, allow(*ROLES)], whole: Whole) -> Response:
    """Officers see their own counties; partners see any, but of the projects their own only."""
    who = principals_of(call.caller)

    async def work(tx: Tx) -> Mapping[str, Any]:
        county = await tx.get(CountyView, code)
        if county is None or not sees_county(who, code):
            raise NotFound(f"There is no county {code}.")
        projects = await tx.project_ids_of(who, county_code=code)
        return shapes.county(county, projects, await _numbers(tx, who, of_county(code), county_code=code))

    return await at_one_moment(call, work)


@router.get("/views/partners/{id}", response_model=shapes.Partner)
async def view_partner(id: str, call: Annotated[Call, allow(*ROLES)], whole: Whole) -> Response:
    """Partners see themselves; officers see those who work in their counties, and of that work their counties' only."""
    who = principals_of(call.caller)

    async def work(tx: Tx) -> Mapping[str, Any]:
        partner = await tx.get(PartnerView, id)
        projects = await tx.project_ids_of(who, partner_id=id)
        if partner is None or not (projects or _whole(who, of_partner(id))):
            raise NotFound(f"There is no partner {id}.")
        return shapes.partner(partner, projects, await _numbers(tx, who, of_partner(id), partner_id=id))

    return await at_one_moment(call, work)


@router.get("/views/projects/{id}", response_model=shapes.Project)
async def view_project(id: str, call: Annotated[Call, allow(*ROLES)], whole: Whole) -> Response:
    who = principals_of(call.caller)

    async def work(tx: Tx) -> Mapping[str, Any]:
        project = await tx.get(ProjectView, id)
        if project is None or project.status is None or not sees(who, project.audience):
            raise NotFound(f"There is no project {id}.")
        return shapes.project(project)

    return await at_one_moment(call, work)


async def _numbers(tx: Tx, who: Principals, of: str | None, **columns: str) -> Mapping[str, int]:
    """The figures of a county or a partner; of those who see only a part of it, the part's."""
    if not _whole(who, of):
        return total(contribution(project) for project in await tx.projects_of(who, **columns))
    tally = await tx.get(Tally, str(of))
    return tally.numbers if tally else {}


def _whole(who: Principals, of: str | None) -> bool:
    return who is None or of in who
