"""A statement opens and closes with what its rows sum to, in each currency, for any period, in each format."""

import csv
import io
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st

from services.funding.api.tables import as_csv, as_xlsx
from services.funding.domain import Movement, Statement, statement_of
from services.funding.domain.accounts import source_of
from tests.funding.builders import submitted
from tests.funding.conftest import Desk
from tests.funding.test_api import problem

DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 9))
MOVEMENTS = st.lists(
    st.tuples(DAYS, st.integers(-(10**17), 10**17), st.sampled_from(("CNY", "USD", "JPY"))), max_size=20
)


def movements(rows: list[tuple[date, int, str]]) -> list[Movement]:
    return [
        Movement(f"{no:012d}", on.isoformat(), "spent", None, amount, currency)
        for no, (on, amount, currency) in enumerate(sorted(rows, key=lambda row: row[0]), start=1)
    ]


def statement(rows: list[Movement], opening: dict[str, int] | None = None) -> Statement:
    return statement_of(source_of("p"), opening or {}, rows, from_=None, until=None)


@given(MOVEMENTS, DAYS)
def test_each_line_and_the_closing_balance_follow_from_the_opening_and_the_rows(rows, cut) -> None:
    all_rows = movements(rows)
    before = Counter()
    for row in all_rows:
        if row.booked_on < cut.isoformat():
            before[row.currency] += row.amount
    rest = [row for row in all_rows if row.booked_on >= cut.isoformat()]
    found, whole = statement(rest, dict(before)), statement(all_rows)
    assert {k: v for k, v in found.closing.items() if v} == {k: v for k, v in whole.closing.items() if v}
    assert found.lines == whole.lines[len(whole.lines) - len(rest) :]
    for currency in found.closing:
        amounts = [line.movement.amount for line in found.lines if line.movement.currency == currency]
        assert found.opening.get(currency, 0) + sum(amounts) == found.closing[currency]


def of_csv(body: bytes) -> list[dict[str, str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def of_xlsx(body: bytes) -> list[dict[str, Any]]:
    head, *rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    return [dict(zip(head, row, strict=True)) for row in rows]


@given(MOVEMENTS, st.sampled_from((as_csv, as_xlsx)))
def test_in_a_table_the_amounts_of_a_currency_sum_to_its_closing_less_its_opening(rows, render) -> None:
    body = render(statement(movements(rows), {"CNY": 5}))
    for currency in {row[2] for row in rows} | {"CNY"}:
        lines = [row for row in (of_csv if render is as_csv else of_xlsx)(body) if row["currency"] == currency]
        ends = {row["type"]: Decimal(str(row["balance"])) for row in lines if row["type"] in ("opening", "closing")}
        if render is as_xlsx and any(abs(Decimal(str(row["balance"]))) >= 10**12 for row in lines):
            continue  # The reader gives doubles; such sums are not exact in it.
        moved = sum(Decimal(str(row["amount"])) for row in lines if row["amount"] not in ("", None))
        assert moved == ends["closing"] - ends.get("opening", 0)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_what_was_written_as_a_reference_is_never_a_formula(text: str) -> None:
    row = Movement("1", "2026-01-01", "spent", text, -2_50, "CNY")
    (line,) = [row for row in of_csv(as_csv(statement([row]))) if row["type"] == "spent"]
    assert line["reference"] == f"'{text}"
    assert line["amount"] == "-2.50"
    (line,) = [row for row in of_xlsx(as_xlsx(statement([row]))) if row["type"] == "spent"]
    assert line["amount"] == -2.5
    assert str(line["reference"]).strip() == text.strip()


async def test_one_period_is_the_same_in_json_csv_and_xlsx(desk: Desk) -> None:
    id = await desk.fund()
    for amount, reference in (("1.00", "=cmd()"), ("2.00", None)):
        await desk.post("/expenditures", desk.expenditure(amount=amount, reference=reference))
    path = f"/accounts/project-{id}-released/statement"
    items = (await desk.get(path)).json()["items"]
    table = await desk.get(f"{path}?format=csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    lines = of_csv(table.content)
    assert [(line["type"], line["balance"]) for line in (lines[0], lines[-1])] == [
        ("opening", "0.00"),
        ("closing", "57.00"),
    ]
    assert [(line["entry_id"], line["amount"], line["balance"]) for line in lines[1:-1]] == [
        (item["entry_id"], item["amount"], item["balance"]) for item in items
    ]
    assert [line["reference"] for line in lines[1:-1]] == ["", "'=cmd()", ""]
    sheet = await desk.get(f"{path}?format=xlsx", "partner", partner_id="partner")
    assert [(line["entry_id"], line["amount"]) for line in of_xlsx(sheet.content)[1:-1]] == [
        (item["entry_id"], float(item["amount"])) for item in items
    ]
    assert (await desk.get(f"{path}?format=xlsx", "partner", partner_id="other")).status_code == 404
    problem(await desk.get(f"{path}?format=pdf"), 422)
    tomorrow = desk.context.clock.today() + timedelta(days=1)
    problem(await desk.get(f"{path}?format=csv&from={tomorrow}&until={tomorrow - timedelta(days=2)}"), 422)


async def test_currencies_have_balances_of_their_own(desk: Desk) -> None:
    await desk.hear(
        submitted(100_00), submitted(id="u", support={"kind": "money", "amount": "7.00", "currency": "USD"})
    )
    found = (await desk.get("/accounts/partner-partner-source/statement")).json()
    assert found["closing"] == {"CNY": "-100.00", "USD": "-7.00"}
    assert [(item["currency"], item["balance"]) for item in found["items"]] == [("CNY", "-100.00"), ("USD", "-7.00")]
