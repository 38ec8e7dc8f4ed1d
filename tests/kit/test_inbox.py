"""What the inbox promises: each event once, a subject's in order, poison set aside, nothing lost."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from pymongo.errors import OperationFailure

from services.kit.decision import Decision
from services.kit.records import REPLAY_FOR, RawRecord
from tests.kit.toy import Bench, partner_event
from tests.waiting import until


async def test_an_event_that_comes_three_times_has_its_effect_once(bench: Bench) -> None:
    event = partner_event("p", 1)
    async with bench.running(bench.consumer()):
        await bench.produce(event, event, partner_event("q", 1), event)
        await until(lambda: bench.partner("q"), "q is there")
    assert (await bench.partner("p")).seen == 1


async def test_a_known_event_among_new_ones_is_not_tried_again(bench: Bench) -> None:
    known = partner_event("p", 2, "2", type_="amended")
    async with bench.running(bench.consumer(), bench.relay()):
        await bench.produce(partner_event("p", 1, "1"), known)
        await until(lambda: _names(bench, "p", 2), "both are there")
        # Its handler would have it wait for p now.
        await bench.database.partners.delete_one({"_id": "p"})
        await bench.produce(partner_event("q", 1), known, partner_event("r", 1, "poison"), partner_event("s", 1))
        await until(lambda: bench.partner("s"), "s is there")
        letters = await until(bench.dead_letters, "the poison is set aside")
    assert await bench.partner("q") is not None
    assert [letter.key for letter in letters] == [b"r"]
    assert await bench.database.early.count_documents({}) == 0


async def test_a_higher_number_waits_for_the_missing_ones(bench: Bench) -> None:
    async with bench.running(bench.consumer()):
        await bench.produce(partner_event("p", 1, "1"), partner_event("p", 3, "3"), partner_event("p", 4, "4"))
        await bench.produce(partner_event("q", 1))
        await until(lambda: bench.partner("q"), "q is there")
        assert (await bench.partner("p")).names == ("1",)
        await bench.produce(partner_event("p", 2, "2"))
        names = await until(lambda: _names(bench, "p", 4), "all four are there")
    assert names == ("1", "2", "3", "4")


async def test_an_update_before_its_create_waits_for_it(bench: Bench) -> None:
    async with bench.running(bench.consumer()):
        await bench.produce(partner_event("p", 2, "later", type_="amended"))
        await until(lambda: bench.database.early.find_one({"about": "p"}), "the update is parked")
        await bench.produce(partner_event("p", 1, "first"))
        names = await until(lambda: _names(bench, "p", 2), "both are there")
    assert names == ("first", "later")
    assert await bench.database.early.count_documents({}) == 0


async def test_an_early_event_is_dead_lettered_after_ten_minutes(bench: Bench) -> None:
    async with bench.running(bench.consumer(), bench.relay()):
        await bench.produce(partner_event("p", 1, type_="amended"))
        row = await until(lambda: bench.database.early.find_one({"about": "p"}), "the update is parked")
        await bench.inbox.sweep()
        assert await bench.database.early.count_documents({}) == 1
        await bench.database.early.update_one({}, {"$set": {"since": row["since"] - timedelta(seconds=601)}})
        await bench.inbox.sweep()
        letters = await until(bench.dead_letters, "it is dead-lettered")
    assert dict(letters[0].headers)["jiedui-error-type"] == b"early"
    assert await bench.database.early.count_documents({}) == 0


@pytest.mark.parametrize(
    "record",
    [
        pytest.param((b"p", b'{"broken'), id="broken JSON"),
        pytest.param((b"p", None), id="null value"),
        pytest.param((b"other", partner_event("p", 1)[1]), id="key is not the subject"),
        pytest.param(partner_event("p", 1, data={"partner_id": "p", "kind": "enterprise"}), id="field missing"),
        pytest.param(partner_event("p", 1, data={"partner_id": "p", "name": {"zh": "x"}, "kind": "king"}), id="enum"),
        pytest.param(partner_event("p", 1, dataschema="/schemas/json/x.json#v9"), id="unknown version"),
        pytest.param((b"p", b" " * (2 * 1024 * 1024)), id="2 MB"),
        pytest.param(partner_event("p", 1, "poison"), id="the handler fails"),
    ],
)
async def test_poison_is_dead_lettered_once_and_the_next_go_through(
    bench: Bench, record: tuple[bytes | None, bytes | None]
) -> None:
    async with bench.running(bench.consumer(), bench.relay()):
        await bench.produce(record, partner_event("p", 2, "good"), partner_event("q", 1))
        await until(lambda: bench.partner("q"), "q is there", timeout=5)
        letters = await until(bench.dead_letters, "the dead letter is there")
    assert len(letters) == 1
    assert letters[0].value == record[1]
    assert letters[0].key == record[0]
    headers = dict(letters[0].headers)
    assert headers["jiedui-topic"] == bench.topic.encode()
    assert headers["jiedui-offset"] == b"0"
    assert (await bench.partner("p")).names == ("good",)


async def test_an_unknown_type_is_passed_over_and_counts(bench: Bench) -> None:
    async with bench.running(bench.consumer(), bench.relay()):
        await bench.produce(
            partner_event("p", 1), partner_event("p", 2, type="jiedui.partner.sung"), partner_event("p", 3, "after")
        )
        await until(lambda: _names(bench, "p", 2), "the third is there")
    assert await bench.dead_letters() == []


async def test_a_dead_letter_in_the_middle_holds_nothing_up_and_can_be_played_again(bench: Bench) -> None:
    async with bench.running(bench.consumer(), bench.relay()):
        poison = partner_event("p", 2, "poison", type_="amended")
        await bench.produce(partner_event("p", 1, "1"), poison, partner_event("p", 3, "3"))
        assert await until(lambda: _names(bench, "p", 2), "the third is there") == ("1", "3")
        (letter,) = await until(bench.dead_letters, "the dead letter is there")
        mended = poison[1].replace(b"poison", "再".encode())
        await bench.produce((letter.key, mended), headers={REPLAY_FOR: b"another"})
        await bench.produce((letter.key, mended), headers={REPLAY_FOR: bench.service.name.encode()})
        assert await until(lambda: _names(bench, "p", 3), "it is applied") == ("1", "3", "再")
        await bench.produce((letter.key, mended), headers={REPLAY_FOR: bench.service.name.encode()})
        await bench.produce(partner_event("q", 1))
        await until(lambda: bench.partner("q"), "q is there")
    assert (await bench.partner("p")).seen == 3


async def test_a_gap_that_never_fills_is_skipped_after_a_minute(bench: Bench) -> None:
    async with bench.running(bench.consumer()):
        await bench.produce(partner_event("p", 1, "1"), partner_event("p", 4, "4"))
        stream = await until(lambda: bench.database.streams.find_one({"gap_since": {"$exists": True}}), "4 is held")
        long_ago = stream["gap_since"] - timedelta(seconds=61)
        await bench.database.streams.update_one({"_id": stream["_id"]}, {"$set": {"gap_since": long_ago}})
        await bench.inbox.sweep()
    assert (await bench.partner("p")).names == ("1", "4")
    skipped = await bench.database.skipped.find_one({})
    assert (skipped["first"], skipped["last"]) == (2, 3)
    assert await bench.database.held.count_documents({}) == 0


async def test_a_decision_is_nothing_without_its_transaction(bench: Bench) -> None:
    async def half(tx: object) -> Decision[None]:
        raise RuntimeError("the rule failed")

    with pytest.raises(RuntimeError):
        await bench.context.transact(half, "test")
    assert await bench.database.outbox.count_documents({}) == 0


async def _names(bench: Bench, id: str, count: int) -> tuple[str, ...] | None:
    found = await bench.partner(id)
    return found.names if found and len(found.names) >= count else None


async def test_an_event_whose_data_speaks_of_another_is_dead_lettered(bench: Bench) -> None:
    other = {"partner_id": "other", "name": {"zh": "x"}, "kind": "enterprise"}
    async with bench.running(bench.consumer(), bench.relay()):
        await bench.produce(partner_event("p", 1, data=other), partner_event("q", 1))
        await until(lambda: bench.partner("q"), "q is there")
        await until(bench.dead_letters, "the dead letter is there")
    assert await bench.partner("other") is None


async def test_a_batch_that_loses_to_others_until_its_deadline_goes_through_in_halves(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = bench.inbox._batch

    async def contended(records: Sequence[RawRecord]) -> None:
        """As if somebody held a document that a batch of more than one needs."""
        if len(records) > 1:
            raise OperationFailure("WriteConflict", 112, {"errorLabels": ["TransientTransactionError"]})
        await applied(records)

    monkeypatch.setattr(bench.inbox, "_batch", contended)
    async with bench.running(bench.consumer()):
        await bench.produce(*(partner_event(f"p{n}", 1) for n in range(4)))
        await until(lambda: bench.partner("p3"), "the last is there")
    assert all([(await bench.partner(f"p{n}")).seen == 1 for n in range(4)])
