"""Accounts, and who sees which."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.funding.api.views import AccountList, AccountView
from services.funding.domain import Account
from services.funding.store import Tx
from services.kit.decision import NotFound
from services.kit.http import Call, Caller, Page, allow, ok

router = APIRouter()

ALL = ("coordinator", "monitor", "bookkeeper")
Reader = Annotated[Call, allow("partner", *ALL)]


@router.get("/accounts", response_model=AccountList)
async def list_accounts(call: Reader, page: Annotated[Page, Query()]) -> Response:
    return await call.page(Account, own(call.caller, "partner_id"), page, AccountView.of)


@router.get("/accounts/{id}", response_model=AccountView)
async def get_account(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Account:
        return await account_of(tx, call.caller, id)

    return await call.read(work, ok(AccountView.of))


def own(caller: Caller, field: str) -> dict[str, Any]:
    """What a caller sees. Payees' accounts are of no partner, so a token without one must see none of them."""
    return {} if caller.has(*ALL) else {field: caller.partner_id or ""}


async def account_of(tx: Tx, caller: Caller, id: str) -> Account:
    account = await tx.need(Account, id)
    if not caller.has(*ALL) and (account.partner_id is None or account.partner_id != caller.partner_id):
        raise NotFound(f"There is no account {id}.")
    return account
