"""Accounts, statements, entries, and whether the ledger is sound."""

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.funding.api.fields import Day as DayField
from services.funding.api.views import (
    AccountList,
    AccountView,
    EntryList,
    EntryView,
    SealList,
    SealView,
    StatementView,
    TrialBalance,
    Verdict,
)
from services.funding.domain import Account, Entry, EntryType, Seal
from services.funding.store import Tx, booked
from services.kit.decision import Invalid, NotFound
from services.kit.http import Call, Caller, Page, allow, ok

router = APIRouter()

_ALL = ("coordinator", "monitor", "bookkeeper")
Reader = Annotated[Call, allow("partner", *_ALL)]
Auditor = Annotated[Call, allow(*_ALL)]


class Period(BaseModel):
    """Days in Asia/Shanghai, both included."""

    model_config = ConfigDict(extra="forbid")
    from_: DayField | None = Field(None, alias="from")
    until: DayField | None = None


class EntryPage(Page):
    project: str | None = None
    commitment: str | None = None
    type: EntryType | None = None
    from_: DayField | None = Field(None, alias="from")
    until: DayField | None = None


@router.get("/accounts", response_model=AccountList)
async def list_accounts(call: Reader, page: Annotated[Page, Query()]) -> Response:
    return await call.page(Account, _own(call.caller, "partner_id"), page, AccountView.of)


@router.get("/accounts/{id}", response_model=AccountView)
async def get_account(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Account:
        return await _account(tx, call.caller, id)

    return await call.read(work, ok(AccountView.of))


@router.get("/accounts/{id}/statement", response_model=StatementView)
async def get_statement(id: str, call: Reader, period: Annotated[Period, Query()]) -> Response:
    async def work(tx: Tx) -> StatementView:
        account = await _account(tx, call.caller, id)
        if period.from_ and period.until and period.from_ > period.until:
            raise Invalid({"from": "must not be after until"})
        opening: Counter[str] = Counter()
        for day in await tx.days_before(id, period.from_) if period.from_ else ():
            opening[day.currency] += day.moved
        return StatementView.of(account, opening, await tx.entries_on(id, period.from_, period.until))

    return await call.read(work, ok(_as_it_is))


@router.get("/entries", response_model=EntryList)
async def list_entries(call: Reader, page: Annotated[EntryPage, Query()]) -> Response:
    named = {"project_id": page.project, "commitment_id": page.commitment, "type": page.type}
    where = {name: value for name, value in named.items() if value is not None}
    where |= booked(page.from_, page.until) | _own(call.caller, "partner_ids")
    return await call.page(Entry, where, page, EntryView.of)


@router.get("/entries/{id}", response_model=EntryView)
async def get_entry(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Entry:
        entry = await tx.need(Entry, id)
        if not call.caller.has(*_ALL) and call.caller.partner_id not in entry.partner_ids:
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


def _own(caller: Caller, field: str) -> dict[str, Any]:
    """What a caller sees. Payees' accounts are of no partner, so a token without one must see none of them."""
    return {} if caller.has(*_ALL) else {field: caller.partner_id or ""}


async def _account(tx: Tx, caller: Caller, id: str) -> Account:
    account = await tx.need(Account, id)
    if not caller.has(*_ALL) and (account.partner_id is None or account.partner_id != caller.partner_id):
        raise NotFound(f"There is no account {id}.")
    return account


def _as_it_is(view: BaseModel) -> BaseModel:
    return view
