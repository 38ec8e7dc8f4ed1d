"""No page reads a whole collection: what it costs does not grow with the programme."""

from typing import Any

import pytest

from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.receiving import post_room
from tests.notify.test_subscriptions import subscribed

PAGES = [
    "/overview", "/views/counties/520326", "/views/partners/partner-1", "/views/projects/project-1",
    "/story/project-1", "/story/commitment-1", "/events", "/events?order=desc", "/events?county=520326&after=3",
    "/events?type=jiedui.fund.spent&from=2026-01-01", "/inbox", "/inbox?read=false", "/subscriptions",
    "/indicators?project=project-1", "/indicators?county=520326", "/indicators?partner=partner-1",
]  # fmt: skip
STAFFS = ["/monitor", "/dead-letters", "/dead-letters?status=open&service=funding", "/reports"]
# A few documents whatever happens: one a worker, and one an event that nobody foresaw or a number that never came.
SMALL = {"pulses", "passed_over", "skipped"}


@pytest.mark.parametrize("role", ["monitor", "partner", "officer"])
async def test_no_page_reads_a_whole_collection(newsroom: Newsroom, role: str) -> None:
    await newsroom.happen(
        b.registered(), b.listed(), b.listed("520327"), b.submitted(), b.approved(1), b.opened(1), b.reserved(1),
        b.approved(2), b.opened(2), b.reported(1), b.verified(1), b.released(1), b.spent(1), b.observed("2026-03"),
    )  # fmt: skip
    await newsroom.folded()
    mine = await subscribed(newsroom, role)
    await newsroom.happen(b.listed("520328"))
    async with post_room(newsroom) as room:
        await room.work()
    pages = [*PAGES, f"/subscriptions/{mine['id']}/deliveries", *(STAFFS if role == "monitor" else [])]
    database = newsroom.context.database
    await database.command("profile", 2)
    try:
        for page in pages:
            await newsroom.read(page, role)
    finally:
        await database.command("profile", 0)
    asked = [asked async for asked in database["system.profile"].find({"op": {"$in": ["query", "command"]}})]
    await database.drop_collection("system.profile")
    found = {
        (_collection(one), str(one["command"].get("filter"))) for one in asked if one.get("planSummary") == "COLLSCAN"
    }
    assert {(collection, where) for collection, where in found if collection not in SMALL} == set()
    assert len(asked) > len(pages)


def _collection(asked: dict[str, Any]) -> str:
    return str(asked["ns"]).partition(".")[2]
