"""Money that a foundation passes on reaches a project once, is seen as a hop, and is counted once however one sums."""

from collections import Counter
from decimal import Decimal

from tests.funding.builders import approved, opened, registered, submitted, verified
from tests.funding.conftest import Desk

MILLION = 1_000_000_00


async def test_a_million_that_goes_through_a_foundation_is_a_million_in_every_sum(desk: Desk) -> None:
    foundation = {"partner_id": "foundation"}
    await desk.hear(registered(), registered("foundation"), submitted(MILLION))
    hop = (await desk.post("/transfers", desk.transfer(amount="1000000.00", reference="T-1"))).json()
    today = desk.context.clock.today().isoformat()
    project = opened(100, commitment="f", starts_on=today)
    of_foundation = [submitted(MILLION, "f", **foundation), approved(MILLION, "p", "f", **foundation), project]
    await desk.hear(*of_foundation, verified(1, "p", "f"))
    await desk.post("/expenditures", desk.expenditure(amount="800000.00"))

    hops = (await desk.get("/entries?type=transferred")).json()["items"]
    assert [(each["id"], each["amount"], each["partner_ids"]) for each in hops] == [
        (hop["id"], "1000000.00", ["partner", "foundation"])
    ]
    by_partner: Counter[str] = Counter()
    for entry in (await desk.get("/entries?type=tranche_released")).json()["items"]:
        by_partner[entry["partner_ids"][0]] += Decimal(entry["amount"])
    assert by_partner == {"foundation": Decimal("1000000.00")}
    funds = (await desk.get("/projects/project-p/funds")).json()
    assert (funds["released"], funds["spent"]) == ("1000000.00", "800000.00")
    by_county: Counter[str] = Counter()
    for event in await desk.published("project-p"):
        if event.data.TYPE == "jiedui.fund.tranche_released":
            by_county[event.data.county_code] += Decimal(event.data.amount)
    assert sum(by_county.values()) == sum(by_partner.values()) == Decimal("1000000.00")

    balances = {account["id"]: account["balances"] for account in (await desk.get("/accounts")).json()["items"]}
    assert balances["partner-partner-source"] == {"CNY": "-1000000.00"}
    assert balances["partner-foundation-source"] == {"CNY": "0.00"}
    sums = (await desk.get("/ledger/trial-balance")).json()["currencies"]
    assert sums == {"CNY": {"debit": "1000000.00", "credit": "1000000.00"}}
    assert (await desk.verdict())["ok"]


async def test_a_foundation_sees_the_transfer_to_it_and_not_what_else_its_giver_does(desk: Desk) -> None:
    await desk.fund()
    await desk.post("/transfers", desk.transfer())
    seen = (await desk.get("/entries", "partner", partner_id="foundation")).json()["items"]
    assert [entry["type"] for entry in seen] == ["transferred"]


async def test_a_transfer_in_another_currency_than_the_commitment_is_refused_not_converted(desk: Desk) -> None:
    await desk.fund()
    answer = await desk.post("/transfers", desk.transfer(currency="USD"))
    assert (answer.status_code, [fault["pointer"] for fault in answer.json()["errors"]]) == (422, ["/currency"])
