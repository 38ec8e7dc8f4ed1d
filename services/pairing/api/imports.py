"""Files over HTTP: handed in, reported on row by row, taken back."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from services.kit import mongo
from services.kit.decision import Decision, Invalid, NotFound
from services.kit.http import Call, Unread, allow, created, ok
from services.kit.languages import voice
from services.kit.problems import UnsupportedMediaType
from services.pairing.api.fields import Instant, Nothing, reading
from services.pairing.api.problem_file import problem_file
from services.pairing.domain import Partner, imports
from services.pairing.domain.imports import Import, RowReport, UndoneRow
from services.pairing.domain.intake.headers import Target
from services.pairing.store import Tx
from services.pairing.streams.intake import Intake, Sheet, take_back

router = APIRouter(tags=["imports"])

MOST_BYTES = 20 * 1024 * 1024
BODY_LIMITS = {f"/imports/{target}": MOST_BYTES for target in ("commitments", "counties", "partners")}
_PART_BYTES = 8 * 1024 * 1024
_REPORTED = 1000
_UNDONE_AT_ONCE = 200
_TRIES = 5
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            }
        },
    }
}

Giver = Annotated[Call, allow("partner", "coordinator")]
Coordinator = Annotated[Call, allow("coordinator")]
Reader = Annotated[Call, allow("partner", "coordinator", "monitor")]


class Manner(BaseModel):
    """`dry_run` stores nothing; `partial` stores the good rows of a file that has bad ones."""

    model_config = ConfigDict(extra="forbid")
    dry_run: bool = False
    partial: bool = False


class RejectedView(BaseModel):
    row: int
    column: str | None
    value: str
    code: str
    detail: str
    fix: str | None


class RepeatedView(BaseModel):
    """`of_row` of import `of_import` said the same; both null: it is there, and came by another way."""

    row: int
    of_row: int | None
    of_import: str | None


class ImportView(BaseModel):
    """`rejected` and `repeated` tell of the first thousand rows each; the numbers are of all."""

    id: str
    kind: Target
    status: Literal["running", "completed", "refused", "undone"]
    dry_run: bool
    partial: bool
    file_name: str
    rows: int
    accepted: int
    repeats: int
    rejected_rows: int
    rejected: list[RejectedView]
    repeated: list[RepeatedView]
    progress: dict[str, int]
    problem: str | None
    ignored_columns: list[str]
    other_sheets: list[str]
    same_as: str | None
    version: int
    started_by: str
    started_at: Instant
    ended_at: Instant | None

    @classmethod
    def of(cls, shown: "Shown", say: Callable[[str], str]) -> "ImportView":
        """`say` puts a sentence into the reader's language."""
        of = shown.of
        return cls(
            id=of.id,
            kind=of.target,
            status=of.status,
            dry_run=of.dry_run,
            partial=of.partial,
            file_name=of.file_name,
            rows=of.rows,
            accepted=of.accepted,
            repeats=of.repeats,
            rejected_rows=of.rejected_rows,
            rejected=[
                RejectedView(
                    row=one.row,
                    column=fault.column,
                    value=fault.value,
                    code=fault.code,
                    detail=say(fault.detail),
                    fix=fault.fix and say(fault.fix),
                )
                for one in shown.rejected
                for fault in one.faults
            ],
            repeated=[
                RepeatedView(row=one.row, of_row=one.repeat_of.of_row, of_import=one.repeat_of.of_import)
                for one in shown.repeated
                if one.repeat_of
            ],
            progress={"checked_row": of.checked, "stored_row": of.stored},
            problem=of.problem and say(of.problem),
            ignored_columns=list(of.ignored_columns),
            other_sheets=list(of.other_sheets),
            same_as=of.same_as,
            version=of.version,
            started_by=of.by,
            started_at=of.started_at,
            ended_at=of.ended_at,
        )


class UndoneView(BaseModel):
    withdrawn: list[str]
    kept: list[str]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An import, and what it says of its rows."""

    of: Import
    rejected: Sequence[RowReport]
    repeated: Sequence[RowReport]

    @property
    def id(self) -> str:
        return self.of.id

    @property
    def version(self) -> int:
        return self.of.version


@dataclass(frozen=True)
class _Upload:
    name: str
    content: bytes
    sheet: Sheet
    short: bool


@router.post("/imports/commitments", status_code=201, response_model=ImportView, openapi_extra=_FILE)
async def import_commitments(call: Giver, manner: Annotated[Manner, Query()]) -> Response:
    """A partner's file holds its own commitments only."""
    return await _import(call, "commitments", manner)


@router.post("/imports/counties", status_code=201, response_model=ImportView, openapi_extra=_FILE)
async def import_counties(call: Coordinator, manner: Annotated[Manner, Query()]) -> Response:
    return await _import(call, "counties", manner)


@router.post("/imports/partners", status_code=201, response_model=ImportView, openapi_extra=_FILE)
async def import_partners(call: Coordinator, manner: Annotated[Manner, Query()]) -> Response:
    return await _import(call, "partners", manner)


@router.get("/imports/{id}", response_model=ImportView)
async def get_import(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Shown:
        of = await _own(tx, call, id)
        rejected = await tx.reports_of(id, repeats=False, limit=_REPORTED)
        return Shown(of=of, rejected=rejected, repeated=await tx.reports_of(id, repeats=True, limit=_REPORTED))

    return await call.read(work, ok(_view(call)))


@router.get("/imports/{id}/problems", response_class=Response)
async def get_problems(id: str, call: Reader) -> Response:
    """The file that was handed in, with a column `problem`."""
    tx = reading(call)
    of = await _own(tx, call, id)
    reports = [*await tx.reports_of(id, repeats=False), *await tx.reports_of(id, repeats=True)]
    content = await tx.file_of(id)
    say = voice(call.request.headers.get("accept-language"))

    def build() -> bytes:
        said = {one.row: "; ".join(_sentences(one, say)) for one in reports}
        sheet = Sheet(content, of.target)
        return problem_file(sheet.table, sheet.header, said)

    name = "problems.xlsx" if of.format == "xlsx" else "problems.csv"
    media_type = (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        if of.format == "xlsx"
        else "text/csv; charset=utf-8"
    )
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(await asyncio.to_thread(build), media_type=media_type, headers=headers)


@router.post("/imports/{id}/undo", response_model=UndoneView)
async def undo_import(id: str, call: Giver, form: Unread[Nothing]) -> Response:
    """Withdraws what nobody has touched since; the rest is kept and listed. Partners and counties are kept always."""
    if (await _own(reading(call), call, id)).status == "completed":
        cause = call.cause()
        while await call.transactor.transact(lambda tx: _undo_some(tx, id), cause, locks=[id]):
            pass

    async def work(tx: Tx) -> Decision[Any]:
        of = await _own(tx, call, id)
        form.read()
        imports.check_undoable(of)
        done, undone = imports.finish_undo(of), await tx.undone_of(id)
        view = UndoneView(
            withdrawn=[one.made_id for one in undone if one.withdrawn],
            kept=[one.made_id for one in undone if not one.withdrawn],
        )
        return Decision(view, done.saves)

    return await call.perform(work, ok(lambda view: view), locks=[id])


async def _undo_some(tx: Tx, id: str) -> Decision[int]:
    of = await tx.need(Import, id)
    imports.check_undoable(of)
    rows = await tx.rows_of(id, _UNDONE_AT_ONCE)
    saves: list[Any] = []
    events: list[Any] = []
    forgotten = []
    for row, taken in await take_back(tx, rows):
        no = f"{id}/{row.row:07d}"
        saves.append(UndoneRow(id=no, import_id=id, made_id=row.made_id, withdrawn=taken is not None))
        if taken:
            saves.extend(taken.saves)
            events.extend(taken.events)
        if of.target == "commitments" and not taken:
            # It is still promised: the same row once more must not promise it again.
            saves.append(replace(row, is_kept=True))
        else:
            forgotten.append(row)
    return Decision(len(rows), saves, events, deletes=forgotten)


async def _import(call: Call, target: Target, manner: Manner) -> Response:
    upload = await _upload(call, target)
    own = None if call.caller.has("coordinator") else call.caller.partner_id or ""
    sha256 = hashlib.sha256(upload.content).hexdigest()

    async def work(tx: Tx) -> Decision[Shown]:
        if own == "":
            raise Invalid({"/partner_id": "your token names no partner"})
        if own and await tx.get(Partner, own) is None:
            raise Invalid({"/partner_id": f"there is no partner {own}, which your token names"})
        first = await tx.import_of_same(target, sha256)
        begun = imports.begin_import(
            id=tx.new_id(),
            target=target,
            dry_run=manner.dry_run,
            partial=manner.partial,
            file_name=upload.name,
            format=upload.sheet.table.format,
            parts=[upload.content[at : at + _PART_BYTES] for at in range(0, len(upload.content), _PART_BYTES)],
            sha256=sha256,
            by=call.caller.sub,
            own_partner_id=own,
            ignored_columns=upload.sheet.header.ignored,
            other_sheets=upload.sheet.table.other_sheets,
            same_as=first.id if first else None,
            now=tx.now,
        )
        return await _whole(tx, begun, upload.sheet) if upload.short else _shown(begun)

    tries = 0
    while True:
        try:
            return await call.perform(work, created("/imports", _view(call)), locks=["imports"])
        except Exception as error:
            tries += 1
            # The same rows are stored by another replica at this moment: next time they are seen.
            if not mongo.is_duplicate(error) or tries == _TRIES:
                raise


async def _whole(tx: Tx, begun: Decision[Import], sheet: Sheet) -> Decision[Shown]:
    """A short file, from its first row to its last in one unit of work."""
    of, saves, events = begun.state, list(begun.saves), list(begun.events)
    intake = Intake(of, sheet, await tx.gazetteer())
    fresh = []
    for chunk in sheet.chunks():
        found = await intake.sort(tx, chunk)
        fresh += found.fresh
        step = imports.note_checked(of, found, last=chunk[-1].no)
        of, saves = step.state, [*saves, *step.saves]
    of = imports.close_checking(of, now=tx.now).state
    if of.stage == "storing":
        for row in fresh:
            made = await intake.store(tx, row)
            saves += made.saves
            events += made.events
        last = max((row.no for row in fresh), default=of.checked)
        of = imports.finish_import(imports.note_stored(of, last=last).state, now=tx.now).state
    return _shown(Decision(of, [*saves, of], events))


def _shown(done: Decision[Import]) -> Decision[Shown]:
    reports = [state for state in done.saves if isinstance(state, RowReport)]
    shown = Shown(
        of=done.state,
        rejected=[one for one in reports if one.faults],
        repeated=[one for one in reports if one.repeat_of],
    )
    return Decision(shown, done.saves, done.events)


async def _upload(call: Call, target: Target) -> _Upload:
    if not call.request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaType("Send the file as multipart/form-data, in a field called file.")
    try:
        async with call.request.form(max_files=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Invalid({"/file": "is missing: send the file in a field called file"})
            content = await file.read()
            name = (file.filename or "file")[-255:]
    except HTTPException as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        # More than one file, or no sound multipart body.
        raise Invalid({"/file": error.detail}) from error
    sheet = await asyncio.to_thread(Sheet, content, target)
    return _Upload(name, content, sheet, await asyncio.to_thread(sheet.is_short))


async def _own(tx: Tx, call: Call, id: str) -> Import:
    of = await tx.need(Import, id)
    # A coordinator's is nobody's own, whatever a partner's token leaves out.
    if not call.caller.has("coordinator", "monitor") and of.own_partner_id != (call.caller.partner_id or ""):
        raise NotFound(f"There is no import {id}.")
    return of


def _view(call: Call) -> Callable[[Shown], ImportView]:
    say = voice(call.request.headers.get("accept-language"))
    return lambda shown: ImportView.of(shown, say)


def _sentences(one: RowReport, say: Callable[[str], str]) -> list[str]:
    if one.repeat_of:
        again = one.repeat_of
        return [say(f"says the same as row {again.of_row}" if again.of_row else "is there already")]
    return [
        (f"{fault.column}: " if fault.column else "")
        + say(fault.detail)
        + (f" ({say(fault.fix)})" if fault.fix else "")
        for fault in one.faults
    ]
