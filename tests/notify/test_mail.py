"""Mail through a real mail server: at once and as a digest, in the reader's language, until the reader says stop."""

import asyncio
import re
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest

from services.notify.domain.deliveries import digest_due
from services.notify.streams.outgoing import tell
from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.receiving import mailbox, post_room


async def subscribed(newsroom: Newsroom, role: str = "monitor", **other: Any) -> dict[str, Any]:
    body = {"channel": "mail", "target": f"{role}@example.org", "lang": "zh-CN"} | other
    answer = await newsroom.post("/subscriptions", body, role)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def hours_to_the_digest(newsroom: Newsroom, zone: str = "Asia/Shanghai") -> timedelta:
    """From now to just after the next 8 o'clock there."""
    now: datetime = newsroom.context.now()
    return digest_due(now, zone) - now + timedelta(seconds=2)


async def test_a_mail_says_it_in_text_and_html_in_the_readers_language_and_how_to_stop(newsroom: Newsroom) -> None:
    async with mailbox() as box, post_room(newsroom, smtp_url=box.server) as room:
        await newsroom.happen(b.listed(), b.registered())
        await newsroom.folded()
        await subscribed(newsroom, "coordinator")
        await subscribed(newsroom, "monitor", lang="en-GB", zone="Europe/London")
        await newsroom.happen(b.approved())
        assert await room.work() == 2
        zh, en = sorted(box.mails, key=lambda mail: str(mail["To"]))
        assert str(zh["Subject"]) == "结对获批：某企业与务川（网络覆盖，¥1,000.00）"
        assert "您以协调员身份收到此通知。" in part(zh, "plain")
        assert "（Asia/Shanghai）" in part(zh, "html")
        assert str(en["Subject"]).startswith("Approved: 某企业 and 务川 (network coverage, CN¥1,000.00)")
        assert "(Europe/London)" in part(en, "plain")
        assert en["Content-Language"] == "en-GB"
        assert en["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert zh["Message-ID"] != en["Message-ID"]


async def test_each_try_is_the_same_mail_with_the_same_message_id(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        box.refuse = ["451 later", "421 later still"]
        await subscribed(newsroom)
        await newsroom.happen(b.listed())
        for passed in (0, 10, 40):
            async with post_room(newsroom, timedelta(seconds=passed), smtp_url=box.server) as room:
                assert await room.work() == 1
        assert len(box.tries) == 3
        assert len(box.mails) == 1
        assert len({_without_boundary(letter) for letter in box.tries}) == 1


def _without_boundary(letter: bytes) -> bytes:
    boundary = letter.split(b'boundary="')[1].split(b'"')[0]
    return letter.replace(boundary, b"")


async def test_an_address_that_is_refused_for_good_is_not_tried_again_and_its_owner_is_told(
    newsroom: Newsroom,
) -> None:
    async with mailbox() as box, post_room(newsroom, smtp_url=box.server) as room:
        box.refuse = ["550 nobody of that name"]
        subscription = await subscribed(newsroom)
        await newsroom.happen(b.listed())
        await room.work()
        (delivery,) = (await newsroom.read(f"/subscriptions/{subscription['id']}/deliveries"))["items"]
        assert (delivery["status"], delivery["attempts"][0]["code"]) == ("failed", 550)
        (item,) = (await newsroom.read("/inbox"))["items"]
        assert "550" in item["text"]


async def test_a_server_that_refuses_us_as_a_sender_is_tried_again(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        box.refuse_senders = ["550 who are you"]
        subscription = await subscribed(newsroom)
        await newsroom.happen(b.listed())
        for passed in (0, 10):
            async with post_room(newsroom, timedelta(seconds=passed), smtp_url=box.server) as room:
                assert await room.work() == 1
        (delivery,) = (await newsroom.read(f"/subscriptions/{subscription['id']}/deliveries"))["items"]
        assert [attempt["status"] for attempt in delivery["attempts"]] == ["failed", "delivered"]
        assert "550 who are you" in delivery["attempts"][0]["detail"]


async def test_one_click_in_the_mail_program_ends_it_without_a_token_of_the_api(newsroom: Newsroom) -> None:
    async with mailbox() as box, post_room(newsroom, smtp_url=box.server) as room:
        subscription = await subscribed(newsroom, lang="en")
        await newsroom.happen(b.listed())
        await room.work()
        link = str(box.mails[0]["List-Unsubscribe"]).strip("<>")
        path = "/unsubscribe/" + link.rpartition("/")[2]
        asked = await newsroom.client.get(path)
        assert (asked.status_code, "<button>Stop these mails" in asked.text) == (200, True)
        assert (await newsroom.read(f"/subscriptions/{subscription['id']}"))["active"]
        for _ in range(2):
            done = await newsroom.client.post(path, data={"List-Unsubscribe": "One-Click"})
            assert done.status_code == 200
        assert not (await newsroom.read(f"/subscriptions/{subscription['id']}"))["active"]
        await newsroom.happen(b.listed())
        assert await room.work() == 0
        assert (await newsroom.client.post("/unsubscribe/nothing")).status_code == 404


@pytest.mark.parametrize("path", ["/unsubscribe", "/subscriptions", "/inbox", "/subscriptions/unsubscribe/x"])
async def test_nothing_else_is_open_without_a_token(newsroom: Newsroom, path: str) -> None:
    assert (await newsroom.client.get(path)).status_code == 401


async def test_a_day_is_one_digest_in_the_order_of_events_over_two_workers_and_a_restart(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        subscription = await subscribed(newsroom, mode="daily", lang="en")
        for day in (25, 21, 24, 22, 23):
            await newsroom.happen(replace(b.listed(f"5203{day}"), on=f"2014-12-{day}"))
            # Each is looked at by a worker of its own, as after a restart.
            async with post_room(newsroom, smtp_url=box.server) as room:
                assert await room.work() == 0
        due = hours_to_the_digest(newsroom)
        room_then = partial(post_room, newsroom, due, smtp_url=box.server)
        async with room_then() as one, room_then() as two:
            await asyncio.gather(one.work(), two.work())
        (mail,) = box.mails
        assert str(mail["Subject"]) == "Daily digest (5)"
        assert re.findall(r"programme from Dec (\d+), 2014", part(mail, "plain")) == ["25", "21", "24", "22", "23"]
        deliveries = (await newsroom.read(f"/subscriptions/{subscription['id']}/deliveries"))["items"]
        assert {delivery["status"] for delivery in deliveries} == {"delivered"}
        async with post_room(newsroom, due + timedelta(days=1), smtp_url=box.server) as later:
            assert await later.work() == 0


async def test_what_comes_while_a_digest_is_on_its_way_is_in_the_next_days(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        box.refuse = ["451 later"]
        await subscribed(newsroom, mode="daily", lang="en")
        await newsroom.happen(b.listed("520326"))
        due = hours_to_the_digest(newsroom)
        async with post_room(newsroom, smtp_url=box.server) as room:
            await room.tell()
        async with post_room(newsroom, due, smtp_url=box.server) as room:
            assert await room.work() == 1
        # The first digest waits for its second try; this one was told by a worker whose clock is behind.
        await newsroom.happen(b.listed("530927"))
        async with post_room(newsroom, smtp_url=box.server) as room:
            await room.tell()
        async with post_room(newsroom, due + timedelta(minutes=1), smtp_url=box.server) as room:
            assert await room.work() == 1
        async with post_room(newsroom, due + timedelta(days=1, minutes=1), smtp_url=box.server) as room:
            assert await room.work() == 1
        assert [str(mail["Subject"]) for mail in box.mails] == ["Daily digest (1)"] * 2
        assert len(set(map(str, (mail["Message-ID"] for mail in box.mails)))) == 2


async def test_a_digest_of_a_subscription_that_is_off_is_not_sent(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        subscription = await subscribed(newsroom, mode="daily")
        await newsroom.happen(b.listed())
        async with post_room(newsroom, smtp_url=box.server) as room:
            await room.tell()
        await newsroom.client.delete(f"/subscriptions/{subscription['id']}", headers=newsroom.token("monitor"))
        async with post_room(newsroom, hours_to_the_digest(newsroom), smtp_url=box.server) as room:
            assert await room.work() == 0
        assert box.mails == []
        row = await newsroom.context.database.deliveries.find_one()
        assert (row["status"], row["reason"]) == ("skipped", "the subscription was deleted")


@pytest.mark.parametrize("mode", ["at-once", "daily"])
async def test_what_a_subscription_does_not_tell_as_it_is_off_another_of_its_readers_tells_once(
    newsroom: Newsroom, mode: str
) -> None:
    async with mailbox() as box:
        first, *others = [await subscribed(newsroom, mode=mode, lang=lang) for lang in ("zh", "en", "en")]
        await newsroom.happen(b.listed("520326"), b.listed("530927"))
        async with post_room(newsroom, smtp_url=box.server) as room:
            await room.tell()
        assert [await _statuses(newsroom, each) for each in others] == [["skipped", "skipped"]] * 2
        path = f"/subscriptions/{first['id']}"
        await newsroom.client.patch(path, json={"active": False}, headers=newsroom.token("monitor"))
        for days in (0, 1):
            later = hours_to_the_digest(newsroom) + timedelta(days=days)
            async with post_room(newsroom, later, smtp_url=box.server) as room:
                await room.work()
        assert [await _statuses(newsroom, each) for each in (first, *others)] == [
            ["skipped", "skipped"], ["delivered", "delivered"], ["skipped", "skipped"]
        ]  # fmt: skip
        subjects = sorted(str(mail["Subject"])[:20] for mail in box.mails)
        assert subjects == (["Daily digest (2)"] if mode == "daily" else ["务川 is in the program"] * 2)
        row = await newsroom.context.database.deliveries.find_one({"subscription_id": others[1]["id"]})
        assert row["reason"] == f"told by the subscription {others[0]['id']}"


async def test_what_would_be_told_by_one_that_was_off_meanwhile_is_told_by_none(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        both = [await subscribed(newsroom) for _ in range(2)]
        await newsroom.happen(b.listed())
        async with post_room(newsroom, smtp_url=box.server) as room:
            await room.tell()
        for each, switches in zip(both, ((False,), (False, True)), strict=True):
            for active in switches:
                headers = newsroom.token("monitor")
                await newsroom.client.patch(f"/subscriptions/{each['id']}", json={"active": active}, headers=headers)
        async with post_room(newsroom, smtp_url=box.server) as room:
            assert await room.work() == 0


async def test_a_digest_gathers_no_more_than_can_be_written_and_counts_the_rest(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tell, "GATHERED", 3)
    async with mailbox() as box:
        subscription = await subscribed(newsroom, mode="daily", lang="en")
        await newsroom.happen(*(b.listed(f"52032{n}") for n in range(5)))
        for later in (timedelta(), hours_to_the_digest(newsroom)):
            async with post_room(newsroom, later, smtp_url=box.server) as room:
                await room.work()
        (mail,) = box.mails
        assert str(mail["Subject"]) == "Daily digest (5)"
        assert "And 2 more" in part(mail, "plain")
        assert await _statuses(newsroom, subscription) == ["delivered"] * 3 + ["skipped"] * 2


async def _statuses(newsroom: Newsroom, subscription: dict[str, Any]) -> list[str]:
    found = await newsroom.read(f"/subscriptions/{subscription['id']}/deliveries")
    return [delivery["status"] for delivery in found["items"]]


async def test_a_mail_server_that_is_away_loses_nothing(newsroom: Newsroom) -> None:
    async with mailbox() as box:
        subscription = await subscribed(newsroom)
        await newsroom.happen(b.listed())
        for passed, server in ((0, None), (10, box.server)):
            async with post_room(newsroom, timedelta(seconds=passed), smtp_url=server) as room:
                await room.work()
        (delivery,) = (await newsroom.read(f"/subscriptions/{subscription['id']}/deliveries"))["items"]
        assert [attempt["status"] for attempt in delivery["attempts"]] == ["failed", "delivered"]
        assert "JIEDUI_SMTP_URL" in delivery["attempts"][0]["detail"]
