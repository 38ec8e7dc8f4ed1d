"""The archive under two archivers, of which one is cut off: each position once, in the order of the commits.

`make prove` does it with a million events.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import orjson
import pytest

from services.kit.batch import HeldElsewhere
from services.kit.ids import new_id
from services.kit.inbox import Inbox
from services.kit.records import RawRecord
from services.kit.service import Context
from services.notify.domain import EventFilter, Principals
from services.notify.main import service
from services.notify.settings import Settings
from services.notify.store import feed
from tests.notify import builders as b
from tests.notify.conftest import Newsroom, newsroom_at

PROVE = bool(os.environ.get("JIEDUI_TEST_PROVE"))
EVENTS = 1_000_000 if PROVE else 3_000
BATCH = 2_000 if PROVE else 500


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
async def test_a_scan_finds_each_position_once_while_two_archivers_write_and_one_is_cut_off(settings: Settings) -> None:
    # An archive of its own: a million events are dropped in no time, and deleted in a minute.
    async with newsroom_at(settings, "notifyscan") as newsroom:
        try:
            await scan(newsroom)
        finally:
            await newsroom.context.database.client.drop_database(newsroom.context.database.name)


async def scan(newsroom: Newsroom) -> None:
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
    assert await newsroom.context.database.events.count_documents({}) == EVENTS


FILTERS: dict[str, object] = {
    "type": "jiedui.fund.spent",
    "category": "coverage",
    "county_code": "520326",
    "partner_id": "partner-1",
    "project_id": "project-1",
    "subject": "project-1",
    "correlationid": "command",
    "since": b.START,
    "until": b.START + timedelta(days=1),
}
CALLERS: dict[str, Principals] = {
    "staff": None,
    "an officer": frozenset({"everyone", "county:520326", "county:520327"}),
    "a partner": frozenset({"everyone", "partner:partner-1"}),
}


async def test_every_filter_of_the_feed_is_served_by_an_index_to_everyone_in_both_orders(newsroom: Newsroom) -> None:
    """Alone, two at a time, and all at once."""
    await newsroom.happen(b.registered(), b.opened(), b.reserved(), b.released(), b.spent())
    asked = [(), *((name,) for name in FILTERS), *combinations(FILTERS, 2), tuple(FILTERS)]
    for caller, who in CALLERS.items():
        for names in asked:
            where = feed(EventFilter(**{name: FILTERS[name] for name in names}), who)  # type: ignore[arg-type]
            for order in (1, -1):
                found = newsroom.context.database.events.find(_beyond(where)).sort("position", order).limit(50)
                planner = (await found.explain())["queryPlanner"]
                assert "IXSCAN" in str(planner["winningPlan"]), (caller, names, order)
                assert "COLLSCAN" not in str(planner["winningPlan"]), (caller, names, order)
                # In so small an archive the order alone may decide; the filter's own index is one of the choices.
                begins = {
                    next(iter(pattern)) for pattern in _indexes([planner["winningPlan"], *planner["rejectedPlans"]])
                }
                if len(names) == 1:
                    assert ("time" if names[0] in ("since", "until") else names[0]) in begins, (caller, names)
                if not names and who is not None:
                    assert "audience" in begins, caller


async def test_the_archive_lies_in_small_pages(newsroom: Newsroom) -> None:
    """A page of a county's feed is 50 documents far apart: with MongoDB's own size, a quarter more at a million."""
    stored = await newsroom.context.database.command("collStats", "events")
    assert "leaf_page_max=8KB" in stored["wiredTiger"]["creationString"]


def _indexes(plan: object) -> Iterator[dict[str, int]]:
    """The keys of all indexes in a plan."""
    if isinstance(plan, list):
        for each in plan:
            yield from _indexes(each)
    elif isinstance(plan, dict):
        if "keyPattern" in plan:
            yield plan["keyPattern"]
        for each in plan.values():
            yield from _indexes(each)


def _beyond(where: dict[str, object]) -> dict[str, object]:
    return {"$and": [{"position": {"$gt": 0}}, where]} if where else {"position": {"$gt": 0}}
