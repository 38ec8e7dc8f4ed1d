"""What several forms and views of pairing share."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeVar, cast

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)
from pydantic_core.core_schema import ValidationInfo

from schemas.money import CURRENCIES, to_minor
from services.kit.clock import rfc3339
from services.kit.decision import Invalid
from services.kit.forms import Body_, Form, Visible
from services.kit.http import Call
from services.pairing.domain import County, Value
from services.pairing.store import Tx

F = TypeVar("F", bound=Form)

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: Any) -> Any:
    """Pydantic would take an instant at midnight as a day, too."""
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("is no day of the calendar; give YYYY-MM-DD")


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("is no currency code (ISO 4217) that is taken here")
    return code


Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[
    datetime, PlainSerializer(rfc3339, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
CountyCode = Annotated[str, StringConstraints(pattern="^[0-9]{6}$")]
ProvinceCode = Annotated[str, StringConstraints(pattern="^[0-9]{2}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), Visible]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), Visible]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), Visible]
Currency = Annotated[str, AfterValidator(_known_currency)]


class Texts(Form):
    zh: Line
    en: Line


class Name(Form):
    zh: Line
    en: Line | None = None


class MoneyForm(Form):
    """The currency comes first: it says how many decimals the amount has."""

    currency: Currency
    amount: str

    @field_validator("amount")
    @classmethod
    def _amount(cls, amount: str, info: ValidationInfo) -> str:
        to_minor(amount, info.data.get("currency", "CNY"))
        return amount

    @property
    def minor(self) -> int:
        return to_minor(self.amount, self.currency)

    @property
    def worth(self) -> Value:
        return Value(minor=self.minor, currency=self.currency)


class Reason(Form):
    reason: Prose


class Nothing(Form):
    """`{}`."""


class MoneyView(BaseModel):
    amount: str
    currency: str


class QuantityView(BaseModel):
    quantity: int
    unit: str


class TextView(BaseModel):
    zh: str
    en: str | None = None


class SentencesView(BaseModel):
    """The same, in Chinese and in English."""

    zh: list[str]
    en: list[str]


class PlacesForm(Form):
    """A county is meant if either list has it."""

    provinces: Annotated[list[ProvinceCode], Field(max_length=100)] | None = None
    counties: Annotated[list[CountyCode], Field(max_length=5000)] | None = None


def reading(call: Call) -> Tx:
    """A unit that only reads."""
    return cast(Tx, call.transactor.reading())


def text(form: Texts | Name) -> Any:
    return form.model_dump(exclude_none=True)


async def read_whole(body: Body_[F], unknown: Mapping[str, str]) -> F:
    """The form, or the faults of its fields together with those of the ids and codes in it.

    Raises:
        Invalid: with all of them; `unknown` maps JSON pointers to what is not there.
    """
    try:
        form = body.read()
    except Invalid as invalid:
        raise Invalid({**unknown, **invalid.errors}) from invalid
    if unknown:
        raise Invalid(unknown)
    return form


def sent(call: Call) -> dict[str, Any]:
    """The body's fields before anything about them is known; none where it is no JSON object."""
    try:
        raw = orjson.loads(call.sent)
    except orjson.JSONDecodeError:
        return {}
    return raw if isinstance(raw, dict) else {}


async def unknown_counties(tx: Tx, found: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Faults for codes without a card; `found` are JSON pointers and what stands there."""
    codes = {pointer: code for pointer, code in found if isinstance(code, str)}
    known = await tx.get_many(County, codes.values())
    return {
        pointer: f"there is no county {code} in the programme" for pointer, code in codes.items() if code not in known
    }
