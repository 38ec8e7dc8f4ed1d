"""What projects hears: pairings open and cancel, counties ask for decisions, funding shows money."""

from datetime import date
from importlib.resources import files
from typing import Any

from schemas.counties import CountyDelisted, CountyRelisted
from schemas.funding import FundReserved, FundReturned, FundReversed, FundSpent, FundTrancheReleased
from schemas.pairings import PairingApproved, PairingRevoked
from schemas.topics import COUNTIES, FUNDING, PAIRINGS
from services.kit.batch import Handlers
from services.kit.clock import day_of
from services.kit.decision import NOTHING, Decision, NotYet
from services.kit.records import Received
from services.projects import domain
from services.projects.domain import County, FundEntry, Project
from services.projects.store import Tx

TOPICS = (PAIRINGS, COUNTIES, FUNDING)
PLANS = domain.read_plans(files("services.projects").joinpath("data/plans.json").read_text(encoding="utf-8"))


async def open_project(event: Received[PairingApproved], tx: Tx) -> Decision[Any]:
    approved = event.data
    return domain.open_project(
        await tx.get(Project, approved.project_id),
        approved,
        PLANS[approved.category],
        await tx.get(County, approved.county_code),
        who=event.actor,
        approved_at=event.time,
        starts_on=day_of(event.time),
        now=tx.now,
    )


async def cancel_revoked(event: Received[PairingRevoked], tx: Tx) -> Decision[Any]:
    project = await _project(event.data.project_id, tx)
    return domain.cancel_revoked(project, event.data.reason, who=event.actor, now=tx.now)


async def delist_county(event: Received[CountyDelisted], tx: Tx) -> Decision[Any]:
    code = event.data.county_code
    county, running = await tx.get(County, code), await tx.running_in(code)
    on = date.fromisoformat(event.data.on)
    return domain.delist_county(county, code, running, on=on, at=event.time, who=event.actor, now=tx.now)


async def relist_county(event: Received[CountyRelisted], tx: Tx) -> Decision[Any]:
    code = event.data.county_code
    return domain.relist_county(await tx.get(County, code), code, at=event.time)


async def book(event: Received[FundReserved | FundTrancheReleased | FundSpent | FundReturned], tx: Tx) -> Decision[Any]:
    booked = event.data
    return domain.book(await _project(booked.project_id, tx), await tx.get(FundEntry, booked.entry_id), booked)


async def reverse(event: Received[FundReversed], tx: Tx) -> Decision[Any]:
    reversal = event.data
    if reversal.project_id is None:
        return NOTHING
    project = await _project(reversal.project_id, tx)
    known, original = await tx.get(FundEntry, reversal.entry_id), await tx.get(FundEntry, reversal.reverses)
    return domain.reverse(project, known, original, reversal)


async def _project(id: str, tx: Tx) -> Project:
    project = await tx.get(Project, id)
    if project is None:
        raise NotYet(id)
    return project


HANDLERS: Handlers = {
    PairingApproved: open_project,
    PairingRevoked: cancel_revoked,
    CountyDelisted: delist_county,
    CountyRelisted: relist_county,
    FundReserved: book,
    FundTrancheReleased: book,
    FundSpent: book,
    FundReturned: book,
    FundReversed: reverse,
}
_BOOKED = ((Project, "project_id"), (FundEntry, "entry_id"))
READS = {
    PairingApproved: ((Project, "project_id"), (County, "county_code")),
    PairingRevoked: ((Project, "project_id"),),
    CountyDelisted: ((County, "county_code"),),
    CountyRelisted: ((County, "county_code"),),
    FundReserved: _BOOKED,
    FundTrancheReleased: _BOOKED,
    FundSpent: _BOOKED,
    FundReturned: _BOOKED,
    FundReversed: (*_BOOKED, (FundEntry, "reverses")),
}
