"""A row of a commitments file, read as the terms of a commitment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.money import CURRENCIES
from services.pairing.domain.commitment import Places, Support, Terms, Value, places_wire, support_wire
from services.pairing.domain.intake.gazetteer import Gazetteer, province_of
from services.pairing.domain.intake.headers import Record
from services.pairing.domain.intake.judging import Judged, Reading
from services.pairing.domain.intake.values import Bad, amount, day, folded, line, trimmed, whole, word
from services.pairing.domain.partner import Partner

MOST_PROJECTS = 100_000
MOST_QUANTITY = 10**15
_BOOKED = ("money", "purchase")
_SEPARATORS = re.compile(r"[;,、；，\s]+")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """`received` is what the file says has come in; it is shown, and booked by funding only."""

    partner_id: str
    terms: Terms
    received: int | None


@dataclass(frozen=True, kw_only=True)
class Givers:
    """Who is known under an id, a credit code or a name. `own` is the only one whose rows are taken, if it is set."""

    by_key: Mapping[str, Sequence[Partner]]
    own: Partner | None = None
    codes: Mapping[str, Partner] = field(default_factory=dict)


def partner_key(record: Record) -> str:
    """What a row calls its partner."""
    return trimmed(record.get("partner"))


def judge_commitment(record: Record, givers: Givers, gazetteer: Gazetteer) -> Judged[Offer]:
    row = Reading(record)
    if row.is_no_row():
        return row.done(None)
    partner = _partner(row, givers)
    county = row.read("county", lambda text: _taking_part(text, gazetteer))
    category = row.read("category", lambda text: word(text, "categories"), required=True)
    title = _title(row)
    support = _support(row)
    projects_max = row.read("projects_max", lambda text: whole(text, 1, MOST_PROJECTS))
    if not record.get("projects_max"):
        projects_max = 1
    if support and projects_max and projects_max > support.units:
        row.blame("projects_max", "too-many-projects", f"there are {support.units} units (fen, pieces) to share out")
    valid_from = row.day("valid_from", day, required=True)
    valid_until = row.day("valid_until", day, required=True)
    if valid_from and valid_until and valid_until < valid_from:
        row.blame("valid_until", "ends-before-it-begins", f"{valid_until} is before {valid_from}", "swap the two days")
    prefers = _with_county(row.read("prefers", lambda text: _places(text, gazetteer)), county)
    excludes = row.read("excludes", lambda text: _places(text, gazetteer))
    only = row.read("only", lambda text: _places(text, gazetteer))
    _check_places(row, prefers, excludes, only)
    reference = row.read("reference", lambda text: line(text, 255))
    received = row.read("received", lambda text: _received(row, text))
    if row.faults or not (partner and category and title and support and projects_max and valid_from and valid_until):
        return row.done(None)
    terms = Terms(
        category=category,  # type: ignore[arg-type]
        title=title,  # type: ignore[arg-type]
        support=support,
        projects_max=projects_max,
        valid_from=valid_from,
        valid_until=valid_until,
        prefers=prefers,
        excludes=excludes,
        only=only,
        reference=reference,
    )
    offer = Offer(partner_id=partner.id, terms=terms, received=received)
    return row.done(offer, [partner.id, reference] if reference else None, [partner.id, terms_values(terms)])


def terms_values(terms: Terms) -> list[Any]:
    """What two rows that say the same have in common."""
    where = [places_wire(places) for places in (terms.prefers, terms.excludes, terms.only)]
    days: list[date] = [terms.valid_from, terms.valid_until]
    return [terms.category, terms.title, support_wire(terms.support), terms.projects_max, days, where, terms.reference]


def _partner(row: Reading, givers: Givers) -> Partner | None:
    key = row.read("partner", lambda _: partner_key(row.record), required=givers.own is None)
    if key is None:
        return givers.own
    found = givers.by_key.get(key, ())
    if givers.own and [partner.id for partner in found] != [givers.own.id]:
        row.blame("partner", "not-your-own", f"{key!r} is not the partner of your token", "leave the column out")
        return None
    if not found:
        row.blame("partner", "unknown-partner", f"no partner is called {key!r}", "register it, or give its id")
        return None
    if len(found) > 1:
        ids = ", ".join(sorted(partner.id for partner in found))
        row.blame("partner", "ambiguous-partner", f"several are called {key!r}: {ids}", "give its id or credit code")
        return None
    return found[0]


def _title(row: Reading) -> dict[str, str] | None:
    """Where it is given in one language only, the same words stand for both until somebody amends them."""
    zh, en = row.read("title_zh", line), row.read("title_en", line)
    if not (row.record.get("title_zh") or row.record.get("title_en")):
        row.read("title_zh", line, required=True)
    one = zh or en
    return {"zh": zh or one, "en": en or one} if one else None


def _support(row: Reading) -> Support | None:
    kind = row.read("kind", lambda text: word(text, "support_kinds"))
    if kind is None and row.record.get("kind"):
        return None
    kind = kind or ("goods" if row.record.get("quantity") and not row.record.get("amount") else "money")
    currency = row.read("currency", _currency)
    if currency is None and row.record.get("currency"):
        return None
    currency = currency or "CNY"
    if kind in _BOOKED:
        units = [*row.record.units("amount"), ("unit column", row.read("unit", line) or "")]
        minor = row.read("amount", lambda text: amount(text, units, currency), required=True)
        return Support(kind=kind, units=minor, measure=currency, value=None) if minor else None  # type: ignore[arg-type]
    quantity = row.read("quantity", lambda text: whole(text, 1, MOST_QUANTITY), required=True)
    unit = row.read("unit", line, required=True)
    worth = row.read("value", lambda text: amount(text, row.record.units("value"), currency))
    if quantity is None or unit is None:
        return None
    value = Value(minor=worth, currency=currency) if worth else None
    return Support(kind=kind, units=quantity, measure=unit, value=value)  # type: ignore[arg-type]


def _received(row: Reading, text: str) -> int | None:
    if folded(text).strip("0.-") == "":
        return 0
    return amount(text, row.record.units("received"))


def _currency(text: str) -> str:
    code = folded(text).upper()
    code = {"人民币": "CNY", "RMB": "CNY", "元": "CNY"}.get(code, code)
    if code not in CURRENCIES:
        raise Bad("unknown-currency", f"{text!r} is no currency code (ISO 4217) that is taken here", "CNY")
    return code


def _taking_part(text: str, gazetteer: Gazetteer) -> str:
    code = gazetteer.find(text)
    if not gazetteer.takes_part(code):
        known = f"{code} {gazetteer.name(code) or ''}".strip()
        raise Bad("outside-programme", f"{known} has no card: it is outside the programme")
    return code


def _places(text: str, gazetteer: Gazetteer) -> Places | None:
    """Provinces and counties, in one cell."""
    provinces, counties = [], []
    for part in filter(None, _SEPARATORS.split(trimmed(text))):
        try:
            provinces.append(province_of(part))
        except Bad:
            counties.append(_taking_part(part, gazetteer))
    return Places(provinces=tuple(provinces), counties=tuple(counties)) if provinces or counties else None


def _with_county(prefers: Places | None, county: str | None) -> Places | None:
    if county is None or (prefers and county in prefers.counties):
        return prefers
    return Places(
        provinces=prefers.provinces if prefers else (), counties=(county, *(prefers.counties if prefers else ()))
    )


def _check_places(row: Reading, prefers: Places | None, excludes: Places | None, only: Places | None) -> None:
    if only and excludes and only.within(excludes):
        row.blame("only", "nothing-left", "leaves nothing that is not excluded")
    if not prefers:
        return
    name = "prefers" if row.record.get("prefers") else "county"
    if excludes:
        both = set(excludes.provinces) & set(prefers.provinces)
        both |= {code for code in prefers.counties if excludes.mean(code, code[:2])}
        if both:
            row.blame("excludes", "preferred-and-excluded", f"is preferred as well: {', '.join(sorted(both))}")
    if only and (outside := prefers.beyond(only)):
        row.blame(name, "outside-only", f"is not within what it is limited to: {', '.join(sorted(outside))}")
