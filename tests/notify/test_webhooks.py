"""Webhooks to real receivers, checked by the standard's own library, over days that pass by the clock's shift."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook

from services.notify.streams.outgoing import receivers, send
from services.notify.streams.outgoing.webhook import Webhooks
from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.receiving import Answer, Request, post_room, receiver, status
from tests.waiting import until


async def subscribed(newsroom: Newsroom, target: str, role: str = "monitor", **other: Any) -> dict[str, Any]:
    answer = await newsroom.post("/subscriptions", {"channel": "webhook", "target": target} | other, role)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def log(newsroom: Newsroom, subscription: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    found = await newsroom.read(f"/subscriptions/{subscription['id']}/deliveries?limit=500{query}")
    items: list[dict[str, Any]] = found["items"]
    return items


def words(delivery: dict[str, Any]) -> list[str]:
    return [attempt["status"] for attempt in delivery["attempts"]]


async def test_a_receiver_with_the_standards_library_gets_the_event_as_in_the_feed_once(newsroom: Newsroom) -> None:
    async with receiver() as hook, post_room(newsroom) as room:
        subscription = await subscribed(newsroom, hook.url)
        assert subscription["secret"].startswith("whsec_")
        traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
        await newsroom.inbox.take([newsroom.record(b.listed(), traceparent=traceparent)])
        assert await room.work() == 1
        (request,) = hook.requests
        told = Webhook(subscription["secret"]).verify(request.body, request.headers)
        assert told == (await newsroom.read("/events"))["items"][0]
        assert request.headers["traceparent"].split("-")[1] == "a" * 32
        (delivery,) = await log(newsroom, subscription)
        assert (delivery["status"], words(delivery)) == ("delivered", ["delivered"])
        assert delivery["webhook_id"] == request.headers["webhook-id"]
        assert await room.work() == 0


async def test_each_try_has_the_same_id_and_the_same_bytes_and_comes_after_5_15_and_60_seconds(
    newsroom: Newsroom,
) -> None:
    async with receiver(status(500), status(503), status(302, location="/x"), status(200)) as hook:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(b.listed())
        passed = timedelta()
        for pause_s in (0, 5, 15, 60):
            async with post_room(newsroom, passed + timedelta(seconds=pause_s * 0.8)) as room:
                assert await room.work() == (1 if pause_s == 0 else 0)
            passed += timedelta(seconds=pause_s * 1.25)
            async with post_room(newsroom, passed) as room:
                assert await room.work() == (0 if pause_s == 0 else 1)
        assert len({(request.headers["webhook-id"], request.body) for request in hook.requests}) == 1
        (delivery,) = await log(newsroom, subscription)
        assert words(delivery) == ["failed", "failed", "failed", "delivered"]
        assert [attempt["code"] for attempt in delivery["attempts"]] == [500, 503, 302, 200]
        assert "redirect" in delivery["attempts"][2]["detail"]


async def test_after_20_tries_over_3_days_the_webhook_is_off_and_its_owner_is_told(newsroom: Newsroom) -> None:
    async with receiver(status(500)) as hook:
        subscription = await subscribed(newsroom, hook.url, lang="en")
        await newsroom.happen(b.listed())
        tries, passed = 0, timedelta()
        for _ in range(25):
            async with post_room(newsroom, passed) as room:
                tries += await room.work()
            rows = [row async for row in newsroom.context.database.deliveries.find()]
            if rows[0]["status"] != "waiting":
                break
            passed = rows[0]["next_at"] - newsroom.context.now() + timedelta(seconds=1)
        assert tries == len(hook.requests) == 20
        assert timedelta(days=2.6) < passed < timedelta(days=3.4)
        assert (await log(newsroom, subscription))[0]["status"] == "failed"
        off = await newsroom.read(f"/subscriptions/{subscription['id']}")
        assert (off["active"], "20 tries" in off["disabled"]["reason"]) == (False, True)
        texts = [item["text"] for item in (await newsroom.read("/inbox"))["items"]]
        assert "switched off" in texts[0]
        # Failures that last are told before that too, but no more than once an hour.
        assert 2 <= len(texts) <= 18


async def test_410_switches_it_off_at_once_and_what_waits_is_skipped(newsroom: Newsroom) -> None:
    async with receiver(status(410)) as hook, post_room(newsroom) as room:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(b.listed())
        await room.work()
        assert not (await newsroom.read(f"/subscriptions/{subscription['id']}"))["active"]
        assert len((await newsroom.read("/inbox"))["items"]) == 1
        again = await newsroom.post(f"/deliveries/{(await log(newsroom, subscription))[0]['id']}/resend", {})
        assert (again.status_code, again.json()["type"]) == (409, "/problems/subscription-off")


async def test_off_holds_for_what_waits_already(newsroom: Newsroom) -> None:
    async with receiver() as hook, post_room(newsroom) as room:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(b.listed())
        await room.tell()
        changed = await newsroom.client.patch(
            f"/subscriptions/{subscription['id']}", json={"active": False}, headers=newsroom.token("monitor")
        )
        assert changed.status_code == 200
        assert await room.work() == 0
        assert hook.requests == []
        (delivery,) = await log(newsroom, subscription)
        assert (delivery["status"], delivery["reason"]) == ("skipped", "the subscription is off")


async def test_for_24_hours_after_a_rotation_both_secrets_sign(newsroom: Newsroom) -> None:
    async with receiver() as hook:
        subscription = await subscribed(newsroom, hook.url)
        rotated = (await newsroom.post(f"/subscriptions/{subscription['id']}/rotate", {})).json()
        assert rotated["secret"] != subscription["secret"]
        assert "secret" not in await newsroom.read(f"/subscriptions/{subscription['id']}")
        for hours, signatures in ((0, 2), (25, 1)):
            await newsroom.happen(b.listed())
            async with post_room(newsroom, timedelta(hours=hours)) as room:
                await room.work()
            request = hook.requests[-1]
            assert len(request.headers["webhook-signature"].split(" ")) == signatures
        early = hook.requests[0]
        for secret in (subscription["secret"], rotated["secret"]):
            Webhook(secret).verify(early.body, early.headers)


async def test_a_delivery_is_sent_again_by_hand_with_the_same_id(newsroom: Newsroom) -> None:
    async with receiver() as hook, post_room(newsroom) as room:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(b.listed())
        await room.work()
        (delivery,) = await log(newsroom, subscription)
        assert (await newsroom.post(f"/deliveries/{delivery['id']}/resend", {}, "coordinator")).status_code == 404
        assert (await newsroom.post(f"/deliveries/{delivery['id']}/resend", {})).json()["status"] == "waiting"
        assert await room.work() == 1
        assert len({request.headers["webhook-id"] for request in hook.requests}) == 1
        assert len(hook.requests) == 2


async def test_two_workers_at_once_send_each_of_200_once(newsroom: Newsroom) -> None:
    async with receiver() as hook, post_room(newsroom) as one, post_room(newsroom) as two:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(*(b.listed(f"{number:06}") for number in range(200)))
        await one.tell()

        async def all_sent() -> bool:
            return len(await log(newsroom, subscription, "&status=delivered")) == 200

        async with one.running(), two.running():
            await until(all_sent, "all are delivered")
        ids = [request.headers["webhook-id"] for request in hook.requests]
        assert len(ids) == len(set(ids)) == 200
        assert hook.most_at_once <= 8


async def test_a_kill_between_answer_and_entry_sends_once_more_with_the_same_id_and_the_log_says_so(
    newsroom: Newsroom,
) -> None:
    async with receiver() as hook:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(b.listed())
        async with post_room(newsroom) as killed:
            await killed.tell()
            killed.context.transact, entering = _cut_off_at(2, killed.context.transact)
            await killed.sender.begin_due()
            await until(entering.is_set, "the answer has come")
        async with post_room(newsroom, timedelta(seconds=60)) as room:
            assert await room.work() == 0
        async with post_room(newsroom, timedelta(seconds=100)) as room:
            assert await room.work() == 1
        assert len({request.headers["webhook-id"] for request in hook.requests}) == 1
        (delivery,) = await log(newsroom, subscription)
        assert words(delivery) == ["unknown", "delivered"]


def _cut_off_at(call: int, transact: Any) -> tuple[Any, asyncio.Event]:
    """The units of work of a worker that dies with its last one, after `call` others."""
    reached, count = asyncio.Event(), 0

    async def until_then(work: Any, cause: str) -> Any:
        nonlocal count
        count += 1
        # Digests are claimed, deliveries are claimed, and looked for once more.
        if work.__name__ == "<lambda>":
            reached.set()
            await asyncio.Event().wait()
        return await transact(work, cause)

    return until_then, reached


async def hangs(_: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def never_ends(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def sends_a_gigabyte(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
    for _number in range(1024):
        writer.write(b"\0" * 1024 * 1024)
        await writer.drain()


async def breaks_off(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-le")
    await writer.drain()
    writer.close()


async def talks_nonsense(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.org ESMTP\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (hangs, "unknown"),
        (never_ends, "delivered"),
        (sends_a_gigabyte, "delivered"),
        (breaks_off, "unknown"),
        (talks_nonsense, "unknown"),
        (status(500), "failed"),
        (status(307, location="http://127.0.0.1:1/"), "failed"),
    ],
)
async def test_a_bad_receiver_harms_no_other(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, bad: Answer, word: str
) -> None:
    monkeypatch.setattr(send, "LONGEST_S", 1.5)
    at_once = [0]
    post = Webhooks.post

    async def counted(self: Webhooks, url: str, *how: Any) -> Any:
        """At the sender: a receiver sees the end of what was given up only after the next has begun."""
        at_once.append(at_once[-1] + (url == evil.url))
        try:
            return await post(self, url, *how)
        finally:
            at_once.append(at_once[-1] - (url == evil.url))

    monkeypatch.setattr(Webhooks, "post", counted)
    async with receiver(bad) as evil, receiver() as good, post_room(newsroom) as room:
        of_evil, of_good = await subscribed(newsroom, evil.url), await subscribed(newsroom, good.url)
        await newsroom.happen(*(b.listed(f"{number:06}") for number in range(40)))
        await room.tell()

        async def good_has_all() -> bool:
            await room.sender.begin_due()
            return len(good.requests) == 40

        await until(good_has_all, "the good receiver has all", 10)
        assert max(at_once) <= 4
        await room.sender.idle()
        assert all(delivery["status"] == "delivered" for delivery in await log(newsroom, of_good))
        assert words((await log(newsroom, of_evil))[0])[:1] == [word]


async def test_a_thousand_events_with_the_receiver_away_for_two_minutes_all_come_in(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "PER_SECOND", 1000.0)
    async with receiver() as hook:
        subscription = await subscribed(newsroom, hook.url)
        for hundred in range(10):
            await newsroom.happen(*(b.listed(f"{number:06}") for number in range(hundred * 100, hundred * 100 + 100)))
        async with post_room(newsroom) as room:
            await room.tell()
        await newsroom.context.database.deliveries.update_many({}, {"$set": {"tries": 3}})
        delivered = {"status": "delivered"}

        async def all_in() -> bool:
            return bool(await newsroom.context.database.deliveries.count_documents(delivered) == 1000)

        async with post_room(newsroom, timedelta(minutes=2)) as room, room.running():
            await until(all_in, "a thousand came in", 90)
        positions = sorted(orjson.loads(request.body)["position"] for request in hook.requests)
        assert positions == list(range(1, 1001))
        assert subscription["active"]


async def slowly(_: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.wait({asyncio.create_task(asyncio.Event().wait())}, timeout=1.5)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def test_a_receiver_that_takes_longer_than_we_wait_is_given_more_time_and_the_log_says_unknown_then_delivered(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "LONGEST_S", 0.5)
    async with receiver(slowly) as hook:
        subscription = await subscribed(newsroom, hook.url)
        await newsroom.happen(b.listed())
        for passed in (0, 6, 60):
            async with post_room(newsroom, timedelta(seconds=passed)) as room:
                await room.work()
        (delivery,) = await log(newsroom, subscription)
        assert words(delivery) == ["unknown", "delivered"]
        assert len({request.headers["webhook-id"] for request in hook.requests}) == 1


def test_receivers_that_fail_hold_few_tries_together_and_those_that_take_are_not_kept_in_mind() -> None:
    now = 0.0
    known = receivers.Receivers(lambda: now)
    for number in range(100):
        known.begin(f"bad-{number}")
        known.end(f"bad-{number}", failed=True)
    begun = 0
    for number in range(100):
        if known.room(f"bad-{number}"):
            known.begin(f"bad-{number}")
            begun += 1
    assert begun == receivers.FAILING_AT_ONCE
    assert known.room("good") == receivers.AT_ONCE
    assert len(known.full()) == 100
    now += 10
    for number in range(100):
        if number < begun:
            known.end(f"bad-{number}", failed=False)
    assert known.room("bad-99") == 1
    known.begin("good")
    now += 10
    known.end("good", failed=False)
    assert "good" not in known.full()
