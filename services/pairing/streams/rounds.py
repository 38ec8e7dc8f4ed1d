"""Runs the rounds that were asked for, one at a time.

    asked for (by HTTP)  →  frozen: snapshot kept  →  solved  →  completed: proposals written

Each arrow is one transaction. A worker that dies in between leaves a round that is still running;
whoever leads next takes it up where its stored state says: from the kept snapshot, or from the
beginning. Solving changes nothing, so it may be done again.
"""

import asyncio
import json
import logging
import time
from hashlib import sha256
from typing import Any

import rfc8785

from services.kit import mongo
from services.kit.decision import Decision, Refused
from services.kit.lease import Lease
from services.kit.service import Context
from services.pairing import domain
from services.pairing.domain import Commitment, Round
from services.pairing.store import Tx

log = logging.getLogger(__name__)

# A document has 16 MiB at most.
_PART_BYTES = 8 * 1024 * 1024


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


async def run_round(ctx: Context, lease: Lease, id: str) -> None:
    """One round from where it stands to its end."""
    try:
        await _run(ctx, lease, id)
    except Refused as refused:
        # It was cancelled meanwhile, or another worker has ended it.
        log.info("a round was ended by others", extra={"round": id, "reason": refused.detail})
    except Exception as error:
        if mongo.is_infrastructure(error):
            raise
        log.exception("a round failed", extra={"round": id})
        await _fail(ctx, id, f"It could not be solved: {type(error).__name__}")


async def _run(ctx: Context, lease: Lease, id: str) -> None:
    # Here and not at the top, so that the API does not carry OR-tools.
    from services.pairing.domain.matching import PinsDoNotFit, solve

    try:
        await ctx.transact(lambda tx: _freeze(tx, id), "rounds")
        snapshot = json.loads(await ctx.reading().snapshot_of(id))
        began = time.perf_counter()
        answer = await asyncio.to_thread(solve, snapshot)
        solve_ms = round((time.perf_counter() - began) * 1000, 3)
    except PinsDoNotFit as misfit:
        return await _fail(ctx, id, f"The pins cannot hold: {misfit}")
    await ctx.transact(lambda tx: _note_solved(tx, id), "rounds")
    if not lease.lost:
        await ctx.transact(lambda tx: _complete(tx, id, snapshot, answer, solve_ms), "rounds")


async def _freeze(tx: Tx, id: str) -> Decision[Round]:
    from services.pairing.domain.freezing import freeze

    round = await tx.need(Round, id)
    if round.snapshot_sha256:
        return Decision(round)
    rules = await tx.rules_that_hold()
    snapshot = freeze(
        await tx.commitments_for_round(rules),
        await tx.counties_with_cards(round.as_of),
        rules,
        kept=await tx.pairs_of_round((await tx.rounds()).newest),
        as_of=round.as_of,
        seed=round.seed,
    )
    content = rfc8785.dumps(snapshot)
    parts = [content[start : start + _PART_BYTES] for start in range(0, len(content), _PART_BYTES)]
    return domain.keep_snapshot(round, parts, sha256=sha256(content).hexdigest(), now=tx.now)


async def _note_solved(tx: Tx, id: str) -> Decision[Round]:
    return domain.note_progress(await tx.need(Round, id), domain.SOLVED)


async def _complete(
    tx: Tx, id: str, snapshot: dict[str, Any], answer: dict[str, Any], solve_ms: float
) -> Decision[Round]:
    commitments = await tx.get_many(Commitment, {commitment for commitment, _ in answer["pairs"]})
    return domain.complete_round(
        await tx.need(Round, id),
        await tx.rounds(),
        snapshot,
        answer,
        commitments,
        await tx.all_proposals(),
        ids=[tx.new_id() for _ in answer["pairs"]],
        solve_ms=solve_ms,
        now=tx.now,
    )


async def _fail(ctx: Context, id: str, reason: str) -> None:
    async def work(tx: Tx) -> Decision[Round]:
        round = await tx.need(Round, id)
        if round.status != "running":
            return Decision(round)
        return domain.fail_round(round, await tx.rounds(), reason=reason, now=tx.now)

    await ctx.transact(work, "rounds")
