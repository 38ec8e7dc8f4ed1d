"""The first sheet of an XLSX workbook (ECMA-376), row by row.

Nothing is trusted: what unpacks to far more than it was is refused before it is parsed, a cell far
out costs no memory, a DOCTYPE ends the reading, a formula is reported and never run. A number is
given as the digits that a person sees, so that a code is no float.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from xml.parsers import expat

from services.pairing.domain.refusals import FileUnreadable

MOST_BYTES = 256 * 1024 * 1024
MOST_SHARED_BYTES = 48 * 1024 * 1024
MOST_COLUMNS = 256
# No sheet has more rows; of those, so many lie within cells that span rows.
MOST_ROWS, _MOST_MERGED_ROWS = 1_048_576, 100_000
_MOST_PARTS = 2000
# Sheets of people pack to a tenth or a thirtieth; what packs to a five-hundredth was made to.
_BOMB_RATIO, _BOMB_FROM = 200, 16 * 1024 * 1024
_PIECE, _LONGEST_TAG = 1 << 16, 1 << 10
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_REF = re.compile(r"([A-Z]+)(\d+)")
_DIGITS = Context(prec=15)

Row = tuple[int, tuple[str, ...], frozenset[int]]


class Workbook:
    """
    Raises:
        FileUnreadable: broken, encrypted, or far larger inside than outside.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise FileUnreadable("It looks like an XLSX workbook and is broken.") from error
        self._check_sizes()
        book = _Book()
        self._parse("xl/workbook.xml", book.start)
        links = _Links()
        self._parse("xl/_rels/workbook.xml.rels", links.start)
        if not book.sheets:
            raise FileUnreadable("The workbook has no sheet that can be seen.")
        (_, link), *others = book.sheets
        self.other_sheets = tuple(name for name, _ in others)
        self.epoch = _EPOCHS[book.from_1904]
        self._sheet = links.path(link)
        self._merges = self._find_merges()
        self._shared = self._shared_strings()

    def rows(self) -> Iterator[Row]:
        """Row number, cells as texts, and the columns (from 0) that hold a formula."""
        sheet = _Sheet(self._shared, self._merges)
        parser = _parser(sheet.start, sheet.end, sheet.text)
        with self._open(self._sheet) as part:
            while piece := part.read(_PIECE):
                _feed(parser, piece)
                yield from sheet.take()
            _feed(parser, b"", final=True)
        yield from sheet.take()

    def _check_sizes(self) -> None:
        parts = self._zip.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
            raise FileUnreadable(f"It unpacks to more than {MOST_BYTES // 1024**2} MiB: no such file is read.")
        for part in parts:
            if part.flag_bits & 1:
                raise FileUnreadable("The workbook is encrypted: save it without a password.")
            if part.file_size > _BOMB_FROM and part.file_size > _BOMB_RATIO * max(1, part.compress_size):
                raise FileUnreadable("It unpacks to many hundred times its size, as no sheet of a person does.")

    def _open(self, name: str) -> Any:
        try:
            return _Counted(self._zip.open(name))
        except (KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise FileUnreadable(f"It is a ZIP file, but no XLSX workbook: {name} is missing.") from error

    def _parse(self, name: str, start: Any, end: Any = None, text: Any = None) -> None:
        parser = _parser(start, end, text)
        with self._open(name) as part:
            while piece := part.read(_PIECE):
                _feed(parser, piece)
            _feed(parser, b"", final=True)

    def _find_merges(self) -> dict[int, dict[int, int]]:
        """By column: each row below the first of a cell that spans rows, and which row has its value."""
        found: dict[int, dict[int, int]] = {}
        count, rest = 0, b""
        with self._open(self._sheet) as part:
            while piece := part.read(_PIECE):
                text = rest + piece
                for left, top, _, bottom in _MERGE.findall(text):
                    count += max(1, int(bottom) - int(top))
                    if count > _MOST_MERGED_ROWS:
                        raise FileUnreadable("It has more merged cells than a list has: undo the merging.")
                    for row in range(int(top) + 1, int(bottom) + 1):
                        found.setdefault(_column(left.decode()), {})[row] = int(top)
                # A tag that is cut by the end of a piece is whole in the next.
                rest = text[max(text.rfind(b"<"), len(text) - _LONGEST_TAG) :]
        return found

    def _shared_strings(self) -> list[str]:
        name = next((one for one in self._zip.namelist() if one.lower() == "xl/sharedstrings.xml"), None)
        if name is None:
            return []
        if self._zip.getinfo(name).file_size > MOST_SHARED_BYTES:
            raise FileUnreadable("Its texts are more than can be read at once: save it as CSV.")
        strings = _Strings()
        self._parse(name, strings.start, strings.end, strings.text)
        return strings.found


class _Counted:
    """Unpacks no more than the directory of the file could promise, and says what is broken."""

    def __init__(self, part: Any) -> None:
        self._part = part
        self._left = MOST_BYTES

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self._part.close()

    def read(self, size: int) -> bytes:
        try:
            piece: bytes = self._part.read(size)
        except Exception as error:
            # zipfile, zlib, lzma and bz2 each raise their own.
            raise FileUnreadable("The workbook is broken and cannot be unpacked.") from error
        self._left -= len(piece)
        if self._left < 0:
            raise FileUnreadable("It unpacks to more than it says.")
        return piece


class _Book:
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "workbookPr":
                self.from_1904 = attributes.get("date1904", "0") in ("1", "true")
            case "sheet" if attributes.get("state", "visible") == "visible":
                link = next((value for key, value in attributes.items() if _local(key) == "id"), "")
                self.sheets.append((attributes.get("name", ""), link))


class _Links:
    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def path(self, link: str) -> str:
        target = self._targets.get(link, "")
        return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


class _Strings:
    """Shared strings; readings of characters (`rPh`) are no part of the text."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._taking = self._reading = False

    def start(self, name: str, _: dict[str, str]) -> None:
        local = _local(name)
        self._reading = self._reading or local == "rPh"
        self._taking = local == "t" and not self._reading

    def end(self, name: str) -> None:
        local = _local(name)
        self._taking = False
        if local == "rPh":
            self._reading = False
        elif local == "si":
            self.found.append("".join(self._parts))
            self._parts.clear()

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)


class _Sheet:
    def __init__(self, shared: list[str], merges: dict[int, dict[int, int]]) -> None:
        self._shared = shared
        self._merges = merges
        self._tops = {(row, column) for column, rows in merges.items() for row in rows.values()}
        self._held: dict[tuple[int, int], str] = {}
        self._done: list[Row] = []
        self._row = self._column = 0
        self._cells: dict[int, str] = {}
        self._formulas: set[int] = set()
        self._type = "n"
        self._parts: list[str] = []
        self._taking = self._reading = False

    def take(self) -> list[Row]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "row":
                before, self._row = self._row, int(attributes.get("r") or self._row + 1)
                if not before < self._row <= MOST_ROWS:
                    raise FileUnreadable(f"The workbook is broken: row {self._row} comes after row {before}.")
                self._column = -1
                self._cells, self._formulas = {}, set()
            case "c":
                found = _REF.match(attributes.get("r", ""))
                self._column = _column(found.group(1)) if found else self._column + 1
                self._type = attributes.get("t", "n")
                self._parts.clear()
            case "f":
                self._formulas.add(self._column)
            case "rPh":
                self._reading = True
            case "v" | "t":
                self._taking = not self._reading

    def end(self, name: str) -> None:
        match _local(name):
            case "v" | "t":
                self._taking = False
            case "rPh":
                self._reading = False
            case "c" if self._column < MOST_COLUMNS and self._parts:
                self._cells[self._column] = self._value("".join(self._parts))
            case "row":
                self._finish_row()

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)

    def _value(self, text: str) -> str:
        match self._type:
            case "s":
                try:
                    return self._shared[int(text)]
                except (ValueError, IndexError) as error:
                    raise FileUnreadable("A cell names a text that the workbook does not have.") from error
            case "b":
                return "TRUE" if text.strip() == "1" else "FALSE"
            case "n":
                return _plain(text)
            case _:
                return text

    def _finish_row(self) -> None:
        for column, rows in self._merges.items():
            top = rows.get(self._row)
            if top is not None and column not in self._cells and (top, column) in self._held:
                self._cells[column] = self._held[top, column]
        for column, value in self._cells.items():
            if (self._row, column) in self._tops:
                self._held[self._row, column] = value
        width = max(self._cells, default=-1) + 1
        cells = tuple(self._cells.get(column, "") for column in range(width))
        self._done.append((self._row, cells, frozenset(self._formulas)))


def _plain(text: str) -> str:
    """A stored number without exponent and without the noise behind its 15th digit."""
    try:
        number = _DIGITS.create_decimal(Decimal(text.strip()))
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return text
    whole = number.to_integral_value()
    return format(whole.quantize(Decimal(1)) if number == whole else number.normalize(), "f")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parser(start: Any, end: Any, text: Any) -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise FileUnreadable("The workbook declares entities of its own, as none of a spreadsheet program does.")


def _feed(parser: Any, piece: bytes, *, final: bool = False) -> None:
    try:
        parser.Parse(piece, final)
    except (expat.ExpatError, ValueError) as error:
        raise FileUnreadable("The workbook is broken: a part of it is no XML.") from error
