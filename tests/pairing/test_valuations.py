"""What goods are worth: several say so, each on a basis; totals use one of them."""

from typing import Any

import pytest

from tests.pairing.conftest import Desk

MARKET = {"author": "评估所", "basis": "market", "amount": "200000.00", "currency": "CNY"}
COST = {"author": "甲公司", "basis": "cost", "amount": "150000.00", "currency": "CNY"}


def tablets(**more: Any) -> dict[str, Any]:
    return {"kind": "goods", "quantity": 100, "unit": "台", "valuations": [MARKET, COST], "basis": "cost"} | more


async def test_both_valuations_are_kept_and_totals_use_one_named_basis(desk: Desk) -> None:
    commitment = await desk.commitment(support=tablets())
    support = commitment["support"]
    assert support["valuations"] == [MARKET, COST]
    assert (support["basis"], support["value"]) == ("cost", {"amount": "150000.00", "currency": "CNY"})
    await desk.commitment(support=tablets(valuations=[MARKET], basis="market"))
    await desk.commitment(support=desk.goods())
    await desk.commitment()
    market = await desk.get("/commitments/worth?basis=market")
    assert market["totals"] == [{"amount": "400000.00", "currency": "CNY"}]
    assert (market["commitments"], market["without"]) == (2, 1)
    cost = await desk.get("/commitments/worth?basis=cost")
    assert (cost["totals"][0]["amount"], cost["commitments"], cost["without"]) == ("150000.00", 1, 2)
    (event,) = await desk.published(commitment["id"])
    assert event.data.support["valuations"] == [MARKET, COST]
    again = await desk.send("PATCH", f"/commitments/{commitment['id']}", {"support": support}, if_match=1)
    assert (again.status_code, again.json()["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"valuations": [MARKET, MARKET]}, "/support/valuations"),
        ({"basis": "guess"}, "/support/basis"),
        ({"basis": None}, "/support/basis"),
        ({"value": {"amount": "1.00", "currency": "CNY"}}, "/support/value"),
        ({"valuations": [MARKET | {"author": ""}, COST]}, "/support/valuations/0/author"),
    ],
    ids=str,
)
async def test_valuations_that_do_not_say_what_counts_are_refused(
    desk: Desk, more: dict[str, Any], pointer: str
) -> None:
    partner = await desk.partner()
    answer = await desk.send("POST", "/commitments", desk.offer(support=tablets(**more), partner_id=partner))
    assert answer.status_code == 422
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]
