"""What may be asked of the feed, in a list and in the stream."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.shapes import Category
from services.kit.clock import SHANGHAI, instant
from services.kit.tokens import Caller
from services.notify.domain import EventFilter, Principals, principals

ROLES = ("partner", "officer", "coordinator", "monitor", "bookkeeper")
GREATEST = 2**63 - 1


def _day(text: Any) -> date:
    """Strictly YYYY-MM-DD."""
    if not isinstance(text, str) or len(text) != len("2026-03-04"):
        raise ValueError("give a day, such as 2026-03-04")
    return date.fromisoformat(text)


Day = Annotated[date, BeforeValidator(_day)]
CountyCode = Annotated[str, Field(pattern="^[0-9]{6}$")]


def principals_of(caller: Caller) -> Principals:
    return principals(caller.roles, caller.partner_id, caller.county_codes)


def _since(text: Any) -> datetime:
    return _moment(text, timedelta())


def _until(text: Any) -> datetime:
    return _moment(text, timedelta(days=1))


def _moment(text: Any, of_a_day: timedelta) -> datetime:
    """An instant, or a day in Asia/Shanghai."""
    try:
        if isinstance(text, str) and len(text) == len("2026-03-04"):
            return datetime.combine(date.fromisoformat(text) + of_a_day, time(), SHANGHAI)
        return instant(text)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("give a day, such as 2026-03-04, or an instant, such as 2026-03-04T01:00:00Z") from error


class NoFilter(BaseModel):
    """Of what takes no parameters: one that were passed over would be believed to hold."""

    model_config = ConfigDict(extra="forbid")


Whole = Annotated[NoFilter, Query()]


class EventQuery(BaseModel):
    """Filters; all that are given must hold. `from` and `until` are about when things happened."""

    model_config = ConfigDict(extra="forbid")
    after: int | None = Field(None, ge=0, le=GREATEST, description="Only what has a greater position.")
    type: str | None = Field(None, description="An event type in full, such as jiedui.milestone.verified.")
    category: Category | None = None
    county: CountyCode | None = None
    partner: str | None = None
    project: str | None = None
    subject: str | None = None
    correlationid: str | None = None
    since: Annotated[datetime | None, BeforeValidator(_since)] = Field(
        None, alias="from", description="An instant, or a day in Asia/Shanghai; included."
    )
    until: Annotated[datetime | None, BeforeValidator(_until)] = Field(
        None, description="A day in Asia/Shanghai, included; or an instant, not included."
    )

    def filter(self) -> EventFilter:
        return EventFilter(
            type=self.type,
            category=self.category,
            county_code=self.county,
            partner_id=self.partner,
            project_id=self.project,
            subject=self.subject,
            correlationid=self.correlationid,
            since=self.since,
            until=self.until,
        )


class OrderedEventQuery(EventQuery):
    """Of what has an end to begin with."""

    order: Literal["asc", "desc"] = "asc"
