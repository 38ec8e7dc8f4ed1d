"""Files that no person made by honest means, or by mistake only: each a clear problem, and nothing stored."""

import io
import zipfile
from typing import Any

import pytest

from tests.pairing.conftest import Desk
from tests.pairing.files import HEADER, csv_of, hand_in, handed_in, programme, row, xlsx_of

COUNTIES = ("520324", "520326")
TARGETS = {"commitments": HEADER, "counties": "code,name,needs", "partners": "单位名称,性质"}


def cells(text: str) -> list[Any]:
    return text.split(",")


def rezipped(content: bytes, **changed: bytes) -> bytes:
    """A workbook with its first sheet, or another part, in other words."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, changed.get(name.rpartition("/")[2].removesuffix(".xml"), part))
    return made.getvalue()


def sheet_of(*rows: str, after: str = "") -> bytes:
    return f"<worksheet><sheetData>{''.join(rows)}</sheetData>{after}</worksheet>".encode()


def sheet_row(no: int | str, text: str) -> str:
    inline = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in text.split(","))
    return f'<row r="{no}">{inline}</row>'


HONEST = xlsx_of([cells(HEADER), cells(row(1))])
BAD_BOOKS = {
    "a bomb": rezipped(HONEST, sheet1=b" " * (200 * 1024**2)),
    "a bomb of merged cells": rezipped(
        HONEST,
        sheet1=sheet_of(
            sheet_row(1, HEADER),
            after="".join(f'<mergeCell ref="A{no}:A{no + 19_000}"/>' for no in range(1, 20_000)),
        ),
    ),
    "entities": rezipped(HONEST, sheet1=b'<!DOCTYPE a [<!ENTITY b "boom">]><worksheet>&b;</worksheet>'),
    "a row too far": rezipped(HONEST, sheet1=sheet_of(sheet_row(1, HEADER), sheet_row(10**12, row(1)))),
    "a row twice": rezipped(HONEST, sheet1=sheet_of(sheet_row(1, HEADER), *[sheet_row(2, row(1))] * 2)),
    "a row that is no number": rezipped(HONEST, sheet1=sheet_of(sheet_row("x", HEADER))),
    "no XML": rezipped(HONEST, sheet1=b"<worksheet><sheetData>"),
    "a text that is not there": rezipped(HONEST, sharedStrings=b"<sst/>"),
    "half of it": HONEST[: len(HONEST) // 2],
    "another ZIP": rezipped(HONEST, workbook=b"<a/>"),
}


@pytest.mark.parametrize("name", BAD_BOOKS)
async def test_a_workbook_that_was_made_to_harm_or_is_broken_is_refused(desk: Desk, name: str) -> None:
    answer = await hand_in(desk, "commitments", BAD_BOOKS[name], name="book.xlsx")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/file-unreadable"), answer.text
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["detail"]) == ("/file", answer.json()["detail"])
    assert await desk.database.imports.count_documents({}) == 0


@pytest.mark.parametrize("target", TARGETS)
async def test_a_file_of_nothing_is_refused_with_0_rows(desk: Desk, target: str) -> None:
    for nothing in (b"", b"\r\n \r\n", b"\xef\xbb\xbf", bytes(3)):
        answer = await hand_in(desk, target, nothing)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/file-unreadable")
        assert "0 rows" in answer.json()["detail"]
    header = TARGETS[target]
    for file in (csv_of(header=header), csv_of(",,", " ,,", header=header), xlsx_of([cells(header)])):
        of = await handed_in(desk, target, file)
        assert (of["status"], of["rows"], of["accepted"]) == ("refused", 0, 0)
        assert of["problem"] == "0 rows: nothing stands below the header"


@pytest.mark.parametrize("column", range(8))
async def test_a_formula_in_a_cell_is_a_fault_of_that_cell(desk: Desk, column: int) -> None:
    await programme(desk, *COUNTIES)
    bad = cells(row(1))
    bad[column] = "=1+1"
    calculated = xlsx_of([cells(HEADER), bad, cells(row(2))])
    bad[column] = "@"
    without = sheet_row(2, ",".join(bad)).replace("<is><t>@</t></is>", "<f>1+1</f>")
    new = rezipped(HONEST, sheet1=sheet_of(sheet_row(1, HEADER), without, sheet_row(3, row(2))))
    for file in (calculated, new):
        of = await handed_in(desk, "commitments", file, name="book.xlsx")
        assert (of["status"], of["rows"], of["accepted"]) == ("refused", 2, 1)
        (fault,) = of["rejected"]
        assert (fault["row"], fault["column"], fault["code"]) == (2, cells(HEADER)[column], "formula")
        assert fault["fix"] == "paste it as a value"


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"county": "5.20324E+05"}, "县"),
        ({"county": "5.20324e5"}, "县"),
        ({"county": "５.20324Ｅ+05"}, "县"),
        ({"county": "520324E0"}, "县"),
        ({"amount": "3.5E+02"}, "承诺金额"),
    ],
    ids=str,
)
async def test_what_was_rounded_to_e_notation_is_a_fault_of_its_cell(
    desk: Desk, changed: dict[str, str], column: str
) -> None:
    await programme(desk, *COUNTIES)
    for file in (csv_of(row(1, **changed)), xlsx_of([cells(HEADER), cells(row(1, **changed))])):
        of = await handed_in(desk, "commitments", file)
        assert [(one["row"], one["column"], one["code"]) for one in of["rejected"]] == [(2, column, "e-notation")]
    counties = csv_of("5.20324E+05,正安县,coverage:1", header=TARGETS["counties"])
    of = await handed_in(desk, "counties", counties)
    assert [(one["row"], one["column"], one["code"]) for one in of["rejected"]] == [(2, "code", "e-notation")]


async def test_a_row_that_contradicts_itself_is_refused_with_what_it_says(desk: Desk) -> None:
    await programme(desk, *COUNTIES)
    header = f"{HEADER},优先,排除,项目数"
    file = csv_of(
        row(1, start="2030-12-31", end="2030-01-01") + ",,,",
        row(2) + ",,贵州,",
        row(3, county="") + ",520326,520326,",
        row(4, amount="0.02", unit="元") + ",,,3",
        header=header,
    )
    of = await handed_in(desk, "commitments", file)
    assert [(one["row"], one["column"], one["code"]) for one in of["rejected"]] == [
        (2, "结束日期", "ends-before-it-begins"),
        (3, "排除", "preferred-and-excluded"),
        (4, "排除", "preferred-and-excluded"),
        (5, "项目数", "too-many-projects"),
    ]


async def test_what_is_no_upload_is_refused(desk: Desk) -> None:
    headers = desk.headers("coordinator")
    path = "/imports/commitments"
    two = [("file", ("a.csv", csv_of(row(1)))), ("file", ("b.csv", csv_of(row(2))))]
    broken = {"content-type": "multipart/form-data; boundary=x"}
    for answer, status in (
        (await desk.client.post(path, files=two, headers=headers), 422),
        (await desk.client.post(path, files={"other": ("a.csv", b"a")}, headers=headers), 422),
        (await desk.client.post(path, data={"file": "text"}, files={"x": b""}, headers=headers), 422),
        (await desk.client.post(path, content=b"--x\r\nbroken", headers=headers | broken), 422),
        (await desk.client.post(f"{path}?dry_run=perhaps", files=two[:1], headers=headers), 422),
        (await desk.client.post(f"{path}?colour=red", files=two[:1], headers=headers), 422),
        (await desk.client.post(path, content=csv_of(row(1)), headers=headers | {"content-type": "text/csv"}), 415),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


async def test_what_is_wrong_is_told_in_the_language_that_is_asked_for(desk: Desk) -> None:
    await programme(desk, *COUNTIES)
    of = await handed_in(desk, "commitments", csv_of(row(1), row(2, amount="-1")))
    assert of["rejected"][0]["detail"] == "'-1' is negative"
    chinese = desk.headers("coordinator") | {"accept-language": "zh-Hans"}
    view = (await desk.client.get(f"/imports/{of['id']}", headers=chinese)).json()
    assert view["rejected"][0]["detail"] == "'-1' 是负数"
    assert view["problem"].startswith("2 行中有 1 行有误")
    back = (await desk.client.get(f"/imports/{of['id']}/problems", headers=chinese)).content.decode("utf-8-sig")
    assert "承诺金额: '-1' 是负数 (请写大于 0 的金额)" in back
