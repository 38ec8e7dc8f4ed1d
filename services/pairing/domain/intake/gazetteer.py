"""Which county is meant: by code, full name, short name where only one has it, or a name that it had before.

What could be two is refused with both named, even where only one of them takes part: whoever wrote
it may have meant the other.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.pairing.domain.intake.values import EXPONENT, Bad, folded
from services.pairing.domain.renames import renames

_DATA = Path(__file__).parents[2] / "data"
PROVINCES: Mapping[str, str] = json.loads((_DATA / "provinces.json").read_text(encoding="utf-8"))

_CODE = re.compile(r"(\d{6})(?:0{6})?(?:\.0+)?")
_REGION = re.compile(r"(壮族|回族|维吾尔)?(省|市|自治区|特别行政区)$")
_AREA = re.compile(r"(地区|盟|市|(?:\w{1,6}族)*自治州|州)$")
# Peoples whose name may stand between a county's own name and 自治县.
_PEOPLES = (
    "各 壮 苗 侗 瑶 仫佬 毛南 京 水 彝 回 布依 土家 仡佬 白 傣 傈僳 怒 独龙 普米 拉祜 佤 布朗 哈尼 纳西 景颇 德昂 阿昌 "
    "基诺 藏 羌 门巴 珞巴 东乡 保安 撒拉 裕固 土 蒙古 满 朝鲜 锡伯 达斡尔 鄂温克 鄂伦春 赫哲 哈萨克 柯尔克孜 塔吉克 "
    "乌孜别克 塔塔尔 俄罗斯 维吾尔 黎 畲 高山"
).split()
_PEOPLE = re.compile("(?:" + "|".join(sorted(_PEOPLES, key=len, reverse=True)) + ")族$")


@dataclass(frozen=True, kw_only=True)
class Place:
    code: str
    name: str
    name_en: str
    prefecture: str

    @property
    def province(self) -> str:
        return PROVINCES.get(self.code[:2], "")


@cache
def places() -> tuple[Place, ...]:
    with (_DATA / "places.csv").open(encoding="utf-8", newline="") as rows:
        return tuple(Place(**row) for row in csv.DictReader(rows))


class Gazetteer:
    """`cards` are the counties that take part: code, and their names on their cards."""

    def __init__(self, cards: Mapping[str, tuple[str, str | None]] | None = None) -> None:
        self._cards = cards or {}
        self._places = {place.code: place for place in places()}
        self._names: dict[str, set[str]] = {}
        self._now = self._successors()
        for place in self._places.values():
            self._learn(place.code, place.name, place.name_en)
        for one in renames():
            known = one.new_code if one.new_code in self._places else one.old_code
            for name in (one.old_name, one.new_name):
                self._learn(self._now.get(known, known), name, "")
        for code, (name, name_en) in self._cards.items():
            self._places.setdefault(code, Place(code=code, name=name, name_en=name_en or "", prefecture=""))
            self._learn(code, name, name_en or "")

    def find(self, text: str) -> str:
        """The code of the county that is meant; whether it takes part is another question.

        Raises:
            Bad: nobody is called so, or several are.
        """
        plain = folded(text)
        if EXPONENT.fullmatch(plain.replace(" ", "")):
            raise Bad("e-notation", f"{plain} is a rounded number: the code's digits are lost", "give six digits")
        if found := _CODE.fullmatch(plain.replace(" ", "")):
            return self.successor(found.group(1))
        if plain.replace(" ", "").isdecimal():
            raise Bad("not-a-code", f"{plain} is no county code: those have six digits", "give six digits")
        codes = self._by_name(plain)
        if not codes:
            raise Bad("unknown-county", f"no county is called {plain!r}", "give its six-digit code")
        if len(codes) > 1:
            listed = ", ".join(f"{code} {self._places[code].name}" for code in sorted(codes))
            raise Bad("ambiguous-county", f"ambiguous: {listed}", "give the six-digit code")
        return next(iter(codes))

    def name(self, code: str) -> str | None:
        place = self._places.get(code)
        return place.name if place else None

    def name_en(self, code: str) -> str | None:
        place = self._places.get(code)
        return place.name_en or None if place else None

    def not_called(self, code: str, name: str) -> str | None:
        """Of a known county that is not called so the one that is; None where it might be, or nobody else is."""
        others = self._by_name(folded(name)) if code in self._places else set()
        return min(others) if others and code not in others else None

    def takes_part(self, code: str) -> bool:
        return code in self._cards

    def successor(self, code: str) -> str:
        """The code under which a county that was renamed or re-coded is known here."""
        return code if code in self._cards else self._now.get(code, code)

    def _successors(self) -> dict[str, str]:
        """Old codes, and newer ones than the programme's, each to the programme's."""
        found = {}
        for one in renames():
            known = one.new_code if one.new_code in self._places else one.old_code
            for code in (one.old_code, one.new_code):
                if code != known and code not in self._places:
                    found[code] = known
        # 米林县 changed twice: 542623, 540422, 540481.
        return {code: found.get(known, known) for code, known in found.items()}

    def _learn(self, code: str, name: str, name_en: str) -> None:
        for form in (*_forms(name), name_en.lower()):
            if form:
                self._names.setdefault(form, set()).add(code)

    def _by_name(self, plain: str) -> set[str]:
        name = plain.lower() if plain.isascii() else plain.replace(" ", "")
        if name in self._names:
            return self._names[name]
        found: set[str] = set()
        for start in range(1, len(name) - 1):
            above = name[:start]
            found |= {code for code in self._names.get(name[start:], ()) if self._lies_in(code, above)}
            if found:
                break
        return found

    def _lies_in(self, code: str, above: str) -> bool:
        """Whether `above` is the province, the prefecture, or both in this order."""
        place = self._places[code]
        provinces = _short_and_long(place.province, _REGION)
        prefectures = _short_and_long(place.prefecture, _AREA)
        return above in {province + prefecture for province in provinces for prefecture in prefectures}


def _short_and_long(name: str, suffix: re.Pattern[str]) -> Iterable[str]:
    short = suffix.sub("", name)
    forms = {"", name, short}
    if suffix is _AREA and name.endswith("自治州"):
        forms.add(_bare_of_peoples(name.removesuffix("自治州")))
        forms.add(_bare_of_peoples(name.removesuffix("自治州")) + "州")
    return forms


def _bare_of_peoples(name: str) -> str:
    """融水苗族 → 融水; 东乡族, which has no other name, → 东乡."""
    while True:
        rest = _PEOPLE.sub("", name)
        if rest == name:
            return name
        if not rest:
            return name.removesuffix("族")
        name = rest


def _forms(name: str) -> set[str]:
    """How people shorten a county's name. 岷县 stays whole: one character alone means nothing."""
    for suffix in ("自治县", "自治旗"):
        if name.endswith(suffix):
            bare = _bare_of_peoples(name.removesuffix(suffix))
            return {name, bare + suffix, bare + suffix[-1], *([bare] if len(bare) > 1 else [])}
    bare = name[:-1] if name[-1:] in "县市区旗" else name
    return {name, *([bare] if len(bare) > 1 else [])}


def province_of(text: str) -> str:
    """The two digits of a province, by themselves or by its name.

    Raises:
        Bad: there is none of that name.
    """
    plain = folded(text).replace(" ", "")
    if re.fullmatch(r"\d{2}", plain):
        return plain
    for code, name in PROVINCES.items():
        if plain in (name, _REGION.sub("", name)):
            return code
    raise Bad("unknown-province", f"{text!r} is no province", "give its two digits or its name")
