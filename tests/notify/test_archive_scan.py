"""The archive under two archivers, of which one is cut off: each position once, in the order of the commits.

`make prove` does it with a million events.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest

from services.kit.batch import HeldElsewhere
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import RawRecord
from services.kit.service import Context
from services.notify.domain import EventFilter
from services.notify.main import service
from services.notify.store import feed, visible_to
from tests.notify import builders as b
from tests.notify.conftest import Newsroom

PROVE = bool(os.environ.get("JIEDUI_TEST_PROVE"))
EVENTS = 1_000_000 if PROVE else 3_000
BATCH = 500


def batches() -> Iterator[list[RawRecord]]:
    """Registrations of as many partners, as two partitions deliver them."""
    raw = b.envelope(b.registered())
    for begin in range(0, EVENTS, BATCH):
        records = []
        for offset in range(begin, begin + BATCH):
            partner = f"partner-{offset}"
            told = raw | {"id": new_id(), "subject": partner, "data": b.registered(partner).data()}
            records.append(RawRecord("jiedui.partners.v1", 0, offset, partner.encode(), orjson.dumps(told), {}, 0))
        yield records


@pytest.mark.timeout(3600 if PROVE else 120)
async def test_a_scan_finds_each_position_once_while_two_archivers_write_and_one_is_cut_off(newsroom: Newsroom) -> None:
    contexts = [
        Context.of(
            replace(service(), name=newsroom.name), newsroom.settings.model_copy(update={"worker_slot": n}), "worker"
        )
        for n in (1, 2)
    ]
    first, second = (Inbox(context.transactor, context.service.listener()) for context in contexts)

    async def write(inbox: Inbox, what: Iterator[list[RawRecord]]) -> None:
        for records in what:
            while True:
                try:
                    await inbox.take(records)
                except HeldElsewhere:
                    continue  # as a consumer, which then reads again
                break

    work = batches()
    # Both are given the same batch again and again, as after a rebalance.
    half = [next(work) for _ in range(4)]
    doomed = asyncio.create_task(write(first, iter(half)))
    other = asyncio.create_task(write(second, iter(half)))
    await asyncio.wait({doomed}, timeout=0.05)
    doomed.cancel()
    rest = asyncio.create_task(write(first, work))
    seen = 0
    while True:
        all_written = rest.done() and other.done()
        page = await newsroom.context.reading().events_after(seen, {}, BATCH)
        # Whatever is seen beyond what was seen before begins right after it.
        assert [event.position for event in page] == list(range(seen + 1, seen + 1 + len(page)))
        seen += len(page)
        if all_written and not page:
            break
    await asyncio.gather(other, rest)
    assert seen == EVENTS == await newsroom.newest()
    assert len(await newsroom.context.database.events.distinct("position", {"position": {"$lte": 10_000}})) == min(
        EVENTS, 10_000
    )
    assert await newsroom.context.database.events.count_documents({}) == EVENTS


FILTERS = {
    "type": "jiedui.fund.spent",
    "category": "coverage",
    "county_code": "520326",
    "partner_id": "partner-1",
    "project_id": "project-1",
    "subject": "project-1",
    "correlationid": "command",
}


@pytest.mark.parametrize("column", FILTERS)
async def test_each_filter_of_the_feed_has_an_index(newsroom: Newsroom, column: str) -> None:
    await assert_indexed(newsroom, feed(EventFilter(**{column: FILTERS[column]}), None), {})


async def test_time_and_visibility_have_indexes_too(newsroom: Newsroom) -> None:
    await assert_indexed(newsroom, feed(EventFilter(since=b.START), None), {})
    await assert_indexed(newsroom, visible_to(frozenset({"everyone", "county:520326"})), {})
    await assert_indexed(newsroom, {}, {"$gt": 0})


async def assert_indexed(newsroom: Newsroom, where: dict[str, object], position: dict[str, int]) -> None:
    await newsroom.happen(b.registered(), b.opened(), b.reserved(), b.released(), b.spent())
    beyond = {"$and": [{"position": {"$gt": 0}}, where]} if where else {"position": position}
    plan = await newsroom.context.database.events.find(beyond).sort("position", 1).limit(50).explain()
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages
    assert "COLLSCAN" not in stages
