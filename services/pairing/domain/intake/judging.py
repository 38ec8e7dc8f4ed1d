"""How one row is judged: every cell is read, and all that is wrong is said at once."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from services.pairing.domain.intake.headers import Record, kind_of_foot
from services.pairing.domain.intake.values import Bad

T = TypeVar("T")
Content = TypeVar("Content")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`column` is what stands above the cell in the file; none where the row as a whole is meant."""

    column: str | None
    value: str
    code: str
    detail: str
    fix: str | None


@dataclass(frozen=True, kw_only=True)
class Judged(Generic[Content]):
    """A row that says `content`, or what is wrong with it.

    `identity` is the same for two rows that speak of the same thing, `digest` for two that say the
    same of it.
    """

    no: int
    content: Content | None
    faults: tuple[Fault, ...]
    identity: str = ""
    digest: str = ""


@dataclass
class Reading:
    """Reads the cells of one row and gathers what is wrong."""

    record: Record
    faults: list[Fault] = field(default_factory=list)

    def read(self, name: str, as_: Callable[[str], T], *, required: bool = False) -> T | None:
        """The cell as a value; None where it is empty or wrong."""
        text = self.record.get(name)
        if name in self.record.formulas:
            self.blame(name, "formula", "holds a formula: what it gives cannot be relied on", "paste it as a value")
        elif text:
            try:
                return as_(text)
            except Bad as bad:
                self.blame(name, bad.code, bad.detail, bad.fix)
        elif required:
            self.blame(name, "missing", "is empty", None)
        return None

    def blame(self, name: str | None, code: str, detail: str, fix: str | None = None) -> None:
        value = self.record.get(name) if name else self.record.first
        column = self.record.column(name) if name else None
        fault = Fault(column=column, value=value[:300], code=code, detail=detail, fix=fix)
        if fault not in self.faults:
            self.faults.append(fault)

    def is_no_row(self) -> bool:
        """Whether it stands below the list, or is cut in the wrong places; then its cells mean nothing."""
        foot = kind_of_foot(self.record)
        if foot:
            what = "a sum" if foot == "total-row" else "a remark"
            self.blame(None, foot, f"this is {what} and no entry", "leave it out")
        elif self.record.extra:
            headers = len(self.record.header.names)
            count = headers + len(self.record.extra)
            self.blame(
                None,
                "too-many-fields",
                f"{count} fields, {headers} headers: an unquoted thousands comma?",
                'put it in quotes ("3,500,000.00") or leave the comma out',
            )
        return bool(self.faults)

    def done(self, content: Content | None, identity: Any = None, values: Any = None) -> Judged[Content]:
        if self.faults or content is None:
            return Judged(no=self.record.no, content=None, faults=tuple(self.faults))
        digest = fingerprint(values)
        return Judged(
            no=self.record.no,
            content=content,
            faults=(),
            identity=fingerprint(identity) if identity is not None else digest,
            digest=digest,
        )

    def day(self, name: str, reader: Callable[[str, date], date], *, required: bool = False) -> date | None:
        return self.read(name, lambda text: reader(text, self.record.epoch), required=required)


def fingerprint(values: Any) -> str:
    """The same for the same values, in any process."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:32]
