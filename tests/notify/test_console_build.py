"""What the console is built into: within its budgets, said in both languages, with nothing from an unknown place."""

import base64
import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from schemas.funding import FundRefused
from services.projects.domain.counties import COUNTY_DELISTED

CONSOLE = Path(__file__).parents[2] / "services/notify/console"
SOURCES = CONSOLE / "src"
WORDS = SOURCES / "words"
PARTS = sorted(path.name for path in (WORDS / "zh").glob("*.json"))
KB = 1024


def size(pattern: str) -> int:
    """Bytes of all scripts of an entry, packed by gzip."""
    found = list((CONSOLE / "dist").glob(pattern))
    assert found, f"{pattern} is not built: make setup"
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in found)


def test_the_officers_script_is_small_enough_for_a_bad_line() -> None:
    assert size("assets/officer-*.js") <= 15 * KB


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_scripts_of_the_console_together_are_small_with_the_words_of_a_reader(language: str) -> None:
    assert size("assets/main-*.js") + size(f"assets/words-main-{language}-*.json") <= 60 * KB


def test_the_maps_data_are_a_small_file_of_their_own() -> None:
    assert size("assets/map-*.json") <= 20 * KB


def test_the_map_has_each_county_where_the_services_have_it() -> None:
    shown = json.loads((SOURCES / "pages/county/positions.map.json").read_text("utf-8"))
    with (CONSOLE.parents[1] / "projects/data/county_positions.csv").open(encoding="utf-8") as file:
        known = {row["code"]: (float(row["longitude"]), float(row["latitude"])) for row in csv.DictReader(file)}
    assert shown.keys() == known.keys()
    for code, (longitude, latitude) in known.items():
        assert shown[code] == [round(longitude, 2), round(latitude, 2)], code


def words(language: str, part: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((WORDS / language / part).read_text("utf-8"))
    return found


def said(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_say_the_same_things(part: str) -> None:
    zh, en = words("zh", part), words("en", part)
    assert zh.keys() == en.keys()
    for key in zh:
        assert zh[key].strip(), key
        assert said(zh[key]) - {"n"} == said(en[key]) - {"n"}, key
        assert re.search(r"[一-鿿]", zh[key]) or not re.search(r"[a-z]{4}", zh[key]), f"{key} is not in Chinese"


def test_there_is_a_catalogue_of_each_part_in_each_language_and_no_key_twice() -> None:
    assert sorted(path.name for path in (WORDS / "en").glob("*.json")) == PARTS
    keys = [key for part in PARTS for key in words("zh", part)]
    assert sorted(keys) == sorted(set(keys))


def used() -> Iterator[tuple[str, str]]:
    for path in [*SOURCES.rglob("*.ts"), *SOURCES.rglob("*.tsx")]:
        for key in re.findall(r'\bt\(\s*"([^"]+)"|(?:title|menu): "([^"]+)"', path.read_text("utf-8")):
            yield path.name, "".join(key)


def test_each_text_that_a_page_names_is_in_a_catalogue() -> None:
    known = {key for part in PARTS for key in words("zh", part)}
    assert [(path, key) for path, key in used() if key not in known] == []


def test_no_page_has_words_of_its_own() -> None:
    """Chinese outside of the catalogues is only in units of counting."""
    for path in SOURCES.rglob("*.tsx"):
        code = re.sub(r"//.*|/\*.*?\*/", "", path.read_text("utf-8"))
        assert not re.findall(r"[一-鿿]+", code.replace("中文", "")), path


def test_each_package_has_a_hash_and_no_address() -> None:
    packages = json.loads((CONSOLE / "package-lock.json").read_text("utf-8"))["packages"]
    for name, package in packages.items():
        if name:
            algorithm, _, digest = package["integrity"].partition("-")
            assert (algorithm, len(base64.b64decode(digest))) == ("sha512", 64), name
            assert "resolved" not in package, name


def test_each_category_indicator_and_unit_of_the_plans_has_a_name() -> None:
    plans = json.loads((CONSOLE.parents[1] / "projects/data/plans.json").read_text("utf-8"))
    indicators = [indicator for plan in plans.values() for indicator in plan["indicators"]]
    wanted = {f"category.{category}" for category in plans}
    wanted |= {f"indicator.{one['code']}" for one in indicators} | {f"unit.{one['unit']}" for one in indicators}
    assert wanted <= words("zh", "programme.json").keys()


def test_each_refusal_by_a_rule_of_a_service_has_a_sentence_of_its_own() -> None:
    """Those that every service has are told by their status."""
    _, rules = (CONSOLE.parents[2] / "docs/problems.md").read_text("utf-8").split("## pairing")
    rows = [line.split("|")[1] for line in rules.splitlines() if line.startswith("| `")]
    wanted = {f"problem.{rule}" for row in rows for rule in re.findall(r"`([\w-]+)`", row)}
    assert wanted
    assert wanted <= {key for part in PARTS for key in words("zh", part)}


def test_each_reason_that_a_service_gives_of_itself_has_words() -> None:
    services = CONSOLE.parents[1]
    code = {
        path.relative_to(services).as_posix(): path.read_text("utf-8")
        for name in ("pairing", "projects")
        for path in (services / name).rglob("*.py")
    }
    given = set(re.findall(r'(?:reason=|\.fail\(f)"([A-Za-z][^":{]+)', "\n".join(code.values())))
    given |= set(re.findall(r'yield "([a-z-]+)"', code["projects/domain/risk.py"]))
    given |= set(re.findall(r'return "([a-z-]+)", ', code["pairing/domain/observing.py"]))
    assert {"A newer round was completed.", "The pins cannot hold", "milestone-late", "sharp-fall"} <= given
    given |= {COUNTY_DELISTED, *get_args(get_type_hints(FundRefused)["reason"])}
    assert {f"reason.{reason}" for reason in given} <= words("zh", "console.json").keys()


def test_each_province_and_each_indicator_of_the_cards_has_a_name() -> None:
    data = CONSOLE.parents[1] / "pairing/data"
    for kind, part in (("province", "county"), ("indicator", "programme")):
        known = json.loads((data / f"{kind}s.json").read_text("utf-8"))
        assert {f"{kind}.{code}" for code in known} <= words("zh", f"{part}.json").keys()


def test_each_condition_of_a_pairing_has_words_for_when_it_is_not_met() -> None:
    domain = CONSOLE.parents[1] / "pairing/domain"
    code = "\n".join(path.read_text("utf-8") for path in domain.glob("*.py"))
    named = set(re.findall(r'(?:\brule=|is_enough\(\s*)"([a-z-]+)"', code))
    assert {"commitment-valid", "open-slots", "open-amount"} <= named
    assert {f"unmet.{rule}" for rule in named} <= words("zh", "problems.json").keys()


def test_the_pictures_of_the_documents_are_there_and_small() -> None:
    pictures = {path.name: path.stat().st_size for path in (CONSOLE.parents[2] / "docs/screenshots").glob("*.png")}
    texts = [
        path.read_text("utf-8") for path in (CONSOLE.parents[2] / "README.md", CONSOLE.parents[2] / "docs/console.md")
    ]
    named = {name for text in texts for name in re.findall(r"screenshots/([\w-]+\.png)", text)}
    assert named == pictures.keys()
    assert max(pictures.values()) <= 300_000
