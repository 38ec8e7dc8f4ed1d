"""Field types that several events share.

Each `Fragment` is a piece of JSON Schema (draft 2020-12): it goes into the generated schemas, and
by them into what every consumer checks.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict


class Fragment(dict[str, Any]):
    """Keywords of JSON Schema; hashable, since `Annotated` within a union must be."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(sorted(self.items())))


Category = Literal["coverage", "produce-sales", "education", "ecommerce-training", "smart-travel"]
CATEGORIES: tuple[Category, ...] = ("coverage", "produce-sales", "education", "ecommerce-training", "smart-travel")

SupportKind = Literal["money", "goods", "service", "purchase", "training"]
# Only these two carry an amount that the ledger books.
BOOKED_KINDS: tuple[SupportKind, ...] = ("money", "purchase")

PartnerKind = Literal["enterprise", "social-organisation"]
IndicatorKind = Literal["flow", "cumulative", "level", "ratio", "yes-no"]

Id = Annotated[str, Fragment(minLength=1, maxLength=255)]
CountyCode = Annotated[str, Fragment(pattern="^[0-9]{6}$")]
ProvinceCode = Annotated[str, Fragment(pattern="^[0-9]{2}$")]
Amount = Annotated[str, Fragment(pattern=r"^[0-9]{1,15}(\.[0-9]{1,2})?$")]
Currency = Annotated[str, Fragment(pattern="^[A-Z]{3}$")]
Day = Annotated[str, Fragment(format="date")]
Instant = Annotated[str, Fragment(format="date-time")]
# Beyond 2**53 - 1 readers in other languages lose digits (RFC 7493), beyond 64 bits MongoDB refuses.
Whole = Annotated[int, Fragment(minimum=0, maximum=2**53 - 1)]
Ordinal = Annotated[int, Fragment(minimum=1, maximum=2**53 - 1)]
Int64 = Annotated[int, Fragment(minimum=-(2**63), maximum=2**63 - 1)]
PerCent = Annotated[int, Fragment(minimum=0, maximum=100)]
Share = Annotated[int, Fragment(minimum=1, maximum=100)]
Sha256 = Annotated[str, Fragment(pattern="^[0-9a-f]{64}$")]


class Text(TypedDict):
    """The same words in Chinese and, where given, in English."""

    zh: str
    en: NotRequired[str]


class Money(TypedDict):
    amount: Amount
    currency: Currency


class Quantity(TypedDict):
    quantity: Whole
    unit: str


class Valuation(TypedDict):
    """What somebody says that goods or services are worth, and on which basis (`market`, `cost` …)."""

    author: str
    basis: str
    amount: Amount
    currency: Currency


class Support(TypedDict):
    """What a commitment gives: an amount (`money`, `purchase`) or a quantity (the other kinds).

    Of several `valuations` the one on `basis` is the `value`, which totals count.
    """

    kind: SupportKind
    amount: NotRequired[Amount]
    currency: NotRequired[Currency]
    quantity: NotRequired[Whole]
    unit: NotRequired[str]
    value: NotRequired[Money]
    valuations: NotRequired[list[Valuation]]
    basis: NotRequired[str]


class Places(TypedDict):
    """A county is meant if either list has it."""

    provinces: NotRequired[list[ProvinceCode]]
    counties: NotRequired[list[CountyCode]]


class Need(TypedDict):
    category: Category
    slots: Whole
    severity: NotRequired[Annotated[float, Fragment(minimum=0, maximum=1)]]
    band: NotRequired[Annotated[int, Fragment(minimum=1, maximum=5)]]


# "from" is a keyword, so this one is spelled as a call. Both days are included.
Period = TypedDict("Period", {"from": Day, "until": Day})


class PlannedMilestone(TypedDict):
    no: Ordinal
    title: Text
    weight: Share
    due_on: Day
    tranche_share: Share


class PlannedIndicator(TypedDict):
    code: str
    kind: IndicatorKind
    unit: str
    baseline: float | bool | None
    target: float | bool | None


class ObjectiveLevel(TypedDict):
    level: Literal["counties", "needs", "bands", "preference", "kept", "severity"]
    value: Int64


class Ratio(TypedDict):
    numerator: float
    denominator: float
