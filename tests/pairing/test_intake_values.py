"""Cells as people fill them in: amounts and days."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pairing.domain.intake import values
from services.pairing.domain.intake.table import EPOCH
from services.pairing.domain.intake.values import Bad


@pytest.mark.parametrize(
    ("text", "units", "minor"),
    [
        ("1,200.50", [], 120050),
        ("3.5万元", [], 3500000),
        ("￥１，２００", [], 120000),
        ("¥1,020.00", [], 102000),
        ("0.05", [("unit column", "亿元")], 500000000),
        ("350万元", [("header", "万元")], 350000000),
        ("350万元", [("header", "万")], 350000000),
        ("350", [("header", ""), ("unit column", "人民币")], 35000),
        ("2000.00", [], 200000),
        (".5", [], 50),
    ],
)
def test_amounts_are_read_to_the_fen(text: str, units: list[tuple[str, str]], minor: int) -> None:
    assert values.amount(text, units) == minor


@pytest.mark.parametrize(
    ("text", "units", "code"),
    [
        ("一百二十", [], "not-a-number"),
        ("1,20", [], "not-a-number"),
        ("1.200,50", [], "not-a-number"),
        ("-5", [], "negative"),
        ("(5)", [], "negative"),
        ("−5", [], "negative"),
        ("0", [], "zero"),
        ("0.005", [], "too-precise"),
        ("3.5E+06", [], "e-notation"),
        ("5斤", [], "unknown-unit"),
        ("350万元", [("unit column", "元")], "unit-clash"),
        ("99999999999999亿", [], "too-large"),
        ("1000000000000000", [], "too-large"),
    ],
)
def test_what_is_no_amount_is_refused_by_name(text: str, units: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(Bad) as refused:
        values.amount(text, units)
    assert refused.value.code == code


@given(st.integers(1, 10**15), st.sampled_from(["", "元", "万元", "亿元"]), st.booleans())
def test_an_amount_is_the_same_however_it_is_written(fen: int, unit: str, grouped: bool) -> None:
    factor = {"": 1, "元": 1, "万元": 10**4, "亿元": 10**8}[unit]
    digits = format(Decimal(fen) / 100 / factor, ",f" if grouped else "f")
    assert values.amount(digits, [("unit column", unit)]) == fen


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2020/3/1",
            "2020-03-01",
            "2020.3.1",
            "2020年3月1日",
            "２０２０－０３－０１",
            "20200301",
            "43891",
            "43891.33",
        ),
        *("2020-03-01 00:00:00", "2020-03-01T08:00", "2020年 3月 1日", "2020/03/01 8:00"),
    ],
)
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert values.day(text, EPOCH) == date(2020, 3, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-29T16:00:00.000Z",
        "2020-03-01T15:59Z",
        "2020-03-01T00:00:00+08:00",
        "2020-03-01T23:59:59+0800",
        "2020/3/2 1:00+10:00",
        "2020-02-29 22:00-06:00",
    ],
)
def test_of_an_instant_the_day_in_shanghai_counts(text: str) -> None:
    assert values.day(text, EPOCH) == date(2020, 3, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2020/2/30", "no-such-day"),
        ("9999-12-31T20:00Z", "no-such-day"),
        ("20201301", "no-such-day"),
        ("3/1/2020", "ambiguous-day"),
        ("明天", "not-a-day"),
        ("2020", "not-a-day"),
        ("120", "not-a-day"),
    ],
)
def test_what_is_no_day_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(Bad) as refused:
        values.day(text, EPOCH)
    assert refused.value.code == code


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_each_way_to_write_a_day_means_that_day(day: date) -> None:
    ways = [f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", str((day - EPOCH).days)]
    assert {values.day(way, EPOCH) for way in ways} == {day}
