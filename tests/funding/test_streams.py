"""Events reach the ledger once, in batches or alone, with their number and their cause."""

import asyncio

from hypothesis import HealthCheck, given, settings

from tests.funding.builders import approved, cancelled, opened, submitted, verified, withdrawn
from tests.funding.conftest import Desk, sound
from tests.funding.test_saga import expected, histories, in_words


async def test_a_batch_books_and_publishes_each_step_once(desk: Desk) -> None:
    records = [desk.record(event) for event in (submitted(100), approved(100), opened(), verified(1), verified(2))]
    await desk.inbox.take([*records, *records[2:]])
    await desk.inbox.take(records)
    published = await desk.published("project-p")
    assert [in_words(event.data) for event in published] == ["reserved 1.00", "released 1 0.30", "released 2 0.40"]
    assert published[0].envelope.actor == desk.context.service.name
    assert published[0].envelope.causationid != published[1].envelope.causationid
    assert await desk.verdict() == sound(4)


async def test_a_withdrawal_before_everything_it_speaks_of_ends_refused(desk: Desk) -> None:
    first = desk.record(submitted(100))
    await desk.hear(withdrawn("p"), opened(), approved(100))
    assert await desk.published("project-p") == []
    await desk.inbox.take([first])
    assert [in_words(event.data) for event in await desk.published("project-p")] == [
        "refused commitment-withdrawn 0.00 1.00"
    ]
    assert (await desk.verdict())["ok"]


async def test_what_comes_for_goods_is_never_parked(desk: Desk) -> None:
    goods = approved(allocated={"quantity": 1, "unit": "台"}, support_kind="goods")
    await desk.hear(goods, opened(), verified(1), cancelled())
    assert await desk.database.early.count_documents({}) == 0
    assert (await desk.get("/projects/project-p/funds")).status_code == 404


async def test_two_workers_at_once_number_entries_without_a_gap(desk: Desk) -> None:
    await asyncio.gather(*(desk.hear(submitted(100, f"c{i}")) for i in range(8)))
    batches = [
        [desk.record(approved(100, f"p{i}", f"c{i}")), desk.record(opened(pairing=f"p{i}", commitment=f"c{i}"))]
        for i in range(8)
    ]
    await asyncio.gather(*(desk.inbox.take(batch) for batch in batches))
    assert await desk.verdict() == sound(16)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
async def test_on_a_real_database_too_the_order_of_the_facts_does_not_matter(desk: Desk, history: list) -> None:
    for collection in await desk.database.list_collection_names():
        await desk.database[collection].delete_many({})
    desk._sequences.clear()
    await desk.hear(*history)
    words, _ = expected(history)
    assert sorted(in_words(event.data) for event in await desk.published("project-p")) == sorted(words)
    assert (await desk.verdict())["ok"]
