"""An import: a file that was handed in, checked whole, then stored row by row.

    running (checking) ─▶ running (storing) ─▶ completed ─▶ undone
             ├─▶ completed    a dry run: nothing is stored
             └─▶ refused      a row is wrong and `partial` was not asked for, or there is none

Each step says up to which row it came, so that whoever takes over after a crash goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.kit.decision import Decision
from services.pairing.domain.intake.headers import Target
from services.pairing.domain.intake.judging import Fault, Judged
from services.pairing.domain.intake.sorting import Repeat, Sorted
from services.pairing.domain.refusals import ImportNotCompleted

ImportStatus = Literal["running", "completed", "refused", "undone"]
Stage = Literal["checking", "storing", "done"]
# A list of repeats is read by people; their number says the rest.
MOST_REPEATS = 1000


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """A piece of the file: a document has 16 MiB at most."""

    id: str
    import_id: str
    no: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class RowReport:
    """What is wrong with a row, or which one it repeats."""

    id: str
    import_id: str
    row: int
    faults: tuple[Fault, ...]
    repeat_of: Repeat | None


@dataclass(frozen=True, kw_only=True)
class UndoneRow:
    """What an undone import had made, and whether it was withdrawn."""

    id: str
    import_id: str
    made_id: str
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class Import:
    """`checked` and `stored` are rows as in the file; `own_partner_id` is whose rows alone are taken, if any.

    `other_sheets` of a workbook are passed over.
    """

    id: str
    version: int
    target: Target
    status: ImportStatus
    stage: Stage
    dry_run: bool
    partial: bool
    file_name: str
    format: str
    size: int
    sha256: str
    by: str
    own_partner_id: str | None
    ignored_columns: tuple[str, ...]
    same_as: str | None
    rows: int
    accepted: int
    repeats: int
    rejected_rows: int
    checked: int
    stored: int
    problem: str | None
    started_at: datetime
    ended_at: datetime | None
    other_sheets: tuple[str, ...] = ()


def begin_import(
    *,
    id: str,
    target: Target,
    dry_run: bool,
    partial: bool,
    file_name: str,
    format: str,
    parts: Sequence[bytes],
    sha256: str,
    by: str,
    own_partner_id: str | None,
    ignored_columns: tuple[str, ...],
    other_sheets: tuple[str, ...],
    same_as: str | None,
    now: datetime,
) -> Decision[Import]:
    """`same_as` is an import of the same bytes that was stored or is being stored."""
    started = Import(
        id=id,
        version=1,
        target=target,
        status="running",
        stage="checking",
        dry_run=dry_run,
        partial=partial,
        file_name=file_name,
        format=format,
        size=sum(map(len, parts)),
        sha256=sha256,
        by=by,
        own_partner_id=own_partner_id,
        ignored_columns=ignored_columns,
        same_as=same_as,
        rows=0,
        accepted=0,
        repeats=0,
        rejected_rows=0,
        checked=0,
        stored=0,
        problem=None,
        started_at=now,
        ended_at=None,
        other_sheets=other_sheets,
    )
    kept = [FilePart(id=f"{id}/{no}", import_id=id, no=no, content=part) for no, part in enumerate(parts)]
    return Decision(started, (started, *kept))


def check_again(of: Import) -> Decision[Import]:
    """Checking begins anew: who checked before has stored nothing."""
    return _step(of, rows=0, accepted=0, repeats=0, rejected_rows=0, checked=0)


def note_checked(of: Import, found: Sorted[Any], *, last: int) -> Decision[Import]:
    """A chunk of rows was judged, up to row `last`."""
    reports = [report(of, row) for row in found.rejected]
    room = max(0, MOST_REPEATS - of.repeats)
    reports += [_repeated(of, repeat) for repeat in found.repeats[:room]]
    fresh = len(found.fresh) + found.own
    step = _step(
        of,
        rows=of.rows + fresh + len(found.repeats) + len(found.rejected),
        accepted=of.accepted + fresh,
        repeats=of.repeats + len(found.repeats),
        rejected_rows=of.rejected_rows + len(found.rejected),
        checked=last,
    )
    return Decision(step.state, (*step.saves, *reports))


def close_checking(of: Import, *, now: datetime) -> Decision[Import]:
    """Every row was looked at: what happens now follows from what was found."""
    if of.rows == 0:
        return _step(
            of, status="refused", stage="done", problem="0 rows: nothing stands below the header", ended_at=now
        )
    if of.dry_run:
        return _step(of, status="completed", stage="done", ended_at=now)
    if of.rejected_rows and not of.partial:
        problem = f"{of.rejected_rows} of {of.rows} rows are wrong, so none was stored; ?partial=true stores the others"
        return fail_import(of, problem=problem, now=now)
    return _step(of, stage="storing")


def note_stored(of: Import, *, last: int, late: Sequence[RowReport] = ()) -> Decision[Import]:
    """`late` are on rows that were good when they were checked, and are not any more."""
    accepted, rejected = of.accepted - len(late), of.rejected_rows + len(late)
    step = _step(of, stored=last, accepted=accepted, rejected_rows=rejected)
    return Decision(step.state, (*step.saves, *late))


def finish_import(of: Import, *, now: datetime) -> Decision[Import]:
    return _step(of, status="completed", stage="done", ended_at=now)


def fail_import(of: Import, *, problem: str, now: datetime) -> Decision[Import]:
    return _step(of, status="refused", stage="done", problem=problem, ended_at=now)


def check_undoable(of: Import) -> None:
    """
    Raises:
        ImportNotCompleted: there is nothing of it that could be taken back.
    """
    if of.status != "completed":
        raise ImportNotCompleted(f"The import is {of.status}: nothing of it can be taken back.")
    if of.dry_run:
        raise ImportNotCompleted("It was a dry run: nothing was stored.")


def finish_undo(of: Import) -> Decision[Import]:
    return _step(of, status="undone")


def report(of: Import, row: Judged[Any]) -> RowReport:
    return RowReport(id=_report_id(of, row.no), import_id=of.id, row=row.no, faults=row.faults, repeat_of=None)


def _repeated(of: Import, repeat: Repeat) -> RowReport:
    return RowReport(id=_report_id(of, repeat.no), import_id=of.id, row=repeat.no, faults=(), repeat_of=repeat)


def _report_id(of: Import, row: int) -> str:
    return f"{of.id}/{row:07d}"


def _step(of: Import, **changes: Any) -> Decision[Import]:
    after = replace(of, version=of.version + 1, **changes)
    return Decision(after, (after,))
