"""Each list as CSV and XLSX: the same rows, to each their own, with nothing in them that computes."""

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from services.notify.api.sheets import Amount, Cell, as_csv, as_xlsx, for_csv
from tests.notify import builders as b
from tests.notify.conftest import Newsroom

RUN = [
    b.registered(), b.registered("partner-2"), b.listed("520326"), b.listed("520327"), b.submitted(),
    b.pledged(), b.proposed(1), b.approved(1), b.opened(1), b.reserved(1), b.proposed(2), b.approved(2), b.opened(2),
    b.reserved(2), b.proposed(3), b.reported(1, 1), b.verified(1, 1), b.released(1, 1), b.spent(1),
    b.reversed_(1, "spent-1", "100.00"), b.transferred(), b.observed("2026-03"), b.cancelled(2), b.returned(2),
    b.revoked(2),
]  # fmt: skip
TABLES = ("partners", "counties", "commitments", "pairings", "projects", "observations", "entries", "events")
ENDLESS = 20_000


async def rows(newsroom: Newsroom, path: str, role: str = "monitor", **claims: Any) -> list[dict[str, str]]:
    answer = await newsroom.get(path, role, **claims)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("table", TABLES)
async def test_csv_and_xlsx_of_a_table_have_the_same_rows(newsroom: Newsroom, table: str) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    found = await rows(newsroom, f"/exports/{table}.csv")
    answer = await newsroom.get(f"/exports/{table}.xlsx")
    assert answer.headers["content-disposition"] == f'attachment; filename="{table}.xlsx"'
    head, *cells = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert found
    assert head == list(found[0])
    assert "id" in head
    assert len(cells) == len(found)
    ids = head.index("id")
    assert [row[ids] for row in cells] == [row["id"] for row in found]
    assert all(isinstance(row[head.index(name)], str) for row in cells for name in head if name.endswith("_code"))


async def test_what_a_row_says_is_what_the_list_says(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    (commitment,) = await rows(newsroom, "/exports/commitments.csv?status=partly_paired&category=coverage")
    told = {name: commitment[name] for name in ("id", "amount", "currency", "paired_projects", "paired_amount")}
    assert told == {
        "id": "commitment-1", "amount": "3000.00", "currency": "CNY", "paired_projects": "1", "paired_amount": "1000.00"
    }  # fmt: skip
    # 500.00 were passed on to the foundation.
    assert (commitment["remaining_projects"], commitment["remaining_amount"]) == ("2", "1500.00")
    project, other = await rows(newsroom, "/exports/projects.csv")
    assert (project["reserved"], project["released"], project["spent"], other["returned"]) == (
        "1000.00", "300.00", "0.00", "1000.00"
    )  # fmt: skip
    assert (other["status"], project["milestones_verified"], project["county_code"]) == ("cancelled", "1", "520326")
    entries = {row["id"]: row for row in await rows(newsroom, "/exports/entries.csv")}
    assert (entries["spent-1"]["booked_on"], entries["spent-1"]["iati_type"]) == ("2026-03-07", "4")
    reversal = entries["reversal-of-spent-1"]
    assert (reversal["type"], reversal["reverses"], reversal["iati_type"]) == ("reversed", "spent-1", "4")
    assert (entries["pledged-1"]["type"], entries["pledged-1"]["amount"]) == ("pledged", "3000.00")


async def test_nought_is_a_number_in_a_table_and_no_entry_an_empty_cell(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN, replace(b.observed("2026-04"), value=0.0, splits={"women": 0.0}))
    await newsroom.folded()
    row = (await rows(newsroom, "/exports/observations.csv"))[-1]
    assert [row[name] for name in ("value", "women", "children", "numerator")] == ["0.0", "0.0", "", ""]
    answer = await newsroom.get("/exports/observations.xlsx")
    head, *cells = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    shown = dict(zip(head, cells[-1], strict=True))
    assert [shown[name] for name in ("value", "women", "children", "numerator")] == [0, 0, "", ""]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("pairings.csv?status=revoked", ["pairing-2"]),
        ("pairings.csv?county=520326&round=round-1&status=approved", ["pairing-1"]),
        ("projects.csv?status=active&due_before=2026-07-01&at_risk=false", ["project-1"]),
        ("projects.csv?due_before=2026-06-30", []),
        ("counties.csv?province=52&as_of=2014-12-31&status=listed", ["520326", "520327"]),
        ("counties.csv?as_of=2014-12-30", []),
        ("counties.csv?status=delisted", []),
        ("entries.csv?type=transferred&from=2026-03-08&until=2026-03-08", ["transfer-1"]),
        ("entries.csv?project=project-2", ["reserved-2", "returned-2"]),
        ("observations.csv?project=project-1&from=2026-04-01", []),
        ("observations.csv?indicator=trainees", ["project-1.trainees.2026-03-01.2026-03-28"]),
    ],
)
async def test_the_filters_are_the_lists(newsroom: Newsroom, query: str, ids: list[str]) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    assert [row["id"] for row in await rows(newsroom, f"/exports/{query}")] == ids


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_events_come_in_the_order_of_the_feed(newsroom: Newsroom, order: str) -> None:
    await newsroom.happen(*RUN)
    found = [int(row["position"]) for row in await rows(newsroom, f"/exports/events.csv?after=2&order={order}")]
    assert found == await newsroom.positions(f"after=2&order={order}&limit=500")


async def test_each_sees_its_own(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()

    async def ids(table: str, role: str, **claims: Any) -> list[str]:
        return [row["id"] for row in await rows(newsroom, f"/exports/{table}.csv", role, **claims)]

    other = {"partner_id": "partner-2"}
    assert await ids("partners", "partner") == ["partner-1"]
    assert await ids("partners", "officer") == ["partner-1", "partner-2"]
    for table in ("commitments", "pairings", "projects", "observations", "entries"):
        assert await ids(table, "partner", **other) == []
    assert await ids("pairings", "coordinator") == ["pairing-1", "pairing-2", "pairing-3"]
    assert await ids("pairings", "partner") == ["pairing-1", "pairing-2"]
    assert await ids("pairings", "officer") == await ids("pairings", "officer", county_codes=["520326"])
    assert await ids("projects", "officer") == ["project-1"]
    assert "transfer-1" in await ids("entries", "partner", partner_id="foundation")
    assert await ids("events", "partner", **other) == [event["id"] for event in await _events(newsroom, other)]
    for table in ("commitments", "entries"):
        assert (await newsroom.get(f"/exports/{table}.csv", "officer")).status_code == 403
    assert (await newsroom.client.get("/exports/projects.csv")).status_code == 401


async def _events(newsroom: Newsroom, claims: dict[str, Any]) -> list[dict[str, Any]]:
    return [item["event"] for item in (await newsroom.read("/events?limit=500", "partner", **claims))["items"]]


@pytest.mark.parametrize(
    "path", ["projects.csv?colour=red", "projects.csv?status=x", "entries.xlsx?from=x", "events.csv?county=1"]
)
async def test_an_unknown_filter_is_a_clear_problem(newsroom: Newsroom, path: str) -> None:
    answer = await newsroom.get(f"/exports/{path}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


async def test_a_table_that_is_none_is_not_there(newsroom: Newsroom) -> None:
    assert (await newsroom.get("/exports/secrets.csv")).status_code == 404
    assert (await newsroom.get("/exports/projects.pdf")).status_code == 404


@given(st.text(max_size=6))
def test_no_text_of_a_csv_begins_a_formula(text: str) -> None:
    assert for_csv(text)[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert for_csv(text).removeprefix("'") == text.removeprefix("'")


def test_a_negative_number_is_none_and_stays_a_number() -> None:
    assert (for_csv(Amount(-5, "CNY")), for_csv(-1.5), for_csv("-1")) == ("-0.05", "-1.5", "'-1")


async def _all(*given: Sequence[Cell]) -> AsyncIterator[Sequence[Cell]]:
    for row in given:
        yield row


async def test_in_a_sheet_formulas_are_texts_and_codes_keep_their_zeros() -> None:
    row = ("=1+1", "012345", "@SUM(A1)", Amount(123456, "CNY"), True, 12, 10**16, "x" * 40_000)
    path = Path(await as_xlsx("t", list("abcdefgh"), _all(row)))
    try:
        (_, found) = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    finally:
        path.unlink()
    assert found[:7] == ["=1+1", "012345", "@SUM(A1)", 1234.56, True, 12, str(10**16)]
    assert str(found[7]).endswith("(cut here; the CSV has all of it)")


async def test_a_long_export_takes_no_more_memory_than_a_short_one() -> None:
    async def endless(count: int) -> AsyncIterator[Sequence[Cell]]:
        for n in range(count):
            yield n, f"text {n}" * 20, Amount(n, "CNY")

    async def peak(count: int) -> int:
        tracemalloc.start()
        try:
            async for _ in as_csv(("a", "b", "c"), endless(count)):
                pass
            Path(await as_xlsx("t", ("a", "b", "c"), endless(count))).unlink()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert await peak(ENDLESS) < 2 * await peak(ENDLESS // 10)
