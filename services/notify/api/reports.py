"""Filed reports: filed, read as the same bytes for ever, and compared."""

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.kit.clock import rfc3339
from services.kit.decision import Decision, Invalid, NotFound
from services.kit.http import Call, Form, Page, Unread, allow, created, ok
from services.notify import store
from services.notify.api.queries import Day
from services.notify.domain import ArchivedEvent, reports
from services.notify.domain.reports import Report, ReportDocument
from services.notify.store import Tx

router = APIRouter()

Reader = Annotated[Call, allow("coordinator", "monitor", "bookkeeper")]
Filer = Annotated[Call, allow("coordinator", "monitor")]


class Filing(Form):
    """Days in Asia/Shanghai, both included."""

    since: Day = Field(alias="from")
    until: Day
    lang: Literal["zh", "en"]


class ReportView(BaseModel):
    """`known_at` is a position of the archive; `sha256` is of what `GET /reports/{id}` answers."""

    model_config = ConfigDict(populate_by_name=True)
    id: str
    since: date = Field(alias="from")
    until: date
    lang: str
    known_at: int
    sha256: str
    filed_by: str
    filed_at: str

    @classmethod
    def of(cls, report: Report) -> "ReportView":
        days = {"since": report.from_on, "until": report.until_on, "filed_at": rfc3339(report.filed_at)}
        names = ("id", "lang", "known_at", "sha256", "filed_by")
        return cls.model_validate({name: getattr(report, name) for name in names} | days)


class ReportList(BaseModel):
    items: list[ReportView]
    next_cursor: str | None
    total: int | None = None


class DifferenceRow(BaseModel):
    """`was` is null for what was added, `now` for what was removed."""

    kind: Literal["added", "removed", "changed"]
    id: str
    was: dict[str, Any] | None
    now: dict[str, Any] | None


class Difference(BaseModel):
    """From the report `to` to this one."""

    to: str
    items: list[DifferenceRow]
    next_cursor: None = None


class DifferenceQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str | None = None


@router.post("/reports", status_code=201, response_model=ReportView)
async def file_report(call: Filer, form: Unread[Filing]) -> Response:
    """What is known of the period now, kept for ever."""
    filing = form.read()
    reports.check_period(filing.since, filing.until, call.transactor.clock.today())
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    # The archive only grows, and up to a position that is seen it has no gaps: no transaction is needed for so long.
    known_at = await tx.newest()
    draft = reports.Draft(filing.since, filing.until, filing.lang)
    async for event in tx.rows(ArchivedEvent, store.known_at(known_at, reports.reported_types()), by="position"):
        draft.add(event)
    document = await asyncio.to_thread(draft.document, known_at)

    async def work(tx: Tx) -> Decision[Report]:
        return reports.file_report(
            document,
            id=tx.new_id(),
            since=filing.since,
            until=filing.until,
            lang=filing.lang,
            known_at=known_at,
            by=call.caller.sub,
            now=tx.now,
        )

    return await call.perform(work, created("/reports", ReportView.of))


@router.get("/reports", response_model=ReportList)
async def list_reports(call: Reader, page: Annotated[Page, Query()]) -> Response:
    return await call.page(Report, {}, page, ReportView.of)


@router.get(
    "/reports/{id}",
    response_class=Response,
    responses={200: {"description": "The document, canonical JSON", "content": {"application/json": {}}}},
)
async def get_report(id: str, call: Reader) -> Response:
    """The document alone: the bytes that were filed."""
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    report, document = await tx.need(Report, id), await tx.need(ReportDocument, id)
    headers = {"etag": f'"{report.sha256}"', "cache-control": "private, immutable"}
    return Response(document.document, media_type="application/json", headers=headers)


@router.get("/reports/{id}/difference", response_model=Difference)
async def compare_reports(id: str, call: Reader, query: Annotated[DifferenceQuery, Query()]) -> Response:
    """The rows that differ from another report; without `to` from the last one before it of the same period."""

    async def work(tx: Tx) -> dict[str, Any]:
        report = await tx.need(Report, id)
        if query.to is None:
            other = await tx.filed_before(report)
            if other is None:
                raise NotFound("There is no earlier report of this period; name one by to.")
        else:
            other = await tx.get(Report, query.to)
            if other is None:
                raise Invalid({"to": f"there is no report {query.to}"})
        documents = await tx.get_many(ReportDocument, [other.id, id])
        rows = reports.difference(documents[other.id].document, documents[id].document)
        return {"to": other.id, "items": rows, "next_cursor": None}

    return await call.read(work, ok(dict))
