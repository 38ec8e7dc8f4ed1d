"""Commitments over HTTP."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from schemas.money import to_amount
from schemas.shapes import Category
from services.kit.decision import Decision, NotFound
from services.kit.forms import Body_
from services.kit.http import Call, Caller, Page, Unread, allow, created, ok
from services.pairing import domain
from services.pairing.api.fields import Instant, MoneyView, Reason, TextView, read_whole, sent, unknown_counties
from services.pairing.api.offers import Amendment, Offer, counties_named
from services.pairing.domain import Commitment, County, Partner, Support, places_wire, support_wire
from services.pairing.store import Tx

router = APIRouter(tags=["commitments"])

Giver = Annotated[Call, allow("partner", "coordinator")]
Reader = Annotated[Call, allow("partner", "coordinator", "monitor", "bookkeeper")]
Status = Literal["open", "partly_paired", "fully_paired", "withdrawn", "expired"]


class MoneySupportView(MoneyView):
    kind: Literal["money", "purchase"]


class ValuationView(MoneyView):
    author: str
    basis: str


class QuantitySupportView(BaseModel):
    kind: Literal["goods", "service", "training"]
    quantity: int
    unit: str
    value: MoneyView | None = None
    basis: str | None = None
    valuations: list[ValuationView] | None = None


class WorthView(BaseModel):
    """Sums of what is valued on one basis; `without` commitments of goods or services are not valued on it."""

    basis: str
    commitments: int
    without: int
    totals: list[MoneyView]


class WorthQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    basis: Annotated[str, Field(min_length=1, max_length=300)]


def _support_view(support: Support) -> MoneySupportView | QuantitySupportView:
    wire = support_wire(support)
    return MoneySupportView(**wire) if support.is_booked else QuantitySupportView(**wire)


class PartView(BaseModel):
    """`amount` is null where no money is given; then `quantity` counts."""

    projects: int
    amount: MoneyView | None
    quantity: int | None


class CommitmentView(BaseModel):
    id: str
    partner_id: str
    category: Category
    title: TextView
    support: MoneySupportView | QuantitySupportView
    projects_max: int
    valid_from: date
    valid_until: date
    prefers: dict[str, list[str]] | None
    excludes: dict[str, list[str]] | None
    only: dict[str, list[str]] | None
    reference: str | None
    status: Status
    paired: PartView
    remaining: PartView
    pairings: list[str]
    version: int
    submitted_at: Instant

    @classmethod
    def of(cls, commitment: Commitment) -> "CommitmentView":
        terms = commitment.terms
        return cls(
            id=commitment.id,
            partner_id=commitment.partner_id,
            category=terms.category,
            title=TextView(**terms.title),
            support=(MoneySupportView if terms.support.is_booked else QuantitySupportView)(
                **support_wire(terms.support)
            ),
            projects_max=terms.projects_max,
            valid_from=terms.valid_from,
            valid_until=terms.valid_until,
            prefers=places_wire(terms.prefers),
            excludes=places_wire(terms.excludes),
            only=places_wire(terms.only),
            reference=terms.reference,
            status=commitment.status,
            paired=_part(commitment, len(commitment.standing), commitment.paired_units),
            remaining=_part(commitment, commitment.open_projects, commitment.open_units),
            pairings=[standing.pairing_id for standing in commitment.standing],
            version=commitment.version,
            submitted_at=commitment.submitted_at,
        )


class CommitmentPage(Page):
    partner: str | None = None
    status: Status | None = None
    category: Category | None = None
    reference: str | None = None


@router.post("/commitments", status_code=201, response_model=CommitmentView)
async def submit_commitment(call: Giver, form: Unread[Offer]) -> Response:
    """A partner's comes from its token; a coordinator names the partner."""

    async def work(tx: Tx) -> Decision[Commitment]:
        raw = sent(call)
        partner_id, unknown = await _giver(tx, call.caller, raw)
        unknown |= await unknown_counties(tx, counties_named(raw))
        terms = (await read_whole(form, unknown)).terms()
        return domain.submit_commitment(terms, id=tx.new_id(), partner_id=partner_id, now=tx.now, today=tx.today)

    return await call.perform(work, created("/commitments", CommitmentView.of), together=True)


@router.get("/commitments")
async def list_commitments(call: Reader, page: Annotated[CommitmentPage, Query()]) -> Response:
    asked = {
        "partner_id": page.partner,
        "status": page.status,
        "terms.category": page.category,
        "terms.reference": page.reference,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    return await call.page(Commitment, {"$and": [_seen_by(call.caller), wanted]}, page, CommitmentView.of)


@router.get("/commitments/worth", response_model=WorthView)
async def value_commitments(call: Reader, asked: Annotated[WorthQuery, Query()]) -> Response:
    """What goods and services that are not withdrawn are worth, on one named basis: two are never mixed."""

    async def work(tx: Tx) -> WorthView:
        worth = await tx.worth_on(asked.basis, _seen_by(call.caller))
        totals = [MoneyView(amount=to_amount(minor, code), currency=code) for code, minor in worth.totals.items()]
        return WorthView(basis=asked.basis, commitments=worth.valued, without=worth.without, totals=totals)

    return await call.read(work, ok(lambda view: view))


@router.get("/commitments/{id}", response_model=CommitmentView)
async def get_commitment(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Commitment:
        return await _commitment(tx, call.caller, id)

    return await call.read(work, ok(CommitmentView.of))


@router.patch("/commitments/{id}", response_model=CommitmentView)
async def amend_commitment(id: str, call: Giver, form: Unread[Amendment]) -> Response:
    """What is left out stays as it is; `support` and places are given whole."""

    async def work(tx: Tx) -> Decision[Commitment]:
        commitment = await _commitment(tx, call.caller, id)
        view = CommitmentView.of(commitment)
        call.expect(commitment.version, view)
        unknown = await unknown_counties(tx, counties_named(sent(call)))
        change = (await read_whole(form, unknown)).model_dump(mode="json", exclude_unset=True)
        terms = Body_(Offer, view.model_dump(mode="json") | change).read().terms()
        return domain.amend_commitment(commitment, terms, await tx.proposals_of(id))

    return await call.perform(work, ok(CommitmentView.of), locks=[id])


@router.post("/commitments/{id}/withdraw", response_model=CommitmentView)
async def withdraw_commitment(id: str, call: Giver, form: Unread[Reason]) -> Response:
    """Takes back what is not paired, and the pairings that have not started."""

    async def work(tx: Tx) -> Decision[Commitment]:
        commitment = await _commitment(tx, call.caller, id)
        call.expect(commitment.version, CommitmentView.of(commitment), required=False)
        reason = form.read().reason
        standing = await tx.standing_of(commitment)
        counties = await tx.get_many(County, {pairing.county_code for pairing in standing})
        return domain.withdraw_commitment(commitment, await tx.proposals_of(id), standing, counties, reason=reason)

    return await call.perform(work, ok(CommitmentView.of), locks=[id])


async def _commitment(tx: Tx, caller: Caller, id: str) -> Commitment:
    commitment = await tx.need(Commitment, id)
    if _seen_by(caller).get("partner_id", commitment.partner_id) != commitment.partner_id:
        raise NotFound(f"There is no commitment {id}.")
    return commitment


async def _giver(tx: Tx, caller: Caller, raw: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Whose commitment it will be, and what is wrong with that."""
    named = raw.get("partner_id")
    if not caller.has("coordinator"):
        if named not in (None, caller.partner_id):
            return "", {"/partner_id": "is not the partner of your token"}
        named = caller.partner_id
    if named is None:
        return "", {"/partner_id": "is missing: whose commitment is it?"}
    if not isinstance(named, str) or await tx.get(Partner, named) is None:
        return "", {"/partner_id": f"there is no partner {named}"}
    return named, {}


def _seen_by(caller: Caller) -> dict[str, Any]:
    return {} if caller.has("coordinator", "monitor", "bookkeeper") else {"partner_id": caller.partner_id}


def _part(commitment: Commitment, projects: int, units: int) -> PartView:
    support = commitment.terms.support
    if not support.is_booked:
        return PartView(projects=projects, amount=None, quantity=units)
    amount = MoneyView(amount=to_amount(units, support.measure), currency=support.measure)
    return PartView(projects=projects, amount=amount, quantity=None)
