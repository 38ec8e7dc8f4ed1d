"""Files as people have them, read without a database: encodings, sheets, headers, spellings, values."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from schemas.money import to_amount
from services.pairing.domain import Particulars, Partner
from services.pairing.domain.intake.commitments import Givers, Offer, judge_commitment
from services.pairing.domain.intake.gazetteer import Gazetteer
from services.pairing.domain.intake.headers import find_header, records
from services.pairing.domain.intake.judging import Judged
from services.pairing.domain.intake.sorting import Sorter, Surroundings
from services.pairing.domain.intake.table import open_table
from services.pairing.domain.intake.values import Bad
from services.pairing.domain.refusals import FileUnreadable
from tests.pairing.files import HEADER, REFERENCE, csv_of, oddities, row, xlsx_of

EXPECTED = json.loads((Path(__file__).parent / "oddities/expected.json").read_text("utf-8"))
THE_52 = {
    line["code"]: (line["name"], line["name_en"])
    for line in csv.DictReader((REFERENCE / "counties.csv").read_text("utf-8").splitlines())
}


class Everybody(Mapping[str, Sequence[Partner]]):
    """A partner for whatever a row calls it."""

    def __getitem__(self, name: str) -> Sequence[Partner]:
        of = Particulars(name={"zh": name, "en": name}, kind="enterprise", credit_code=None, reference=None)
        return (Partner(id=name, version=1, particulars=of, registered_at=datetime(2020, 1, 1, tzinfo=UTC)),)

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def judged(content: bytes, cards: Mapping[str, tuple[str, str | None]] = THE_52) -> list[Judged[Offer]]:
    table = open_table(content)
    gazetteer = Gazetteer(cards)
    return [
        judge_commitment(record, Givers(by_key=Everybody()), gazetteer)
        for record in records(table, find_header(table, "commitments"))
    ]


def read_row(offer: Offer) -> dict[str, str]:
    terms = offer.terms
    assert terms.prefers is not None
    found = {
        "org": offer.partner_id,
        "code": terms.prefers.counties[0],
        "category": terms.category,
        "amount": to_amount(terms.support.units, "CNY"),
        "start": terms.valid_from.isoformat(),
        "end": terms.valid_until.isoformat(),
    }
    return found if offer.received is None else found | {"received": to_amount(offer.received, "CNY")}


WHY = {
    "not a number": "not-a-number",
    "no such day": "no-such-day",
    "ambiguous": "ambiguous-county",
    "negative": "negative",
    "value says": "unit-clash",
    "total row": "total-row",
    "note row": "note-row",
    "10 fields": "too-many-fields",
}


@pytest.mark.parametrize("path", list(oddities()), ids=lambda path: path.name)
def test_each_odd_file_gives_what_is_right(path: Path) -> None:
    expected = EXPECTED[path.name]["expect"]
    rows = judged(path.read_bytes())
    sorted_rows = Sorter[Offer]("commitments", "i").sort(rows, Surroundings())
    accepted = [read_row(one.content) for one in sorted_rows.fresh if one.content]
    rejected = [(one.no, fault.column, fault.code) for one in sorted_rows.rejected for fault in one.faults]
    if path.name == "13_formula.csv":
        (only,) = sorted_rows.fresh
        assert only.content
        assert only.content.partner_id == '=HYPERLINK("http://x","y")'
        assert only.content.terms.title["zh"] == "@SUM(A1)"
    elif path.name == "16_merged_header.xlsx":
        first, _, third = expected["accepted"]
        for want in (first, third):
            want["amount"] = want.pop("pledged")
            want["category"] = accepted[expected["accepted"].index(want) // 2]["category"]
        assert accepted == [first, third]
        # 疏附县 has no card: outside the programme.
        assert rejected == [(5, "县", "outside-programme"), (7, None, "total-row")]
    else:
        whole = expected if isinstance(expected, dict) else {"accepted": expected, "rejected": []}
        assert accepted == whole["accepted"]
        wanted = [
            (one["row"], one.get("field"), next(code for why, code in WHY.items() if one["why"].startswith(why)))
            for one in whole["rejected"]
        ]
        assert rejected == wanted
    assert [one.no for one in sorted_rows.repeats] == ([7, 8] if path.name.startswith("08") else [])


def test_each_spelling_of_a_county_gives_its_code_or_is_refused_as_ambiguous() -> None:
    gazetteer = Gazetteer(THE_52)
    wrong = {}
    for line in csv.DictReader((REFERENCE / "county_variants.csv").read_text("utf-8").splitlines()):
        try:
            found = gazetteer.find(line["input"])
        except Bad as bad:
            found = "" if bad.code == "ambiguous-county" else bad.code
        if found != line["code_expected"]:
            wrong[line["input"]] = (found, line["code_expected"])
    assert wrong == {}


def test_an_ambiguous_name_is_refused_with_all_that_it_could_mean() -> None:
    with pytest.raises(Bad, match="622901 临夏市, 622921 临夏县"):
        Gazetteer(THE_52).find("临夏")


def test_a_name_of_another_county_is_told_from_a_new_one() -> None:
    gazetteer = Gazetteer(THE_52)
    assert gazetteer.not_called("520324", "务川县") == "520326"
    for code, name in (("520324", "正安县"), ("520324", "新立县"), ("990101", "务川县"), ("622921", "临夏")):
        assert gazetteer.not_called(code, name) is None


def test_a_county_known_by_its_card_alone_is_found_by_its_name() -> None:
    assert Gazetteer({"990101": ("新立县", "Xinli County")}).find("xinli county") == "990101"


def test_all_faults_of_a_row_are_said_at_once() -> None:
    (bad,) = judged(csv_of(row(1, county="4.50225E+05", category="修路", amount="-5", start="2020/2/30", end="")))
    assert [(fault.column, fault.code) for fault in bad.faults] == [
        ("县", "e-notation"),
        ("类别", "unknown-word"),
        ("承诺金额", "negative"),
        ("开始日期", "no-such-day"),
        ("结束日期", "missing"),
    ]


def test_a_row_that_contradicts_itself_is_refused() -> None:
    header = f"{HEADER},优先,排除,项目数,仅限"
    cells = [
        row(1, county="451228", start="2030-12-31", end="2030-01-01") + ",,,,",
        row(2, county="451228") + ",,广西,,",
        row(3, county="") + ",52 530627,贵州,,",
        row(4, county="451228", amount="0.02", unit="元") + ",,,3,",
        row(5, county="451228") + ",,,,云南",
        row(6, county="") + ",,广西,,451228",
    ]
    rows = judged(csv_of(*cells, header=header))
    assert [[fault.code for fault in one.faults] for one in rows] == [
        ["ends-before-it-begins"],
        ["preferred-and-excluded"],
        ["preferred-and-excluded"],
        ["too-many-projects"],
        ["outside-only"],
        ["nothing-left"],
    ]


def test_columns_may_stand_in_any_order_and_in_either_language() -> None:
    shuffled = csv_of(
        "2030-12-31,3500000.00,coverage,甲通信,451228,Fibre,2030-03-01,R1",
        header=("valid_until,amount,category,partner_id,county,title,valid_from,reference"),
    )
    (one,) = judged(shuffled)
    assert one.content
    assert one.content.terms.reference == "R1"
    assert one.content.terms.support.units == 350000000


@pytest.mark.parametrize(
    "amount",
    [
        "承诺金额（万元）",
        "承诺金额【万元】",
        "承诺金额[单位：万元]",
        "承诺金额/万元",
        "承诺金额 ／ 人民币万元",
        "承诺金额(unit: 万元)",
    ],
)
def test_a_unit_may_stand_in_the_header(amount: str) -> None:
    header = HEADER.replace("承诺金额,单位", amount)
    (one,) = judged(csv_of("甲,451228,网络覆盖,光纤,350,2030-03-01,2030-12-31", header=header))
    assert one.content
    assert one.content.terms.support.units == 350000000


def test_goods_are_counted_and_money_is_not_guessed() -> None:
    header = "组织,类别,项目名称,支持方式,数量,单位,开始日期,结束日期"
    (one, other) = judged(
        csv_of(
            "甲,远程教育,平板,物资,100,台,2030-1-1,2030-2-1",
            "甲,远程教育,平板,物资,1.5,,2030-1-1,2030-2-1",
            header=header,
        )
    )
    assert one.content
    assert (one.content.terms.support.units, one.content.terms.support.measure) == (100, "台")
    assert [fault.code for fault in other.faults] == ["not-a-number", "missing"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty: 0 rows"),
        (b"\r\n\r\n", "empty: 0 rows"),
        (b"\xff\xd8\xff\xe0 a photograph \xff", "no text in UTF-8"),
        (csv_of(row(1), row(2) + ',"光纤', row(3) + ",光缆", header=f"{HEADER},英文名称"), "In row 3 a quote"),
        (csv_of(row(1))[:-3] + "光".encode()[:2], "UTF-8 with broken characters"),
        (csv_of(row(1)).replace("纤".encode(), "纤".encode()[:1] + b"?"), "UTF-8 with broken characters"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "save it as XLSX"),
        (b"PK\x03\x04 broken", "broken"),
        ("甲,乙\r\n1,2\r\n".encode(), "header that is known"),
        ("组织,类别\r\n甲,网络覆盖\r\n".encode(), "columns are missing"),
        (csv_of(header=f"{HEADER},承诺资金"), "mean the same"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_in_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(FileUnreadable, match=why):
        find_header(open_table(content), "commitments")


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, member in members.items():
            packed.writestr(name, member)
    return content.getvalue()


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    bomb = zipped({"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": bytes(200 * 1024**2)})
    assert len(bomb) < 1024**2
    with pytest.raises(FileUnreadable, match="unpacks to many hundred times"):
        open_table(bomb)


def test_a_workbook_that_declares_entities_is_refused() -> None:
    book = b'<!DOCTYPE a [<!ENTITY b "boom">]><workbook>&b;</workbook>'
    with pytest.raises(FileUnreadable, match="entities"):
        open_table(zipped({"xl/workbook.xml": book}))


def test_a_cell_far_out_costs_nothing() -> None:
    content = io.BytesIO(xlsx_of([HEADER.split(","), row(1, county="451228").split(",")]))
    with zipfile.ZipFile(content) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    members["xl/worksheets/sheet1.xml"] = sheet.replace(b"</sheetData>", far)
    assert [one.no for one in judged(zipped(members)) if one.content] == [2]


def test_a_formula_cell_of_a_sheet_is_refused() -> None:
    rows = [HEADER.split(","), row(1, county="451228", amount="=100*3").split(",")]
    (one,) = judged(xlsx_of(rows))
    assert [(fault.column, fault.code) for fault in one.faults] == [("承诺金额", "formula")]


def test_the_sheet_is_read_as_another_reader_reads_it(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["a", "ü", "编号"],
        [1, 2.5, -3],
        [0.1, 1e20, 123456789012345],
        ["", "x y", True],
        ["<&>", "'", 1e-7],
    ]
    content = xlsx_of(rows)
    (tmp_path / "book.xlsx").write_bytes(content)
    theirs = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "book.xlsx")).get_sheet_by_index(0).to_python()
    ours = [line.cells for line in open_table(content).read()]
    for mine, other in zip(ours, theirs, strict=True):
        for cell, value in zip([*mine, *[""] * (len(other) - len(mine))], other, strict=True):
            if isinstance(value, bool):
                assert cell == str(value).upper()
            elif isinstance(value, float):
                assert float(cell) == value
                assert "e" not in cell.lower()
            else:
                assert cell == value


def test_dates_of_a_workbook_from_1904_count_from_there() -> None:
    content = io.BytesIO(xlsx_of([HEADER.split(","), [*row(1, county="451228").split(",")[:6], 42429, 42734]]))
    with zipfile.ZipFile(content) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(b"<workbookPr", b'<workbookPr date1904="1"')
    (one,) = judged(zipped(members))
    assert one.content
    assert one.content.terms.valid_from == date(2020, 3, 1)
