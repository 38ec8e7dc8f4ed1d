"""The example programme's files: sound, and clear about what is fact and what is illustration."""

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from deploy.example.files import Programme, Unusable, read
from deploy.example.load import EXAMPLE
from schemas.money import to_minor
from schemas.shapes import BOOKED_KINDS, CATEGORIES

DAY = date(2026, 3, 1)
GUIZHOU = "52"


@pytest.fixture(scope="module")
def programme() -> Programme:
    return read(EXAMPLE, DAY)


def rows(name: str) -> list[dict[str, str]]:
    with (EXAMPLE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_has_its_own_key(programme: Programme) -> None:
    for name, key, read_in in (
        ("partners.csv", "reference", len(programme.partners)),
        ("commitments.csv", "reference", len(programme.commitments)),
        ("counties.csv", "code", 52),
    ):
        keys = [row[key] for row in rows(name)]
        assert len(keys) == len(set(keys)) == read_in


def test_county_codes_are_six_digits_of_their_province(programme: Programme) -> None:
    assert all(re.fullmatch(r"\d{6}", code) and card["province"] == code[:2] for code, card in programme.cards.items())
    assert {row["county_code"] for row in rows("needs.csv")} == set(programme.cards)


def test_all_nine_counties_of_guizhou_take_part(programme: Programme) -> None:
    listed = {row["code"] for row in rows("counties.csv") if row["code"].startswith(GUIZHOU)}
    assert len(listed) == 9
    assert listed <= set(programme.cards)


def test_each_partner_has_a_commitment_and_each_commitment_a_partner(programme: Programme) -> None:
    assert {offer.partner for offer in programme.commitments.values()} == set(programme.partners)


def test_a_named_partner_has_its_source_and_an_invented_one_says_so() -> None:
    for row in rows("partners.csv"):
        if row["standing"] == "known by name":
            assert row["evidence"]
            assert row["source"]
        else:
            assert row["standing"] == "illustration"
            assert row["name_zh"].startswith("示例")
            assert row["name_en"].startswith("Example ")
            assert not row["source"]
    assert Counter(row["standing"] for row in rows("partners.csv"))["known by name"] == 9


def test_every_title_says_that_it_is_an_illustration(programme: Programme) -> None:
    for offer in programme.commitments.values():
        assert offer.body["title"]["zh"].endswith("（示例）")
        assert offer.body["title"]["en"].endswith("(illustration)")


def test_each_commitment_is_sound_and_has_begun_on_the_day_of_loading(programme: Programme) -> None:
    for offer in programme.commitments.values():
        support = offer.body["support"]
        assert offer.body["category"] in CATEGORIES
        assert offer.body["valid_from"] <= DAY.isoformat() < offer.body["valid_until"]
        if support["kind"] in BOOKED_KINDS:
            assert to_minor(support["amount"], support["currency"]) > 0
        else:
            assert support["quantity"] >= offer.body["projects_max"]


def test_every_place_that_a_commitment_names_takes_part(programme: Programme) -> None:
    provinces = {code[:2] for code in programme.cards}
    for offer in programme.commitments.values():
        for places in (offer.body.get("only", {}), offer.body.get("prefers", {})):
            assert set(places.get("counties", ())) <= set(programme.cards)
            assert set(places.get("provinces", ())) <= provinces


def test_money_and_what_is_not_booked_both_occur_in_and_outside_guizhou(programme: Programme) -> None:
    kinds = {
        ("only" in offer.body, offer.body["support"]["kind"] in BOOKED_KINDS)
        for offer in programme.commitments.values()
    }
    assert len(kinds) == 4


def test_dates_count_from_the_day_of_loading(programme: Programme) -> None:
    later = read(EXAMPLE, date(2026, 3, 11))
    for code, card in programme.cards.items():
        moved = date.fromisoformat(later.cards[code]["valid_from"]) - date.fromisoformat(card["valid_from"])
        assert moved.days == 10


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("programme.json", "{", "programme.json is not JSON"),
        ("programme.json", "{}", "programme.json lacks"),
        ("commitments.csv", "reference,partner\n", "commitments.csv has no rows"),
        ("needs.csv", "county_code,category,slots\n520425,coverage,1\n", "needs.csv has no column 'severity'"),
        ("needs.csv", "county_code,category,slots,severity\n520425,coverage,two,0.5\n", "needs.csv, line 2"),
    ],
)
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    for path in EXAMPLE.iterdir():
        if path.suffix in (".csv", ".json"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(Unusable, match=re.escape(says)) as caught:
        read(tmp_path, DAY)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"programme\.json is missing"):
        read(tmp_path, DAY)
