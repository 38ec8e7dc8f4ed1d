"""What the views look like from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from schemas.money import to_amount
from services.kit.clock import rfc3339
from services.notify.domain import CountyView, PartnerView, ProjectView, figures
from services.notify.domain.projects import Funds, Milestone


class AsOf(BaseModel):
    """The last event that is counted in, and when it was archived; 0 and null before the first."""

    position: int
    time: datetime | None


class _View(BaseModel):
    as_of: AsOf


class _Figures(_View):
    projects_by_category: dict[str, int]
    projects_by_status: dict[str, int]
    milestones: dict[str, int]
    funds: dict[str, dict[str, str]]


class Overview(_Figures):
    """`partners`, `counties` and `projects` count those with a project, or being one, that is not cancelled."""

    partners: int
    counties: int
    projects: int
    events: int


class County(_Figures):
    code: str
    name: dict[str, Any]
    province: str | None
    status: str | None
    needs: list[dict[str, Any]]
    projects: list[str]


class Partner(_Figures):
    id: str
    name: dict[str, Any]
    kind: str | None
    projects: list[str]


class Project(_View):
    id: str
    pairing_id: str | None
    commitment_id: str | None
    partner_id: str | None
    county_code: str | None
    category: str | None
    title: dict[str, Any]
    status: str
    decision: dict[str, Any] | None
    at_risk: list[str]
    progress: int
    starts_on: str | None
    milestones: list[dict[str, Any]]
    indicators: list[dict[str, Any]]
    funds: dict[str, str] | None


def as_of(position: int, time: datetime | None) -> dict[str, Any]:
    return {"as_of": {"position": position, "time": rfc3339(time) if time else None}}


def overview(numbers: Mapping[str, int]) -> dict[str, Any]:
    return {name: numbers.get(name, 0) for name in ("partners", "counties")} | figures(numbers)


def county(view: CountyView, projects: Sequence[str], numbers: Mapping[str, int]) -> dict[str, Any]:
    shown = figures(numbers) | {
        "code": view.id,
        "name": view.name,
        "province": view.province,
        "status": view.status,
        "needs": list(view.needs),
        "projects": list(projects),
    }
    # A promise is to the programme and no county's.
    shown["funds"] = {
        currency: {what: amount for what, amount in sums.items() if what != "promised"}
        for currency, sums in shown["funds"].items()
    }
    return shown


def partner(view: PartnerView, projects: Sequence[str], numbers: Mapping[str, int]) -> dict[str, Any]:
    return figures(numbers) | {
        "id": view.id,
        "name": view.name,
        "kind": view.kind,
        "projects": list(projects),
    }


def project(view: ProjectView) -> dict[str, Any]:
    return {
        "id": view.id,
        "pairing_id": view.pairing_id,
        "commitment_id": view.commitment_id,
        "partner_id": view.partner_id,
        "county_code": view.county_code,
        "category": view.category,
        "title": view.title,
        "status": view.status,
        "decision": view.decision,
        "at_risk": list(view.at_risk),
        "progress": view.progress,
        "starts_on": view.starts_on.isoformat() if view.starts_on else None,
        "milestones": [_milestone(milestone) for milestone in view.milestones],
        "indicators": [
            indicator | {"observations": len(view.observed.get(indicator["code"], ()))} for indicator in view.indicators
        ],
        "funds": _funds(view.funds) if view.funds else None,
    }


def _milestone(milestone: Milestone) -> dict[str, Any]:
    shown = asdict(milestone)
    shown["due_on"] = milestone.due_on.isoformat() if milestone.due_on else None
    for name in ("reported_at", "verified_at"):
        shown[name] = rfc3339(shown[name]) if shown[name] else None
    return shown


def _funds(funds: Funds) -> dict[str, str]:
    sums = {
        "reserved": funds.reserved,
        "released": funds.released,
        "spent": funds.spent,
        "returned": funds.unreserved + funds.refunded,
    }
    return {"currency": funds.currency} | {name: to_amount(sum_, funds.currency) for name, sum_ in sums.items()}
