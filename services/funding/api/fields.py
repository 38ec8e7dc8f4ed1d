"""Fields that forms and queries share."""

import re
import unicodedata
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


def _one_meaning(text: str) -> str:
    """Two references that look the same must be the same, or one paper would be booked twice."""
    if "  " in text or any(unicodedata.category(character) in _UNSEEN for character in text.replace(" ", "")):
        raise ValueError("write it on one line, with single plain spaces and nothing that cannot be seen")
    return text


_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})

Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, AfterValidator(_currency)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), Visible]
Reference = Annotated[Words, AfterValidator(_one_meaning)]
