"""What comes in: bodies and queries."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from schemas.shapes import Category
from services.kit import clock
from services.kit.decision import Invalid
from services.kit.forms import Body_, Visible
from services.kit.http import Form, Page
from services.projects import domain
from services.projects.domain.project import MilestoneStatus, ProjectStatus

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def _day(text: Any) -> date:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("A day is YYYY-MM-DD.")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"There is no such day: {error}.") from error


def _instant(text: Any) -> datetime:
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise ValueError("An instant is RFC 3339 with its offset, such as 2026-03-04T09:30:00+08:00.")
    try:
        return clock.instant(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"There is no such instant: {error}.") from error


_LONG_AGO = "1970-01-01T00:00:00Z"
# Pydantic's own types take a number written as a text for seconds since 1970.
Day = Annotated[date, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Instant = Annotated[datetime, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
# Long enough for a story, short enough that a record with it stays under 1 MiB.
Note = Annotated[str, StringConstraints(max_length=10_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), Visible]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Judged(Form):
    """A form that is also held against what we know; `STAND_INS` take the place of required fields that are wrong."""

    STAND_INS: ClassVar[dict[str, Any]]


J = TypeVar("J", bound=Judged)


def read_judged(body: Body_[J], sent: bytes, form: type[J], judge: Callable[[J], dict[str, str]]) -> J:
    """The form; `judge` says what is wrong with it besides, by JSON pointer.

    Where fields are wrong by themselves, the others are judged all the same.

    Raises:
        Invalid: with all of it.
    """
    try:
        read = body.read()
    except Invalid as invalid:
        raw = json.loads(sent)
        if not isinstance(raw, dict) or "" in invalid.errors:
            raise
        wrong = {_field(pointer) for pointer in invalid.errors}
        others = {name: value for name, value in raw.items() if name not in wrong}
        judged = judge(Body_(form, form.STAND_INS | others).read())
        found = {pointer: fault for pointer, fault in judged.items() if _field(pointer) not in wrong}
        raise Invalid({**found, **invalid.errors}) from invalid
    if found := judge(read):
        raise Invalid(found)
    return read


def evidence_in(sent: bytes) -> list[str]:
    """The evidence that a report names, as far as it can be read: what we have of it is read before the form is."""
    raw = json.loads(sent) if sent else None
    named = raw.get("evidence") if isinstance(raw, dict) else None
    return [sha256 for sha256 in named if _is_sha256(sha256)] if isinstance(named, list) else []


def _is_sha256(found: Any) -> bool:
    return isinstance(found, str) and re.fullmatch("[0-9a-f]{64}", found) is not None


def _field(pointer: str) -> str:
    return pointer.split("/")[1].replace("~1", "/").replace("~0", "~")


class ProjectPage(Page):
    """Query of the list of projects."""

    category: Category | None = None
    county: str | None = None
    partner: str | None = None
    status: ProjectStatus | None = None
    decision: Literal["open"] | None = None
    at_risk: bool | None = None
    due_before: Day | None = None
    milestone: MilestoneStatus | None = None


class ObservationPage(Page):
    """Query of the list of a project's observations."""

    indicator: str | None = None


class HistoryPage(Page):
    """Query of a project's history; `as_of` a day, at its end in Shanghai."""

    as_of: Day | None = None


class Because(Form):
    reason: Reason


class MaybeBecause(Form):
    reason: Reason | None = None


class ReportForm(Judged):
    """A milestone report; the milestone's other fields, as GET gave them, are ignored."""

    READ_ONLY: ClassVar[frozenset[str]] = frozenset(
        "no title weight tranche_share due_on status reason reported_by reported_at verified_by verified_at "
        "version".split()
    )
    STAND_INS: ClassVar[dict[str, Any]] = {"occurred_at": _LONG_AGO}
    occurred_at: Instant
    note: Note | None = None
    evidence: list[Sha256] | None = None

    def report(self) -> domain.Report:
        evidence = None if self.evidence is None else tuple(self.evidence)
        return domain.Report(occurred_at=self.occurred_at, note=self.note, evidence=evidence)


class VerifyForm(Form):
    note: Note | None = None


class RescheduleForm(Form):
    due_on: Day
    reason: Reason


class PeriodForm(Form):
    """Both days included."""

    from_on: Day = Field(alias="from")
    until: Day

    def period(self) -> domain.Period:
        return domain.Period(from_on=self.from_on, until_on=self.until)


class ObservationForm(Judged):
    """A value of an indicator; `kind` and `unit` may be sent along, and must be the indicator's then."""

    READ_ONLY: ClassVar[frozenset[str]] = frozenset({"id", "project_id", "observed_by", "observed_at", "version"})
    STAND_INS: ClassVar[dict[str, Any]] = {"indicator": "", "value": None, "occurred_at": _LONG_AGO}
    indicator: str
    value: Annotated[
        Any,
        Field(
            json_schema_extra={
                "anyOf": [
                    {"type": "number"},
                    {"type": "boolean"},
                    {
                        "type": "object",
                        "properties": {"numerator": {"type": "number"}, "denominator": {"type": "number"}},
                        "required": ["numerator", "denominator"],
                        "additionalProperties": False,
                    },
                ]
            }
        ),
    ]
    period: PeriodForm | None = None
    on: Day | None = None
    splits: dict[str, Any] | None = None
    kind: str | None = None
    unit: str | None = None
    occurred_at: Instant

    def claim(self) -> domain.Claim:
        splits = {name: value for name, value in (self.splits or {}).items() if value is not None}
        return domain.Claim(
            indicator=self.indicator,
            value=self.value,
            period=self.period.period() if self.period else None,
            on=self.on,
            splits=splits or None,
            kind=self.kind,
            unit=self.unit,
            occurred_at=self.occurred_at,
        )
