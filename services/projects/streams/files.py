"""Files that no evidence names, because a program died between the two: removed."""

import asyncio

from services.kit.service import Context
from services.projects.store import Files

_LOOKS_EVERY_S = 600


async def sweep_files(ctx: Context) -> None:
    """Removes them about an hour later. Never ends."""
    async with ctx.leader("files") as lease:
        while not lease.lost:
            await remove_abandoned(ctx)
            await asyncio.sleep(_LOOKS_EVERY_S)


async def remove_abandoned(ctx: Context) -> None:
    files = Files(ctx.database)
    for id in await files.abandoned():
        await files.delete(id)
