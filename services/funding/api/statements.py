"""Statements, as JSON and as tables that an office opens."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.money import to_amount
from services.funding import domain
from services.funding.api.accounts import Reader, account_of
from services.funding.api.fields import Day
from services.funding.api.tables import MAX_XLSX_LINES, as_csv, as_xlsx
from services.funding.api.views import amounts
from services.funding.domain import EntryType, Statement
from services.funding.store import Tx
from services.kit.decision import Invalid
from services.kit.http import ok
from services.kit.idempotency import Reply

router = APIRouter()

_TABLES = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


class Period(BaseModel):
    """Days in Asia/Shanghai, both included."""

    model_config = ConfigDict(extra="forbid")
    from_: Day | None = Field(None, alias="from")
    until: Day | None = None
    format: Literal["json", "csv", "xlsx"] = "json"


class StatementItem(BaseModel):
    """`balance` is what the account holds of this currency after it."""

    entry_id: str
    booked_on: str
    type: EntryType
    reference: str | None
    amount: str
    currency: str
    balance: str


class StatementView(BaseModel):
    """`opening` and `closing` are by currency; `opening` plus the items' amounts is `closing`."""

    account_id: str
    opening: dict[str, str]
    closing: dict[str, str]
    items: list[StatementItem]


@router.get(
    "/accounts/{id}/statement",
    response_model=StatementView,
    responses={200: {"content": {media_type: {} for _, media_type in _TABLES.values()}}},
)
async def get_statement(id: str, call: Reader, period: Annotated[Period, Query()]) -> Response:
    async def work(tx: Tx) -> Statement:
        account = await account_of(tx, call.caller, id)
        if period.from_ and period.until and period.from_ > period.until:
            raise Invalid({"from": "must not be after until"})
        opening = await tx.moved_before(id, period.from_) if period.from_ else {}
        movements = await tx.movements(id, period.from_, period.until)
        return domain.statement_of(account, opening, movements, from_=period.from_, until=period.until)

    if period.format == "json":
        return await call.read(work, ok(_view))

    async def table(tx: Tx) -> Reply:
        statement = await work(tx)
        if period.format == "xlsx" and len(statement.lines) > MAX_XLSX_LINES:
            raise Invalid({"format": f"a sheet has {MAX_XLSX_LINES} lines at most; take csv or a shorter period"})
        render, media_type = _TABLES[period.format]
        # A long table would keep all other callers waiting.
        body = await asyncio.to_thread(render, statement)
        disposition = f'attachment; filename="statement.{period.format}"'
        return Reply(200, body, {"content-type": media_type, "content-disposition": disposition})

    return await call.read(table, lambda reply: reply)


def _view(statement: Statement) -> dict[str, Any]:
    """As `StatementView`; checking each of many items again would take longer than reading them."""
    items = [
        {
            "entry_id": movement.entry_id,
            "booked_on": movement.booked_on,
            "type": movement.type,
            "reference": movement.reference,
            "amount": to_amount(movement.amount, movement.currency),
            "currency": movement.currency,
            "balance": to_amount(balance, movement.currency),
        }
        for movement, balance in statement.lines
    ]
    return {
        "account_id": statement.account_id,
        "opening": amounts(statement.opening),
        "closing": amounts(statement.closing),
        "items": items,
    }
