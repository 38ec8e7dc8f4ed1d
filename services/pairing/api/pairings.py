"""Pairings over HTTP."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from schemas.shapes import Category
from services.kit.decision import Decision, NotFound
from services.kit.http import Call, Caller, Page, Unread, allow, ok
from services.pairing import domain
from services.pairing.api.fields import Instant, MoneyView, Nothing, QuantityView, Reason, SentencesView, reading
from services.pairing.domain import Commitment, County, LevelName, Pairing, Round, Rounds, sentences
from services.pairing.domain.explanation import Explanation, LevelPair
from services.pairing.store import Tx
from services.pairing.streams.reasons import explain

router = APIRouter(tags=["pairings"])

Reader = Annotated[Call, allow("partner", "officer", "coordinator", "monitor", "bookkeeper")]
Coordinator = Annotated[Call, allow("coordinator")]
Status = Literal["proposed", "approved", "rejected", "superseded", "revoked"]


class PairingView(BaseModel):
    """`reason` says why it ended."""

    id: str
    round_id: str
    commitment_id: str
    partner_id: str
    county_code: str
    category: Category
    allocated: MoneyView | QuantityView
    status: Status
    project_id: str | None
    reason: str | None
    version: int
    proposed_at: Instant
    approved_at: Instant | None

    @classmethod
    def of(cls, pairing: Pairing) -> "PairingView":
        allocated = pairing.allocated
        return cls(
            id=pairing.id,
            round_id=pairing.round_id,
            commitment_id=pairing.commitment_id,
            partner_id=pairing.partner_id,
            county_code=pairing.county_code,
            category=pairing.category,
            allocated=MoneyView(**allocated) if pairing.is_booked else QuantityView(**allocated),
            status=pairing.status,
            project_id=pairing.project_id,
            reason=pairing.reason,
            version=pairing.version,
            proposed_at=pairing.proposed_at,
            approved_at=pairing.approved_at,
        )


class LevelPairView(BaseModel):
    """`with`: the level's value with the pairing, or with the need served; `without`: without."""

    model_config = ConfigDict(populate_by_name=True)
    level: LevelName
    with_: int = Field(alias="with")
    without: int

    @classmethod
    def of(cls, pair: LevelPair) -> "LevelPairView":
        return cls.model_validate({"level": pair.level, "with": pair.with_, "without": pair.without})


class StepView(BaseModel):
    """A commitment's share that would go to `now` instead of `was`; null: left open."""

    commitment_id: str
    was: str | None
    now: str | None


class InsteadView(BaseModel):
    county_code: str


class ExplanationView(BaseModel):
    """`decided_by`: `pin`, the first level that would be worse without the pairing, or `lot`.

    `instead`: where its share would go. `steps` (coordinators, monitors): all that would be otherwise.
    """

    pairing_id: str
    round_id: str
    decided_by: str
    levels: list[LevelPairView]
    instead: InsteadView | None
    sentences: SentencesView
    steps: list[StepView] | None

    @classmethod
    def of(cls, pairing: Pairing, explanation: Explanation, *, named: bool) -> "ExplanationView":
        about = (explanation, pairing.commitment_id, pairing.county_code)
        return cls(
            pairing_id=pairing.id,
            round_id=pairing.round_id,
            decided_by=explanation.decided_by,
            levels=[LevelPairView.of(one) for one in explanation.levels],
            instead=InsteadView(county_code=explanation.instead) if explanation.instead else None,
            sentences=SentencesView(**sentences.of_explanation(*about, named=named)),
            steps=[StepView(**asdict(step)) for step in explanation.steps] if named else None,
        )


class PairingPage(Page):
    round: str | None = None
    commitment: str | None = None
    partner: str | None = None
    county: str | None = None
    status: Status | None = None


@router.get("/pairings")
async def list_pairings(call: Reader, page: Annotated[PairingPage, Query()]) -> Response:
    asked = {
        "round_id": page.round,
        "commitment_id": page.commitment,
        "partner_id": page.partner,
        "county_code": page.county,
        "status": page.status,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    shown = _shown(await reading(call).rounds())
    return await call.page(Pairing, {"$and": [_seen_by(call.caller), shown, wanted]}, page, PairingView.of)


@router.get("/pairings/{id}", response_model=PairingView)
async def get_pairing(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Pairing:
        return await _seen(tx, call.caller, id)

    return await call.read(work, ok(PairingView.of))


@router.get("/pairings/{id}/explanation", response_model=ExplanationView)
async def get_explanation(id: str, call: Reader) -> Response:
    """What the best round without it would be: exact, and as it was when the round was run.

    Who would come instead is named to coordinators and monitors only.
    """
    tx = reading(call)
    pairing = await _seen(tx, call.caller, id)
    key = Explanation.key(pairing.round_id, pairing.commitment_id, pairing.county_code)
    found = await tx.get(Explanation, key)
    if found is None:
        round = await tx.need(Round, pairing.round_id)
        context = call.request.app.state.context
        found = await explain(context, round, pairing.commitment_id, pairing.county_code)
    named = call.caller.has("coordinator", "monitor")

    async def work(_: Tx) -> ExplanationView:
        return ExplanationView.of(pairing, found, named=named)

    return await call.read(work, ok(lambda view: view))


@router.post("/pairings/{id}/approve", response_model=PairingView)
async def approve_pairing(id: str, call: Coordinator, form: Unread[Nothing]) -> Response:
    """It stands from now on, and a project comes of it."""

    async def work(tx: Tx) -> Decision[Pairing]:
        pairing = await _pairing(tx, call, id)
        form.read()
        return await approve(tx, pairing)

    return await call.perform(work, ok(PairingView.of), locks=await locks_of(call, id))


@router.post("/pairings/{id}/reject", response_model=PairingView)
async def reject_pairing(id: str, call: Coordinator, form: Unread[Reason]) -> Response:
    async def work(tx: Tx) -> Decision[Pairing]:
        pairing = await _pairing(tx, call, id)
        return domain.reject_pairing(pairing, reason=form.read().reason)

    return await call.perform(work, ok(PairingView.of))


@router.post("/pairings/{id}/revoke", response_model=PairingView)
async def revoke_pairing(id: str, call: Coordinator, form: Unread[Reason]) -> Response:
    """Takes an approval back before its project is known; after that, cancel the project."""

    async def work(tx: Tx) -> Decision[Pairing]:
        pairing = await _pairing(tx, call, id)
        reason = form.read().reason
        commitment = await tx.need(Commitment, pairing.commitment_id)
        county = await tx.need(County, pairing.county_code)
        return domain.revoke_pairing(pairing, commitment, county, reason=reason)

    return await call.perform(work, ok(PairingView.of), locks=await locks_of(call, id))


async def approve(tx: Tx, pairing: Pairing) -> Decision[Pairing]:
    """The approval of one pairing, as of now."""
    domain.check_not_overtaken(pairing, await tx.rounds())
    county = await tx.need(County, pairing.county_code)
    return domain.approve_pairing(
        pairing,
        await tx.need(Commitment, pairing.commitment_id),
        county,
        await tx.card_on(county, tx.today),
        project_id=tx.new_id(),
        now=tx.now,
        today=tx.today,
    )


async def locks_of(call: Call, id: str) -> list[str]:
    """Approvals in one county, and of one commitment, stand in line: they change the same documents."""
    pairing = await reading(call).get(Pairing, id)
    return [pairing.commitment_id, pairing.county_code] if pairing else []


async def _pairing(tx: Tx, call: Call, id: str) -> Pairing:
    pairing = await _seen(tx, call.caller, id)
    call.expect(pairing.version, PairingView.of(pairing), required=False)
    return pairing


async def _seen(tx: Tx, caller: Caller, id: str) -> Pairing:
    found = await tx.find(Pairing, {"$and": [{"_id": id}, _seen_by(caller), _shown(await tx.rounds())]})
    if not found:
        raise NotFound(f"There is no pairing {id}.")
    return found[0]


def _shown(rounds: Rounds) -> dict[str, Any]:
    """A round's proposals show when it is completed, all at once."""
    return {"round_id": {"$ne": rounds.running}} if rounds.running else {}


def _seen_by(caller: Caller) -> dict[str, Any]:
    """Proposals are for those who decide; partners and officers see what was approved."""
    if caller.has("coordinator", "monitor", "bookkeeper"):
        return {}
    own: list[dict[str, Any]] = []
    if caller.has("partner"):
        own.append({"partner_id": caller.partner_id})
    if caller.has("officer"):
        own.append({"county_code": {"$in": sorted(caller.county_codes)}})
    return {"$or": own, "status": {"$in": ["approved", "revoked"]}}
