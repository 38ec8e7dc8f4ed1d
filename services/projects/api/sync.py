"""The routes of phones: a queue of edits comes in, the projects to work on go out.

A few edits make a unit of work, so that what was taken stays taken where the line or the database
breaks off; the phone sends the same queue again.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from services.kit import mongo
from services.kit.clock import rfc3339
from services.kit.decision import Decision, Invalid
from services.kit.forms import Body_
from services.kit.http import Call, Form, Page, Unread, ok
from services.projects import domain
from services.projects.api import grants
from services.projects.api.forms import Instant, Note, ObservationForm, Sha256
from services.projects.api.grants import Grant
from services.projects.api.reach import REPORTERS, Reporter, reach_of
from services.projects.api.views import ProjectList, ProjectView, Words
from services.projects.domain import Claim, Edit, EditKind, Outcome, Project, Report
from services.projects.store import Tx
from services.projects.streams import release

log = logging.getLogger(__name__)
router = APIRouter()

_LAST = 2**63 - 1
# A commit for each edit would take longer than all else.
_A_UNIT = 50
EditId = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Number = Annotated[int, Field(ge=-_LAST, le=_LAST)]


class EditForm(Form):
    """One edit of a phone. What its `fields` may be depends on its kind, and faults there are its own."""

    id: EditId
    kind: EditKind
    project_id: str
    milestone_no: Number | None = None
    base_version: Number | None = None
    after: EditId | None = None
    occurred_at: Instant
    fields: dict[str, Any]


class Queue(Form):
    edits: list[EditForm]
    grant: str | None = None


class ReportFields(Form):
    """`fields` of a milestone report; one that is left out stays as it was."""

    note: Note | None = None
    evidence: list[Sha256] | None = None


class ResultView(BaseModel):
    """What became of an edit; `version` is that of the milestone or observation after it.

    `probable_duplicate_of` is the id of an edit of the hour before that says the same.
    """

    id: str
    outcome: Outcome
    version: int | None
    detail: Words
    conflict_id: str | None
    probable_duplicate_of: str | None

    @classmethod
    def of(cls, edit: Edit) -> Self:
        return cls(
            id=edit.id,
            outcome=edit.outcome,
            version=edit.version,
            detail=Words(**edit.detail),
            conflict_id=edit.conflict_id,
            probable_duplicate_of=edit.twin if edit.outcome != "refused" else None,
        )


class Results(BaseModel):
    results: list[ResultView]

    @classmethod
    def of(cls, edits: Iterable[Edit]) -> Self:
        return cls(results=[ResultView.of(edit) for edit in edits])


class SyncList(ProjectList):
    grant: str


@router.get("/sync", response_model=SyncList)
async def pull(call: Reporter, page: Annotated[Page, Query()]) -> Response:
    grant = await grants.issue(call.transactor, call.caller, call.transactor.clock.now())
    where = reach_of(call, *REPORTERS).filter()
    return await call.page(Project, where, page, ProjectView.of, besides={"grant": grant})


@router.post("/sync", response_model=Results)
async def push(call: Reporter, form: Unread[Queue]) -> Response:
    verdicts: dict[int, Edit] = {}

    async def work(_: Tx) -> Decision[list[Edit]]:
        # One note that was cut within a character must not hold up the whole queue for ever.
        queue = form.mended().read()
        settler = _Settler(call, await grants.read(call.transactor, queue.grant))
        while places := [place for place in _in_order(queue.edits) if place not in verdicts][:_A_UNIT]:
            taken = await settler.take([queue.edits[place] for place in places])
            verdicts.update(zip(places, taken, strict=True))
            for released in await release(call.transactor, taken):
                verdicts.update({at: released for at, known in verdicts.items() if known.id == released.id})
        return Decision([verdicts[place] for place in range(len(queue.edits))])

    return await call.perform(work, ok(Results.of))


class _Settler:
    """Takes in the edits of one call."""

    def __init__(self, call: Call, grant: Grant | None) -> None:
        self._call = call
        self._sub = call.caller.sub
        self._reach = reach_of(call, *REPORTERS)
        self._grant = grant

    async def take(self, forms: Sequence[EditForm]) -> list[Edit]:
        """Edits in their order, each with its verdict; one on which we fail is refused alone, and not kept."""
        try:
            return await self._take(forms)
        except Exception as error:
            if mongo.is_infrastructure(error):
                raise
            if len(forms) == 1:
                log.exception("an edit failed", extra={"edit": forms[0].id})
                return [self._failed(forms[0])]
        return [edit for form in forms for edit in await self.take([form])]

    def _failed(self, form: EditForm) -> Edit:
        now = self._call.transactor.clock.now()
        return domain.became(_edit(form, self._sub, now, None, None), "refused", domain.FAILED, now)

    async def _take(self, forms: Sequence[EditForm]) -> list[Edit]:
        """In one unit of work."""
        read = [(form, *_read_fields(form)) for form in forms]

        async def work(tx: Any) -> list[Edit]:
            edits = [(_edit(form, self._sub, tx.now, report, claim), faults) for form, report, claim, faults in read]
            await tx.read_edits([edit for edit, _ in edits])
            return [tx.keep(await self._decide(tx, edit, faults)) for edit, faults in edits]

        locks = {form.project_id for form in forms}
        return await self._call.transactor.unit(self._call.cause(), work, locks=[*locks])

    async def _decide(self, tx: Tx, edit: Edit, faults: Mapping[str, str]) -> Decision[Edit]:
        around = await tx.around(edit)
        return domain.take_edit(
            edit,
            await tx.get(Edit, edit.id),
            around,
            held=around.project is not None and self._held(around.project, edit),
            faults=faults,
            conflict_id=tx.new_id(),
            now=tx.now,
        )

    def _held(self, project: Project, edit: Edit) -> bool:
        if self._reach.covers(project):
            return True
        return self._grant is not None and self._grant.covers(self._sub, project.county_code, edit.occurred_at)


def _edit(form: EditForm, sub: str, now: datetime, report: Report | None, claim: Claim | None) -> Edit:
    sent = {name: getattr(form, name) for name in EditForm.model_fields} | {"occurred_at": rfc3339(form.occurred_at)}
    # The same words under another base are the same edit: a phone that read anew may send it so.
    words = {name: sent[name] for name in ("kind", "project_id", "milestone_no", "occurred_at", "fields")}
    content = words | {"occurred_at": None}
    return Edit(
        id=form.id,
        kind=form.kind,
        project_id=form.project_id,
        milestone_no=form.milestone_no,
        base_version=form.base_version,
        after=form.after,
        occurred_at=form.occurred_at,
        sent=_canonical(sent),
        fingerprint=_digest(words),
        content=_digest(content),
        who=sub,
        came_at=now,
        report=report,
        claim=claim,
        detail={"zh": "", "en": ""},
    )


def _read_fields(form: EditForm) -> tuple[Report | None, Claim | None, Mapping[str, str]]:
    """What an edit says, or what is wrong with its fields by JSON pointer."""
    try:
        if form.kind == "milestone-report":
            told = Body_(ReportFields, form.fields).read()
            evidence = None if told.evidence is None else tuple(told.evidence)
            return Report(occurred_at=form.occurred_at, note=told.note, evidence=evidence), None, {}
        when = {"occurred_at": rfc3339(form.occurred_at)}
        claim = Body_(ObservationForm, when | form.fields).read().claim()
    except Invalid as invalid:
        return None, None, invalid.errors
    if claim.occurred_at != form.occurred_at:
        return None, None, {"/occurred_at": "An edit says when it was made beside its fields."}
    return None, claim, {}


def _digest(sent: Any) -> str:
    return sha256(_canonical(sent).encode()).hexdigest()


def _canonical(sent: Any) -> str:
    return json.dumps(sent, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _in_order(edits: list[EditForm]) -> list[int]:
    """The places of the edits, each after that of the one it builds on, else as they came."""
    first: dict[str, int] = {}
    for place, edit in enumerate(edits):
        first.setdefault(edit.id, place)
    ordered: dict[int, None] = {}
    for place in range(len(edits)):
        chain: list[int] = []
        at: int | None = place
        while at is not None and at not in ordered and at not in chain:
            chain.append(at)
            at = first.get(edits[at].after or "")
        ordered |= dict.fromkeys(reversed(chain))
    return list(ordered)
