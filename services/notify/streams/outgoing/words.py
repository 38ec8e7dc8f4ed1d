"""What people are told, in the reader's language, zone and forms of numbers and days.

The words are data (`data/notices.json`; `data/terms.json` for codes); the language is the reader's, never that of
whoever caused the event.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from services.kit.clock import instant
from services.kit.languages import nearest
from services.notify.domain import Message

DEFAULT = "zh"
# A digest is read by a person.
_LISTED = 200


def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((files("services.notify") / "data" / name).read_text("utf-8"))
    return found


CATALOGUE = _read("notices.json")
# What codes and the services' own reasons mean, as the console says it.
TERMS = _read("terms.json")
_OBSERVED = re.compile(r"(?P<indicator>\w+) = (?P<value>\S+), observed in project ")


@dataclass(frozen=True)
class Names:
    """Names of what an event is about, in each language that they have."""

    county: Mapping[str, Any] | None = None
    partner: Mapping[str, Any] | None = None
    project: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Voice:
    """A reader's language (`zh` or `en`), the locale of numbers and days, and the zone."""

    lang: str
    locale: Locale
    zone: str

    @classmethod
    def of(cls, tag: str, zone: str) -> "Voice":
        return cls(nearest(tag) or DEFAULT, _locale(tag), zone)

    def say(self, key: str, **values: Any) -> str:
        """A sentence of the catalogue."""
        return str(CATALOGUE[key][self.lang]).format(**values)

    def tell(self, envelope: Mapping[str, Any], names: Names) -> str:
        """An event in one sentence."""
        words = CATALOGUE["events"].get(envelope["type"], CATALOGUE["unknown"])
        values = _Values(self, envelope, names)
        try:
            return str(words[self.lang]).format_map(values)
        except (LookupError, TypeError, ValueError, ArithmeticError):
            # Written in a way that this version does not know; it must not hold up all that follow.
            return self.say("unknown", type=envelope["type"])

    def when(self, envelope: Mapping[str, Any]) -> str:
        return self.say("happened", time=self.time(instant(envelope["time"])), zone=self.zone)

    def time(self, moment: datetime) -> str:
        return format_datetime(moment, "medium", tzinfo=ZoneInfo(self.zone), locale=self.locale)

    def day(self, text: str) -> str:
        return format_date(date.fromisoformat(text), "medium", locale=self.locale)

    def money(self, amount: str, currency: str) -> str:
        return format_currency(Decimal(amount), currency, locale=self.locale)

    def number(self, number: Any) -> str:
        return format_decimal(Decimal(str(number)), locale=self.locale)

    def as_(self, roles: Sequence[str]) -> str:
        """Why somebody is told: every role that lets them see it."""
        names = [CATALOGUE["roles"][role][self.lang] for role in roles if role in CATALOGUE["roles"]]
        return self.say("as", roles=self.join(names)) if names else ""

    def term(self, kind: str, code: str) -> str:
        """What a code means; a code that nobody knows stays as it is."""
        return str(TERMS[kind].get(code, {}).get(self.lang, code))

    def reason(self, text: str) -> str:
        """Why something was decided: what a person wrote as it is, what a service says of itself in this language."""
        if observed := _OBSERVED.match(text):
            return f"{self.term('indicators', observed['indicator'])} {self.number(observed['value'])}"
        rules = text.split(", ")
        if all(rule in TERMS["reasons"] for rule in rules):
            return self.join(self.term("reasons", rule) for rule in rules)
        # What follows names ids, and what failed within.
        first = text.partition(": ")[0]
        return self.term("reasons", first) if first in TERMS["reasons"] else text

    def join(self, words: Iterable[str]) -> str:
        return str(CATALOGUE["and"][self.lang]).join(words)

    def name(self, words: Mapping[str, Any] | None, otherwise: str) -> str:
        """A name in this language; in Chinese where there is no other, by its id where it has none."""
        found = (words or {}).get(self.lang) or (words or {}).get(DEFAULT)
        return str(found or otherwise)


class _Values(dict[str, str]):
    """What the placeholders of a sentence stand for, of the event's own data."""

    def __init__(self, voice: Voice, envelope: Mapping[str, Any], names: Names) -> None:
        super().__init__()
        self._voice = voice
        self._type = envelope["type"]
        self._data: Mapping[str, Any] = envelope["data"]
        self._names = names

    def __missing__(self, key: str) -> str:
        voice, data = self._voice, self._data
        match key:
            case "type":
                return str(self._type)
            case "county":
                return voice.name(data.get("name") or self._names.county, data.get("county_code", ""))
            case "partner":
                return voice.name(data.get("name") or self._names.partner, data.get("partner_id", ""))
            case "project" | "title":
                return voice.name(data.get("title") or self._names.project, data.get("project_id", ""))
            case "category":
                return voice.name(CATALOGUE["categories"].get(data.get("category")), data.get("category", ""))
            case "amount":
                return voice.money(data["amount"], data["currency"])
            case "allocated":
                return self._allocated(data["allocated"])
            case "because":
                return voice.say("because", reason=voice.reason(data["reason"])) if data.get("reason") else ""
            case "reopened":
                return voice.say("reopened") if data.get("reopened") else ""
            case "on" | "starts_on" | "due_on" | "was":
                return voice.day(data[key])
            case "progress":
                return str(format_percent(data["progress"] / 100, locale=voice.locale))
            case "rules":
                return voice.join(voice.term("reasons", rule) for rule in data["rules"])
            case "indicator":
                return voice.term("indicators", data["indicator"])
            case "value":
                return self._value(data["value"])
            case "counties":
                return voice.number(data["counties_reached"])
        value = data[key]
        return voice.number(value) if isinstance(value, int | float) else str(value)

    def _allocated(self, allocated: Mapping[str, Any]) -> str:
        if "amount" in allocated:
            return self._voice.money(allocated["amount"], allocated["currency"])
        return f"{self._voice.number(allocated['quantity'])} {allocated['unit']}"

    def _value(self, value: Any) -> str:
        if isinstance(value, Mapping):
            return f"{self._voice.number(value['numerator'])} / {self._voice.number(value['denominator'])}"
        if isinstance(value, bool):
            return self._voice.say("yes" if value else "no")
        return f"{self._voice.number(value)} {self._voice.term('units', self._data.get('unit', ''))}".strip()


def notice(voice: Voice, envelope: Mapping[str, Any], names: Names, roles: Sequence[str]) -> Message:
    """An event as a person reads it."""
    sentence = voice.tell(envelope, names)
    return _message(sentence, [sentence, voice.when(envelope)], voice.as_(roles), voice.lang)


def digest(voice: Voice, told: Sequence[Message], more: int = 0) -> Message:
    """What was gathered, in the order given, each in its sentence; `more` events are counted and no more."""
    heading = voice.say("digest", count=voice.number(len(told) + more))
    lines = [message.text for message in told[:_LISTED]]
    if more := more + len(told) - len(lines):
        lines.append(voice.say("more", count=voice.number(more)))
    items = "".join(f"<li>{_lines(line)}</li>" for line in lines)
    text = "\n\n".join([heading, *lines])
    return Message(
        subject=_subject(heading),
        text=text,
        html=f'<div lang="{voice.lang}"><p>{escape(heading)}</p><ol>{items}</ol></div>',
    )


def _message(subject: str, lines: Sequence[str], why: str, lang: str) -> Message:
    text = "\n".join([*lines, why]).strip()
    return Message(subject=_subject(subject), text=text, html=f'<div lang="{lang}"><p>{_lines(text)}</p></div>')


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _subject(text: str) -> str:
    # A line break would begin another header.
    return " ".join(text.split())[:150]


@cache
def _locale(tag: str) -> Locale:
    """The tag's own forms of numbers and days where it is of that language, or else the language's."""
    language = nearest(tag) or DEFAULT
    try:
        found = Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        found = None
    return found if found is not None and found.language == language else Locale(language)
