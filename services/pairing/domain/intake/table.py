"""A file that was handed in, as rows of cells: CSV and its kin, or the first sheet of an XLSX workbook.

Rows come one at a time and as often as they are asked for, so that a long file needs no more
memory than a short one.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Literal

from services.pairing.domain.intake.charset import charset_of
from services.pairing.domain.intake.workbook import Workbook
from services.pairing.domain.refusals import FileUnreadable

EPOCH = date(1899, 12, 30)
_DELIMITERS = ",\t;|，；"
_LINES_LOOKED_AT = 8
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
# No character of any text: a quote that is open at the end swallows it.
_END = "\ufdd0"


@dataclass(frozen=True)
class Line:
    """One row, numbered as in the file, from 1. `formulas` are the columns (from 0) where a formula stands."""

    no: int
    cells: tuple[str, ...]
    formulas: frozenset[int] = frozenset()

    @property
    def is_blank(self) -> bool:
        return not self.formulas and not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, kw_only=True)
class Table:
    """`epoch` is the day from which the file counts its serial dates."""

    format: Literal["csv", "xlsx"]
    epoch: date
    read: Callable[[], Iterator[Line]] = field(repr=False)
    other_sheets: tuple[str, ...] = ()


def open_table(content: bytes) -> Table:
    """
    Raises:
        FileUnreadable: it is empty, or neither a text table nor a sound XLSX workbook.
    """
    if not content.removeprefix(codecs.BOM_UTF8).strip(b"\0 \t\r\n"):
        raise FileUnreadable("The file is empty: 0 rows.")
    if content.startswith(_OLD_OFFICE):
        raise FileUnreadable("This is an old or an encrypted Excel file: save it as XLSX or CSV, without a password.")
    if content.startswith(_ZIP):
        book = Workbook(content)
        return Table(format="xlsx", epoch=book.epoch, read=lambda: _of_sheet(book), other_sheets=book.other_sheets)
    charset = charset_of(content)
    delimiter = _delimiter(content, charset)
    return Table(format="csv", epoch=EPOCH, read=lambda: _of_text(content, charset, delimiter))


def _of_sheet(book: Workbook) -> Iterator[Line]:
    for no, cells, formulas in book.rows():
        yield Line(no, cells, formulas)


def _of_text(content: bytes, charset: str, delimiter: str) -> Iterator[Line]:
    with io.TextIOWrapper(io.BytesIO(content), charset, newline="") as text:
        try:
            for no, cells in enumerate(csv.reader(chain(text, [_END]), delimiter=delimiter), start=1):
                if cells == [_END]:
                    return
                if cells and cells[-1].endswith(_END):
                    raise FileUnreadable(f"In row {no} a quote is opened that nobody closes.")
                yield Line(no, tuple(map(_unguarded, cells)))
        except csv.Error as error:
            raise FileUnreadable(f"It cannot be read as a table: {error}.") from error


def _unguarded(cell: str) -> str:
    """Without the mark that our own exports put before what a spreadsheet would run."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@\t\r" else cell


def _delimiter(content: bytes, charset: str) -> str:
    """What stands most often outside quotes in the first lines."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    with io.TextIOWrapper(io.BytesIO(content), charset, newline="") as text:
        for _, line in zip(range(_LINES_LOOKED_AT), text, strict=False):
            for part in line.split('"')[::2]:
                for mark in counts:
                    counts[mark] += part.count(mark)
    return max(counts, key=lambda mark: counts[mark])
