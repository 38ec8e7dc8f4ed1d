"""Commands that share a transaction: what one of them does is as if each had its own."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pymongo import InsertOne

from schemas.partners import PartnerAmended
from services.kit import mongo
from services.kit.decision import Conflict, Decision
from services.kit.group import Group
from tests.kit.toy import Bench, Partner, Tx


class Full(Conflict):
    pass


class Counted(Group):
    """Counts the transactions that were begun."""

    def __init__(self, bench: Bench) -> None:
        transactor = bench.context.transactor
        super().__init__(transactor)
        self.units = 0
        unit = transactor.unit

        async def counted(*args: Any, **options: Any) -> Any:
            self.units += 1
            return await unit(*args, **options)

        transactor.unit = counted  # type: ignore[method-assign]
        self.cause = transactor.cause


async def add(group: Counted, id: str, *, limit: int = 1000, fault: str | None = None, mark: str | None = None) -> int:
    """Counts one more of a partner and says so; answers how many there are."""

    async def work(tx: Tx) -> int:
        known = await tx.get(Partner, id) or Partner(id=id)
        if known.seen >= limit:
            raise Full("no more")
        if fault:
            raise RuntimeError(fault)
        if mark:
            tx.mark("idempotency", InsertOne({"_id": mark}))
        more = replace(known, seen=known.seen + 1)
        event = PartnerAmended(partner_id=id, name={"zh": "x"}, kind="enterprise")
        tx.keep(Decision(None, saves=(more,), events=(event,)))
        return more.seen

    return await group.unit(group.cause("test"), work, locks=[id])  # type: ignore[arg-type]


async def numbers(bench: Bench, id: str) -> list[int]:
    rows = bench.database.outbox.find({"key": id.encode()}).sort("sequence", 1)
    return [row["sequence"] async for row in rows]


async def test_each_of_many_at_once_has_its_effect_once_in_far_fewer_transactions(bench: Bench) -> None:
    group = Counted(bench)
    answers = await asyncio.gather(*(add(group, f"p{no % 10}") for no in range(300)))
    assert sorted(answers) == sorted(list(range(1, 31)) * 10)
    for no in range(10):
        assert await numbers(bench, f"p{no}") == list(range(1, 31))
    assert group.units < 100


async def test_one_that_comes_alone_waits_for_nobody(bench: Bench) -> None:
    group = Counted(bench)
    assert [await add(group, "p") for _ in range(3)] == [1, 2, 3]
    assert group.units == 3


async def test_a_refused_one_leaves_nothing_and_the_others_stand(bench: Bench) -> None:
    group = Counted(bench)
    answers = await asyncio.gather(*(add(group, "p", limit=5) for _ in range(20)), return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, Full)] == [1, 2, 3, 4, 5]
    assert await numbers(bench, "p") == [1, 2, 3, 4, 5]


async def test_one_that_fails_for_a_reason_of_its_own_fails_alone(bench: Bench) -> None:
    group = Counted(bench)
    faults = ["broken" if no == 7 else None for no in range(20)]
    answers = await asyncio.gather(
        *(add(group, f"p{no}", fault=faults[no]) for no in range(20)), return_exceptions=True
    )
    assert [no for no, answer in enumerate(answers) if answer != 1] == [7]
    assert isinstance(answers[7], RuntimeError)


async def test_of_two_with_one_mark_one_is_done(bench: Bench) -> None:
    group = Counted(bench)
    answers = await asyncio.gather(*(add(group, "p", mark="m") for _ in range(6)), return_exceptions=True)
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(failed) == 5
    assert all(mongo.is_duplicate(error, of="idempotency") for error in failed)
    assert await numbers(bench, "p") == [1]


async def test_a_database_that_is_away_is_told_to_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    group = Counted(bench)

    async def away(*_: Any, **__: Any) -> None:
        raise mongo.ServerSelectionTimeoutError("away")

    monkeypatch.setattr(mongo, "write", away)
    answers = await asyncio.gather(*(add(group, "p") for _ in range(8)), return_exceptions=True)
    assert all(isinstance(answer, mongo.ServerSelectionTimeoutError) for answer in answers)
