"""What callers of funding see, may do, and are refused."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.funding.builders import cancelled, submitted, withdrawn
from tests.funding.conftest import Desk, sound

PARTNER = {"partner_id": "partner"}
OTHER = {"partner_id": "other"}
OFFICER = {"county_codes": ["520326"]}


def problem(answer: httpx.Response, status: int, rule: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    if rule:
        assert body["type"] == f"/problems/{rule}"
    return body


def pointers(body: dict[str, Any]) -> set[str]:
    return {fault["pointer"] for fault in body["errors"]}


async def test_a_project_shows_its_money(desk: Desk) -> None:
    id = await desk.fund()
    answer = await desk.get(f"/projects/{id}/funds")
    assert answer.headers["etag"] == '"3"'
    assert answer.json() == {
        "currency": "CNY",
        "reserved": "100.00",
        "released": "60.00",
        "spent": "0.00",
        "returned": "0.00",
        "unreserved": "0.00",
        "refunded": "0.00",
    }
    await desk.hear(cancelled())
    money = (await desk.get(f"/projects/{id}/funds")).json()
    assert (money["reserved"], money["returned"], money["unreserved"], money["refunded"]) == (
        "100.00",
        "100.00",
        "40.00",
        "60.00",
    )


async def test_an_expenditure_is_an_entry_and_an_event(desk: Desk) -> None:
    id = await desk.fund()
    answer = await desk.post("/expenditures", desk.expenditure(reference="INV-1"))
    entry = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/entries/{entry['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (entry["no"], entry["type"], entry["iati_type"], entry["reference"]) == (4, "spent", 4, "INV-1")
    assert [(posting["amount"], posting["currency"]) for posting in entry["postings"]] == [
        ("-25.00", "CNY"),
        ("25.00", "CNY"),
    ]
    assert (await desk.get(answer.headers["location"])).json() == entry
    spent = (await desk.published(id))[-1]
    assert spent.envelope.type == "jiedui.fund.spent"
    assert spent.envelope.actor == "bookkeeper"
    assert (spent.data.amount, spent.data.entry_id, spent.data.reference) == ("25.00", entry["id"], "INV-1")
    assert (await desk.get(f"/projects/{id}/funds")).json()["spent"] == "25.00"


async def test_read_only_fields_are_ignored_as_they_were_given(desk: Desk) -> None:
    await desk.fund()
    entry = (await desk.post("/expenditures", desk.expenditure())).json()
    again = await desk.post("/expenditures", entry | {"spent_on": entry["booked_on"]})
    assert (again.status_code, again.json()["no"]) == (201, entry["no"] + 1)


async def test_what_there_is_not_cannot_be_spent(desk: Desk) -> None:
    await desk.fund()
    body = problem(await desk.post("/expenditures", desk.expenditure(amount="60.01")), 409, "not-enough")
    assert body["available"] == "60.00"
    assert body["made_of"] == {"reserved": "100.00", "released": "60.00", "spent": "0.00", "returned": "0.00"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"amount": "0.005"}, {"/amount"}),
        ({"amount": "1e2"}, {"/amount"}),
        ({"amount": "-1"}, {"/amount"}),
        ({"amount": "NaN"}, {"/amount"}),
        ({"amount": "0.00"}, {"/amount"}),
        ({"amount": "12345678901234567890"}, {"/amount"}),
        ({"amount": 25}, {"/amount"}),
        ({"currency": "cny"}, {"/currency"}),
        ({"currency": "USD"}, {"/currency"}),
        ({"currency": "JPY", "amount": "1.50"}, {"/amount", "/currency"}),
        ({"project_id": ""}, {"/project_id"}),
        ({"payee": "  "}, {"/payee"}),
        ({"payee": "\u200b\ufeff", "reference": "\x00"}, {"/payee", "/reference"}),
        ({"payee": None}, {"/payee"}),
        ({"reference": ""}, {"/reference"}),
        ({"reference": "INV  1"}, {"/reference"}),
        ({"reference": "INV\u200b-1"}, {"/reference"}),
        ({"reference": "INV\n1"}, {"/reference"}),
        ({"reference": "INV\u30001"}, {"/reference"}),
        ({"amount": "1.00\n"}, {"/amount"}),
        ({"spent_on": "2026-02-30"}, {"/spent_on"}),
        ({"spent_on": "2026-03-04T00:00:00"}, {"/spent_on"}),
        ({"spent_on": "1772582400"}, {"/spent_on"}),
        ({"spent_on": "2020-01-01"}, {"/spent_on"}),
        ({"spent_on": "2999-01-01"}, {"/spent_on"}),
        ({"project_id": "nowhere"}, {"/project_id"}),
        ({"project_id": "nowhere", "amount": "x"}, {"/project_id", "/amount"}),
        ({"colour": "red"}, {"/colour"}),
        (
            {"amount": "x", "currency": "?", "payee": "", "spent_on": "soon"},
            {"/amount", "/currency", "/payee", "/spent_on"},
        ),
        (
            {"amount": "x", "currency": "USD", "payee": "", "spent_on": "2020-01-01"},
            {"/amount", "/currency", "/payee", "/spent_on"},
        ),
        ({"payee": "", "spent_on": "2999-01-01", "project_id": 7}, {"/payee", "/spent_on", "/project_id"}),
    ],
)
async def test_a_wrong_expenditure_is_422_and_books_nothing(
    desk: Desk, changes: dict[str, Any], wrong: set[str]
) -> None:
    await desk.fund()
    body = problem(await desk.post("/expenditures", desk.expenditure(**changes)), 422)
    assert pointers(body) == wrong
    assert (await desk.verdict())["entries"] == 3


@pytest.mark.parametrize("field", ["payee", "project_id"])
@pytest.mark.parametrize(
    ("said", "status"), [('"\\ud83d"', 422), ("9" * 400, 422), ("[" * 300 + "]" * 300, 422), ("1e999", 400)]
)
async def test_what_no_field_can_be_is_a_clear_problem_too(desk: Desk, field: str, said: str, status: int) -> None:
    await desk.fund()
    body = json.dumps(desk.expenditure(**{field: "SAID"})).replace('"SAID"', said)
    headers = desk.token("bookkeeper") | {"content-type": "application/json"}
    problem(await desk.client.post("/expenditures", content=body, headers=headers), status)


async def test_nothing_is_spent_or_reversed_in_a_cancelled_project(desk: Desk) -> None:
    await desk.fund()
    entry = (await desk.post("/expenditures", desk.expenditure())).json()
    await desk.hear(cancelled())
    problem(await desk.post("/expenditures", desk.expenditure()), 409, "project-is-cancelled")
    problem(await desk.post(f"/entries/{entry['id']}/reverse", {"reason": "错"}), 409, "project-is-cancelled")


async def test_a_reference_is_taken_once_and_the_refusal_names_its_entry(desk: Desk) -> None:
    await desk.fund()
    first = (await desk.post("/expenditures", desk.expenditure(reference="R"))).json()
    again = problem(
        await desk.post("/expenditures", desk.expenditure(reference="R", amount="1")), 409, "reference-taken"
    )
    assert again["entry_id"] == first["id"]
    assert first["id"] in again["detail"]


async def test_an_entry_is_reversed_once(desk: Desk) -> None:
    id = await desk.fund()
    entry = (await desk.post("/expenditures", desk.expenditure())).json()
    answer = await desk.post(f"/entries/{entry['id']}/reverse", {"reason": "记错了"})
    assert (answer.status_code, answer.json()["reverses"], answer.json()["type"]) == (201, entry["id"], "reversed")
    assert (await desk.published(id))[-1].data.reverses == entry["id"]
    again = problem(await desk.post(f"/entries/{entry['id']}/reverse", {"reason": "再"}), 409, "already-reversed")
    assert again["entry_id"] == answer.json()["id"]
    assert pointers(problem(await desk.post(f"/entries/{entry['id']}/reverse", {}), 422)) == {"/reason"}
    problem(await desk.post("/entries/999/reverse", {"reason": ""}), 404)


async def test_a_transfer_lowers_the_commitment_and_reaches_the_foundation(desk: Desk) -> None:
    await desk.fund()
    answer = await desk.post("/transfers", desk.transfer(reference="T-1"))
    assert (answer.status_code, answer.json()["type"]) == (201, "transferred")
    (event,) = await desk.published("c")
    assert (event.envelope.type, event.data.amount, event.data.to_partner_id) == (
        "jiedui.fund.transferred",
        "40.00",
        "foundation",
    )
    body = problem(await desk.post("/transfers", desk.transfer(amount="60.01")), 409, "not-enough")
    assert (body["available"], body["made_of"]["reserved"]) == ("60.00", "100.00")
    wrong = desk.transfer(commitment_id="x", to_partner_id="y", on="2999-01-01")
    assert pointers(problem(await desk.post("/transfers", wrong), 422)) == {"/commitment_id", "/to_partner_id", "/on"}
    wrong = desk.transfer(commitment_id="x", to_partner_id="y", amount=1)
    assert pointers(problem(await desk.post("/transfers", wrong), 422)) == {
        "/commitment_id",
        "/to_partner_id",
        "/amount",
    }
    problem(await desk.post("/transfers", ["no", "object"]), 422)
    account = (await desk.get("/accounts/partner-foundation-source", "partner", partner_id="foundation")).json()
    assert account["balances"] == {"CNY": "40.00"}
    await desk.post(f"/entries/{answer.json()['id']}/reverse", {"reason": "退回"})
    assert [event.envelope.type for event in await desk.published("c")][1:] == ["jiedui.fund.reversed"]


async def test_one_key_books_once_however_often_it_is_sent(desk: Desk) -> None:
    await desk.fund()
    body = desk.expenditure()
    answers = await asyncio.gather(*(desk.post("/expenditures", body, **{"idempotency-key": "k"}) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    problem(await desk.post("/expenditures", desk.expenditure(amount="1"), **{"idempotency-key": "k"}), 422)
    assert (await desk.get("/projects/project-p/funds")).json()["spent"] == "25.00"


async def test_a_statement_opens_and_closes_with_what_its_rows_sum_to(desk: Desk) -> None:
    id = await desk.fund()
    for amount in ("1.00", "2.00"):
        await desk.post("/expenditures", desk.expenditure(amount=amount))
    path = f"/accounts/project-{id}-released/statement"
    whole = (await desk.get(path)).json()
    assert whole["opening"] == {"CNY": "0.00"}
    assert whole["closing"] == {"CNY": "57.00"}
    assert [(item["amount"], item["balance"]) for item in whole["items"]] == [
        ("60.00", "60.00"),
        ("-1.00", "59.00"),
        ("-2.00", "57.00"),
    ]
    today = desk.context.clock.today()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    later = (await desk.get(f"{path}?from={tomorrow}")).json()
    assert (later["opening"], later["items"], later["closing"]) == ({"CNY": "57.00"}, [], {"CNY": "57.00"})
    before = (await desk.get(f"{path}?until={yesterday}")).json()
    assert (before["items"], before["closing"]) == ([], {"CNY": "0.00"})
    assert (await desk.get(f"{path}?from={today}&until={today}")).json() == whole
    problem(await desk.get(f"{path}?from={tomorrow}&until={yesterday}"), 422)
    for wrong in ("soon", "0", "2026-02-30"):
        assert pointers(problem(await desk.get(f"{path}?from={wrong}"), 422)) == {"from"}


async def test_entries_are_listed_by_what_they_are_about(desk: Desk) -> None:
    await desk.fund()
    await desk.hear(submitted(5_00, "d"))
    today = desk.context.clock.today()

    async def types(query: str) -> list[str]:
        answer = await desk.get(f"/entries?{query}", "monitor")
        return [entry["type"] for entry in answer.json()["items"]]

    assert await types("") == ["pledged", "reserved", "tranche_released", "pledged"]
    assert await types("project=project-p") == ["reserved", "tranche_released"]
    assert await types("commitment=d") == ["pledged"]
    assert await types("type=pledged&commitment=c") == ["pledged"]
    assert await types(f"from={today}&until={today}&limit=2") == ["pledged", "reserved"]
    assert await types(f"until={today - timedelta(days=1)}") == []
    assert pointers(problem(await desk.get(f"/entries?from={today}&until={today - timedelta(days=1)}"), 422)) == {
        "from"
    }
    problem(await desk.get("/entries?type=lost"), 422)
    problem(await desk.get("/entries?colour=red"), 422)
    page = (await desk.get("/entries?limit=3&total=true")).json()
    assert page["total"] == 4
    rest = (await desk.get(f"/entries?limit=3&cursor={page['next_cursor']}")).json()
    assert [entry["no"] for entry in page["items"] + rest["items"]] == [1, 2, 3, 4]


async def test_the_trial_balance_is_balanced_in_each_currency(desk: Desk) -> None:
    await desk.fund()
    await desk.hear(submitted(id="u", support={"kind": "money", "amount": "7.00", "currency": "USD"}))
    sums = (await desk.get("/ledger/trial-balance", "coordinator")).json()
    assert sums == {
        "currencies": {
            "CNY": {"debit": "200.00", "credit": "200.00"},
            "USD": {"debit": "7.00", "credit": "7.00"},
        }
    }


async def test_tampering_with_the_database_is_found_and_located(desk: Desk) -> None:
    await desk.fund()
    assert await desk.verdict() == sound(3)
    await desk.database.entries.update_one({"no": 2}, {"$inc": {"postings.1.amount": 1}})
    verdict = await desk.verdict()
    assert not verdict["ok"]
    assert ("entry", "000000000002") in {(fault["kind"], fault["id"]) for fault in verdict["faults"]}
    await desk.database.entries.delete_one({"no": 2})
    faults = (await desk.verdict())["faults"]
    assert {"kind": "entry", "id": "000000000002", "detail": "is missing"} in faults


FUNDS, ACCOUNT = "/projects/project-p/funds", "/accounts/commitment-c-pledged"
ENTRY = "/entries/000000000003"


@pytest.mark.parametrize(
    ("roles", "claims", "statuses"),
    [
        (("partner",), PARTNER, (200, 200, 200, 200, 403, 403)),
        (("partner",), OTHER, (404, 404, 200, 404, 403, 403)),
        (("partner",), {}, (404, 404, 200, 404, 403, 403)),
        (("officer",), OFFICER, (200, 403, 403, 403, 403, 403)),
        (("officer",), {"county_codes": ["522731"]}, (404, 403, 403, 403, 403, 403)),
        (("coordinator",), {}, (200, 200, 200, 200, 200, 403)),
        (("monitor",), {}, (200, 200, 200, 200, 200, 403)),
        (("bookkeeper",), {}, (200, 200, 200, 200, 200, 422)),
        (("partner", "officer"), OTHER | OFFICER, (200, 404, 200, 404, 403, 403)),
        (("partner", "monitor"), OTHER, (200, 200, 200, 200, 200, 403)),
    ],
)
async def test_each_role_may_what_the_table_says(
    desk: Desk, roles: tuple[str, ...], claims: dict[str, Any], statuses: tuple[int, ...]
) -> None:
    await desk.fund()
    headers = desk.token(*roles, **claims)
    funds, account, entries, entry, ledger, booking = statuses
    expected = {
        FUNDS: funds,
        ACCOUNT: account,
        f"{ACCOUNT}/statement": account,
        "/accounts": entries,
        "/entries": entries,
        ENTRY: entry,
        "/ledger/trial-balance": ledger,
        "/ledger/verify": ledger,
    }
    assert {path: (await desk.client.get(path, headers=headers)).status_code for path in expected} == expected
    for path in ("/expenditures", "/transfers", f"{ENTRY}/reverse"):
        assert (await desk.client.post(path, json={"x": 1}, headers=headers)).status_code == booking


async def test_lists_show_a_partner_its_own_only(desk: Desk) -> None:
    await desk.fund()
    await desk.hear(submitted(9_00, "o", partner_id="other"))
    await desk.post("/expenditures", desk.expenditure())

    async def seen(path: str, **claims: Any) -> set[str]:
        return {item["id"] for item in (await desk.get(path, "partner", **claims)).json()["items"]}

    own = {f"{place}" for place in ("partner-other-source", "commitment-o-pledged")}
    assert await seen("/accounts", **OTHER) == own
    assert await seen("/entries", **OTHER) == {"000000000004"}
    assert await seen("/accounts") == set()
    assert not {id for id in await seen("/accounts", **PARTNER) if "other" in id or "payee" in id}


async def test_a_withdrawn_commitment_has_nothing_to_transfer(desk: Desk) -> None:
    await desk.fund()
    await desk.hear(withdrawn())
    assert problem(await desk.post("/transfers", desk.transfer()), 409, "not-enough")["available"] == "0.00"
