"""Files handed in over HTTP: reports, partial loads, the same file again, undo."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from services.pairing.domain.intake.table import open_table
from services.pairing.streams import intake
from services.pairing.streams.imports import run_those_there
from tests.pairing.conftest import Desk
from tests.pairing.files import (
    HEADER,
    ODDITIES,
    PARTNERS,
    counts,
    csv_of,
    hand_in,
    handed_in,
    oddities,
    programme,
    row,
    xlsx_of,
)

EXPECTED = json.loads((ODDITIES / "expected.json").read_text("utf-8"))
COUNTIES = ("653022", "451228", "513431", "520526", "533301")


async def stored(desk: Desk) -> list[dict[str, Any]]:
    return list((await desk.get("/commitments?limit=500"))["items"])


async def test_a_good_file_is_stored_and_published(desk: Desk) -> None:
    partners = await programme(desk, *COUNTIES)
    of = await handed_in(desk, "commitments", (ODDITIES / "01_utf8.csv").read_bytes())
    assert counts(of) == ("completed", 5, 5, 0, 0)
    found = await stored(desk)
    by_partner = {one["partner_id"]: one for one in found}
    for want in EXPECTED["01_utf8.csv"]["expect"]:
        one = by_partner[partners[want["org"]]]
        assert one["support"] == {"kind": "money", "amount": want["amount"], "currency": "CNY"}
        assert (one["category"], one["projects_max"], one["status"]) == (want["category"], 1, "expired")
        assert (one["valid_from"], one["valid_until"]) == (want["start"], want["end"])
        assert one["prefers"] == {"counties": [want["code"]]}
    assert await desk.types(found[0]["id"]) == ["commitment.submitted", "commitment.expired"]


@pytest.mark.parametrize("path", list(oddities()), ids=lambda path: path.name)
async def test_each_odd_file_loads_as_expected(desk: Desk, path: Path) -> None:
    await programme(desk, *COUNTIES, "622921", "622901")
    await desk.partner(name={"zh": '=HYPERLINK("http://x","y")', "en": "x"})
    of = await handed_in(desk, "commitments", path.read_bytes(), "?partial=true", name=path.name)
    expected = EXPECTED[path.name]["expect"]
    if path.name.startswith("13"):
        wanted, bad = 1, []
    elif path.name.startswith("16"):
        wanted, bad = 2, [5, 7]
    elif isinstance(expected, list):
        wanted, bad = len(expected), []
    else:
        wanted, bad = len(expected["accepted"]), [one["row"] for one in expected["rejected"]]
    assert [one["row"] for one in of["rejected"]] == bad
    assert len(of["other_sheets"]) == path.name.startswith("16")
    repeats = 2 if path.name.startswith("08") else 0
    assert counts(of) == ("completed", wanted + len(bad) + repeats, wanted, len(bad), repeats)
    assert len(await stored(desk)) == wanted


async def test_a_bad_row_refuses_the_file_unless_partial_is_asked_for(desk: Desk) -> None:
    await programme(desk, "520324")
    rows = [row(no) for no in range(1, 11)]
    rows[2], rows[4], rows[9] = row(3, amount="-1"), row(5, county="临夏", start="2030/2/30"), row(10, partner="无名")
    before = await desk.events_total()
    of = await handed_in(desk, "commitments", csv_of(*rows))
    assert counts(of) == ("refused", 10, 7, 3, 0)
    assert [(one["row"], one["column"], one["value"], one["code"]) for one in of["rejected"]] == [
        (4, "承诺金额", "-1", "negative"),
        (6, "县", "临夏", "ambiguous-county"),
        (6, "开始日期", "2030/2/30", "no-such-day"),
        (11, "组织", "无名", "unknown-partner"),
    ]
    assert (await stored(desk), await desk.events_total()) == ([], before)
    of = await handed_in(desk, "commitments", csv_of(*rows), "?partial=true")
    assert counts(of) == ("completed", 10, 7, 3, 0)
    assert len(await stored(desk)) == 7


async def test_a_dry_run_reports_and_stores_nothing(desk: Desk) -> None:
    await programme(desk, "520324")
    before = await desk.events_total()
    of = await handed_in(desk, "commitments", csv_of(row(1), row(1), row(2, amount="x")), "?dry_run=true")
    assert counts(of) == ("completed", 3, 1, 1, 1)
    assert (await stored(desk), await desk.events_total()) == ([], before)
    assert (await desk.send("POST", f"/imports/{of['id']}/undo", {})).json()["type"] == "/problems/import-not-completed"


async def test_the_same_file_twice_changes_nothing_and_tells_of_the_first(desk: Desk) -> None:
    await programme(desk, "520324")
    file = csv_of(row(1), row(2))
    first = await handed_in(desk, "commitments", file)
    before = await desk.events_total()
    again = await handed_in(desk, "commitments", file)
    assert counts(again) == ("completed", 2, 0, 0, 2)
    assert again["same_as"] == first["id"]
    assert again["repeated"][0] == {"row": 2, "of_row": 2, "of_import": first["id"]}
    assert (len(await stored(desk)), await desk.events_total()) == (2, before)


async def test_two_uploads_of_one_file_at_once_store_it_once(desk: Desk) -> None:
    await programme(desk, "520324")
    file = csv_of(*(row(no) for no in range(20)))
    answers = await asyncio.gather(*(hand_in(desk, "commitments", file) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert sorted(answer.json()["accepted"] for answer in answers) == [0, 0, 0, 20]
    assert len(await stored(desk)) == 20


async def test_a_key_gives_the_first_answer_again_for_the_same_file(desk: Desk) -> None:
    await programme(desk, "520324")
    first = await hand_in(desk, "commitments", csv_of(row(1)), key="k")
    again = await hand_in(desk, "commitments", csv_of(row(1)), key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await hand_in(desk, "commitments", csv_of(row(2)), key="k")).status_code == 422


async def test_a_reference_is_known_again_and_another_text_under_it_is_blamed_on_the_later_row(desk: Desk) -> None:
    await programme(desk, "520324")
    header = "组织,县,类别,项目名称,承诺金额,单位,开始日期,结束日期,编号"
    first = await handed_in(desk, "commitments", csv_of(row(1) + ",A-1", row(2) + ",A-2", header=header))
    assert counts(first) == ("completed", 2, 2, 0, 0)
    (found,) = (await desk.get("/commitments?reference=A-1"))["items"]
    later = csv_of(row(1) + ",A-1", row(9) + ",A-2", row(3) + ",A-3", row(4) + ",A-3", header=header)
    of = await handed_in(desk, "commitments", later, "?partial=true")
    assert counts(of) == ("completed", 4, 1, 2, 1)
    assert [(one["row"], one["code"]) for one in of["rejected"]] == [(3, "known-otherwise"), (5, "duplicate")]
    assert "row 3 of import" in of["rejected"][0]["detail"]
    assert "row 4" in of["rejected"][1]["detail"]
    assert found["title"]["zh"] == "光纤1"


async def test_undo_withdraws_what_nobody_touched_and_lists_the_rest(desk: Desk) -> None:
    await programme(desk, "520324")
    file = csv_of(row(1), row(2), row(3, start="2020-01-01", end="2020-02-01"))
    of = await handed_in(desk, "commitments", file)
    touched, *others = await stored(desk)
    title = {"title": {"zh": "改名", "en": "Renamed"}}
    assert (await desk.send("PATCH", f"/commitments/{touched['id']}", title, if_match=1)).status_code == 200
    undone = await desk.post(f"/imports/{of['id']}/undo")
    assert undone["kept"] == [touched["id"]]
    assert sorted(undone["withdrawn"]) == sorted(one["id"] for one in others)
    assert {one["id"]: one["status"] for one in await stored(desk)} == {
        touched["id"]: "open",
        others[0]["id"]: "withdrawn",
        others[1]["id"]: "withdrawn",
    }
    assert (await desk.types(others[1]["id"]))[-1] == "commitment.withdrawn"
    assert (await desk.get(f"/imports/{of['id']}"))["status"] == "undone"
    assert (await desk.send("POST", f"/imports/{of['id']}/undo", {})).status_code == 409
    again = await handed_in(desk, "commitments", file)
    assert counts(again) == ("completed", 3, 2, 0, 1), "what was kept is promised still, and once"
    assert [one["row"] for one in again["repeated"]] == [2]


async def test_after_an_undo_the_same_file_loads_beside_what_was_kept_under_its_reference(desk: Desk) -> None:
    await programme(desk, "520324")
    file = csv_of(*(f"{row(no)},R{no}" for no in range(3)), header=f"{HEADER},编号")
    of = await handed_in(desk, "commitments", file)
    (touched,) = (await desk.get("/commitments?reference=R1"))["items"]
    title = {"title": {"zh": "改名", "en": "Renamed"}}
    assert (await desk.send("PATCH", f"/commitments/{touched['id']}", title, if_match=1)).status_code == 200
    for _ in range(2):
        undone = await desk.post(f"/imports/{of['id']}/undo")
        assert (undone["kept"], len(undone["withdrawn"])) == ([touched["id"]] if of["accepted"] == 3 else [], 2)
        of = await handed_in(desk, "commitments", file)
        assert counts(of) == ("completed", 3, 2, 0, 1)


async def test_a_long_file_is_a_workers_and_says_how_far_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 5)
    monkeypatch.setattr(intake, "CHUNK", 4)
    await programme(desk, "520324")
    file = csv_of(*(row(no) for no in range(10)), row(3), row(10, amount="x"))
    answer = await hand_in(desk, "commitments", file, "?partial=true")
    running = answer.json()
    assert (answer.status_code, running["status"], running["rows"]) == (201, "running", 0)
    of = await handed_in(desk, "commitments", file, "?partial=true")
    first = await desk.get(answer.headers["location"])
    assert counts(first) == ("completed", 12, 10, 1, 1)
    assert first["progress"] == {"checked_row": 13, "stored_row": 13}
    assert counts(of) == ("completed", 12, 0, 1, 11)
    assert of["same_as"] == first["id"]
    assert len(await stored(desk)) == 10


async def test_a_long_import_goes_on_where_a_killed_worker_left_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 5)
    monkeypatch.setattr(intake, "CHUNK", 2)
    await programme(desk, "520324")
    file = csv_of(*(row(no) for no in range(10)))
    store, calls = intake.Intake.store, 0

    async def dies(self: intake.Intake, tx: Any, one: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return await store(self, tx, one)

    monkeypatch.setattr(intake.Intake, "store", dies)
    with pytest.raises(KeyboardInterrupt):
        await handed_in(desk, "commitments", file)
    assert len(await stored(desk)) == 4
    again = await handed_in(desk, "commitments", csv_of(*(row(no) for no in range(100, 110))))
    assert again["accepted"] == 10
    assert len(await stored(desk)) == 20


async def test_a_row_that_is_good_no_more_when_its_turn_comes_is_reported(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 1)
    for code in ("520324", "520326"):
        await desk.county(code)
    file = csv_of("520324,正安县,2030-01-01", "520326,务川县,2030-01-01", "520327,,x", header="code,name,摘帽日期")

    async def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(intake.Intake, "store", dies)
        with pytest.raises(KeyboardInterrupt):
            await handed_in(desk, "counties", file, "?partial=true")
    await desk.post("/counties/520326/delist", {"on": "2029-01-01", "reason": "out of poverty"})
    async with desk.context.leader("imports") as lease:
        await run_those_there(desk.context, lease)
    (row_,) = await desk.database.imports.find({}).to_list(None)
    of = await desk.get(f"/imports/{row_['_id']}")
    assert counts(of) == ("completed", 3, 1, 2, 0)
    assert [(one["row"], one["code"]) for one in of["rejected"]] == [(3, "delisted-otherwise"), (4, "not-a-day")]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_own_file_comes_back_with_a_problem_column_and_can_be_handed_in_again(desk: Desk, kind: str) -> None:
    await programme(desk, "520324")
    lines = ["组织,县,类别,项目名称,承诺金额,单位,开始日期,结束日期", row(1), row(2, amount="-1"), row(3, title="=1+1")]
    file = (
        csv_of(*lines[1:])
        if kind == "csv"
        else xlsx_of([[f"'{c}" if c[0] == "=" else c for c in one.split(",")] for one in lines])
    )
    of = await handed_in(desk, "commitments", file)
    assert of["status"] == "refused"
    answer = await desk.send("GET", f"/imports/{of['id']}/problems")
    assert answer.status_code == 200
    assert f'filename="problems.{kind}"' in answer.headers["content-disposition"]
    rows = [list(line.cells) for line in open_table(answer.content).read()]
    assert rows[0] == [*lines[0].split(","), "problem"]
    assert rows[2][-1] == "承诺金额: '-1' is negative (give an amount above 0)"
    if kind == "csv":
        raw = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert (raw[3][3], raw[2][4]) == ("'=1+1", "'-1")
    rows[2][4] = "1"
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    again = await handed_in(desk, "commitments", text.getvalue().encode())
    assert counts(again) == ("completed", 3, 3, 0, 0)


@pytest.mark.parametrize(
    ("from_1904", "first", "last"), [(False, "2030-03-01", "2030-12-31"), (True, "2034-03-02", "2035-01-01")]
)
async def test_days_of_a_sheet_come_back_as_days(desk: Desk, from_1904: bool, first: str, last: str) -> None:
    """Their numbers would be other days in a book that counts from another one."""
    await programme(desk, "520324")
    cells: list[list[Any]] = [one.split(",") for one in (HEADER, row(1, amount="-1"))]
    cells[1][6:] = [47543, 47848.5]
    of = await handed_in(desk, "commitments", xlsx_of(cells, from_1904=from_1904))
    problems = await desk.send("GET", f"/imports/{of['id']}/problems")
    _, returned = open_table(problems.content).read()
    assert returned.cells[6:8] == (first, last)


async def test_header_only_is_refused_and_an_empty_file_cannot_be_read(desk: Desk) -> None:
    of = await handed_in(desk, "commitments", csv_of())
    assert (of["status"], of["rows"], of["problem"]) == ("refused", 0, "0 rows: nothing stands below the header")
    empty = await hand_in(desk, "commitments", b"")
    assert (empty.status_code, empty.json()["type"]) == (422, "/problems/file-unreadable")
    assert empty.json()["errors"] == [{"pointer": "/file", "detail": "The file is empty: 0 rows."}]
    no_file = await desk.client.post("/imports/commitments", data={"x": "1"}, headers=desk.headers("coordinator"))
    assert no_file.status_code == 415
    trailing = csv_of(",,,,,,,", ",,,,,,,")
    assert (await handed_in(desk, "commitments", trailing))["rows"] == 0


async def test_too_large_a_file_is_refused_and_ten_mebibytes_are_not(desk: Desk) -> None:
    large = await hand_in(desk, "commitments", bytes(21 * 1024 * 1024))
    assert (large.status_code, large.json()["type"]) == (413, "/problems/too-large")
    assert (await hand_in(desk, "commitments", b" " * 10 * 1024 * 1024)).status_code == 422


async def test_a_partner_loads_its_own_commitments_only(desk: Desk) -> None:
    partners = await programme(desk, "520324")
    mine = {"role": "partner", "partner": partners["甲通信"]}
    of = await handed_in(desk, "commitments", csv_of(row(1), row(2, partner="")), **mine)
    assert counts(of) == ("completed", 2, 2, 0, 0)
    foreign = await handed_in(desk, "commitments", csv_of(row(3, partner="乙电商")), **mine)
    assert [one["code"] for one in foreign["rejected"]] == ["not-your-own"]
    for target in ("counties", "partners"):
        assert (await hand_in(desk, target, csv_of(), **mine)).status_code == 403
    path = f"/imports/{of['id']}"
    assert (await desk.send("GET", path, role="partner", partner=partners["乙电商"])).status_code == 404
    assert (await desk.send("GET", path, role="partner", partner=partners["甲通信"])).status_code == 200
    assert (await desk.send("GET", path, role="officer")).status_code == 403
    assert (await desk.send("POST", f"{path}/undo", {}, role="partner", partner=partners["乙电商"])).status_code == 404


async def test_a_partners_token_that_names_no_partner_loads_sees_and_undoes_nothing(desk: Desk) -> None:
    await programme(desk, "520324")
    of = await handed_in(desk, "commitments", csv_of(row(1)))
    answer = await hand_in(desk, "commitments", csv_of(row(2)), role="partner")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/partner_id")
    for method, path in (("GET", ""), ("GET", "/problems"), ("POST", "/undo")):
        answer = await desk.send(method, f"/imports/{of['id']}{path}", {} if method == "POST" else None, "partner")
        assert answer.status_code == 404
    assert [one["status"] for one in await stored(desk)] == ["open"]


async def test_partners_load_with_their_codes_checked_and_a_near_one_proposed(desk: Desk) -> None:
    await desk.partner(name={"zh": "某公司", "en": "Some Ltd"}, credit_code="91110000600007156J")
    file = csv_of(
        "甲,企业,,P-1",
        "乙,社会组织,91110000600007165J,",
        "某公司,企业,91110000600007156J,",
        "甲,企业,,P-1",
        "丙,不明,,",
        header="单位名称,性质,统一社会信用代码,编号",
    )
    of = await handed_in(desk, "partners", file, "?partial=true")
    assert [(one["row"], one["column"], one["code"]) for one in of["rejected"]] == [
        (3, "统一社会信用代码", "credit-code"),
        (4, None, "known-otherwise"),
        (6, "性质", "unknown-word"),
    ]
    assert of["rejected"][0]["fix"] == "did you mean 91110000600007156J?"
    assert counts(of) == ("completed", 5, 1, 3, 1)
    assert sorted(one["name"]["zh"] for one in (await desk.get("/partners"))["items"]) == ["某公司", "甲"]
    kept = await desk.post(f"/imports/{of['id']}/undo")
    assert (kept["withdrawn"], len(kept["kept"])) == ([], 1)


def test_partners_of_the_odd_files_are_those_of_the_tests() -> None:
    orgs = {one["org"] for one in EXPECTED["01_utf8.csv"]["expect"]}
    assert orgs == set(PARTNERS)
