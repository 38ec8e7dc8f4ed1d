"""What the relay promises: each row at least once, a subject's in order, one leader, nothing lost on the way."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from schemas.partners import PartnerAmended, PartnerRegistered
from services.kit import mongo
from services.kit.decision import Decision
from services.kit.lease import LeaseLost, leading
from services.kit.outbox import in_order
from tests.kit.toy import Bench, Partner, Tx, partner_event
from tests.waiting import until


async def say(bench: Bench, partner_id: str, text: str) -> None:
    """One command that changes a partner and publishes it."""

    async def work(tx: Tx) -> Decision[None]:
        known = await tx.get(Partner, partner_id)
        state = replace(known, seen=known.seen + 1) if known else Partner(id=partner_id, seen=1)
        kind = PartnerAmended if known else PartnerRegistered
        event = kind(partner_id=partner_id, name={"zh": text}, kind="enterprise")
        return Decision(None, saves=(state,), events=(event,))

    await bench.context.transact(work, "test")


async def published(bench: Bench) -> list[dict[str, Any]]:
    topic = PartnerRegistered.TOPIC
    mine = f"/jiedui/{bench.service.name}"
    # Others' tests write what is no JSON to the same topic.
    found = [record.value for record in await bench.read(topic) if record.value and mine.encode() in record.value]
    return [orjson.loads(value) for value in found]


async def test_what_was_decided_is_published_in_the_order_of_each_subject(bench: Bench) -> None:
    await asyncio.gather(*(say(bench, f"p{n % 5}", str(n)) for n in range(50)))
    async with bench.running(bench.relay()):
        await until(lambda: _all_sent(bench), "all rows are sent")
    events = await published(bench)
    assert len(events) == 50
    for partner in range(5):
        numbers = [int(event["sequence"]) for event in events if event["subject"] == f"p{partner}"]
        assert numbers == list(range(1, 11))


async def test_a_row_that_commits_late_is_not_skipped(bench: Bench) -> None:
    """Transactions do not commit in the order of their ids: the first to begin commits last here."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def late(tx: Tx) -> Decision[None]:
        state = Partner(id="late", seen=1)
        event = PartnerRegistered(partner_id="late", name={"zh": "late"}, kind="enterprise")
        decision = Decision(None, saves=(state,), events=(event,))
        tx.keep(decision)
        begun.set()
        await may_end.wait()
        return Decision(None)

    async with bench.running(bench.relay()):
        slow = asyncio.create_task(bench.context.transact(late, "test"))
        await begun.wait()
        await say(bench, "early", "early")
        await until(lambda: bench.database.outbox.find_one({"key": b"early", "sent": True}), "early is sent")
        may_end.set()
        await slow
        await until(lambda: bench.database.outbox.find_one({"key": b"late", "sent": True}), "late is sent")
    assert {event["subject"] for event in await published(bench)} == {"early", "late"}


async def test_a_thousand_pairs_that_commit_in_the_wrong_order_are_all_published_in_order(bench: Bench) -> None:
    """The first of each pair takes its ids first and commits last; the relay is replaced half-way."""
    at_once = asyncio.Semaphore(25)

    async def pair(number: int) -> None:
        second_is_done = asyncio.Event()

        async def first(tx: Tx) -> Decision[None]:
            event = PartnerRegistered(partner_id=f"first{number}", name={"zh": "x"}, kind="enterprise")
            tx.keep(Decision(None, saves=(Partner(id=f"first{number}"),), events=(event,)))
            await second_is_done.wait()
            return Decision(None)

        async with at_once:
            slow = asyncio.create_task(bench.context.transact(first, "test"))
            await say(bench, f"second{number}", "x")
            second_is_done.set()
            await slow
            await say(bench, f"second{number}", "y")

    async with bench.running(bench.relay("one")):
        await asyncio.gather(*(pair(number) for number in range(500)))
    async with bench.running(bench.relay("two")):
        await asyncio.gather(*(pair(number) for number in range(500, 1000)))
        await until(lambda: _all_sent(bench), "all rows are sent", timeout=60)
    # What was in flight when the relay was replaced goes again; readers know it by its id.
    events = list({event["id"]: event for event in await published(bench)}.values())
    found = {(event["subject"], int(event["sequence"])): position for position, event in enumerate(events)}
    assert len(events) == len(found) == 3000
    assert all(found[f"second{number}", 1] < found[f"second{number}", 2] for number in range(1000))


async def test_two_relays_at_once_send_each_row_once(bench: Bench) -> None:
    async with bench.running(bench.relay("one"), bench.relay("two")):
        for n in range(20):
            await say(bench, f"p{n}", "x")
        await until(lambda: _all_sent(bench), "all rows are sent")
    assert len(await published(bench)) == 20


async def test_a_leader_that_slept_through_its_lease_can_mark_nothing(bench: Bench) -> None:
    async with leading(bench.database, "relay", "old") as old:
        # As if it had slept: its lease is over by the database's clock.
        await bench.database.leases.update_one({"_id": "relay"}, [{"$set": {"until": "$$NOW"}}])
        async with leading(bench.database, "relay", "new") as new:
            assert new.fence == old.fence + 1
            with pytest.raises(LeaseLost):
                await mongo.in_transaction(bench.database.client, old.guard)
            await mongo.in_transaction(bench.database.client, new.guard)


async def test_a_lease_is_taken_over_when_its_holder_is_gone(bench: Bench) -> None:
    async with leading(bench.database, "work", "one") as one:
        assert not one.lost
    async with leading(bench.database, "work", "two") as two:
        assert two.fence == one.fence + 1


def test_rows_of_one_key_go_by_their_number_whatever_their_ids() -> None:
    rows = [
        {"_id": "1", "key": b"a", "sequence": 2},
        {"_id": "2", "key": b"b", "sequence": 1},
        {"_id": "3", "key": b"a", "sequence": 1},
        {"_id": "4", "key": b"a"},
    ]
    assert [row["_id"] for row in in_order(rows)] == ["3", "2", "1", "4"]


async def _all_sent(bench: Bench) -> bool:
    rows = await bench.database.outbox.count_documents({})
    return rows > 0 and await bench.database.outbox.count_documents({"sent": False}) == 0


async def test_a_loop_that_is_woken_and_cancelled_at_one_moment_ends(bench: Bench) -> None:
    seen = 0

    async def follow() -> None:
        nonlocal seen
        async for _ in bench.context.changes(Partner, every_s=60):
            seen += 1

    for number in range(20):
        task = asyncio.create_task(follow())
        before = seen
        await until(lambda before=before: seen > before, "it follows")  # type: ignore[misc]
        await say(bench, f"w{number}", "x")
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done, "it has ended"


async def test_a_row_that_the_producer_does_not_take_waits_and_those_before_it_are_not_sent_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send = AIOKafkaProducer.send

    async def full_once(self: AIOKafkaProducer, topic: str, *args: Any, key: bytes, **more: Any) -> Any:
        sent.append(key)
        if sent == [b"p0", b"p1"]:
            raise KafkaTimeoutError
        return await send(self, topic, *args, key=key, **more)

    monkeypatch.setattr(AIOKafkaProducer, "send", full_once)
    await bench.database.outbox.insert_many([_row(bench, n) for n in range(3)])
    async with bench.running(bench.relay()):
        await until(lambda: _all_sent(bench), "all rows are marked")
    assert sent == [b"p0", b"p1", b"p1", b"p2"]
    assert [record.key for record in await bench.read(bench.topic)] == [b"p0", b"p1", b"p2"]


def _row(bench: Bench, no: int) -> dict[str, Any]:
    key, value = partner_event(f"p{no}", 1)
    row = {"_id": f"{no}", "topic": bench.topic, "key": key, "value": value, "headers": {}, "sequence": 1}
    return row | {"sent": False, "at": bench.clock.now()}
