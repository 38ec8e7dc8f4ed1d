"""The form of a commitment: its terms as a partner gives them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from schemas.shapes import Category
from services.kit.forms import Form
from services.pairing.api.fields import Day, Line, MoneyForm, PlacesForm, Reference, Texts, text
from services.pairing.domain import Places, Support, Terms, Valuation

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


class ValuationForm(MoneyForm):
    """What somebody says that goods or services are worth, and on which basis."""

    author: Line
    basis: Line

    def valuation(self) -> Valuation:
        return Valuation(author=self.author, basis=self.basis, value=self.worth)


class QuantityOffer(Form):
    kind: Literal["goods", "service", "training"]
    quantity: Annotated[int, Field(ge=1, le=MOST_QUANTITY)]
    unit: Line
    valuations: Annotated[list[ValuationForm], Field(max_length=20)] | None = None
    basis: Annotated[Line | None, Field(validate_default=True)] = None
    value: MoneyForm | None = None

    @field_validator("valuations")
    @classmethod
    def _one_valuation_a_basis(cls, valuations: list[ValuationForm] | None) -> list[ValuationForm] | None:
        if valuations and len({one.basis for one in valuations}) < len(valuations):
            raise ValueError("a basis stands there twice")
        return valuations

    @field_validator("basis")
    @classmethod
    def _names_the_valuation_that_counts(cls, basis: str | None, info: ValidationInfo) -> str | None:
        known = [one.basis for one in info.data.get("valuations") or ()]
        if known and basis is None:
            raise ValueError("is missing: on which basis is it valued in totals?")
        if basis is not None and basis not in known:
            raise ValueError(f"is the basis of no valuation; there are: {', '.join(known) or 'none'}")
        return basis

    @field_validator("value")
    @classmethod
    def _is_what_that_valuation_says(cls, value: MoneyForm | None, info: ValidationInfo) -> MoneyForm | None:
        of = {one.basis: one.worth for one in info.data.get("valuations") or ()}
        counting = of.get(info.data.get("basis"))
        if value and counting and value.worth != counting:
            raise ValueError("is not what the valuation on that basis says; leave it out")
        return value

    @property
    def units(self) -> int:
        return self.quantity

    def support(self) -> Support:
        valuations = tuple(one.valuation() for one in self.valuations or ())
        stated = self.value.worth if self.value else None
        return Support(
            kind=self.kind,
            units=self.quantity,
            measure=self.unit,
            value=next((one.value for one in valuations if one.basis == self.basis), stated),
            valuations=valuations,
            basis=self.basis,
        )


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

    @field_validator("only")
    @classmethod
    def _leaves_what_it_prefers_and_anything_at_all(
        cls, only: PlacesForm | None, info: ValidationInfo
    ) -> PlacesForm | None:
        limit, barred, wanted = places(only), places(info.data.get("excludes")), places(info.data.get("prefers"))
        if limit and wanted and (outside := wanted.beyond(limit)):
            raise ValueError(f"leaves out what is preferred: {', '.join(sorted(outside))}")
        if limit and barred and limit.within(barred):
            raise ValueError("leaves nothing that is not excluded")
        return only

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
