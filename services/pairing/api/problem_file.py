"""The file as it was handed in, with a column `problem` beside it: corrected there, it can be handed in again."""

import csv
import io
from collections.abc import Iterator, Mapping

import xlsxwriter

from services.pairing.domain.intake.headers import DAYS, PROBLEM, Header
from services.pairing.domain.intake.table import Table
from services.pairing.domain.intake.values import folded, serial_day

# What a spreadsheet program would run as a formula begins with one of these.
_RUN = ("=", "+", "-", "@", "\t", "\r")


def problem_file(table: Table, header: Header, problems: Mapping[int, str]) -> bytes:
    """In the format of the file: CSV as UTF-8 with a byte order mark, or XLSX with every cell a text."""
    rows = _rows(table, header, problems)
    return _as_xlsx(rows) if table.format == "xlsx" else _as_csv(rows)


def guarded(cell: str) -> str:
    """With a mark before what a spreadsheet would run; reading takes it off again."""
    return f"'{cell}" if cell.startswith(_RUN) else cell


def _rows(table: Table, header: Header, problems: Mapping[int, str]) -> Iterator[list[str]]:
    names = [folded(name).lower() for name in header.names]
    # Of a file that was given back before, the old column makes room for the new one.
    column = names.index(PROBLEM) if PROBLEM in names else None
    # A sheet keeps days as numbers since its epoch, which nobody can read in a cell that is a text.
    days = [header.fields[name] for name in DAYS if name in header.fields and table.format == "xlsx"]
    no = 0
    for line in table.read():
        while no + 1 < line.no:
            no += 1
            yield []
        no = line.no
        cells = list(line.cells)
        for at in days if no > header.rows else ():
            if at < len(cells) and (day := serial_day(cells[at], table.epoch)):
                cells[at] = day.isoformat()
        if column is not None:
            cells = cells[:column] + cells[column + 1 :]
        width = len(header.names) - (column is not None)
        cells += [""] * (width - len(cells))
        said = PROBLEM if line.no == header.rows else problems.get(line.no, "")
        yield [*cells, said] if said else cells


def _as_csv(rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _as_xlsx(rows: Iterator[list[str]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for no, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell:
                    sheet.write_string(no, column, cell)
    return content.getvalue()
