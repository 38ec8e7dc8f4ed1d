"""The form of a commitment: its terms as a partner gives them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from schemas.shapes import Category
from services.kit.forms import Form
from services.pairing.api.fields import Day, Line, MoneyForm, PlacesForm, Reference, Texts, text
from services.pairing.domain import Places, Support, Terms, Value

MOST_PROJECTS = 100_000
MOST_QUANTITY = 10**15
PLACES = ("prefers", "excludes", "only")


class MoneyOffer(MoneyForm):
    kind: Literal["money", "purchase"]

    @property
    def units(self) -> int:
        return self.minor

    def support(self) -> Support:
        return Support(kind=self.kind, units=self.minor, measure=self.currency, value=None)


class QuantityOffer(Form):
    kind: Literal["goods", "service", "training"]
    quantity: Annotated[int, Field(ge=1, le=MOST_QUANTITY)]
    unit: Line
    value: MoneyForm | None = None

    @property
    def units(self) -> int:
        return self.quantity

    def support(self) -> Support:
        value = Value(minor=self.value.minor, currency=self.value.currency) if self.value else None
        return Support(kind=self.kind, units=self.quantity, measure=self.unit, value=value)


class Offer(Form):
    """A field may look at those above it."""

    READ_ONLY = frozenset({"id", "status", "paired", "remaining", "pairings", "version", "submitted_at"})
    partner_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    category: Category
    title: Texts
    support: Annotated[MoneyOffer | QuantityOffer, Field(discriminator="kind")]
    projects_max: Annotated[int, Field(ge=1, le=MOST_PROJECTS)]
    valid_from: Day
    valid_until: Day
    prefers: PlacesForm | None = None
    excludes: PlacesForm | None = None
    only: PlacesForm | None = None
    reference: Reference | None = None

    @field_validator("projects_max")
    @classmethod
    def _each_project_gets_something(cls, projects_max: int, info: ValidationInfo) -> int:
        support = info.data.get("support")
        if support and projects_max > support.units:
            raise ValueError(f"is more than the {support.units} units (fen, pieces) that there are to share out")
        return projects_max

    @field_validator("valid_until")
    @classmethod
    def _ends_after_it_begins(cls, valid_until: Day, info: ValidationInfo) -> Day:
        valid_from = info.data.get("valid_from")
        if valid_from and valid_until < valid_from:
            raise ValueError("is before valid_from")
        return valid_until

    @field_validator("excludes")
    @classmethod
    def _prefers_nothing_that_it_excludes(cls, excludes: PlacesForm | None, info: ValidationInfo) -> PlacesForm | None:
        barred, wanted = places(excludes), places(info.data.get("prefers"))
        if barred and wanted:
            both = set(barred.provinces) & set(wanted.provinces)
            both |= {code for code in wanted.counties if barred.mean(code, code[:2])}
            if both:
                raise ValueError(f"is preferred as well: {', '.join(sorted(both))}")
        return excludes

    def terms(self) -> Terms:
        return Terms(
            category=self.category,
            title=text(self.title),
            support=self.support.support(),
            projects_max=self.projects_max,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            prefers=places(self.prefers),
            excludes=places(self.excludes),
            only=places(self.only),
            reference=self.reference,
        )


class Amendment(Offer):
    """What is left out stays as it is; `support` and the lists of places are given whole."""

    READ_ONLY = Offer.READ_ONLY | {"partner_id"}
    category: Category = None  # type: ignore[assignment]
    title: Texts = None  # type: ignore[assignment]
    support: Annotated[MoneyOffer | QuantityOffer, Field(discriminator="kind")] = None  # type: ignore[assignment]
    projects_max: Annotated[int, Field(ge=1, le=MOST_PROJECTS)] = None  # type: ignore[assignment]
    valid_from: Day = None  # type: ignore[assignment]
    valid_until: Day = None  # type: ignore[assignment]


def places(form: PlacesForm | None) -> Places | None:
    """Lists that name nothing are as good as none."""
    if form is None or not (form.provinces or form.counties):
        return None
    return Places(provinces=tuple(form.provinces or ()), counties=tuple(form.counties or ()))


def counties_named(raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every county that a body names, by its JSON pointer, whatever else is wrong with the body."""
    for name in PLACES:
        lists = raw.get(name)
        codes = lists.get("counties") if isinstance(lists, dict) else None
        for no, code in enumerate(codes if isinstance(codes, list) else ()):
            yield f"/{name}/counties/{no}", code
