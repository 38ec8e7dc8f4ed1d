"""Which column is what: the header row is found by its words, in any order, in Chinese or English.

A title may stand above it, and it may have two rows, with cells that span columns ("金额" above
"承诺" and "到位"). A unit in brackets or after a slash, in a header or in the title, is the unit of the amounts.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Literal

from services.pairing.domain.intake.table import Line, Table
from services.pairing.domain.intake.values import WORDS, folded, trimmed
from services.pairing.domain.refusals import FileUnreadable

Target = Literal["commitments", "counties", "partners"]
PROBLEM = "problem"
DAYS = ("valid_from", "valid_until", "delisted_on")

_ALIASES: dict[str, dict[str, str]] = {
    target: {alias: name for name, aliases in fields.items() for alias in aliases}
    for target, fields in json.loads(
        (Path(__file__).parents[2] / "data" / "headers.json").read_text(encoding="utf-8")
    ).items()
}
# A column for each inner tuple must be there: one of its names.
_REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "commitments": (("category",), ("title_zh", "title_en"), ("amount", "quantity"), ("valid_from",), ("valid_until",)),
    "counties": (("code", "name_zh"),),
    "partners": (("name_zh",), ("kind",)),
}
_ROWS_LOOKED_AT = 20
_UNIT = re.compile(
    r"[(\[【](?:单位[::]?|unit:?)?\s*([^()\[\]【】]*)[)\]】]$|/\s*("
    + "|".join(sorted(map(re.escape, WORDS["money_units"]), key=len, reverse=True))
    + ")$",
    re.I,
)
_TITLE_UNIT = re.compile(r"(?:单位|unit)\s*:\s*([^\s();,，；]+)", re.I)


@dataclass(frozen=True, kw_only=True)
class Header:
    """`fields` gives each field's column, `names` each column's words in the file, `units` what header or title say."""

    rows: int
    fields: Mapping[str, int]
    names: Sequence[str]
    units: Mapping[str, Sequence[tuple[str, str]]]
    ignored: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row by its fields. `extra` are cells beyond the last column that has a header."""

    no: int
    values: Mapping[str, str]
    formulas: frozenset[str]
    extra: tuple[str, ...]
    filled: int
    header: Header = field(repr=False)
    epoch: date

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def column(self, name: str) -> str:
        """What stands above this field in the file; its own name where it has no column."""
        column = self.header.fields.get(name)
        return name if column is None else self.header.names[column]

    def units(self, name: str) -> list[tuple[str, str]]:
        return list(self.header.units.get(name, ()))

    @property
    def first(self) -> str:
        """The first cell that is filled."""
        return next((text for text in self.values.values() if text), "")


def find_header(table: Table, target: Target) -> Header:
    """
    Raises:
        FileUnreadable: no row is one, a column that must be there is missing, or two mean the same.
    """
    top = list(islice(table.read(), _ROWS_LOOKED_AT))
    best: tuple[int, int, int] | None = None
    for start in range(len(top)):
        for height in (1, 2):
            if start + height <= len(top):
                found = len(set(filter(None, _fields(_joined(top[start : start + height]), target))))
                # A second row must earn its place: data below a header recognises nothing more.
                if best is None or found > best[0]:
                    best = (found, start, height)
    if best is None or best[0] < min(2, len(_REQUIRED[target]) + 1):
        known = ", ".join(_headers_wanted(target))
        raise FileUnreadable(f"No row of the first {_ROWS_LOOKED_AT} is a header that is known. Known are: {known}.")
    _, start, height = best
    return _header(top, start, height, target)


def records(table: Table, header: Header) -> Iterator[Record]:
    """The rows below the header that are not blank."""
    by_column = {column: name for name, column in header.fields.items()}
    width = len(header.names)
    for line in table.read():
        if line.no <= header.rows or line.is_blank:
            continue
        cells = [trimmed(cell) for cell in line.cells]
        # In a sheet a remark may stand beside the table; in a text it means that a comma was taken for a border.
        beyond = tuple(cells[width:]) if table.format == "csv" else ()
        while beyond and not beyond[-1]:
            beyond = beyond[:-1]
        yield Record(
            no=line.no,
            values={name: cells[column] for column, name in sorted(by_column.items()) if column < len(cells)},
            formulas=frozenset(by_column[column] for column in line.formulas if column in by_column),
            extra=beyond,
            filled=sum(1 for cell in cells if cell) + len(line.formulas),
            header=header,
            epoch=table.epoch,
        )


def kind_of_foot(record: Record) -> str | None:
    """`total-row` or `note-row` for what stands below a list and is none of it."""
    first = folded(record.first).lower().replace(" ", "")
    if first.rstrip(":") in WORDS["total_rows"]:
        return "total-row"
    word, colon, _ = first.partition(":")
    if colon and record.filled == 1 and word in WORDS["note_rows"]:
        return "note-row"
    return None


def _header(top: Sequence[Line], start: int, height: int, target: Target) -> Header:
    names = _joined(top[start : start + height])
    found = _fields(names, target)
    fields: dict[str, int] = {}
    for column, name in enumerate(found):
        if name is None:
            continue
        if name in fields:
            raise FileUnreadable(f"Two columns mean the same: {names[fields[name]]!r} and {names[column]!r}.")
        fields[name] = column
    missing = [" or ".join(any_of) for any_of in _REQUIRED[target] if not any(name in fields for name in any_of)]
    if missing:
        raise FileUnreadable(f"These columns are missing: {'; '.join(missing)}.")
    # Only its parent gives a two-row header its whole name; people know it by all of it.
    titles = " ".join(folded(cell) for line in top[:start] for cell in line.cells)
    unit = _TITLE_UNIT.search(titles)
    units: dict[str, list[tuple[str, str]]] = {}
    for name, column in fields.items():
        if bracket := _UNIT.search(folded(names[column])):
            units.setdefault(name, []).append(("header", bracket[1] or bracket[2] or ""))
        if unit and name in ("amount", "received", "value"):
            units.setdefault(name, []).append(("title", unit.group(1)))
    ignored = tuple(
        name for name, known in zip(names, found, strict=True) if known is None and name and _key(name) != PROBLEM
    )
    return Header(rows=top[start + height - 1].no, fields=fields, names=names, units=units, ignored=ignored)


def _joined(rows: Sequence[Line]) -> list[str]:
    """The names of the columns; of two rows both, where they differ and both are filled."""
    cells = [[trimmed(cell) for cell in line.cells] for line in rows]
    width = max((len(row) for row in cells), default=0)
    cells = [row + [""] * (width - len(row)) for row in cells]
    if len(cells) == 1:
        return cells[0]
    above, below = cells
    for column in range(1, width):
        above[column] = above[column] or (above[column - 1] if below[column] else "")
    return [
        one if one == two or not two else two if not one else f"{one}/{two}"
        for one, two in zip(above, below, strict=True)
    ]


def _fields(names: Sequence[str], target: Target) -> list[str | None]:
    return [_field(name, _ALIASES[target]) for name in names]


def _field(name: str, aliases: Mapping[str, str]) -> str | None:
    key = _key(name)
    above, slash, below = key.rpartition("/")
    tries = (f"{below}{above}", f"{above}{below}", below) if slash else (key,)
    return next((aliases[one] for one in tries if one in aliases), None)


def _key(name: str) -> str:
    return _UNIT.sub("", folded(name).replace(" ", "").lower()).rstrip(":*")


def _headers_wanted(target: Target) -> Iterator[str]:
    for name in dict.fromkeys(_ALIASES[target].values()):
        zh = next((alias for alias, field_ in _ALIASES[target].items() if field_ == name and not alias.isascii()), None)
        yield f"{name} ({zh})" if zh else name
