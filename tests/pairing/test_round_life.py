"""A round from its request to its end: where it may stop, who takes it up, what shows when."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import psutil
import pytest

from services.pairing.streams import rounds
from services.pairing.streams.solving import Frozen, Job, Message, Progress, Solver, in_a_process
from tests.pairing.conftest import Desk, Json, at_once
from tests.waiting import until


def stopping_after(kind: type[Message], reached: asyncio.Event) -> Solver:
    """A solver that goes on no more once it has said this."""

    async def solver(job: Job) -> AsyncGenerator[Message, None]:
        async with aclosing(at_once(job)) as messages:
            async for message in messages:
                yield message
                if isinstance(message, kind):
                    reached.set()
                    await asyncio.Event().wait()

    return solver


async def dies_after(desk: Desk, id: str, kind: type[Message]) -> None:
    """A worker takes the round up and is killed."""
    reached = asyncio.Event()
    async with desk.context.leader("rounds") as lease:
        running = asyncio.create_task(rounds.run_round(desk.context, lease, id, stopping_after(kind, reached)))
        await asyncio.wait_for(reached.wait(), 30)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def finish(desk: Desk, id: str, solver: Solver = at_once) -> Json:
    async with desk.context.leader("rounds") as lease:
        await rounds.run_round(desk.context, lease, id, solver)
    return await desk.get(f"/rounds/{id}")


async def asked(desk: Desk) -> str:
    return str((await desk.post("/rounds", {"as_of": desk.day(), "seed": 1}))["id"])


async def test_a_round_that_died_after_its_snapshot_goes_on_from_it(desk: Desk) -> None:
    await desk.county("520324")
    commitment = await desk.commitment()
    id = await asked(desk)
    await dies_after(desk, id, Frozen)
    await desk.county("520326")
    assert (await finish(desk, id))["status"] == "completed"
    assert [pairing["county_code"] for pairing in await desk.proposed(commitment)] == ["520324"]


async def test_a_commitment_withdrawn_while_the_round_ran_is_not_proposed(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    id = await asked(desk)
    await dies_after(desk, id, Frozen)
    await desk.post(f"/commitments/{commitment['id']}/withdraw", {"reason": "no budget"})
    assert (await finish(desk, id))["pairings"] == 1
    (pairing,) = (await desk.get(f"/pairings?round={id}"))["items"]
    assert pairing["status"] == "rejected"
    assert await desk.types(pairing["id"]) == ["pairing.proposed", "pairing.rejected"]


async def test_a_round_in_parts_shows_nothing_before_it_shows_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for no in range(4):
        await desk.county(f"52032{no}")
    made = [await desk.commitment(projects_max=1) for _ in range(4)]
    first = await desk.round()
    id = await asked(desk)
    monkeypatch.setattr(rounds, "_AT_ONCE", 1)
    looks = 0

    def dies(self: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(rounds._Runner, "_check_lease", dies)
        with suppress(asyncio.CancelledError):
            await finish(desk, id)
    shown = await desk.get(f"/rounds/{id}")
    assert (shown["status"], shown["pairings"]) == ("running", None)
    assert 70 < shown["progress"] < 100
    assert (await desk.get(f"/pairings?round={id}"))["items"] == []
    hidden = await desk.database.pairings.find_one({"round_id": id})
    assert hidden is not None
    assert (await desk.send("GET", f"/pairings/{hidden['_id']}")).status_code == 404
    assert (await desk.send("POST", f"/pairings/{hidden['_id']}/approve", {})).status_code == 404
    late = await desk.send("POST", f"/rounds/{id}/cancel", {})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/round-is-settled")
    (old,) = (await desk.get(f"/pairings?round={first['id']}&limit=1"))["items"]
    overtaken = await desk.send("POST", f"/pairings/{old['id']}/approve", {})
    assert (overtaken.status_code, overtaken.json()["type"]) == (409, "/problems/pairing-not-proposed")

    assert (await finish(desk, id))["status"] == "completed"
    for commitment in made:
        (pairing,) = await desk.proposed(commitment)
        assert pairing["round_id"] == id
        assert await desk.types(pairing["id"]) == ["pairing.proposed"]
    assert await desk.types(id) == ["round.completed"]


async def test_what_a_round_says_belongs_to_the_command_that_asked_for_it(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    found = await desk.round()
    (pairing,) = await desk.proposed(commitment)
    (completed,) = await desk.published(found["id"])
    (proposed,) = await desk.published(pairing["id"])
    stored = await desk.database.rounds.find_one({"_id": found["id"]})
    assert stored is not None
    for event in (completed, proposed):
        assert event.envelope.correlationid == stored["chain"]["correlationid"]
        assert event.envelope.causationid == stored["chain"]["causationid"]
        assert event.envelope.actor == "rounds"


async def test_an_approval_on_terms_that_were_amended_meanwhile_is_refused(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    # As if the amendment had not seen the proposal yet.
    await desk.database.pairings.update_one({"_id": pairing["id"]}, {"$set": {"terms_version": 0}})
    refused = await desk.send("POST", f"/pairings/{pairing['id']}/approve", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/terms-have-changed")


async def test_the_solving_process_can_be_cancelled_and_is_gone_then(desk: Desk) -> None:
    await desk.county()
    await desk.commitment()
    id = await asked(desk)
    began = asyncio.Event()

    async def solver(job: Job) -> AsyncGenerator[Message, None]:
        async with aclosing(in_a_process(job)) as messages:
            async for message in messages:
                if isinstance(message, Frozen):
                    for child in psutil.Process().children():
                        if "solving" in " ".join(child.cmdline()):
                            os.kill(child.pid, signal.SIGSTOP)
                            began.set()
                yield message

    async with desk.context.leader("rounds") as lease:
        running = asyncio.create_task(rounds.run_round(desk.context, lease, id, solver))
        await asyncio.wait_for(began.wait(), 60)
        assert (await desk.post(f"/rounds/{id}/cancel"))["status"] == "cancelled"
        await asyncio.wait_for(running, 30)

    async def gone() -> bool:
        return not [child for child in psutil.Process().children() if "solving" in " ".join(child.cmdline())]

    await until(gone, "the solving process has ended")
    assert await desk.types(id) == []


async def test_a_solving_process_that_is_killed_fails_the_round_and_the_next_one_runs(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()

    async def solver(job: Job) -> AsyncGenerator[Message, None]:
        async with aclosing(in_a_process(job)) as messages:
            async for message in messages:
                if isinstance(message, Progress):
                    continue
                for child in psutil.Process().children():
                    if isinstance(message, Frozen) and "solving" in " ".join(child.cmdline()):
                        child.kill()
                yield message

    found = await finish(desk, await asked(desk), solver)
    assert found["status"] in ("failed", "completed")
    again = await finish(desk, await asked(desk), in_a_process)
    assert again["status"] == "completed"
    assert len(await desk.proposed(commitment)) == 1
