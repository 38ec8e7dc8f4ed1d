"""Cells as people fill them in, made into values; what could mean two things is refused, never guessed."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas.money import decimals

WORDS: Mapping[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "words.json").read_text(encoding="utf-8"))

_ZERO_WIDTH = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+")
_AMOUNT = re.compile(
    r"(?P<sign>[-(]?)(?:¥|CNY|RMB|人民币)?(?P<sign2>-?)(?P<number>[\d,.]+)\)?(?P<unit>[^\d,.()-]*)", re.I
)
EXPONENT = re.compile(r"[-+]?\d+(\.\d+)?[eE][-+]?\d+")
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})[日号]?)")
_TIME = re.compile(
    r"[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(:\d{2}(\.\d+)?)?"
    r"(?P<zone>Z|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))?$"
)
_SHANGHAI, _DAY = 8 * 60, 24 * 60
"""In minutes."""
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
# 1954 and 2119: a day of this programme lies between them, and no year, month or amount looks like that.
_FIRST_SERIAL, _LAST_SERIAL = 20000, 80000
MOST_DIGITS = 15


class Bad(Exception):
    """What is wrong with one cell: a name for programs, a sentence, and what would be right where that is known."""

    def __init__(self, code: str, detail: str, fix: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fix = fix


def trimmed(text: str) -> str:
    """Without what cannot be seen; else as it was written."""
    return text.strip() if text.isascii() else _ZERO_WIDTH.sub("", text).strip()


def folded(text: str) -> str:
    """Full-width forms as their plain ones, one kind of space."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFKC", trimmed(text)).replace("−", "-").split())


def amount(text: str, units: Iterable[tuple[str, str]], currency: str = "CNY") -> int:
    """Minor units. `units` are what is said of the unit elsewhere: (where, unit).

    Raises:
        Bad: no number, negative, two units that differ, an unknown unit, more decimals than the currency has.
    """
    plain = folded(text).replace(" ", "")
    if EXPONENT.fullmatch(plain):
        raise Bad("e-notation", f"{plain} is a rounded number: digits are lost", "write out all digits")
    found = _AMOUNT.fullmatch(plain)
    if found is None or not _NUMBER.fullmatch(found["number"]):
        raise Bad("not-a-number", f"{text!r} is not a number", "write digits, such as 3500000.00 or 350万元")
    if found["sign"] or found["sign2"]:
        raise Bad("negative", f"{text!r} is negative", "give an amount above 0")
    said = {"value": found["unit"]} if found["unit"] else {}
    said |= {where: folded(unit) for where, unit in units if folded(unit)}
    factors = {where: _factor(where, unit) for where, unit in said.items()}
    if len(set(factors.values())) > 1:
        both = "; ".join(f"{where} says {unit}" for where, unit in said.items())
        raise Bad("unit-clash", both, "leave one of them")
    factor = next(iter(factors.values()), 1)
    if currency != "CNY" and any(unit.endswith("元") for unit in said.values()):
        raise Bad("unit-clash", f"the currency is {currency} and the unit says 元", "leave one of them")
    minor = Decimal(found["number"].replace(",", "")) * factor * 10 ** decimals(currency)
    if minor != minor.to_integral_value():
        raise Bad("too-precise", f"{text!r} has more decimals than {currency} has", "round it to whole fen")
    if minor == 0:
        raise Bad("zero", "nothing is promised", "give an amount above 0")
    if minor >= 10 ** (MOST_DIGITS + decimals(currency)):
        raise Bad("too-large", f"{text!r} is more than any amount that is taken")
    return int(minor)


def _factor(where: str, unit: str) -> int:
    factor = WORDS["money_units"].get(unit.replace(" ", "").lower())
    if factor is None:
        raise Bad("unknown-unit", f"{where} says {unit!r}, which is no unit of money", "元, 万元 or 亿元")
    return int(factor)


def day(text: str, epoch: date) -> date:
    """A day, written in any way that names one day only; of an instant with its zone, the day in Shanghai.

    Raises:
        Bad: no day of the calendar, or one that could be two.
    """
    plain = folded(text)
    time = _TIME.search(plain)
    found = _written(text, plain[: time.start()] if time else plain, epoch)
    if time is None or time["zone"] is None:
        return found
    offset = int(time["hours"] or 0) * 60 + int(time["minutes"] or 0)
    minutes = int(time["hour"]) * 60 + int(time["minute"]) + _SHANGHAI
    minutes += offset if time["sign"] == "-" else -offset
    try:
        return found + timedelta(days=minutes // _DAY)
    except OverflowError:
        raise Bad("no-such-day", f"there is no such day as {text!r}") from None


def _written(text: str, plain: str, epoch: date) -> date:
    plain = plain.replace(" ", "")
    if re.fullmatch(r"\d{8}", plain):
        return _calendar(text, plain[:4], plain[4:6], plain[6:])
    if found := _YEAR_FIRST.fullmatch(plain):
        year, month, of_month, month_zh, of_month_zh = found.groups()
        return _calendar(text, year, month or month_zh, of_month or of_month_zh)
    if found_day := serial_day(plain, epoch):
        return found_day
    if _YEAR_LAST.fullmatch(plain):
        raise Bad("ambiguous-day", f"{text!r} could be two days", "write the year first: 2020-03-01")
    raise Bad("not-a-day", f"{text!r} is not a day", "write it as 2020-03-01")


def serial_day(text: str, epoch: date) -> date | None:
    """The day that a sheet keeps as the number of days since its epoch."""
    if re.fullmatch(r"\d{5}(\.\d+)?", text) and _FIRST_SERIAL <= float(text) <= _LAST_SERIAL:
        return epoch + timedelta(days=int(float(text)))
    return None


def day_or_year(text: str, epoch: date) -> date:
    """A day; a year alone means its last day."""
    year = re.fullmatch(r"(\d{4})年?(?:\.0)?", folded(text))
    return _calendar(text, year.group(1), "12", "31") if year else day(text, epoch)


def _calendar(text: str, year: str, month: str, of_month: str) -> date:
    try:
        return date(int(year), int(month), int(of_month))
    except ValueError:
        raise Bad("no-such-day", f"there is no such day as {text!r}") from None


def whole(text: str, least: int, most: int) -> int:
    """
    Raises:
        Bad: not a whole number between the two.
    """
    plain = folded(text).replace(" ", "")
    if EXPONENT.fullmatch(plain):
        raise Bad("e-notation", f"{plain} is a rounded number: digits are lost", "write out all digits")
    if not re.fullmatch(r"-?(?:\d{1,3}(?:,\d{3})+|\d{1,18})(?:\.0+)?", plain):
        raise Bad("not-a-number", f"{text!r} is not a whole number")
    number = int(plain.partition(".")[0].replace(",", ""))
    if not least <= number <= most:
        raise Bad("out-of-range", f"{text!r} is not between {least} and {most}")
    return number


def word(text: str, kind: str) -> str:
    """One of the codes of `kind` in data/words.json, by itself or by what people call it.

    Raises:
        Bad: none of them.
    """
    plain = folded(text).lower()
    for code, others in WORDS[kind].items():
        if plain == code or plain in others:
            return str(code)
    raise Bad("unknown-word", f"{text!r} is none of those known", ", ".join(WORDS[kind]))


def line(text: str, most: int = 300) -> str:
    """
    Raises:
        Bad: too long.
    """
    plain = trimmed(text)
    if len(plain) > most:
        raise Bad("too-long", f"has {len(plain)} characters, {most} are taken")
    return plain
