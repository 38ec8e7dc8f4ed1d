"""Tables as CSV and XLSX, row by row, however many rows there are.

CSV begins with a byte order mark, without which Excel takes UTF-8 for something else. A text that a
spreadsheet would take for a formula gets an apostrophe before it. In XLSX texts are texts by their
type, so codes keep their zeros and nothing is computed.
"""

import asyncio
import csv
import io
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter

from schemas.money import decimals, to_amount
from services.kit.clock import rfc3339
from services.kit.sheets import defused

_CHUNK = 64 * 1024
_ROWS_OF_A_SHEET = 1_048_576
_LONGEST_TEXT = 32_767
_CUT = "… (cut here; the CSV has all of it)"
# Beyond this a number of Excel's loses digits.
_EXACT = 10**15


@dataclass(frozen=True)
class Amount:
    """Minor units of a currency; a number in a sheet."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return to_amount(self.minor, self.currency)


Cell = str | int | float | bool | date | datetime | Amount | None
Rows = AsyncIterator[Sequence[Cell]]


def plain(cell: Cell) -> str:
    """A cell as text, as it is."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            return rfc3339(cell)
        case date():
            return cell.isoformat()
    return str(cell)


def for_csv(cell: Cell) -> str:
    """A cell for CSV. Only texts can be formulas; a negative number begins with its minus."""
    return defused(cell) if isinstance(cell, str) else plain(cell)


async def as_csv(columns: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    """The file in pieces of about 64 KiB."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(columns)
    async for row in rows:
        writer.writerow([for_csv(cell) for cell in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


async def as_xlsx(name: str, columns: Sequence[str], rows: Rows) -> str:
    """The path of a temporary file, for the caller to remove. Rows beyond what a sheet holds go on in the next."""
    handle, path = tempfile.mkstemp(suffix=".xlsx")
    os.close(handle)
    try:
        book = xlsxwriter.Workbook(path, {"constant_memory": True})
        head = book.add_format({"bold": True})
        money: dict[int, Any] = {}
        sheet, at = None, _ROWS_OF_A_SHEET
        async for row in rows:
            if sheet is None or at == _ROWS_OF_A_SHEET:
                sheet, at = _sheet(book, name, columns, head), 1
            for column, cell in enumerate(row):
                _write(book, sheet, at, column, cell, money)
            at += 1
        if sheet is None:
            _sheet(book, name, columns, head)
        # It packs all that was written.
        await asyncio.to_thread(book.close)
    except BaseException:
        os.unlink(path)
        raise
    return path


def _sheet(book: Any, name: str, columns: Sequence[str], head: Any) -> Any:
    number = len(book.worksheets()) + 1
    sheet = book.add_worksheet(name if number == 1 else f"{name} {number}")
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(columns):
        sheet.write_string(0, column, title, head)
    return sheet


def _write(book: Any, sheet: Any, row: int, column: int, cell: Cell, money: dict[int, Any]) -> None:
    match cell:
        case None | "":
            return
        case bool():
            sheet.write_boolean(row, column, cell)
        case int() | float() if abs(cell) < _EXACT:
            sheet.write_number(row, column, cell)
        case Amount(minor, currency) if abs(minor) < _EXACT:
            places = decimals(currency)
            if places not in money:
                money[places] = book.add_format({"num_format": "0." + "0" * places if places else "0"})
            sheet.write_number(row, column, minor / 10**places, money[places])
        case _:
            text = plain(cell)
            sheet.write_string(row, column, text if len(text) <= _LONGEST_TEXT else text[: -len(_CUT)][:32_000] + _CUT)
