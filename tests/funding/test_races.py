"""Of two who want the last fen at once exactly one gets it, whichever replica they ask."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.kit.app import create_app
from tests.funding.builders import approved, opened, submitted, verified
from tests.funding.conftest import Desk

TIMES = 200
A_BATCH = 50


@pytest.fixture
async def replica(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A second API program on the same database, with locks of its own."""
    app = create_app(desk.context.service, desk.context.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://replica") as client:
        yield client


@pytest.mark.timeout(300)
async def test_of_two_expenditures_of_60_on_100_at_two_replicas_one_is_booked(
    desk: Desk, replica: httpx.AsyncClient
) -> None:
    today = desk.context.clock.today().isoformat()
    await desk.hear(submitted(TIMES * 100_00))
    for begin in range(0, TIMES, A_BATCH):
        pairings = [f"p{i}" for i in range(begin, min(begin + A_BATCH, TIMES))]
        await desk.hear(*(approved(100_00, pairing) for pairing in pairings))
        await desk.hear(*(opened(100, pairing=pairing, starts_on=today) for pairing in pairings))
        await desk.hear(*(verified(1, pairing) for pairing in pairings))
    for i in range(TIMES):
        body = desk.expenditure(project_id=f"project-p{i}", amount="60.00")
        there = replica.post("/expenditures", json=body, headers=desk.token("bookkeeper"))
        answers = await asyncio.gather(desk.post("/expenditures", body), there)
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        (refused,) = (answer.json() for answer in answers if answer.status_code == 409)
        assert (refused["type"], refused["available"]) == ("/problems/not-enough", "40.00")
        assert refused["made_of"] == {"reserved": "100.00", "released": "100.00", "spent": "60.00", "returned": "0.00"}
        spent = [
            event.data.amount for event in await desk.published(f"project-p{i}") if event.data.TYPE.endswith("spent")
        ]
        assert spent == ["60.00"]
    assert (await desk.verdict())["ok"]


async def test_of_an_expenditure_and_a_reversal_of_its_tranche_one_comes_too_late(
    desk: Desk, replica: httpx.AsyncClient
) -> None:
    id = await desk.fund()
    (tranche,) = (await desk.get(f"/entries?project={id}&type=tranche_released")).json()["items"]
    path = f"/entries/{tranche['id']}/reverse"
    undo = replica.post(path, json={"reason": "错"}, headers=desk.token("bookkeeper"))
    answers = await asyncio.gather(desk.post("/expenditures", desk.expenditure(amount="0.01")), undo)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert (await desk.verdict())["ok"]


async def test_one_paper_sent_to_two_replicas_at_once_is_booked_once(desk: Desk, replica: httpx.AsyncClient) -> None:
    await desk.fund()
    body = desk.expenditure(amount="1.00", reference="INV-1")
    there = replica.post("/expenditures", json=body, headers=desk.token("bookkeeper"))
    answers = await asyncio.gather(desk.post("/expenditures", body), there)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (first,) = (answer.json() for answer in answers if answer.status_code == 201)
    (refused,) = (answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["type"], refused["entry_id"]) == ("/problems/reference-taken", first["id"])
