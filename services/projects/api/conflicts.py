"""The routes of conflicts: seen and settled by the office, or by an officer of the county."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from services.kit.clock import rfc3339
from services.kit.decision import Decision, NotFound
from services.kit.http import Call, Form, Page, Unread, ok
from services.kit.sheets import defused
from services.projects import domain, store
from services.projects.api.forms import Note, Reason
from services.projects.api.reach import REPORTERS, Reporter, reach_of
from services.projects.api.views import Listed
from services.projects.domain import Clash, Conflict, Project
from services.projects.store import Tx

router = APIRouter()


class ConflictPage(Page):
    """Query of the list of conflicts; as CSV it is the whole list at once."""

    status: Literal["open", "resolved", "all"] = "open"
    project: str | None = None
    format: Literal["json", "csv"] = "json"


class Resolution(Form):
    """What each of the conflict's fields is to be."""

    fields: dict[str, Note | None]
    reason: Reason


class ClashView(BaseModel):
    """`base` is what the phone built upon, `mine` the phone's value, `theirs` what stands here: set `by` whom, when."""

    name: str
    base: Any
    mine: Any
    theirs: Any
    by: str
    at: str

    @classmethod
    def of(cls, clash: Clash) -> Self:
        return cls(
            name=clash.name,
            base=clash.base,
            mine=clash.mine,
            theirs=clash.theirs,
            by=clash.by,
            at=rfc3339(clash.at),
        )


class ConflictView(BaseModel):
    """`sent_by` is whose value waits, `occurred_at` when it was noted; the last five are null until it is resolved.

    `resolved_how` says whose value counts since: `mine`, `theirs` or `other`.
    """

    id: str
    project_id: str
    county_code: str
    milestone_no: int
    status: Literal["open", "resolved"]
    fields: list[ClashView]
    sent_by: str
    occurred_at: str
    opened_at: str
    resolved_how: Literal["mine", "theirs", "other"] | None
    resolved_by: str | None
    resolved_at: str | None
    reason: str | None
    resolution: dict[str, Any] | None
    version: int

    @classmethod
    def of(cls, conflict: Conflict) -> Self:
        return cls(
            id=conflict.id,
            project_id=conflict.project_id,
            county_code=conflict.county_code,
            milestone_no=conflict.milestone_no,
            status=conflict.status,
            fields=[ClashView.of(clash) for clash in conflict.fields],
            sent_by=conflict.who,
            occurred_at=rfc3339(conflict.occurred_at),
            opened_at=rfc3339(conflict.opened_at),
            resolved_how=conflict.how,
            resolved_by=conflict.resolved_by,
            resolved_at=_when(conflict.resolved_at),
            reason=conflict.reason,
            resolution=dict(conflict.resolution) if conflict.resolution else None,
            version=conflict.version,
        )


class ConflictList(Listed):
    items: list[ConflictView]


@router.get("/conflicts", response_model=ConflictList, responses={200: {"content": {"text/csv": {}}}})
async def list_conflicts(call: Reporter, page: Annotated[ConflictPage, Query()]) -> Response:
    status = None if page.status == "all" else page.status
    where = store.conflicts(reach_of(call, *REPORTERS), status=status, project=page.project)
    if page.format == "json":
        return await call.page(Conflict, where, page, ConflictView.of)
    table = _as_csv(await call.transactor.reading().find(Conflict, where))
    headers = {"content-disposition": 'attachment; filename="conflicts.csv"'}
    return Response(table, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/conflicts/{id}", response_model=ConflictView)
async def get_conflict(id: str, call: Reporter) -> Response:
    async def work(tx: Tx) -> Conflict:
        return await _conflict(tx, call, id)

    return await call.read(work, ok(ConflictView.of))


@router.post("/conflicts/{id}/resolve", response_model=ConflictView)
async def resolve_conflict(id: str, call: Reporter, form: Unread[Resolution]) -> Response:
    async def work(tx: Tx) -> Decision[Conflict]:
        conflict = await _conflict(tx, call, id)
        call.expect(conflict.version, ConflictView.of(conflict), required=False)
        told = form.read()
        project = await tx.need(Project, conflict.project_id)
        others = [one for one in await tx.open_conflicts(project.id, conflict.milestone_no) if one.id != id]
        who = call.caller.sub
        return domain.resolve_conflict(conflict, project, others, told.fields, told.reason, who=who, now=tx.now)

    return await call.perform(work, ok(ConflictView.of))


async def _conflict(tx: Tx, call: Call, id: str) -> Conflict:
    conflict = await tx.need(Conflict, id)
    reach = reach_of(call, *REPORTERS)
    if not (reach.everything or conflict.county_code in reach.county_codes):
        raise NotFound(f"There is no conflict {id}.")
    return conflict


def _as_csv(conflicts: Iterable[Conflict]) -> bytes:
    """A line for each field of each conflict, in UTF-8 with BOM, by which a spreadsheet knows it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    own = ("id", "project_id", "county_code", "milestone_no", "status", "sent_by", "occurred_at", "opened_at")
    ended = ("resolved_how", "resolved_by", "resolved_at", "reason")
    writer.writerow((*own, *ClashView.model_fields, "resolution", *ended))
    for view in map(ConflictView.of, conflicts):
        for clash in view.fields:
            resolution = view.resolution and view.resolution[clash.name]
            cells = (*(getattr(view, name) for name in own), *dict(clash).values(), resolution)
            row = (*cells, *(getattr(view, name) for name in ended))
            writer.writerow([defused(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _when(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
