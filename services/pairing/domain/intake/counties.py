"""A row of a counties file, read as a card and the days on which the county was listed and delisted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from schemas.shapes import Text
from services.pairing.domain.county import Need
from services.pairing.domain.intake.gazetteer import Gazetteer, province_of
from services.pairing.domain.intake.headers import Record
from services.pairing.domain.intake.judging import Judged, Reading
from services.pairing.domain.intake.values import Bad, day_or_year, line, trimmed, whole, word

# The register of the programme's poor was complete at the end of 2014.
FIRST_DAY = date(2014, 12, 31)
_NEED = re.compile(r"(?P<category>[^:：\s]+)[:：\s]+(?P<slots>\d+)(?:[:：\s]+(?P<severity>[01](?:\.\d+)?))?")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a row says of a county; `needs` and `valid_from` are None where it says nothing of them.

    `name` has the languages that the row gives, `known_as` is for a county without a card.
    """

    code: str
    name: Mapping[str, str]
    known_as: Text
    province: str
    needs: tuple[Need, ...] | None
    valid_from: date | None
    delisted_on: date | None
    reason: str | None


def judge_county(record: Record, gazetteer: Gazetteer) -> Judged[Entry]:
    row = Reading(record)
    if row.is_no_row():
        return row.done(None)
    code = row.read("code", lambda text: _code(text, gazetteer))
    name = row.read("name_zh", line)
    if code is None and name and not record.get("code"):
        # The word is the name here, so what is wrong with it is said of the name.
        code = row.read("name_zh", gazetteer.find)
    if code is None and not row.faults:
        row.read("code", line, required=True)
    elif code and name and (other := gazetteer.not_called(code, name)):
        said = f"the code is {gazetteer.name(code)}'s, this is the name of {other}"
        row.blame("name_zh", "not-its-name", said, "correct the one that is wrong")
    name_en = row.read("name_en", line)
    province = row.read("province", province_of)
    if code and province and province != code[:2]:
        row.blame("province", "not-its-province", f"the code says {code[:2]}, this says {province}")
    valid_from = row.day("valid_from", day_or_year)
    delisted_on = row.day("delisted_on", day_or_year)
    if delisted_on and delisted_on < (valid_from or FIRST_DAY):
        row.blame("delisted_on", "ends-before-it-begins", f"{delisted_on} is before {valid_from or FIRST_DAY}")
    needs = row.read("needs", _needs)
    reason = row.read("reason", lambda text: line(text, 4000))
    if row.faults or code is None:
        return row.done(None)
    zh = name or gazetteer.name(code)
    if zh is None:
        row.blame("name_zh", "missing", "is empty, and no county of this code is known")
        return row.done(None)
    en = name_en or gazetteer.name_en(code)
    entry = Entry(
        code=code,
        name={language: said for language, said in (("zh", name), ("en", name_en)) if said},
        known_as=cast(Text, {"zh": zh, "en": en} if en else {"zh": zh}),
        province=code[:2],
        needs=needs,
        valid_from=valid_from,
        delisted_on=delisted_on,
        reason=reason,
    )
    return row.done(entry, code, _values(entry))


def _values(entry: Entry) -> list[Any]:
    needs = [[need.category, need.slots, need.severity] for need in entry.needs or ()]
    return [entry.code, entry.name, needs, entry.valid_from, entry.delisted_on, entry.reason]


def _code(text: str, gazetteer: Gazetteer) -> str:
    """Six digits as they stand, even where the county had others before or has others since."""
    plain = re.sub(r"(0{6})?(\.0+)?$", "", trimmed(text)) if len(trimmed(text)) > 6 else trimmed(text)
    return plain if re.fullmatch("[0-9]{6}", plain) else gazetteer.find(text)


def _needs(text: str) -> tuple[Need, ...]:
    """`coverage:2:0.65; education:1`: category, slots and, if it is stated, severity."""
    needs = []
    for part in filter(None, re.split(r"[;；]\s*", trimmed(text))):
        found = _NEED.fullmatch(part.strip())
        if found is None:
            raise Bad("not-a-need", f"{part!r} is no need", "coverage:2 or coverage:2:0.65, with ; between two")
        severity = float(found["severity"]) if found["severity"] else None
        if severity is not None and severity > 1:
            raise Bad("out-of-range", f"severity {severity} is not between 0 and 1")
        category: Any = word(found["category"], "categories")
        slots = whole(found["slots"], 0, 1000)
        needs.append(Need(category=category, slots=slots, severity=severity, quantities=None))
    if len({need.category for need in needs}) < len(needs):
        raise Bad("need-twice", "a category stands there twice")
    return tuple(needs)
