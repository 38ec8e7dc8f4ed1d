from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Error, async_playwright

from tests.flows.console.visitors import ARGUMENTS, Visitors, chromium
from tests.flows.system import System


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all journeys; each visitor has a profile of their own in it."""
    async with async_playwright() as playwright:
        try:
            launched = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        except Error as fault:
            pytest.skip(f"Chromium does not start: {fault.message}")
        yield launched
        await launched.close()


@pytest.fixture
async def visitors(browser: Browser, system: System) -> AsyncIterator[Visitors]:
    """People with browsers; at the end, none of them met an error or left for another host."""
    made = Visitors(browser, system)
    try:
        yield made
        made.check()
    finally:
        await made.leave()
