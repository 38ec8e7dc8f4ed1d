"""Exports: IATI, and each list as CSV and XLSX. They are written row by row, so their size does not matter."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as QueryParameter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from services.kit.http import Call, allow
from services.notify.api.sheets import Cell, as_csv, as_xlsx
from services.notify.api.tables import TABLES, Table
from services.notify.store import Tx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def _rows(
    table: Table, tx: Tx, where: dict[str, Any], day: date, *, newest_first: bool
) -> AsyncIterator[Sequence[Cell]]:
    found: AsyncGenerator[Any, None] = tx.rows(table.kind, where, by=table.by, newest_first=newest_first)
    async with aclosing(found) as states:
        async for state in states:
            yield table.row(state, day)


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}


def _add(router: APIRouter, table: Table) -> None:
    """The two routes of a table."""

    def rows(call: Call, query: Any) -> AsyncIterator[Sequence[Cell]]:
        tx: Tx = call.transactor.reading()  # type: ignore[assignment]
        where = table.where(query, call.caller, tx.today)
        newest_first = getattr(query, "order", "asc") == "desc"
        return _rows(table, tx, where, getattr(query, "as_of", None) or tx.today, newest_first=newest_first)

    async def csv(call: Any, query: Any) -> Response:
        body = as_csv(table.columns, rows(call, query))
        return StreamingResponse(body, media_type="text/csv; charset=utf-8", headers=_attachment(f"{table.name}.csv"))

    async def xlsx(call: Any, query: Any) -> Response:
        path = await as_xlsx(table.name, table.columns, rows(call, query))
        headers = _attachment(f"{table.name}.xlsx")
        return FileResponse(path, media_type=XLSX, headers=headers, background=BackgroundTask(os.unlink, path))

    for form, answer, media_type in (("csv", csv, "text/csv"), ("xlsx", xlsx, XLSX)):
        answer.__annotations__ |= {
            "call": Annotated[Call, allow(*table.roles)],
            "query": Annotated[table.query, QueryParameter()],
        }
        router.add_api_route(
            f"/exports/{table.name}.{form}",
            answer,
            response_class=Response,
            responses={200: {"description": f"The {table.name} that the caller sees", "content": {media_type: {}}}},
            name=f"export_{table.name}_{form}",
        )


router = APIRouter()
for _table in TABLES:
    _add(router, _table)
