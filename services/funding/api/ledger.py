"""Accounts, statements, entries, and whether the ledger is sound."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.funding.api.accounts import ALL, Reader, own
from services.funding.api.fields import Day as DayField
from services.funding.api.views import (
    EntryList,
    EntryView,
    SealList,
    SealView,
    TrialBalance,
    Verdict,
)
from services.funding.domain import Entry, EntryType, Seal
from services.funding.store import Tx, booked
from services.kit.decision import Invalid, NotFound
from services.kit.http import Call, Page, allow, ok

router = APIRouter()

Auditor = Annotated[Call, allow(*ALL)]


class EntryPage(Page):
    project: str | None = None
    commitment: str | None = None
    type: EntryType | None = None
    from_: DayField | None = Field(None, alias="from")
    until: DayField | None = None


@router.get("/entries", response_model=EntryList)
async def list_entries(call: Reader, page: Annotated[EntryPage, Query()]) -> Response:
    if page.from_ and page.until and page.from_ > page.until:
        raise Invalid({"from": "must not be after until"})
    named = {"project_id": page.project, "commitment_id": page.commitment, "type": page.type}
    where = {name: value for name, value in named.items() if value is not None}
    where |= booked(page.from_, page.until) | own(call.caller, "partner_ids")
    return await call.page(Entry, where, page, EntryView.of)


@router.get("/entries/{id}", response_model=EntryView)
async def get_entry(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Entry:
        entry = await tx.need(Entry, id)
        if not call.caller.has(*ALL) and call.caller.partner_id not in entry.partner_ids:
            raise NotFound(f"There is no entry {id}.")
        return entry

    return await call.read(work, ok(EntryView.of))


@router.get("/ledger/trial-balance", response_model=TrialBalance)
async def get_trial_balance(call: Auditor) -> Response:
    async def work(tx: Tx) -> TrialBalance:
        async with tx.at_one_moment() as moment:
            return TrialBalance.of(await moment.sums_of_balances())

    return await call.read(work, ok(_as_it_is))


@router.get("/ledger/seals", response_model=SealList)
async def list_seals(call: Auditor, page: Annotated[Page, Query()]) -> Response:
    return await call.page(Seal, {}, page, SealView.of)


@router.get("/ledger/verify", response_model=Verdict)
async def verify_ledger(call: Auditor) -> Response:
    async def work(tx: Tx) -> Verdict:
        async with tx.at_one_moment() as moment:
            audit = await moment.audit()
        return Verdict.of(audit)

    return await call.read(work, ok(_as_it_is))


def _as_it_is(view: BaseModel) -> BaseModel:
    return view
