"""Counties that were renamed, re-coded or merged; what they were stays known (data/renames.csv)."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Rename:
    """A county that had another code or name until `year`."""

    old_code: str
    old_name: str
    new_code: str
    new_name: str
    year: int


@cache
def renames() -> tuple[Rename, ...]:
    path = Path(__file__).parent.parent / "data" / "renames.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        return tuple(
            Rename(
                old_code=row["old_code"],
                old_name=row["old_name"],
                new_code=row["new_code"],
                new_name=row["new_name"],
                year=int(row["year"]),
            )
            for row in csv.DictReader(rows)
        )


def formerly(code: str) -> list[Rename]:
    """What the county of this code was before, oldest first."""
    found: list[Rename] = []
    while earlier := next((one for one in renames() if one.new_code == code and one not in found), None):
        found.insert(0, earlier)
        code = earlier.old_code
    return found


def later_codes(code: str) -> Iterator[str]:
    """Under which codes a county has stood since it had this one."""
    seen = {code}
    while later := next((one.new_code for one in renames() if one.old_code == code and one.new_code not in seen), None):
        seen.add(later)
        yield later
        code = later
