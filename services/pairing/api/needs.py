"""Needs that a round gave nothing, over HTTP."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from schemas.shapes import Category
from services.kit.decision import NotFound
from services.kit.http import Call, Page, allow
from services.pairing.api.fields import SentencesView, reading
from services.pairing.api.pairings import LevelPairView, StepView
from services.pairing.domain import Round, sentences
from services.pairing.domain.explanation import UnservedNeed, Why
from services.pairing.streams.reasons import detail

router = APIRouter(tags=["needs"])

Reader = Annotated[Call, allow("partner", "officer", "coordinator", "monitor", "bookkeeper")]


class ChangeView(BaseModel):
    """`lift-ban`, `lift-exclusion` (of the list `bar`), or `share`: one more, which may only go to this county.

    Whose ban or exclusion it is: to coordinators and monitors only.
    """

    kind: str
    category: Category
    county_code: str
    bar: str | None
    commitment_id: str | None
    rule_id: str | None


class UnservedView(BaseModel):
    """`since`: the day of the first of the rounds in a row that gave it nothing.

    `change`: the smallest that would serve it; null where the county is not eligible. `levels`: what
    serving it with what there is would do to the round; empty where nobody can.
    """

    round_id: str
    county_code: str
    category: Category
    band: int
    open_slots: int
    reason: Why
    since: str
    change: ChangeView | None
    levels: list[LevelPairView]
    sentences: SentencesView
    steps: list[StepView] | None

    @classmethod
    def of(cls, need: UnservedNeed, *, named: bool) -> "UnservedView":
        shown: dict[str, Any] = {
            name: getattr(need, name)
            for name in ("round_id", "county_code", "category", "band", "open_slots", "reason", "since")
        }
        change = need.change
        return cls(
            **shown,
            change=ChangeView(
                kind=change.kind,
                category=shown["category"],
                county_code=need.county_code,
                bar=change.bar,
                commitment_id=change.commitment_id if named else None,
                rule_id=change.rule_id if named else None,
            )
            if change
            else None,
            levels=[LevelPairView.of(pair) for pair in need.levels],
            sentences=SentencesView(**sentences.of_need(need, named=named)),
            steps=[StepView(**asdict(step)) for step in need.steps] if named else None,
        )


class UnservedPage(Page):
    round: str | None = None


@router.get("/needs/unserved")
async def list_unserved(call: Reader, page: Annotated[UnservedPage, Query()]) -> Response:
    """Of a round, or of the last one that was completed, by county and category."""
    tx = reading(call)
    round = await _round(tx, page.round)
    where: dict[str, Any] = {"round_id": round.id if round else None}
    if not call.caller.has("partner", "coordinator", "monitor", "bookkeeper"):
        where["county_code"] = {"$in": sorted(call.caller.county_codes)}
    if round:
        # In a big round this takes a while, so only what is about to be shown, which comes first.
        vague = await tx.find(UnservedNeed, where | {"is_detailed": False}, limit=page.limit)
        if vague:
            await detail(call.request.app.state.context, round, vague)
    named = call.caller.has("coordinator", "monitor")
    return await call.page(UnservedNeed, where, page, lambda need: UnservedView.of(need, named=named))


async def _round(tx: Any, id: str | None) -> Round | None:
    if id is not None:
        round: Round = await tx.need(Round, id)
        if round.status != "completed":
            raise NotFound(f"The round is {round.status}.")
        return round
    newest = await tx.get(Round, (await tx.rounds()).newest or "")
    if newest is None or newest.status == "completed":
        return newest  # type: ignore[no-any-return]
    return await tx.get(Round, newest.previous or "")  # type: ignore[no-any-return]
