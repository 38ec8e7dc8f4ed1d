"""Subscriptions over HTTP: one's own, of what one may see; and the inbox that they fill."""

from typing import Any

import pytest

from services.kit.decision import Decision
from services.notify.domain import walk_again
from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.receiving import post_room

KNOWN = [b.registered(), b.registered("partner-2"), b.listed("520326"), b.listed("520327"), b.approved(1), b.opened(1)]


async def faults(newsroom: Newsroom, body: dict[str, Any], role: str = "monitor") -> set[str]:
    answer = await newsroom.post("/subscriptions", body, role)
    assert answer.status_code == 422, answer.text
    return {fault["pointer"] for fault in answer.json()["errors"]}


async def subscribed(newsroom: Newsroom, role: str = "monitor", **other: Any) -> dict[str, Any]:
    answer = await newsroom.post("/subscriptions", {"channel": "inbox"} | other, role)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def inbox(newsroom: Newsroom, role: str = "monitor", **claims: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await newsroom.read("/inbox", role, **claims))["items"]
    return items


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"channel": "webhook"}, {"/target"}),
        ({"channel": "webhook", "target": "example.org"}, {"/target"}),
        ({"channel": "webhook", "target": "ftp://example.org/"}, {"/target"}),
        ({"channel": "webhook", "target": "http://user:secret@example.org/"}, {"/target"}),
        ({"channel": "webhook", "target": "http://10.0.0.1/"}, {"/target"}),
        ({"channel": "webhook", "target": "http://[::1]/"}, {"/target"}),
        ({"channel": "webhook", "target": "http://169.254.169.254/latest"}, {"/target"}),
        ({"channel": "webhook", "target": "http://0x0a000001/"}, {"/target"}),
        ({"channel": "webhook", "target": f"http://{'a' * 64}.example/"}, {"/target"}),
        ({"channel": "webhook", "target": "https://例子.中国/接收"}, {"/target"}),
        ({"channel": "inbox", "zone": ""}, {"/zone"}),
        ({"channel": "mail", "target": "nobody"}, {"/target"}),
        ({"channel": "mail", "target": "a@b.org\r\nBcc: c@d.org"}, {"/target"}),
        ({"channel": "mail", "target": "a@例子.中国"}, {"/target"}),
        ({"channel": "inbox", "target": "a@b.org"}, {"/target"}),
        ({"channel": "webhook", "target": "http://127.0.0.1/", "mode": "daily"}, {"/mode"}),
        ({"channel": "inbox", "zone": "Mars/Base", "lang": "!"}, {"/zone", "/lang"}),
        ({"channel": "pigeon"}, {"/channel"}),
        ({"channel": "inbox", "filter": {"colour": ["red"]}}, {"/filter/colour"}),
        ({"channel": "inbox", "filter": {"types": ["jiedui.nothing"], "counties": ["999999"]}},
         {"/filter/types/0", "/filter/counties/0"}),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_subscription_is_said_all_at_once(
    newsroom: Newsroom, body: dict[str, Any], wrong: set[str]
) -> None:
    assert await faults(newsroom, body) == wrong


@pytest.mark.parametrize(
    ("role", "filter_", "wrong"),
    [
        ("officer", {"counties": ["520326", "520327"]}, {"/filter/counties/1"}),
        ("officer", {"partners": ["partner-1", "partner-2"]}, {"/filter/partners/1"}),
        ("partner", {"partners": ["partner-1", "partner-2"]}, {"/filter/partners/1"}),
        ("partner", {"projects": ["project-1", "project-2"]}, {"/filter/projects/1"}),
        ("partner", {"types": ["jiedui.round.completed", "jiedui.fund.spent"]}, {"/filter/types/0"}),
        ("officer", {"types": ["jiedui.pairing.proposed"]}, {"/filter/types/0"}),
        ("monitor", {"partners": ["partner-3"]}, {"/filter/partners/0"}),
    ],
)
async def test_a_filter_that_names_what_one_may_not_see_is_refused(
    newsroom: Newsroom, role: str, filter_: dict[str, Any], wrong: set[str]
) -> None:
    await newsroom.happen(*KNOWN)
    await newsroom.folded()
    assert await faults(newsroom, {"channel": "inbox", "filter": filter_}, role) == wrong


async def test_who_may_no_longer_see_what_was_asked_for_can_still_switch_it_off(newsroom: Newsroom) -> None:
    await newsroom.happen(*KNOWN)
    await newsroom.folded()
    made = await subscribed(newsroom, "officer", filter={"counties": ["520326"]})
    path, elsewhere = f"/subscriptions/{made['id']}", newsroom.token("officer", county_codes=["520327"])
    shown = (await newsroom.read(path, "officer")) | {"active": False}
    off = await newsroom.client.patch(path, json=shown, headers=elsewhere)
    assert (off.status_code, off.json()["active"]) == (200, False)
    for body in ({"active": True}, {"lang": "en"}):
        assert (await newsroom.client.patch(path, json=body, headers=elsewhere)).status_code == 422
    on = await newsroom.client.patch(path, json={"active": True}, headers=newsroom.token("officer"))
    assert on.json()["active"]


async def test_a_subscription_is_its_owners_alone(newsroom: Newsroom) -> None:
    made = await subscribed(newsroom, "officer", filter={"types": ["jiedui.county.listed"]})
    path = f"/subscriptions/{made['id']}"
    assert {key: made[key] for key in ("channel", "mode", "zone", "active", "secret", "target")} == {
        "channel": "inbox", "mode": "at-once", "zone": "Asia/Shanghai", "active": True, "secret": None, "target": None
    }  # fmt: skip
    assert [item["id"] for item in (await newsroom.read("/subscriptions", "officer"))["items"]] == [made["id"]]
    assert (await newsroom.read("/subscriptions"))["items"] == []
    for answer in (
        await newsroom.get(path),
        await newsroom.get(f"{path}/deliveries"),
        await newsroom.post(f"{path}/rotate", {}),
        await newsroom.client.delete(path, headers=newsroom.token("monitor")),
        await newsroom.client.patch(path, json={}, headers=newsroom.token("monitor")),
    ):
        assert answer.status_code == 404
    assert (await newsroom.post(f"{path}/rotate", {}, "officer")).json()["type"] == "/problems/nothing-to-rotate"
    headers = newsroom.token("officer")
    shown = (await newsroom.read(path, "officer")) | {"active": False}
    changed = await newsroom.client.patch(path, json=shown, headers=headers | {"if-match": '"1"'})
    assert (changed.status_code, changed.json()["active"], changed.headers["etag"]) == (200, False, '"2"')
    stale = await newsroom.client.patch(path, json={"active": True}, headers=headers | {"if-match": '"1"'})
    assert stale.status_code == 412
    assert (await newsroom.client.delete(path, headers=headers)).status_code == 204
    assert (await newsroom.get(path, "officer")).status_code == 404


async def test_a_notice_names_each_role_by_which_it_is_told_and_comes_once(newsroom: Newsroom) -> None:
    async with post_room(newsroom) as room:
        claims = {"roles": ["officer", "partner"], "partner_id": "partner-1", "county_codes": ["520326"]}
        headers = {"authorization": f"Bearer {newsroom.issuer.token(sub='both', now=newsroom.context.now(), **claims)}"}  # type: ignore[arg-type]
        for filter_ in ({}, {"types": ["jiedui.pairing.approved"]}):
            body = {"channel": "inbox", "lang": "en", "filter": filter_}
            assert (await newsroom.client.post("/subscriptions", json=body, headers=headers)).status_code == 201
        await newsroom.happen(b.approved(1), b.approved(2))
        await room.work()
        items = (await newsroom.client.get("/inbox", headers=headers)).json()["items"]
        assert [item["roles"] for item in items] == [["partner"], ["officer", "partner"]]
        assert "as officer and partner" in items[1]["text"]
        subscriptions = (await newsroom.client.get("/subscriptions", headers=headers)).json()["items"]
        path = f"/subscriptions/{subscriptions[1]['id']}/deliveries"
        (skipped, _) = (await newsroom.client.get(path, headers=headers)).json()["items"]
        assert skipped["status"] == "skipped"
        assert skipped["reason"] == f"told by the subscription {subscriptions[0]['id']}"


async def test_only_what_one_sees_and_asked_for_is_told_from_the_subscription_on(newsroom: Newsroom) -> None:
    async with post_room(newsroom) as room:
        await newsroom.happen(b.listed("520326"))
        await subscribed(newsroom, "officer")
        await subscribed(newsroom, "partner", filter={"categories": ["education"]})
        await newsroom.happen(b.listed("520327"), b.approved(1), b.approved(2), b.registered())
        await room.work()
        kinds = [item["event_id"] for item in await inbox(newsroom, "officer")]
        assert len(kinds) == 2
        assert await inbox(newsroom, "partner") == []
        assert await inbox(newsroom) == []


async def test_the_words_are_the_readers_whatever_the_request_says_and_reading_is_remembered(
    newsroom: Newsroom,
) -> None:
    async with post_room(newsroom) as room:
        for role, lang in (("officer", "zh-Hans-CN"), ("partner", "en-GB"), ("coordinator", "xx")):
            await subscribed(newsroom, role, lang=lang)
        await newsroom.happen(b.listed())
        await room.work()
        headers = newsroom.token("officer") | {"accept-language": "en"}
        (item,) = (await newsroom.client.get("/inbox", headers=headers)).json()["items"]
        assert item["text"].startswith("务川自2014年12月31日起列入帮扶范围")
        assert (await inbox(newsroom, "partner"))[0]["text"].startswith("务川 is in the programme from 31 Dec 2014")
        assert (await inbox(newsroom, "coordinator"))[0]["text"].startswith("务川自")
        assert (await newsroom.post(f"/inbox/{item['id']}/read", {}, "partner")).status_code == 404
        assert (await newsroom.post(f"/inbox/{item['id']}/read", {}, "officer")).json()["read"] is True
        assert await inbox(newsroom, "officer") != []
        assert (await newsroom.read("/inbox?read=false", "officer"))["items"] == []


async def test_a_story_has_the_callers_own_deliveries(newsroom: Newsroom) -> None:
    async with post_room(newsroom) as room:
        await subscribed(newsroom)
        await newsroom.happen(b.approved(1), b.opened(1))
        await room.work()
        mine = (await newsroom.read("/story/project-1"))["items"]
        assert [[delivery["status"] for delivery in item["deliveries"]] for item in mine] == [["delivered"]] * 2
        others = (await newsroom.read("/story/project-1", "coordinator"))["items"]
        assert [item["deliveries"] for item in others] == [[], []]


async def test_to_walk_the_archive_again_tells_nobody_and_counts_what_it_suppressed(newsroom: Newsroom) -> None:
    async with post_room(newsroom) as room:
        await subscribed(newsroom)
        await newsroom.happen(*(b.listed(f"{number:06}") for number in range(500)))
        await room.work()
        before = await newsroom.read("/inbox?limit=500&total=true")
        assert before["total"] == 500

        async def again(tx: Any) -> Decision[Any]:
            return walk_again(await tx.telling())

        await room.context.transact(again, "test")
        # A filter that was changed meanwhile must not tell of old events either.
        (made,) = (await newsroom.read("/subscriptions"))["items"]
        path = f"/subscriptions/{made['id']}"
        await newsroom.client.patch(path, json={"lang": "en"}, headers=newsroom.token("monitor"))
        await room.work()
        assert (await newsroom.read("/inbox?limit=500&total=true")) == before
        telling = await newsroom.context.reading().telling()
        assert (telling.position, telling.suppressed) == (500, 500)
        await newsroom.happen(b.listed("520326"))
        await room.work()
        assert len((await newsroom.read("/inbox?limit=1"))["items"]) == 1
        assert (await newsroom.read("/inbox?limit=1&total=true"))["total"] == 501


async def test_what_an_officer_is_told_follows_the_claims_of_the_newest_token(newsroom: Newsroom) -> None:
    async with post_room(newsroom) as room:
        await subscribed(newsroom, "officer")
        await inbox(newsroom, "officer", county_codes=["520327"])
        await newsroom.happen(b.approved(1), b.approved(2))
        await room.work()
        assert len(await inbox(newsroom, "officer", county_codes=["520327"])) == 1
