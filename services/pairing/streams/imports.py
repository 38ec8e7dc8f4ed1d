"""Runs the imports that are too long to be stored before the answer.

    handed in (by HTTP)  →  checked, chunk by chunk  →  stored, chunk by chunk  →  completed

Each chunk is one transaction, and the import's document says how far it came. Whoever leads next
checks from the beginning (nothing is stored then) or stores from where the last one was.
"""

import asyncio
import logging

from services.kit import mongo
from services.kit.decision import Decision, Refused
from services.kit.lease import Lease
from services.kit.service import Context
from services.pairing.domain import imports
from services.pairing.domain.imports import Import, RowReport
from services.pairing.domain.intake.gazetteer import Gazetteer
from services.pairing.domain.intake.headers import Record
from services.pairing.store import Tx
from services.pairing.streams.intake import Intake, Sheet, next_chunk

log = logging.getLogger(__name__)


async def run_imports(ctx: Context) -> None:
    """Takes up every import that is not at its end. Never ends."""
    async with ctx.leader("imports") as lease:
        async for _ in ctx.changes(Import):
            if lease.lost:
                # Returning is waiting in line again.
                return
            await run_those_there(ctx, lease)


async def run_those_there(ctx: Context, lease: Lease) -> None:
    """Those that are running now, each to its end."""
    for one in await ctx.reading().running_imports():
        await run_import(ctx, lease, one.id)


async def run_import(ctx: Context, lease: Lease, id: str) -> None:
    """One import from where it stands to its end."""
    of: Import = await ctx.reading().need(Import, id)
    content = await ctx.reading().file_of(id)
    try:
        sheet = await asyncio.to_thread(Sheet, content, of.target)
        gazetteer = await ctx.reading().gazetteer()
        if of.stage == "checking":
            await _check(ctx, lease, of, sheet, gazetteer)
        if (await ctx.reading().need(Import, id)).stage == "storing":
            await _store(ctx, lease, of, sheet, gazetteer)
    except Refused as refused:
        # The header could be read and something further down cannot.
        problem = refused.detail
        await ctx.transact(lambda tx: _fail(tx, id, problem), of.by)


async def _check(ctx: Context, lease: Lease, of: Import, sheet: Sheet, gazetteer: Gazetteer) -> None:
    await ctx.transact(lambda tx: _check_again(tx, of.id), of.by)
    intake, chunks = Intake(of, sheet, gazetteer), sheet.chunks()
    while (chunk := await next_chunk(chunks)) and not lease.lost:
        await ctx.transact(lambda tx, chunk=chunk: _check_chunk(tx, of.id, intake, chunk), of.by)  # type: ignore[misc]
    if not lease.lost:
        await ctx.transact(lambda tx: _close_checking(tx, of.id), of.by)


async def _store(ctx: Context, lease: Lease, of: Import, sheet: Sheet, gazetteer: Gazetteer) -> None:
    intake, chunks = Intake(of, sheet, gazetteer), sheet.chunks()
    while (chunk := await next_chunk(chunks)) and not lease.lost:
        while True:
            try:
                await ctx.transact(lambda tx, chunk=chunk: _store_chunk(tx, of.id, intake, chunk), of.by)  # type: ignore[misc]
                break
            except Exception as error:
                # A short import has stored the same row meanwhile: now it is seen.
                if not mongo.is_duplicate(error):
                    raise
    if not lease.lost:
        await ctx.transact(lambda tx: _finish(tx, of.id), of.by)


async def _check_again(tx: Tx, id: str) -> Decision[Import]:
    return imports.check_again(await tx.need(Import, id))


async def _check_chunk(tx: Tx, id: str, intake: Intake, chunk: list[Record]) -> Decision[Import]:
    of = await tx.need(Import, id)
    decision = imports.note_checked(of, await intake.sort(tx, chunk), last=chunk[-1].no)
    # Who checked before may have left reports on the same rows: read, they are replaced.
    await tx.get_many(RowReport, [state.id for state in decision.saves if isinstance(state, RowReport)])
    return decision


async def _close_checking(tx: Tx, id: str) -> Decision[Import]:
    return imports.close_checking(await tx.need(Import, id), now=tx.now)


async def _store_chunk(tx: Tx, id: str, intake: Intake, chunk: list[Record]) -> Decision[Import]:
    of, found = await tx.need(Import, id), await intake.sort(tx, chunk)
    last = chunk[-1].no
    if last <= of.stored:
        return Decision(of)
    decisions = [await intake.store(tx, row) for row in found.fresh]
    reports = {one.id: one for one in (imports.report(of, row) for row in found.rejected)}
    known = await tx.get_many(RowReport, reports)
    step = imports.note_stored(of, last=last, late=[one for id, one in reports.items() if id not in known])
    return Decision(
        step.state,
        [*step.saves, *(state for one in decisions for state in one.saves)],
        [event for one in decisions for event in one.events],
    )


async def _finish(tx: Tx, id: str) -> Decision[Import]:
    return imports.finish_import(await tx.need(Import, id), now=tx.now)


async def _fail(tx: Tx, id: str, problem: str) -> Decision[Import]:
    of = await tx.need(Import, id)
    return imports.fail_import(of, problem=problem, now=tx.now) if of.status == "running" else Decision(of)
