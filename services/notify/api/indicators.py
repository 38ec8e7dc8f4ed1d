"""`GET /indicators`: what the projects' indicators come to, over a project, a county, a partner or the programme."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from schemas.shapes import Category
from services.kit.decision import Invalid
from services.kit.http import Call, Page, allow
from services.notify.api.moment import at_one_moment
from services.notify.api.queries import ROLES, CountyCode, Day, principals_of
from services.notify.api.shapes import AsOf
from services.notify.domain import ObservationView, ProjectView
from services.notify.domain.observations import total
from services.notify.store import Tx, Where, visible_to

router = APIRouter()

Group = tuple[str, str, str]
"""Indicator, kind, unit: of another kind or unit it is another indicator."""
_COUNTED = ("project_id", "from_on", "until_on", "value", "splits")


class IndicatorPage(Page):
    """Periods count by their last day, from `from` until `until`, both included."""

    indicator: str | None = None
    category: Category | None = None
    county: CountyCode | None = None
    project: str | None = None
    partner: str | None = None
    since: Day | None = Field(None, alias="from")
    until: Day | None = None

    def columns(self) -> dict[str, str]:
        asked = {"category": self.category, "county_code": self.county, "partner_id": self.partner}
        return {name: value for name, value in asked.items() if value is not None}

    def of_observations(self) -> dict[str, str]:
        asked = {"project_id": self.project, "indicator": self.indicator}
        return {name: value for name, value in asked.items() if value is not None}


class PeriodTotal(BaseModel):
    """`carried`: some project's running total is of an earlier period."""

    from_: date = Field(alias="from")
    until: date
    value: Any
    carried: bool


class IndicatorTotal(BaseModel):
    """`total` is null where there is no entry. `reported` of `of` projects have one. `answers` counts yes and no."""

    indicator: str
    kind: str
    unit: str
    total: Any
    carried: bool
    splits: dict[str, Any]
    periods: list[PeriodTotal]
    reported: int
    of: int
    answers: dict[str, int] | None


class IndicatorList(BaseModel):
    items: list[IndicatorTotal]
    next_cursor: str | None
    total: int | None = None
    as_of: AsOf


@router.get("/indicators", response_model=IndicatorList)
async def list_indicators(call: Annotated[Call, allow(*ROLES)], page: Annotated[IndicatorPage, Query()]) -> Response:
    """Partners and officers get the totals of what they see."""
    if page.since and page.until and page.since > page.until:
        raise Invalid({"from": "must not be after until"})
    who = principals_of(call.caller)

    async def work(tx: Tx) -> Mapping[str, Any]:
        seen = page.columns() | visible_to(who)
        planned = await _planned(tx, page, seen)
        groups = sorted({*await tx.observed_indicators(seen | page.of_observations()), *planned})
        begin = _place_after(page.cursor, groups)
        shown = groups[begin : begin + page.limit]
        found: dict[str, Any] = {
            "items": [await _total(tx, page, seen, group, planned.get(group, ())) for group in shown],
            "next_cursor": _cursor(shown[-1]) if begin + page.limit < len(groups) else None,
        }
        return found | ({"total": len(groups)} if page.total else {})

    return await at_one_moment(call, work)


async def _planned(tx: Tx, page: IndicatorPage, seen: Where) -> dict[Group, list[str]]:
    """The ids of the projects that plan each indicator."""
    planned: dict[Group, list[str]] = {}
    only = {"_id": page.project} if page.project else {}
    projects = seen | only | {"status": {"$nin": [None, "cancelled"]}}
    async for project in tx.rows(ProjectView, projects, only=("indicators",)):
        for plan in project.indicators:
            if page.indicator in (None, plan["code"]):
                planned.setdefault((plan["code"], plan["kind"], plan["unit"]), []).append(project.id)
    return planned


async def _total(tx: Tx, page: IndicatorPage, seen: Where, group: Group, planned: Sequence[str]) -> dict[str, Any]:
    """One indicator's. Its observations are let go before the next one's are read."""
    indicator, kind, unit = group
    where = seen | page.of_observations() | {"indicator": indicator, "kind": kind, "unit": unit}
    observed = [one async for one in tx.rows(ObservationView, where, only=_COUNTED)]
    days = {"since": page.since, "until": page.until}
    # There may be years of them, and others are waiting.
    come_to = await asyncio.to_thread(total, observed, planned, indicator=indicator, kind=kind, unit=unit, **days)
    return asdict(come_to)


def _cursor(group: Group) -> str:
    return base64.urlsafe_b64encode("\n".join(("indicators", *group)).encode()).decode()


def _place_after(cursor: str | None, groups: list[Group]) -> int:
    if cursor is None:
        return 0
    try:
        list_, *last = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().split("\n")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise Invalid({"cursor": "is no cursor; take next_cursor of the page before"}) from error
    if list_ != "indicators" or len(last) != 3:
        raise Invalid({"cursor": "is of another list or filter; begin without one"})
    return sum(list(group) <= last for group in groups)
