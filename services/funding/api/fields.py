"""Fields that forms and queries share."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from schemas.money import decimals
from services.kit.forms import Visible


def _day(value: Any) -> Any:
    """Pydantic would take an instant at midnight or seconds since 1970 as a day, too."""
    if not isinstance(value, str):
        return value
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("is no day of the calendar; give YYYY-MM-DD")


def _currency(code: str) -> str:
    decimals(code)
    return code


Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, AfterValidator(_currency)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), Visible]
