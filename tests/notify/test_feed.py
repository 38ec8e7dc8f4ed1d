"""The archive and the feed on a real database."""

import asyncio

import orjson
import pytest
from prometheus_client import REGISTRY

from services.kit.inbox import Inbox
from services.kit.records import RawRecord
from services.notify.api import feed
from tests.notify import builders as b
from tests.notify.conftest import Newsroom

RUN = [b.listed(), b.submitted(), b.approved(1), b.opened(1), b.reserved(1), b.approved(2), b.opened(2), b.reported(1)]


async def test_events_have_positions_from_one_without_gaps_and_are_answered_as_they_came(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN[:3])
    await newsroom.happen(*RUN[3:])
    page = await newsroom.read("/events")
    assert [item["position"] for item in page["items"]] == list(range(1, len(RUN) + 1))
    assert [item["event"]["type"] for item in page["items"]] == [event.TYPE for event in RUN]
    assert page["items"][2]["event"]["data"] == RUN[2].data()
    assert page["next_cursor"] is None


async def test_a_redelivered_batch_takes_no_positions_and_is_counted(newsroom: Newsroom) -> None:
    records = [newsroom.record(event) for event in RUN]
    await newsroom.inbox.take(records)
    before = REGISTRY.get_sample_value("jiedui_duplicates_total")
    await newsroom.inbox.take(records)
    assert await newsroom.newest() == len(RUN)
    assert REGISTRY.get_sample_value("jiedui_duplicates_total") == (before or 0) + len(RUN)


async def test_two_archivers_at_once_leave_no_gap_and_no_double(newsroom: Newsroom) -> None:
    batches = [[newsroom.record(b.registered(f"partner-{n}-{m}")) for m in range(20)] for n in range(6)]
    other = Inbox(newsroom.context.transactor, newsroom.context.service.listener())
    await asyncio.gather(
        *(inbox.take(batch) for n, batch in enumerate(batches) for inbox in [(newsroom.inbox, other)[n % 2]])
    )
    found = await newsroom.read("/events?limit=500")
    assert [item["position"] for item in found["items"]] == list(range(1, 121))
    assert len({item["event"]["id"] for item in found["items"]}) == 120


async def test_an_unknown_type_is_archived_with_attributes_that_are_unknown_too(newsroom: Newsroom) -> None:
    raw = b.envelope(b.registered()) | {
        "type": "jiedui.partner.renamed",
        "data": {"partner_id": "partner-1"},
        "later": 1,
    }
    await newsroom.inbox.take([newsroom.raw(raw)])
    (item,) = (await newsroom.read("/events", "partner"))["items"]
    assert item["event"] == raw


async def test_pages_neither_skip_nor_repeat_while_events_arrive(newsroom: Newsroom) -> None:
    await newsroom.happen(*(b.registered(f"partner-{n}") for n in range(10)))
    for order, expected in (("asc", list(range(1, 15))), ("desc", list(range(10, 0, -1)))):
        seen: list[int] = []
        cursor = ""
        while True:
            page = await newsroom.read(f"/events?limit=3&order={order}{cursor}")
            seen += [item["position"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
            if order == "asc" and await newsroom.newest() < 14:
                await newsroom.happen(b.registered(f"late-{len(seen)}"))
        assert seen[: len(expected)] == expected if order == "asc" else seen == list(range(14, 0, -1))


async def test_each_filter_of_the_feed_finds_its_events(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    assert await newsroom.positions("type=jiedui.project.opened") == [4, 7]
    assert await newsroom.positions("category=coverage&county=520327") == [6, 7]
    assert await newsroom.positions("partner=partner-1&project=project-1") == [3, 4, 5, 8]
    assert await newsroom.positions("subject=pairing-2") == [6]
    assert await newsroom.positions("correlationid=command&after=6") == [7, 8]
    assert await newsroom.positions("correlationid=another") == []
    assert await newsroom.positions("order=desc&after=6") == [8, 7]
    assert (await newsroom.read("/events?county=520327&total=true&limit=1"))["total"] == 2


async def test_from_and_until_are_days_in_shanghai_or_instants(newsroom: Newsroom) -> None:
    times = [
        "2020-03-31T15:30:00.000Z",
        "2020-03-31T16:30:00.000Z",
        "2020-04-30T15:59:59.999Z",
        "2020-04-30T16:00:00.000Z",
    ]
    await newsroom.inbox.take([newsroom.record(b.registered(f"p{n}"), time=time) for n, time in enumerate(times)])
    assert await newsroom.positions("from=2020-03-31&until=2020-03-31") == [1]
    assert await newsroom.positions("from=2020-04-01&until=2020-04-30") == [2, 3]
    assert await newsroom.positions("from=2020-04-30T15:59:59.999Z&until=2020-04-30T16:00:00Z") == [3]
    assert await newsroom.positions("until=2020-03-31T23:30:00%2B08:00") == []


@pytest.mark.parametrize(
    "query",
    [
        "colour=red", "after=-1", "after=x", "order=up", "category=schools", "county=52", "from=yesterday", "limit=501",
        "until=2020-02-30", "cursor=x", "cursor=WyJhIiwxXQ==", "from=2020-01-01T00:00:00", "after=9223372036854775808",
    ],
)  # fmt: skip
async def test_what_the_feed_does_not_know_is_a_fault(newsroom: Newsroom, query: str) -> None:
    for path in ("/events", "/events/stream"):
        answer = await newsroom.get(f"{path}?{query}")
        if path == "/events/stream" and query.split("=")[0] in ("order", "limit", "cursor"):
            assert answer.json()["errors"][0]["pointer"] == query.split("=")[0]
        assert answer.status_code == 422, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_cursor_of_another_filter_or_caller_is_a_fault(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    cursor = (await newsroom.read("/events?limit=1"))["next_cursor"]
    assert (await newsroom.get(f"/events?limit=1&category=coverage&cursor={cursor}")).status_code == 422
    assert (await newsroom.get(f"/events?limit=1&cursor={cursor}", "partner")).status_code == 422


async def test_partners_and_officers_see_their_own_and_what_happens_to_counties(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    assert await newsroom.positions(role="partner") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert await newsroom.positions(role="partner", partner_id="partner-2") == [1]
    assert await newsroom.positions(role="officer") == [1, 3, 4, 5, 8]
    assert await newsroom.positions(role="officer", county_codes=["520327"]) == [1, 6, 7]
    assert await newsroom.positions("partner=partner-1", role="partner", partner_id="partner-2") == []
    assert len(await newsroom.positions(role="bookkeeper")) == 8


async def test_a_single_event_is_there_for_those_who_may_see_it(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    event = (await newsroom.read("/events"))["items"][5]
    path = f"/events/{event['event']['id']}"
    assert await newsroom.read(path, "partner") == event
    assert (await newsroom.get(path, "officer")).status_code == 404
    assert (await newsroom.get("/events/nothing")).status_code == 404


async def test_a_story_tells_what_belongs_to_a_thing_causes_first(newsroom: Newsroom) -> None:
    approval = newsroom.record(b.approved(1), traceparent="00-8f27de236632187c3194dc1862090e45-609bd02e964a24ba-01")
    cause = {"causationid": _id(approval)}
    records = [newsroom.record(b.opened(1), **cause), newsroom.record(b.reserved(1), **cause), approval]
    await newsroom.inbox.take([*records, newsroom.record(b.submitted()), newsroom.record(b.approved(2))])
    story = await newsroom.read("/story/project-1")
    items = story["items"]
    assert story["as_of"]["position"] == 5
    assert [item["position"] for item in items] == [3, 1, 2]
    assert items[0]["trace_id"] == "8f27de236632187c3194dc1862090e45"
    assert all(item["queue_ms"] >= 0 and item["deliveries"] == [] for item in items)
    assert len((await newsroom.read("/story/commitment-1"))["items"]) == 5
    assert not story["cut"]
    assert len((await newsroom.read("/story/commitment-1", "officer"))["items"]) == 3
    assert (await newsroom.get("/story/project-1", "officer", county_codes=["520327"])).status_code == 404
    assert (await newsroom.get("/story/nothing")).status_code == 404


async def test_a_story_that_is_too_long_says_that_it_is_cut(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LONGEST_STORY", 2)
    await newsroom.happen(b.approved(1), b.opened(1))
    assert (await newsroom.read("/story/project-1"))["cut"] is False
    await newsroom.happen(b.reserved(1))
    story = await newsroom.read("/story/project-1")
    assert ([item["position"] for item in story["items"]], story["cut"]) == ([1, 2], True)


def _id(record: RawRecord) -> str:
    return str(orjson.loads(record.value or b"")["id"])
