"""Which rows are new, which were said before, which contradict what was said before.

The same file twice changes nothing: a row is known again by what it speaks of (its reference, its
county, its credit code; else all of its values). A duplicate is blamed on the later row, and the
earlier one is named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.pairing.domain.intake.headers import Target
from services.pairing.domain.intake.judging import Fault, Judged

Content = TypeVar("Content")


@dataclass(frozen=True, kw_only=True)
class LoadedRow:
    """A row that was stored: what it made, and the version that this had then. Its id is what it speaks of.

    `is_kept`: its import was undone, and what it made was not.
    """

    id: str
    import_id: str
    row: int
    digest: str
    made_id: str
    version: int
    is_kept: bool = False

    @staticmethod
    def key(target: Target, identity: str) -> str:
        return f"{target}/{identity}"


@dataclass(frozen=True, kw_only=True)
class There:
    """What is there already and came by another way: how it is called, and what it says."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known of the things that a chunk of rows speaks of, by identity. `barred` rows cannot be stored."""

    loaded: Mapping[str, LoadedRow] = field(default_factory=dict)
    there: Mapping[str, There] = field(default_factory=dict)
    barred: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Row `no` says what row `of_row` of that import (None: nothing that was imported) said before."""

    no: int
    of_row: int | None
    of_import: str | None


@dataclass(kw_only=True)
class Sorted(Generic[Content]):
    fresh: list[Judged[Content]] = field(default_factory=list)
    own: int = 0
    repeats: list[Repeat] = field(default_factory=list)
    rejected: list[Judged[Content]] = field(default_factory=list)


class Sorter(Generic[Content]):
    """Sorts the rows of one file, chunk by chunk, and remembers what stood where.

    A chunk may be sorted again: a unit of work may be run again.
    """

    def __init__(self, target: Target, import_id: str) -> None:
        self._target = target
        self._import_id = import_id
        self._seen: dict[str, tuple[int, str]] = {}

    def sort(self, rows: Iterable[Judged[Content]], around: Surroundings) -> Sorted[Content]:
        """`own` counts rows that this very import has stored before."""
        found: Sorted[Content] = Sorted()
        for row in rows:
            if row.content is None:
                found.rejected.append(row)
            elif self._seen.get(row.identity, (row.no,))[0] != row.no:
                self._within(row, found)
            else:
                self._seen[row.identity] = (row.no, row.digest)
                self._among(row, around, found)
        return found

    def _within(self, row: Judged[Content], found: Sorted[Content]) -> None:
        no, digest = self._seen[row.identity]
        if digest == row.digest:
            found.repeats.append(Repeat(no=row.no, of_row=no, of_import=self._import_id))
        else:
            found.rejected.append(_blamed(row, "duplicate", f"row {no} speaks of the same and says something else"))

    def _among(self, row: Judged[Content], around: Surroundings, found: Sorted[Content]) -> None:
        loaded, there = around.loaded.get(row.identity), around.there.get(row.identity)
        if loaded and loaded.import_id == self._import_id:
            found.own += 1
        elif loaded and loaded.digest == row.digest:
            found.repeats.append(Repeat(no=row.no, of_row=loaded.row, of_import=loaded.import_id))
        elif there and there.digest == row.digest:
            found.repeats.append(Repeat(no=row.no, of_row=None, of_import=None))
        elif row.identity in around.barred:
            found.rejected.append(_blamed(row, *around.barred[row.identity]))
        elif self._target == "counties":
            # A card has versions: what a later file says of a county is the next one.
            found.fresh.append(row)
        elif loaded:
            said = (
                f"row {loaded.row} of import {loaded.import_id} speaks of the same and says something else: "
                f"amend {loaded.made_id}"
            )
            found.rejected.append(_blamed(row, "known-otherwise", said))
        elif there:
            found.rejected.append(_blamed(row, "known-otherwise", f"{there.name} is there and says something else"))
        else:
            found.fresh.append(row)


def _blamed(row: Judged[Content], code: str, detail: str) -> Judged[Content]:
    fault = Fault(column=None, value="", code=code, detail=detail, fix=None)
    return Judged(no=row.no, content=None, faults=(fault,))
