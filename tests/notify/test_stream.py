"""The live stream over real HTTP: from where, to whom, until when."""

import asyncio
import os
import random
import re
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.notify.api import hub as hubs
from services.notify.api.listener import Audience, Listener
from services.notify.domain import EventFilter
from tests.conftest import free_ports
from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.listening import Stream, Told
from tests.waiting import until

PROVE = bool(os.environ.get("JIEDUI_TEST_PROVE"))


def positions(told: list[Told]) -> list[int]:
    return [int(each.id) for each in told]


async def happen(newsroom: Newsroom, first: int, last: int) -> None:
    """Events that take the positions from `first` to `last`."""
    await newsroom.happen(*(b.registered(f"partner-{n}") for n in range(first, last + 1)))


async def test_without_an_id_it_begins_now_and_says_so_at_once(newsroom: Newsroom) -> None:
    await happen(newsroom, 1, 3)
    async with newsroom.stream() as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        assert await stream.comment(2) == ": open"
        await happen(newsroom, 4, 5)
        told = await stream.take(2)
    assert positions(told) == [4, 5]
    assert told[0].type == "jiedui.partner.registered"
    assert told[0].data == (await newsroom.read("/events?after=3&limit=1"))["items"][0]


async def test_after_begins_behind_a_position_and_nought_means_all(newsroom: Newsroom) -> None:
    await happen(newsroom, 1, 5)
    async with newsroom.stream("after=3") as stream:
        assert positions(await stream.take(2)) == [4, 5]
    async with newsroom.stream("after=0") as stream:
        assert positions(await stream.take(5)) == [1, 2, 3, 4, 5]


async def test_last_event_id_wins_over_after(newsroom: Newsroom) -> None:
    await happen(newsroom, 1, 5)
    async with newsroom.stream("after=0", last_event_id=4) as stream:
        assert positions(await stream.take(1)) == [5]
    async with newsroom.stream("after=4", last_event_id=0) as stream:
        assert positions(await stream.take(5)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("unknown", ["99", "abc", "-1", "1.5", "9" * 40, "٣"])
async def test_an_unknown_id_is_answered_by_a_reset_and_then_by_what_is_new(newsroom: Newsroom, unknown: str) -> None:
    await happen(newsroom, 1, 3)
    async with newsroom.stream(last_event_id=unknown.encode()) as stream:
        reset = await stream.next()
        assert (reset.id, reset.type) == ("3", "reset")
        assert (reset.data["oldest"], reset.data["newest"]) == (1, 3)
        assert reset.data["detail"]
        await happen(newsroom, 4, 4)
        assert positions(await stream.take(1)) == [4]


async def test_an_id_older_than_what_is_kept_is_answered_by_a_reset(newsroom: Newsroom) -> None:
    await happen(newsroom, 1, 5)
    await newsroom.context.database.events.delete_many({"position": {"$lte": 3}})
    async with newsroom.stream(last_event_id=2) as stream:
        reset = await stream.next()
        assert (reset.type, reset.data["oldest"], reset.data["newest"]) == ("reset", 4, 5)
    async with newsroom.stream(last_event_id=3) as stream:
        assert positions(await stream.take(2)) == [4, 5]


async def test_cut_anywhere_over_two_replicas_it_misses_nothing_and_repeats_nothing(newsroom: Newsroom) -> None:
    chance = random.Random(7)
    seen: list[int] = []
    async with newsroom.replica() as other:
        await happen(newsroom, 1, 20)
        while len(seen) < 200:
            if await newsroom.newest() < 200 and chance.random() < 0.7:
                first = await newsroom.newest() + 1
                await happen(newsroom, first, min(first + chance.randrange(1, 12), 200))
            async with chance.choice((newsroom, other)).stream(last_event_id=seen[-1] if seen else 0) as stream:
                newest = await newsroom.newest()
                count = min(chance.randrange(1, 15), newest - len(seen))
                seen += positions(await stream.take(count))
    assert seen == list(range(1, 201))


@pytest.mark.timeout(1800 if PROVE else 120)
async def test_cut_in_the_middle_of_an_event_it_goes_on_with_that_event_also_at_a_replica_that_is_new(
    newsroom: Newsroom,
) -> None:
    """`make prove` cuts a thousand times."""
    chance = random.Random(8)
    seen = [0]
    for _ in range(50 if PROVE else 3):
        async with newsroom.replica() as other:
            for _ in range(20):
                newest = await newsroom.newest()
                await happen(newsroom, newest + 1, newest + chance.randrange(1, 5))
                size = chance.randrange(1, 400 * (await newsroom.newest() - seen[-1]))
                seen += await whole_before_a_cut(chance.choice((newsroom, other)), seen[-1], size)
    async with newsroom.stream(last_event_id=seen[-1]) as stream:
        seen += positions(await stream.take(await newsroom.newest() - seen[-1]))
    assert seen == list(range(await newsroom.newest() + 1))


async def whole_before_a_cut(newsroom: Newsroom, last: int, size: int) -> list[int]:
    """The positions of the events that are whole within the first `size` bytes."""
    headers = newsroom.token("monitor") | {"last-event-id": str(last)}
    told = b""
    async with newsroom.client.stream("GET", "/events/stream", headers=headers) as response:
        async for chunk in response.aiter_raw():
            told += chunk
            if len(told) >= size:
                break
    whole, _, _ = told[:size].rpartition(b"\n\n")
    return [int(id) for id in re.findall(rb"^id: (\d+)$", whole, re.MULTILINE)]


async def test_far_behind_and_live_meet_without_a_gap(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The listener begins before the ring does, and the ring moves on meanwhile."""
    monkeypatch.setattr(hubs, "RING_EVENTS", 10)
    await happen(newsroom, 1, 300)
    async with newsroom.stream("after=0") as stream:
        told = await stream.take(100)
        await happen(newsroom, 301, 340)
        told += await stream.take(240)
    assert positions(told) == list(range(1, 341))


async def test_who_is_far_behind_and_finds_nothing_has_caught_up_all_the_same(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would ask the archive again and again."""
    monkeypatch.setattr(hubs, "RING_EVENTS", 10)
    await happen(newsroom, 1, 100)
    hub = hubs.Hub()
    task = asyncio.create_task(hub.follow(newsroom.context))
    try:
        await until(lambda: hub.newest == 100, "the hub has read everything")
        nobody = Audience(None, EventFilter(subject="nobody"))
        nowhere: Any = None
        listener = Listener(nobody, newsroom.context, nowhere, position=0, expires_at=0)
        async with asyncio.timeout(10):
            assert await hub.take(listener) == b""
        assert listener.position == 100
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_filter_holds_in_replay_and_live(newsroom: Newsroom) -> None:
    await newsroom.happen(b.approved(1), b.opened(1), b.approved(2), b.opened(2))
    async with newsroom.stream("county=520327&after=0") as stream:
        assert positions(await stream.take(2)) == [3, 4]
        await newsroom.happen(b.reserved(1), b.reserved(2))
        assert positions(await stream.take(1)) == [6]


async def test_each_sees_their_own_in_replay_and_live(newsroom: Newsroom) -> None:
    await newsroom.happen(b.listed(), b.approved(1), b.approved(2))
    async with (
        newsroom.stream("after=0", "officer", county_codes=["520327"]) as officer,
        newsroom.stream("after=0", "partner", partner_id="partner-2") as partner,
        newsroom.stream("after=0", "monitor") as monitor,
    ):
        assert positions(await officer.take(2)) == [1, 3]
        assert positions(await partner.take(1)) == [1]
        await newsroom.happen(b.opened(1), b.opened(2), b.listed("520327"))
        assert positions(await officer.take(2)) == [5, 6]
        assert positions(await partner.take(1)) == [6]
        assert positions(await monitor.take(6)) == [1, 2, 3, 4, 5, 6]


async def test_an_open_stream_ends_when_its_token_does(newsroom: Newsroom) -> None:
    nearly_over = newsroom.context.now() - timedelta(hours=24) + timedelta(seconds=2)
    async with newsroom.stream("after=0", now=nearly_over) as stream:
        assert await stream.rest() == []


async def test_a_quiet_line_carries_comments(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "HEARTBEAT_S", 1.0)
    async with newsroom.stream() as stream:
        assert await stream.comment() == ": open"
        assert await stream.comment(5) == ": still here"
        assert await stream.comment(5) == ": still here"


async def test_one_who_does_not_read_is_cut_off_and_the_others_miss_nothing(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "STALLED_S", 1.0)
    big = b.registered().name | {"en": "x" * 100_000}
    reader, writer = await asyncio.open_connection("127.0.0.1", newsroom.settings.port, limit=1024)
    token = newsroom.token("monitor")["authorization"]
    writer.write(f"GET /events/stream?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n".encode())
    await reader.readline()
    async with newsroom.stream("after=0") as stream:
        for n in range(1, 101):
            await newsroom.happen(type(b.registered())(partner_id=f"p{n}", name=big, kind="enterprise"))
            assert positions([await stream.next()]) == [n]

        async def alone() -> bool:
            text = (await newsroom.client.get("/metrics")).text
            return "jiedui_stream_listeners 1.0" in text

        await until(alone, "only the one who reads is left")
        await newsroom.happen(b.listed())
        assert positions([await stream.next()]) == [101]
    rest = b""
    with suppress(ConnectionResetError):
        while chunk := await reader.read(65536):
            rest += chunk
    assert not rest.endswith(b"0\r\n\r\n")
    writer.close()


async def test_one_who_goes_is_forgotten(newsroom: Newsroom) -> None:
    for _ in range(20):
        async with newsroom.stream() as stream:
            await stream.comment()

    async def forgotten() -> bool:
        return "jiedui_stream_listeners 0.0" in (await newsroom.client.get("/metrics")).text

    await until(forgotten, "nobody listens")


async def test_no_token_no_stream(newsroom: Newsroom) -> None:
    assert (await newsroom.client.get("/events/stream")).status_code == 401


async def test_the_stream_is_in_the_openapi_document(newsroom: Newsroom) -> None:
    document = (await newsroom.client.get("/openapi.json")).json()
    operation = document["paths"]["/events/stream"]["get"]
    assert "text/event-stream" in operation["responses"]["200"]["content"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"after", "type", "county", "from", "until", "last-event-id"} <= names


async def test_a_stop_ends_open_streams_at_once(newsroom: Newsroom) -> None:
    (port,) = free_ports(1)
    settings = newsroom.settings
    environment = os.environ | {
        "JIEDUI_NOTIFY_PORT": str(port),
        "JIEDUI_HOME": str(settings.home),
        "JIEDUI_MONGODB_URI": settings.mongodb_uri,
        "OTEL_TRACES_EXPORTER": "none",
    }
    api = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.notify.main", "api", env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            async def ready() -> bool:
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx.HTTPError:
                    return False

            await until(ready, "the API is ready")
            async with client.stream("GET", "/events/stream", headers=newsroom.token("monitor")) as response:
                stream = Stream(response)
                await stream.comment()
                api.terminate()
                assert await stream.rest() == []
        async with asyncio.timeout(4):
            assert await api.wait() in (0, -signal.SIGTERM)
    finally:
        if api.returncode is None:
            api.kill()
            await api.wait()
