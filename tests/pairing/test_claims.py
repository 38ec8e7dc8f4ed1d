"""Many claims at once on few slots, over two replicas of the API that share nothing but the database."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from services.kit.app import create_app
from services.kit.service import Context
from tests.pairing.conftest import Desk
from tests.pairing.files import csv_of, programme, row

CLAIMS, SLOTS = (1000, 37) if os.environ.get("JIEDUI_TEST_PROVE") else (60, 7)


@pytest.fixture
async def replicas(desk: Desk, office: FastAPI) -> AsyncIterator[list[httpx.AsyncClient]]:
    context: Context = office.state.context
    other = create_app(context.service, context.settings)
    await other.state.context.prepare()
    transports = [httpx.ASGITransport(app=app, raise_app_exceptions=False) for app in (office, other)]
    clients = [httpx.AsyncClient(transport=one, base_url="http://pairing", timeout=600) for one in transports]
    yield clients
    for client in clients:
        await client.aclose()
    other.state.context.database.client.close()


async def proposals(desk: Desk, commitments: int, **offer: object) -> list[str]:
    """So many pairings in a round that has room for all of them."""
    partner = await desk.partner()
    await asyncio.gather(*(desk.commitment(partner, projects_max=1, **offer) for _ in range(commitments)))
    found = await desk.round()
    assert found["pairings"] == commitments
    rows = desk.database.pairings.find({"round_id": found["id"]}, {"_id": 1})
    return [row["_id"] async for row in rows]


async def claimed(desk: Desk, replicas: list[httpx.AsyncClient], pairings: list[str]) -> Counter[tuple[int, str]]:
    """What all approvals at once, sent to the replicas in turn, were answered."""
    headers = desk.headers("coordinator")

    async def approve(no: int, id: str) -> httpx.Response:
        while True:
            answer = await replicas[no % 2].post(f"/pairings/{id}/approve", json={}, headers=headers)
            if answer.status_code != 503:
                return answer

    answers = await asyncio.gather(*(approve(no, id) for no, id in enumerate(pairings)))
    return Counter((answer.status_code, answer.json().get("type", "")) for answer in answers)


@pytest.mark.timeout(900)
async def test_as_many_claims_succeed_as_there_are_slots(desk: Desk, replicas: list[httpx.AsyncClient]) -> None:
    await desk.county("520324", {"category": "coverage", "slots": CLAIMS})
    pairings = await proposals(desk, CLAIMS)
    fewer = desk.card({"category": "coverage", "slots": SLOTS}, reason="fewer")
    assert (await desk.send("PUT", "/counties/520324/card", fewer, if_match=1)).status_code == 200
    answers = await claimed(desk, replicas, pairings)
    assert answers == {(200, ""): SLOTS, (409, "/problems/no-open-slot"): CLAIMS - SLOTS}
    assert await desk.database.pairings.count_documents({"status": "approved"}) == SLOTS
    events = await desk.database.outbox.count_documents({"key": {"$in": [id.encode() for id in pairings]}})
    assert events == CLAIMS + SLOTS, "each was proposed, and so many were approved"
    (need,) = (await desk.get("/counties/520324"))["needs"]
    assert need["open_slots"] == 0


async def test_of_rounds_asked_for_at_once_of_two_replicas_one_runs(
    desk: Desk, replicas: list[httpx.AsyncClient]
) -> None:
    headers, body = desk.headers("coordinator"), {"as_of": desk.day(), "seed": 1}
    answers = await asyncio.gather(
        *(replicas[no % 2].post("/rounds", json=body, headers=headers) for no in range(8)),
    )
    assert Counter((answer.status_code, answer.json().get("type")) for answer in answers) == {
        (202, None): 1,
        (409, "/problems/round-is-running"): 7,
    }


async def test_one_file_handed_in_at_once_to_two_replicas_is_stored_once(
    desk: Desk, replicas: list[httpx.AsyncClient]
) -> None:
    await programme(desk, "520324")
    headers = desk.headers("coordinator")
    files = {"file": ("file.csv", csv_of(*(row(no) for no in range(20))))}
    answers = await asyncio.gather(
        *(replicas[no % 2].post("/imports/commitments", files=files, headers=headers) for no in range(6))
    )
    found = Counter((answer.status_code, answer.json()["accepted"], answer.json()["repeats"]) for answer in answers)
    assert found == {(201, 20, 0): 1, (201, 0, 20): 5}
    assert sum(answer.json()["same_as"] is None for answer in answers) == 1
    assert await desk.database.commitments.count_documents({}) == 20


async def test_of_twenty_approvals_beyond_a_commitments_last_share_one_succeeds(
    desk: Desk, replicas: list[httpx.AsyncClient]
) -> None:
    """Of three shares two are approved already; twenty proposals are left over from when there were more."""
    codes = [f"5203{no:02}" for no in range(22)]
    for code in codes:
        await desk.county(code)
    commitment = await desk.commitment(projects_max=22)
    await desk.round()
    pairings = [row["_id"] async for row in desk.database.pairings.find({}, {"_id": 1}).sort("_id", 1)]
    assert len(pairings) == 22
    for id in pairings[:2]:
        await desk.post(f"/pairings/{id}/approve")
    # As if an amendment had not seen the proposals: it takes them away otherwise.
    await desk.database.commitments.update_one({}, {"$set": {"open_projects": 1}})
    answers = await claimed(desk, replicas, pairings[2:])
    assert answers == {(200, ""): 1, (409, "/problems/no-open-share"): 19}
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["remaining"]["projects"], shown["status"], len(shown["pairings"])) == (0, "fully_paired", 3)
