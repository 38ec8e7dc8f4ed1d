"""Runs the rounds that were asked for, one at a time.

    asked for → frozen → solved → settled → announced, some hundred pairs at a time → completed

All that is written comes in transactions that a document and a transaction of MongoDB can hold; what a
step needs to go on is stored with the one before it. A worker that dies leaves a round that is still
running, and whoever leads next takes it up from there. Until it is settled it can be cancelled.
"""

import asyncio
import logging
import zlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any

import orjson

from services.kit import mongo
from services.kit.decision import Decision, Refused
from services.kit.lease import Lease
from services.kit.service import Context
from services.pairing import domain
from services.pairing.domain import Part, Round
from services.pairing.domain.explanation import UnservedNeed
from services.pairing.store import Tx
from services.pairing.streams.reasons import detailed, named
from services.pairing.streams.solving import (
    Frozen,
    Job,
    Message,
    Misfit,
    Progress,
    SnapshotPart,
    Solved,
    Solver,
    in_a_process,
)

log = logging.getLogger(__name__)

# So few that nobody who reads meanwhile waits for them to be written.
_AT_ONCE = 100
_PART_BYTES = 8 * 1024 * 1024
_LOOK_S = 0.5


class _Ended(Exception):
    """Somebody has cancelled the round, or another worker leads now."""


async def run_rounds(ctx: Context) -> None:
    """Takes up every round that is asked for. Never ends."""
    async with ctx.leader("rounds") as lease:
        async for _ in ctx.changes(Round):
            if lease.lost:
                # Returning is waiting in line again.
                return
            rounds = await ctx.reading().rounds()
            if rounds.running:
                await run_round(ctx, lease, rounds.running)


async def run_round(ctx: Context, lease: Lease, id: str, solver: Solver = in_a_process) -> None:
    """One round from where it stands to its end."""
    runner = _Runner(ctx, lease, await ctx.reading().need(Round, id), solver)
    try:
        await runner.run()
    except _Ended:
        log.info("a round was ended by others", extra={"round": id})
    except Refused as refused:
        log.info("a round was ended by others", extra={"round": id, "reason": refused.detail})
    except Exception as error:
        round = await ctx.reading().need(Round, id)
        # What is settled goes to its end: it is tried again.
        if mongo.is_infrastructure(error) or round.result:
            raise
        log.exception("a round failed", extra={"round": id})
        await runner.fail(f"It could not be solved: {type(error).__name__}")


class _Runner:
    def __init__(self, ctx: Context, lease: Lease, round: Round, solver: Solver) -> None:
        self._ctx = ctx
        self._lease = lease
        self._round = round
        self._solver = solver

    async def run(self) -> None:
        if not self._round.result:
            solved = await self._solve()
            if solved is None:
                return
            await self._keep(solved)
        await self._announce()

    async def fail(self, reason: str) -> None:
        async def work(tx: Tx) -> Decision[Round]:
            round = await tx.need(Round, self._round.id)
            if round.status != "running":
                return Decision(round)
            return domain.fail_round(round, await tx.rounds(), reason=reason, now=tx.now)

        await self._transact(work)

    async def _solve(self) -> Solved | None:
        began = self._ctx.now()
        async with aclosing(self._messages()) as messages:
            async for message in messages:
                match message:
                    case SnapshotPart(no, content):
                        await self._keep_part(no, content)
                    case Frozen(sha256):
                        await self._transact(lambda tx, sha256=sha256: self._freeze(tx, sha256, began))
                    case Progress(part):
                        await self._note(part)
                    case Misfit(detail):
                        await self.fail(f"The pins cannot hold: {detail}")
                        return None
                    case Solved():
                        return message
        raise RuntimeError("the solver ended without an answer")

    async def _messages(self) -> AsyncGenerator[Message, None]:
        """The solver's messages, as long as the round runs and this worker leads."""
        async with aclosing(self._solver(Job.of(self._ctx, self._round))) as messages:
            while True:
                coming = asyncio.create_task(_next(messages))
                try:
                    while not coming.done():
                        await asyncio.wait([coming], timeout=_LOOK_S)
                        await self._check()
                finally:
                    if not coming.done():
                        coming.cancel()
                        await asyncio.wait([coming])
                message = coming.result()
                if message is None:
                    return
                yield message

    async def _check(self) -> None:
        round = await self._ctx.reading().need(Round, self._round.id)
        if self._lease.lost or round.status != "running":
            raise _Ended

    async def _keep_part(self, no: int, content: bytes) -> None:
        async def work(tx: Tx) -> Decision[Round]:
            round = await tx.need(Round, self._round.id)
            earlier = await tx.parts_of(round.id, "snapshot") if no == 0 else []
            part = Part(id=f"{round.id}/snapshot/{no}", round_id=round.id, of="snapshot", no=no, content=content)
            return domain.keep_parts(round, [part], earlier)

        await self._transact(work)

    async def _freeze(self, tx: Tx, sha256: str, began: Any) -> Decision[Round]:
        return domain.freeze_round(await tx.need(Round, self._round.id), sha256=sha256, now=began)

    async def _note(self, part: float) -> None:
        progress = domain.FROZEN + int((domain.SOLVED - domain.FROZEN) * part)

        async def work(tx: Tx) -> Decision[Round]:
            return domain.note_progress(await tx.need(Round, self._round.id), progress)

        await self._transact(work)

    async def _keep(self, solved: Solved) -> None:
        """Reasons first, which nobody sees of a round that is not completed; then the plan, at once."""
        names = await named(
            self._ctx.reading(), self._round.as_of, solved.explanations, solved.unserved, solved.shortfalls.values()
        )
        before = {(one.county_code, one.category): one.since for one in await self._unserved_before()}
        unserved = [
            replace(need, since=before.get((need.county_code, need.category), need.since)) for need in solved.unserved
        ]
        reasons = [
            *(replace(one, names=names.of_explanation(one)) for one in solved.explanations),
            *(detailed(need, solved.shortfalls.get(need.id), names) for need in unserved),
        ]
        for some in _chunks(reasons):
            await self._transact(lambda tx, some=some: self._keep_reasons(tx, some))
        id = self._round.id
        plan = [[pair.commitment_id, pair.county_code, pair.terms_version] for pair in solved.plan]
        parts = [
            *Part.all_of(id, "pairs", [zlib.compress(part) for part in _cut(orjson.dumps(plan))]),
            *Part.all_of(id, "certificate", list(_cut(solved.certificate))),
            *Part.all_of(
                id,
                "difference",
                [zlib.compress(part) for part in _cut(orjson.dumps([asdict(one) for one in solved.difference]))],
            ),
        ]

        async def settle(tx: Tx) -> Decision[Round]:
            return domain.settle_round(await tx.need(Round, id), await tx.rounds(), solved.result, parts)

        await self._transact(settle)

    async def _unserved_before(self) -> list[UnservedNeed]:
        found: list[UnservedNeed] = await self._ctx.reading().unserved_of(self._round.previous)
        return found

    async def _keep_reasons(self, tx: Tx, reasons: Sequence[Any]) -> Decision[None]:
        # An attempt that died may have kept them before.
        for kind in {type(one) for one in reasons}:
            await tx.get_many(kind, [one.id for one in reasons if type(one) is kind])
        return Decision(None, reasons)

    async def _announce(self) -> None:
        id = self._round.id
        plan = await self._ctx.reading().plan_of(id)

        async def announce(tx: Tx) -> Decision[Round]:
            round = await tx.need(Round, id)
            planned = domain.next_planned(round, plan, _AT_ONCE)
            commitments = await tx.get_many(domain.Commitment, {pair.commitment_id for pair in planned})
            ids = [tx.new_id() for _ in planned]
            return domain.announce_pairs(round, planned, commitments, of=len(plan), ids=ids, now=tx.now)

        async def supersede(tx: Tx) -> Decision[None]:
            return domain.supersede_earlier(await tx.proposals_of_others(id, _AT_ONCE))

        async def complete(tx: Tx) -> Decision[Round]:
            round = await tx.need(Round, id)
            assert round.result
            return domain.complete_round(round, await tx.rounds(), round.result, now=tx.now)

        while (await self._ctx.reading().need(Round, id)).announced < len(plan):
            self._check_lease()
            await self._transact(announce)
        while await self._ctx.reading().proposals_of_others(id, 1):
            self._check_lease()
            await self._transact(supersede)
        await self._transact(complete)

    def _check_lease(self) -> None:
        if self._lease.lost:
            raise _Ended

    async def _transact(self, work: Any) -> None:
        await self._ctx.transact(work, "rounds", self._round.chain)


async def _next(messages: AsyncGenerator[Message, None]) -> Message | None:
    return await anext(messages, None)


def _chunks(things: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (things[at : at + _AT_ONCE] for at in range(0, len(things), _AT_ONCE))


def _cut(content: bytes) -> Iterable[bytes]:
    return (content[at : at + _PART_BYTES] for at in range(0, max(1, len(content)), _PART_BYTES))
