"""Counties and their cards over HTTP."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints, field_validator

from schemas.shapes import Category
from services.kit.clock import day_of
from services.kit.decision import Decision, NotFound
from services.kit.forms import Form
from services.kit.http import Call, Page, Unread, allow, created, ok
from services.kit.problems import Stale
from services.pairing import domain
from services.pairing.api.fields import Day, Instant, Line, Name, Prose, ProvinceCode, TextView, reading, text
from services.pairing.domain import Card, County, IndicatorValue, Need
from services.pairing.domain.renames import formerly, later_codes
from services.pairing.store import Tx

router = APIRouter(tags=["counties"])

Reader = Annotated[Call, allow("partner", "officer", "coordinator", "monitor", "bookkeeper")]
Writer = Annotated[Call, allow("officer", "coordinator")]
Coordinator = Annotated[Call, allow("coordinator")]
Status = Literal["listed", "delisted", "watch"]
AsOf = Annotated[Day | None, Query()]
# What MongoDB can hold as the name of a field.
Key = Annotated[Line, StringConstraints(pattern=r"^[^\x00]*$")]


class NeedForm(Form):
    category: Category
    slots: Annotated[int, Field(ge=0, le=1000)]
    severity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    quantities: Annotated[dict[Key, Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=100)] | None = None
    band: Any = Field(None, description="Read only.")
    open_slots: Any = Field(None, description="Read only.")
    is_stated: Any = Field(None, description="Read only.")

    def need(self) -> Need:
        return Need(category=self.category, slots=self.slots, severity=self.severity, quantities=self.quantities)


class IndicatorForm(Form):
    code: Line
    baseline: Annotated[float, Field(allow_inf_nan=False)] | None = None
    actual: Annotated[float, Field(allow_inf_nan=False)] | None = None
    target: Annotated[float, Field(allow_inf_nan=False)] | None = None


class CardForm(Form):
    READ_ONLY = frozenset({"code", "status", "spells", "version", "recorded_at", "recorded_by", "formerly"})
    name: Name
    province: ProvinceCode
    needs: Annotated[list[NeedForm], Field(max_length=5)]
    indicators: Annotated[list[IndicatorForm], Field(max_length=200)] | None = None
    valid_from: Day
    reason: Prose

    @field_validator("needs")
    @classmethod
    def _one_need_a_category(cls, needs: list[NeedForm]) -> list[NeedForm]:
        if len({need.category for need in needs}) < len(needs):
            raise ValueError("a category stands there twice")
        return needs

    @field_validator("indicators")
    @classmethod
    def _one_value_an_indicator(cls, indicators: list[IndicatorForm] | None) -> list[IndicatorForm] | None:
        if indicators and len({indicator.code for indicator in indicators}) < len(indicators):
            raise ValueError("an indicator stands there twice")
        return indicators


class TurnForm(Form):
    on: Day
    reason: Prose


class SpellView(BaseModel):
    status: Status
    start: date = Field(serialization_alias="from")
    until: date | None
    reason: str
    recorded_at: Instant
    recorded_by: str


class NeedView(BaseModel):
    """`severity` is what a person stated (`is_stated`), else what follows from the indicators."""

    category: Category
    slots: int
    severity: float | None
    is_stated: bool
    quantities: Mapping[str, float] | None
    band: int
    open_slots: int


class IndicatorView(BaseModel):
    code: str
    baseline: float | None
    actual: float | None
    target: float | None


class FormerView(BaseModel):
    """Another code or name that the county had until a year."""

    code: str
    name: str
    until_year: int


class CardView(BaseModel):
    """`status` is that of the day asked for, today if none is; `open_slots` are always today's."""

    code: str
    name: TextView
    province: str
    status: Status | None
    spells: list[SpellView]
    needs: list[NeedView]
    indicators: list[IndicatorView]
    valid_from: date
    reason: str
    version: int
    recorded_at: Instant
    recorded_by: str
    formerly: list[FormerView]

    @classmethod
    def of(cls, shown: "Shown") -> "CardView":
        county, card = shown.county, shown.card
        return cls(
            code=county.id,
            name=TextView(**card.name),
            province=card.province,
            status=county.status_on(shown.day),
            spells=[
                SpellView(
                    status=spell.status,
                    start=spell.start,
                    until=spell.until,
                    reason=spell.reason,
                    recorded_at=spell.recorded_at,
                    recorded_by=spell.recorded_by,
                )
                for spell in county.spells
            ],
            needs=[
                NeedView(
                    category=need.category,
                    slots=need.slots,
                    severity=need.severity,
                    is_stated=need.is_stated,
                    quantities=need.quantities,
                    band=need.band,
                    open_slots=county.open_slots(need),
                )
                for need in card.needs
            ],
            indicators=[
                IndicatorView(code=one.code, baseline=one.baseline, actual=one.actual, target=one.target)
                for one in card.indicators
            ],
            valid_from=card.valid_from,
            reason=card.reason,
            version=shown.version,
            recorded_at=card.recorded_at,
            recorded_by=card.recorded_by,
            formerly=[
                FormerView(code=one.old_code, name=one.old_name, until_year=one.year) for one in formerly(county.id)
            ],
        )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A county and one version of its card, as of a day."""

    county: County
    card: Card
    day: date
    version: int

    @property
    def id(self) -> str:
        return self.county.id

    @classmethod
    def now(cls, county: County, card: Card, today: date) -> "Shown":
        """`version` is the county's, so that the next If-Match can be had from it."""
        return cls(county=county, card=card, day=today, version=county.version)


class CountyPage(Page):
    status: Status | None = None
    province: ProvinceCode | None = None
    as_of: Day | None = None


@router.get("/counties")
async def list_counties(call: Reader, page: Annotated[CountyPage, Query()]) -> Response:
    day = page.as_of or day_of(call.transactor.clock.now())
    older = await reading(call).older_cards_on(day)
    spell: dict[str, Any] = {"start": {"$lte": day.isoformat()}}
    if page.status:
        spell |= {"status": page.status, "$or": [{"until": None}, {"until": {"$gt": day.isoformat()}}]}
    where: dict[str, Any] = {"spells": {"$elemMatch": spell}} if page.as_of or page.status else {}
    if page.province:
        where["province"] = page.province

    def view(county: County) -> CardView:
        card = county.card if county.card.valid_from <= day else older.get(county.id, county.card)
        version = card.version if page.as_of else county.version
        return CardView.of(Shown(county=county, card=card, day=day, version=version))

    return await call.page(County, where, page, view)


@router.get("/counties/{code}", response_model=CardView)
async def get_county(code: str, call: Reader, as_of: AsOf = None) -> Response:
    """By a code that the county has no longer, or has only since, too, where no card stands under it."""

    async def work(tx: Tx) -> Shown:
        county = await _under_any_code(tx, code)
        if as_of is None:
            return Shown.now(county, await tx.card_on(county, tx.today) or county.card, tx.today)
        card = await tx.card_on(county, as_of)
        if card is None:
            if county.status_on(as_of) is None:
                raise NotFound(f"County {code} has no card of {as_of}.")
            # That it was listed then was learnt later, and of that day no more than that.
            card = county.card
        return Shown(county=county, card=card, day=as_of, version=card.version)

    return await call.read(work, ok(CardView.of))


@router.put("/counties/{code}/card", response_model=CardView)
async def put_card(code: str, call: Writer, form: Unread[CardForm]) -> Response:
    """The first card of a county answers 201 and needs no If-Match."""

    async def work(tx: Tx) -> Decision[Shown]:
        if not re.fullmatch("[0-9]{6}", code) or not _is_own(call, code):
            raise NotFound(f"There is no county {code}.")
        county = await tx.get(County, code)
        if county is not None:
            current = Shown.now(county, await tx.card_on(county, tx.today) or county.card, tx.today)
            call.expect(county.version, CardView.of(current))
        elif "if-match" in call.request.headers:
            raise Stale("There is no card of this county yet.", current=None)
        card = form.read()
        decision = domain.put_card(
            county,
            code=code,
            name=text(card.name),
            province=card.province,
            needs=[need.need() for need in card.needs],
            indicators=[IndicatorValue(**one.model_dump()) for one in card.indicators or ()],
            valid_from=card.valid_from,
            reason=card.reason,
            now=tx.now,
            by=call.caller.sub,
            live=(await tx.live_pairings([code])).get(code, {}),
        )
        return _shown(decision, tx)

    first, later = created("/counties", CardView.of), ok(CardView.of)
    return await call.perform(work, lambda shown: (first if shown.version == 1 else later)(shown), locks=[code])


@router.post("/counties/{code}/delist", response_model=CardView)
async def delist_county(code: str, call: Coordinator, form: Unread[TurnForm]) -> Response:
    async def work(tx: Tx) -> Decision[Shown]:
        county = await _county_to_turn(tx, call, code)
        turn = form.read()
        decision = domain.delist_county(county, on=turn.on, reason=turn.reason, now=tx.now, by=call.caller.sub)
        return _shown(decision, tx)

    return await call.perform(work, ok(CardView.of), locks=[code])


@router.post("/counties/{code}/relist", response_model=CardView)
async def relist_county(code: str, call: Coordinator, form: Unread[TurnForm]) -> Response:
    async def work(tx: Tx) -> Decision[Shown]:
        county = await _county_to_turn(tx, call, code)
        turn = form.read()
        decision = domain.relist_county(county, on=turn.on, reason=turn.reason, now=tx.now, by=call.caller.sub)
        return _shown(decision, tx)

    return await call.perform(work, ok(CardView.of), locks=[code])


async def _under_any_code(tx: Tx, asked: str) -> County:
    """The county that has this code, had it once, or has it since."""
    for code in (asked, *later_codes(asked), *(one.old_code for one in reversed(formerly(asked)))):
        if county := await tx.get(County, code):
            return county
    return await _county(tx, asked)


async def _county(tx: Tx, code: str) -> County:
    county = await tx.get(County, code)
    if county is None:
        raise NotFound(f"There is no county {code} in the programme.")
    return county


async def _county_to_turn(tx: Tx, call: Call, code: str) -> County:
    county = await _county(tx, code)
    call.expect(county.version, CardView.of(Shown.now(county, county.card, tx.today)), required=False)
    return county


def _is_own(call: Call, code: str) -> bool:
    return call.caller.has("coordinator") or code in call.caller.county_codes


def _shown(decision: Decision[County], tx: Tx) -> Decision[Shown]:
    county = decision.state
    return Decision(Shown.now(county, county.card, tx.today), decision.saves, decision.events)
