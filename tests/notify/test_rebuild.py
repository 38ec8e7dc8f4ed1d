"""Read models dropped and folded again, while events come in: equal to before, and nobody is told again."""

import asyncio
from dataclasses import replace
from typing import Any

from deploy.rebuild import rebuild
from services.kit import mongo
from services.kit.service import Context
from services.notify.domain import ArchivedEvent
from services.notify.domain.projection import Projection
from services.notify.domain.rebuild import Rebuild, begin_rebuild, emptied, folded_until
from services.notify.domain.subscriptions import Telling
from services.notify.main import service
from services.notify.store import READ_MODELS, Tx
from tests.notify import builders as b
from tests.notify.conftest import Newsroom
from tests.notify.receiving import post_room
from tests.notify.test_reports import file
from tests.notify.test_subscriptions import subscribed

RUN = [
    b.registered(), b.listed("520326"), b.listed("520327"), b.submitted(), b.pledged(), b.proposed(1), b.approved(1),
    b.opened(1), b.reserved(1), b.approved(2), b.opened(2), b.reserved(2), b.reported(1, 1), b.verified(1, 1),
    b.released(1, 1), b.spent(1), b.observed("2026-03"), b.observed("2026-03"), b.transferred(),
    b.reversed_(1, "spent-1", "100.00"), b.cancelled(2), b.returned(2), b.revoked(2),
]  # fmt: skip


def another(newsroom: Newsroom) -> Context:
    """The process of the command, beside the worker."""
    return Context.of(replace(service(), name=newsroom.name), newsroom.settings, "rebuild")


async def kept(newsroom: Newsroom) -> dict[str, list[Any]]:
    """All documents of the read models."""
    return {
        kind.__name__: await newsroom.context.database[Tx.KINDS[kind]].find({}).sort("_id", 1).to_list(None)
        for kind in READ_MODELS
    }


async def folded_at_once(newsroom: Newsroom) -> dict[str, list[Any]]:
    """What the archive's events come to, folded in one go without a database."""
    events = [event async for event in newsroom.context.reading().rows(ArchivedEvent, {}, by="position")]
    states = sorted(b.folded(events).values(), key=lambda state: str(state.id))
    return {
        kind.__name__: [mongo.to_document(state) | {"sequence": 0} for state in states if type(state) is kind]
        for kind in READ_MODELS
    }


async def test_what_is_folded_again_is_equal_to_before_and_nobody_is_told_again(newsroom: Newsroom) -> None:
    await subscribed(newsroom)
    await newsroom.happen(*RUN)
    await newsroom.folded()
    async with post_room(newsroom) as room:
        await room.work()
    report = await file(newsroom)
    before, document = await kept(newsroom), (await newsroom.get(f"/reports/{report['id']}")).content
    told = await newsroom.context.database.deliveries.count_documents({})
    assert told > 0
    done = await rebuild(another(newsroom))
    assert await kept(newsroom) == before
    assert (done.events, done.suppressed) == (len(RUN), told)
    async with post_room(newsroom) as room:
        assert await room.work() == 0
    assert await newsroom.context.database.deliveries.count_documents({}) == told
    assert (await newsroom.get(f"/reports/{report['id']}")).content == document


async def test_events_that_come_meanwhile_count_once(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()

    async def live() -> None:
        for n in range(3, 40):
            await newsroom.happen(b.approved(n), b.opened(n), b.reserved(n))

    going_on = asyncio.create_task(live())
    for _ in range(2):
        await rebuild(another(newsroom))
    await going_on
    await newsroom.folded()
    assert await kept(newsroom) == await folded_at_once(newsroom)
    assert (await newsroom.read("/overview"))["projects"] == 1 + 37


def test_nothing_is_folded_before_all_is_gone_and_it_is_done_at_the_position_where_it_was() -> None:
    begun = begin_rebuild(Rebuild(), Projection(position=7), Telling(position=5, suppressed=2))
    assert begun.state == Rebuild(status="emptying", until=7, suppressed_before=2)
    assert Projection() in begun.saves
    assert Telling(silent_until=5, suppressed=2) in begun.saves
    assert folded_until(begun.state, 7).is_under_way
    folding = emptied(begun.state)
    assert folded_until(folding, 6).is_under_way
    assert not folded_until(folding, 7).is_under_way


def test_one_that_is_asked_for_again_while_it_runs_has_to_come_as_far() -> None:
    again = begin_rebuild(Rebuild(status="folding", until=7), Projection(position=3), Telling())
    assert again.state.until == 7
