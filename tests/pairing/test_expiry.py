"""Commitments end with their last day, which belongs to them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.kit.clock import Clock
from services.kit.service import Context
from services.kit.transact import Transactor
from services.pairing.streams import expire_commitments
from tests.pairing.conftest import Desk
from tests.waiting import until


def later(context: Context, **shift: int) -> Context:
    """The same service when some time has passed."""
    clock = Clock(timedelta(**shift))
    transactor = Transactor(context.service.name, context.database, context.service.tx, clock)
    return replace(context, clock=clock, transactor=transactor)


async def test_a_commitment_expires_when_its_last_day_has_passed_and_ends_its_proposals(desk: Desk) -> None:
    await desk.county("520324", {"category": "coverage", "slots": 2})
    commitment = await desk.commitment(valid_until=desk.day(1))
    lasting = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    assert await desk.context.reading().overdue_commitments(10) == []
    assert await later(desk.context, days=1).reading().overdue_commitments(10) == []

    timer = asyncio.create_task(expire_commitments(later(desk.context, days=2)))

    async def expired() -> bool:
        return bool((await desk.get(f"/commitments/{commitment['id']}"))["status"] == "expired")

    await until(expired, "the commitment has expired")
    timer.cancel()
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["remaining"]["projects"], shown["remaining"]["amount"]["amount"]) == (0, "0.00")
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "rejected"
    assert await desk.types(commitment["id"]) == ["commitment.submitted", "commitment.expired"]
    assert (await desk.get(f"/commitments/{lasting['id']}"))["status"] == "open"
    late = await desk.send("PATCH", f"/commitments/{commitment['id']}", {"projects_max": 9}, if_match=2)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/commitment-over")


async def test_a_commitment_of_the_past_is_taken_as_it_is(desk: Desk) -> None:
    commitment = await desk.commitment(valid_from="2020-01-01", valid_until="2020-12-31")
    assert commitment["status"] == "expired"
    assert await desk.types(commitment["id"]) == ["commitment.submitted", "commitment.expired"]
