"""Reasons as they are kept: with the names that they speak of; of a big round, answered when they are asked."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from schemas.shapes import Text
from services.kit.decision import Decision
from services.kit.service import Context
from services.pairing.domain import Round
from services.pairing.domain.explanation import Explanation, Step, UnservedNeed, named_in
from services.pairing.store import Tx
from services.pairing.streams.solving import Answered, Job, Shortfall, Solver, in_a_process

# Each takes a gigabyte in a big round.
_one_at_a_time = asyncio.Lock()


@dataclass(frozen=True)
class Names:
    counties: dict[str, Text]
    commitments: dict[str, Text]

    def of(self, steps: Iterable[Step], *more: str | None) -> dict[str, Any]:
        commitments, counties = named_in(steps)
        ids = commitments | counties | {id for id in more if id}
        return {id: dict(name) for id in sorted(ids) if (name := self.counties.get(id) or self.commitments.get(id))}

    def of_explanation(self, one: Explanation) -> dict[str, Any]:
        return self.of(one.steps, one.instead)


async def named(
    tx: Tx,
    as_of: date,
    explanations: Sequence[Explanation],
    unserved: Sequence[UnservedNeed],
    shortfalls: Iterable[Shortfall] = (),
) -> Names:
    """All names that these speak of, as they are on a day."""
    commitments: set[str] = set()
    counties = {need.county_code for need in unserved}
    shortfalls = list(shortfalls)
    steps = [step for found in (explanations, shortfalls) for one in found for step in one.steps]
    for ids, known in zip(named_in(steps), (commitments, counties), strict=True):
        known |= ids
    counties |= {one.instead for one in explanations if one.instead}
    commitments |= {one.change.commitment_id for one in shortfalls if one.change.commitment_id}
    return Names(await tx.names_on(sorted(counties), as_of), await tx.givers_of(sorted(commitments)))


def detailed(need: UnservedNeed, shortfall: Shortfall | None, names: Names) -> UnservedNeed:
    """With the change that would serve it, where that is known by now."""
    if shortfall is None:
        is_detailed = need.reason == "not-eligible"
        return replace(need, is_detailed=is_detailed, names=names.of((), need.county_code))
    return replace(
        need,
        is_detailed=True,
        change=shortfall.change,
        levels=shortfall.levels,
        steps=shortfall.steps,
        names=names.of(shortfall.steps, need.county_code, shortfall.change.commitment_id),
    )


async def answer(ctx: Context, round: Round, solver: Solver = in_a_process, **questions: Any) -> Answered:
    """Answers to questions about a completed round (see `Job`)."""
    async with _one_at_a_time, aclosing(solver(Job.of(ctx, round, **questions))) as messages:
        async for message in messages:
            if isinstance(message, Answered):
                return message
    raise RuntimeError("the solver ended without an answer")


async def explain(ctx: Context, round: Round, commitment_id: str, county_code: str) -> Explanation:
    """One pairing of a round that was too big to explain at once; kept from then on."""
    answered = await answer(ctx, round, pairs=[(commitment_id, county_code)])
    (found,) = answered.explanations
    names = await named(ctx.reading(), round.as_of, [found], [])
    found = replace(found, names=names.of_explanation(found))
    await _keep(ctx, [found])
    return found


async def detail(ctx: Context, round: Round, needs: Sequence[UnservedNeed]) -> None:
    """Finds and keeps what would serve these needs."""
    answered = await answer(ctx, round, needs=[(need.county_code, need.category) for need in needs])
    names = await named(ctx.reading(), round.as_of, [], needs, answered.shortfalls.values())
    await _keep(ctx, [detailed(need, answered.shortfalls[need.id], names) for need in needs])


async def _keep(ctx: Context, reasons: Sequence[Any]) -> None:
    async def work(tx: Tx) -> Decision[None]:
        # Two may have asked the same at once.
        await tx.get_many(type(reasons[0]), [one.id for one in reasons])
        return Decision(None, reasons)

    await ctx.transact(work, "reasons")
