"""A statement as CSV and as XLSX.

Both have the same lines: for each currency its opening balance, then all movements, then the
closing balances. So the amounts of a currency sum to its closing less its opening.

What people wrote (references) must stay text in a spreadsheet. In CSV a text that a spreadsheet
would take for a formula gets an apostrophe in front (OWASP, "CSV injection"); in XLSX the cell is a
text. Amounts are numbers of a spreadsheet as far as it keeps all their digits, else text.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import xlsxwriter

from schemas.money import decimals, to_amount
from services.funding.domain import Statement
from services.kit.sheets import defused

# What a sheet of XLSX holds, less the header and the ends of a few currencies.
MAX_XLSX_LINES = 1_048_000

_COLUMNS = ("entry_id", "booked_on", "type", "reference", "amount", "currency", "balance")
_MONEY = frozenset({"amount", "balance"})
# A spreadsheet counts in doubles.
_EXACT = 10**15

Row = tuple[str, str, str, str, int | None, str, int]


def as_csv(statement: Statement) -> bytes:
    """UTF-8 with BOM, by which a spreadsheet knows it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in _rows(statement):
        entry_id, on, type, reference, amount, currency, balance = row
        shown = "" if amount is None else to_amount(amount, currency)
        writer.writerow((entry_id, on, type, defused(reference), shown, currency, to_amount(balance, currency)))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(statement: Statement) -> bytes:
    """One sheet."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("statement")
        formats = [workbook.add_format({"num_format": text}) for text in ("#,##0", "#,##0.0", "#,##0.00")]
        sheet.write_row(0, 0, _COLUMNS, workbook.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(_COLUMNS) - 1, 18)
        for at, row in enumerate(_rows(statement), start=1):
            currency = row[5]
            for column, value in enumerate(row):
                if _COLUMNS[column] in _MONEY:
                    _write_money(sheet, at, column, value, currency, formats[decimals(currency)])
                elif value:
                    sheet.write_string(at, column, value)
    return file.getvalue()


def _rows(statement: Statement) -> Iterator[Row]:
    yield from _ends("opening", statement.from_, statement.opening)
    for movement, balance in statement.lines:
        yield (
            movement.entry_id,
            movement.booked_on,
            movement.type,
            movement.reference or "",
            movement.amount,
            movement.currency,
            balance,
        )
    yield from _ends("closing", statement.until, statement.closing)


def _ends(type: str, on: date | None, balances: Mapping[str, int]) -> Iterator[Row]:
    for currency, balance in sorted(balances.items()):
        yield "", on.isoformat() if on else "", type, "", None, currency, balance


def _write_money(sheet: Any, row: int, column: int, minor: Any, currency: str, format: Any) -> None:
    if minor is None:
        return
    if abs(minor) < _EXACT:
        sheet.write_number(row, column, minor / 10 ** decimals(currency), format)
    else:
        sheet.write_string(row, column, to_amount(minor, currency))
