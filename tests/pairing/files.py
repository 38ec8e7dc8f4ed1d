"""Files handed in at the desk, and files made up for it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import xlsxwriter

from services.pairing.streams.imports import run_those_there
from tests.pairing.conftest import Desk

HERE = Path(__file__).parent
ODDITIES, REFERENCE = HERE / "oddities", HERE / "reference"
HEADER = "组织,县,类别,项目名称,承诺金额,单位,开始日期,结束日期"
PARTNERS = ("甲通信", "乙电商", "丙学校", "丁平台", "戊旅行")


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join((header, *rows, "")).encode()


def row(no: int, **changed: str) -> str:
    cells = {
        "partner": "甲通信",
        "county": "520324",
        "category": "网络覆盖",
        "title": f"光纤{no}",
        "amount": "350",
        "unit": "万元",
        "start": "2030-03-01",
        "end": "2030-12-31",
    } | changed
    return ",".join(cells.values())


def xlsx_of(rows: list[list[Any]], *, from_1904: bool = False) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"date_1904": from_1904}) as book:
        sheet = book.add_worksheet()
        for no, cells in enumerate(rows):
            sheet.write_row(no, 0, cells)
    return content.getvalue()


async def hand_in(
    desk: Desk,
    target: str,
    content: bytes,
    query: str = "",
    *,
    role: str = "coordinator",
    partner: str | None = None,
    key: str | None = None,
    name: str = "file.csv",
) -> httpx.Response:
    headers = desk.headers(role, partner=partner) | ({"idempotency-key": key} if key else {})
    return await desk.client.post(f"/imports/{target}{query}", files={"file": (name, content)}, headers=headers)


async def handed_in(desk: Desk, target: str, content: bytes, query: str = "", **more: Any) -> dict[str, Any]:
    """The import, when it is at its end."""
    answer = await hand_in(desk, target, content, query, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    if found["status"] == "running":
        async with desk.context.leader("imports") as lease:
            await run_those_there(desk.context, lease)
        found = await desk.get(f"/imports/{found['id']}")
    return found


async def programme(desk: Desk, *codes: str) -> dict[str, str]:
    """Five partners by name, and counties with empty cards; answers the partners' ids."""
    for code in codes:
        await desk.county(code, province=code[:2])
    return {name: await desk.partner(name={"zh": name, "en": name}) for name in PARTNERS}


def oddities() -> Iterator[Path]:
    return (path for path in sorted(ODDITIES.iterdir()) if path.name[:2].isdecimal())


def counts(of: dict[str, Any]) -> tuple[str, int, int, int, int]:
    assert of["rows"] == of["accepted"] + of["rejected_rows"] + of["repeats"]
    assert of["rejected_rows"] == len({one["row"] for one in of["rejected"]})
    return of["status"], of["rows"], of["accepted"], of["rejected_rows"], of["repeats"]
