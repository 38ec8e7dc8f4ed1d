"""Rounds over HTTP."""

import asyncio
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.kit.decision import Decision, NotFound, Refused
from services.kit.forms import Form
from services.kit.http import Call, Page, Unread, accepted, allow, ok
from services.kit.idempotency import Reply
from services.pairing import domain
from services.pairing.api.fields import Day, Instant, Nothing, Prose, SentencesView, reading
from services.pairing.api.pairings import approve
from services.pairing.domain import LevelName, Pairing, Round, sentences
from services.pairing.domain.explanation import Different
from services.pairing.store import Tx

router = APIRouter(tags=["rounds"])

Reader = Annotated[Call, allow("coordinator", "monitor")]
Coordinator = Annotated[Call, allow("coordinator")]

# RFC 8785 numbers are doubles: beyond this not every whole number is one.
_LARGEST_SEED = 2**53 - 1
# So many pairings are approved in one transaction.
_AT_ONCE = 50


class RoundForm(Form):
    as_of: Day
    seed: Annotated[int, Field(ge=-_LARGEST_SEED, le=_LARGEST_SEED)]


class CancelForm(Form):
    reason: Prose | None = None


class LevelView(BaseModel):
    level: LevelName
    value: int


class RoundView(BaseModel):
    """The figures are null until it is completed; `reason` says why it failed or was cancelled."""

    id: str
    as_of: date
    seed: int
    status: Literal["running", "completed", "failed", "cancelled"]
    progress: int
    snapshot_sha256: str | None
    pairings: int | None
    counties_reached: int | None
    needs_served: int | None
    needs_unserved: int | None
    objective: list[LevelView] | None
    solve_ms: float | None
    reason: str | None
    version: int
    requested_at: Instant
    requested_by: str
    ended_at: Instant | None

    @classmethod
    def of(cls, round: Round) -> "RoundView":
        result = round.result if round.status == "completed" else None
        return cls(
            id=round.id,
            as_of=round.as_of,
            seed=round.seed,
            status=round.status,
            progress=round.progress,
            snapshot_sha256=round.snapshot_sha256,
            pairings=result.pairings if result else None,
            counties_reached=result.counties_reached if result else None,
            needs_served=result.needs_served if result else None,
            needs_unserved=result.needs_unserved if result else None,
            objective=[LevelView(level=one.level, value=one.value) for one in result.objective] if result else None,
            solve_ms=result.solve_ms if result else None,
            reason=round.reason,
            version=round.version,
            requested_at=round.requested_at,
            requested_by=round.requested_by,
            ended_at=round.ended_at,
        )


class RefusalView(BaseModel):
    """`rules`: each rule that was looked at, with what was found, what was asked for, and whether it is met."""

    pairing_id: str
    type: str
    detail: str
    rules: list[dict[str, Any]]


class ApprovalView(BaseModel):
    """What this call approved, and what it could not."""

    approved: list[str]
    refused: list[RefusalView]


class DifferentView(BaseModel):
    """`reason` names what is behind it; `level` the level that decided between two plans, `lot` the draw."""

    commitment_id: str
    county_code: str
    was: str | None
    reason: str
    level: str | None
    sentences: SentencesView

    @classmethod
    def of(cls, one: Different) -> "DifferentView":
        return cls(
            commitment_id=one.commitment_id,
            county_code=one.county_code,
            was=one.was,
            reason=one.reason,
            level=one.level,
            sentences=SentencesView(**sentences.of_difference(one)),
        )


class DifferenceView(BaseModel):
    """`moved`: a commitment's share goes to `county_code` that went to `was`."""

    added: list[DifferentView]
    dropped: list[DifferentView]
    moved: list[DifferentView]

    @classmethod
    def of(cls, all: Sequence[Different]) -> "DifferenceView":
        by_kind: dict[str, list[DifferentView]] = {"added": [], "dropped": [], "moved": []}
        for one in all:
            by_kind[one.kind].append(DifferentView.of(one))
        return cls(**by_kind)


@router.post("/rounds", status_code=202, response_model=RoundView)
async def request_round(call: Coordinator, form: Unread[RoundForm]) -> Response:
    """The worker takes it up; follow it by its Location."""

    async def work(tx: Tx) -> Decision[Round]:
        asked = form.read()
        return domain.request_round(
            await tx.rounds(),
            as_of=asked.as_of,
            seed=asked.seed,
            id=tx.new_id(),
            now=tx.now,
            today=tx.today,
            by=call.caller.sub,
            chain=tx.cause.chain,
        )

    return await call.perform(work, accepted("/rounds", RoundView.of), locks=["rounds"])


@router.get("/rounds")
async def list_rounds(call: Reader, page: Annotated[Page, Query()]) -> Response:
    """Newest first."""
    return await call.page(Round, {}, page, RoundView.of, newest_first=True)


@router.get("/rounds/{id}", response_model=RoundView)
async def get_round(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Round:
        return await tx.need(Round, id)

    return await call.read(work, ok(RoundView.of))


@router.get("/rounds/{id}/snapshot")
async def get_snapshot(id: str, call: Reader) -> Response:
    """What the round looked at: RFC 8785 bytes, whose SHA-256 is the round's `snapshot_sha256`."""

    async def work(tx: Tx) -> bytes:
        round = await tx.need(Round, id)
        if round.snapshot_sha256 is None:
            raise NotFound("Nothing is frozen yet.")
        return await tx.content_of(id, "snapshot")

    return await call.read(work, lambda content: Reply(200, content, {}))


@router.get("/rounds/{id}/difference", response_model=DifferenceView)
async def get_difference(id: str, call: Reader) -> Response:
    """What it proposes otherwise than the round before it, and why. What was approved meanwhile stands, and is in
    neither.
    """

    async def work(tx: Tx) -> bytes:
        round = await tx.need(Round, id)
        if round.status != "completed":
            raise NotFound(f"The round is {round.status}.")
        # The first of a big programme has all its pairs in it: seconds of work.
        return await asyncio.to_thread(_difference, await tx.content_of(id, "difference"))

    return await call.read(work, lambda content: Reply(200, content, {}))


@router.post("/rounds/{id}/cancel", response_model=RoundView)
async def cancel_round(id: str, call: Coordinator, form: Unread[CancelForm]) -> Response:
    async def work(tx: Tx) -> Decision[Round]:
        round = await _round(tx, call, id)
        reason = form.read().reason
        return domain.cancel_round(round, await tx.rounds(), reason=reason, now=tx.now)

    return await call.perform(work, ok(RoundView.of))


@router.post("/rounds/{id}/approve", response_model=ApprovalView)
async def approve_round(id: str, call: Coordinator, form: Unread[Nothing]) -> Response:
    """Approves all that is still proposed, each pairing by itself; it may be asked again."""
    approved: list[str] = []
    refused: list[RefusalView] = []

    async def check(tx: Tx) -> None:
        round = await _round(tx, call, id)
        form.read()
        domain.check_newest(round, await tx.rounds())

    async def approve_all() -> None:
        # Some at a time: a round may have more pairings than one transaction takes. What is approved
        # stays approved should the rest not get through.
        await check(reading(call))
        cause, last = call.cause(), ""
        while some := await reading(call).proposals_of_round(id, last, _AT_ONCE):
            last = some[-1].id
            locks = {lock for pairing in some for lock in (pairing.commitment_id, pairing.county_code)}
            done = await call.transactor.unit(cause, partial(_approve, [one.id for one in some]), locks=sorted(locks))
            approved.extend(done[0])
            refused.extend(done[1])

    async def work(tx: Tx) -> Decision[ApprovalView]:
        return Decision(ApprovalView(approved=approved, refused=refused))

    return await call.perform(work, ok(lambda view: view), before=approve_all)


def _difference(kept: bytes) -> bytes:
    return DifferenceView.of([Different(**one) for one in orjson.loads(kept)]).model_dump_json().encode()


async def _approve(ids: Sequence[str], tx: Any) -> tuple[list[str], list[RefusalView]]:
    approved, refused = [], []
    for id in ids:
        try:
            approved.append(tx.keep(await approve(tx, await tx.need(Pairing, id))).id)
        except Refused as refusal:
            refused.append(
                RefusalView(
                    pairing_id=id,
                    type=f"/problems/{refusal.rule}",
                    detail=refusal.detail,
                    rules=refusal.extra.get("rules", []),
                )
            )
    return approved, refused


async def _round(tx: Tx, call: Call, id: str) -> Round:
    round = await tx.need(Round, id)
    call.expect(round.version, RoundView.of(round), required=False)
    return round
