"""What each new day does: milestones become late, delistings that were told ahead come true."""

import asyncio
from datetime import date

from services.kit.clock import day_of
from services.kit.decision import Decision
from services.kit.service import Context
from services.projects import domain
from services.projects.domain import County, Project
from services.projects.store import Tx

_LOOKS_EVERY_S = 2
_AT_ONCE = 500


async def watch_days(ctx: Context) -> None:
    """Looks at every running project and every county once a day in Shanghai, and when it begins. Never ends.

    A change of a project in between is assessed where it is made.
    """
    async with ctx.leader("days") as lease:
        seen: date | None = None
        while not lease.lost:
            if (today := day_of(ctx.now())) != seen:
                await begin_day(ctx)
                seen = today
            await asyncio.sleep(_LOOKS_EVERY_S)


async def begin_day(ctx: Context) -> None:
    """Asks about counties whose day has come, then holds the rules of risk against each running project."""
    for county in await ctx.reading().to_be_asked():
        await ctx.transact(lambda tx, code=county.id: _ask(tx, code), "projects")  # type: ignore[misc]
    after = ""
    while projects := await ctx.reading().running(after, _AT_ONCE):
        for project in projects:
            if domain.assess_project(project, who="projects", now=ctx.now()).events:
                await ctx.transact(lambda tx, id=project.id: _assess(tx, id), "projects")  # type: ignore[misc]
        after = projects[-1].id


async def _ask(tx: Tx, code: str) -> Decision[County]:
    county = await tx.need(County, code)
    return domain.ask_about_county(county, await tx.running_in(code), who="projects", now=tx.now)


async def _assess(tx: Tx, id: str) -> Decision[Project]:
    return domain.assess_project(await tx.need(Project, id), who="projects", now=tx.now)
