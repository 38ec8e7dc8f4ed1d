"""How soon an officer on a bad line sees something: a first visit over 50 kbit/s, with 500 ms there and back.

Chromium itself throttles, the page comes from notify's own routes, and nothing of it is on the phone yet. Then the same
once more, from what the phone keeps.

Usage: python -m bench.console
"""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

from fastapi import FastAPI
from playwright.async_api import Browser, async_playwright

from services.notify.api import console
from services.notify.settings import Settings
from tests.conftest import free_ports
from tests.flows.console.visitors import ARGUMENTS, PHONE, chromium
from tests.serving import serving

LINE = {"offline": False, "latency": 500, "downloadThroughput": 50_000 / 8, "uploadThroughput": 50_000 / 8}
GOAL_S = 3.0
TIMES = 5
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    settings = Settings(port=free_ports(1)[0])
    app = FastAPI()
    app.state.context = SimpleNamespace(settings=settings)
    app.include_router(console.router())
    async with serving(app, settings.port):
        yield settings.public_url


async def visit(browser: Browser, url: str) -> tuple[float, float, float]:
    """Seconds to the first paint and to the first heading of a first visit, and to the first paint of a second one."""
    context = await browser.new_context(viewport=PHONE, locale="zh-CN")
    try:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", LINE)
        await page.goto(f"{url}/officer")
        await page.locator("h1").wait_for()
        heading = await page.evaluate("() => performance.now()")
        first = await page.evaluate(PAINTED)
        await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        await page.goto(f"{url}/officer")
        await page.locator("h1").wait_for()
        return first / 1000, heading / 1000, await page.evaluate(PAINTED) / 1000
    finally:
        await context.close()


async def measure() -> None:
    async with served() as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        found = [await visit(browser, url) for _ in range(TIMES)]
        await browser.close()
    first, heading, again = (statistics.median(column) for column in zip(*found, strict=True))
    print(
        f"officer's page over 50 kbit/s, 500 ms: first contentful paint {first:.2f} s: "
        f"{'reached' if first <= GOAL_S else 'NOT reached'} (≤{GOAL_S:.0f} s); "
        f"ready to use after {heading:.2f} s, from the phone itself {again:.2f} s"
    )


if __name__ == "__main__":
    asyncio.run(measure())
