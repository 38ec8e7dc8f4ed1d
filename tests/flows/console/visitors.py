"""People with a browser each, and what is held against all that they do: no error in the console of their browser, no
request to a host that is none of ours, no violation that axe finds."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from tests.flows.system import SERVICES, System

CONSOLE = Path(__file__).parents[3] / "services/notify/console"
AXE = CONSOLE / "node_modules/axe-core/axe.min.js"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
FORMS = {"zh": ("zh-CN", PHONE), "en": ("en-GB", DESK)}
"""By default each journey is made in Chinese on a phone and in English at a desk."""
if os.environ.get("JIEDUI_TEST_CONSOLE") == "other":
    FORMS = {"zh": ("zh-CN", DESK), "en": ("en-GB", PHONE)}
# Whoever runs the tests as root has no user namespaces to put the browser in.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
PATIENCE_MS = 60_000
# An empty page of the console's origin, where its storage can be reached before it starts.
ENTRANCE = "**/officer/entrance"


# What people write where a title, a note or the name of a file is asked for; nothing of it may be run or fetched.
EVIL = "<img src=x onerror=window.caught=1><script>window.caught=1</script>{{7*7}}"


def words(lang: str) -> dict[str, str]:
    """All that the console says in a language, by key."""
    said: dict[str, str] = {}
    for path in sorted((CONSOLE / "src/words" / lang).glob("*.json")):
        said |= json.loads(path.read_text("utf-8"))
    return said


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("the console's journeys need a browser: apt-get install chromium")


class Visitor:
    """One person at one browser profile. `page` is the tab that they look at."""

    def __init__(self, system: System, context: BrowserContext, page: Page, home: str) -> None:
        self.system = system
        self.context = context
        self.page = page
        self.home = home

    async def enter(self, person: str, path: str = "/") -> None:
        """Opens a page of the console as one of those that the local sign-in page offers, who signed in before."""
        answer = await self.system.http.post(f"{self.home}/sign-in", json={"id": person})
        await self.page.route(
            ENTRANCE, lambda route: route.fulfill(content_type="text/html", body="<link rel=icon href=data:,>")
        )
        await self.page.goto(self.home + ENTRANCE.strip("*"))
        await self.page.evaluate("token => localStorage.setItem('jiedui.session', token)", answer.json()["token"])
        await self.open(path)

    async def open(self, path: str) -> None:
        """`/county/520326` is a page of the console, `/officer` the officer's own."""
        await self.page.goto(self.home + (path if path.startswith("/officer") else f"/#{path}"))

    async def officer(self, county: str) -> None:
        """Signs in as the officer of a county, whose page then works without a line."""
        await self.page.goto(f"{self.home}/#/sign-in?to=officer")
        await self.page.locator(f'[data-person="officer-{county}"]').click()
        await self.page.locator("a.card.way").first.wait_for()
        await self.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")

    async def settled(self) -> None:
        """Until the page that was opened last is drawn, and what it reads is there."""
        await self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        await self.page.locator("h1").first.wait_for()
        await self.page.wait_for_function(
            "() => ![...document.querySelectorAll('.quiet[role=status]')].some(one => one.textContent.endsWith('…'))"
        )

    def sees(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_text(text)

    async def wait_for(self, text: str | re.Pattern[str]) -> None:
        await self.sees(text).first.wait_for()

    async def press(self, name: str | re.Pattern[str]) -> None:
        """A button or link by what is written on it."""
        await self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name)).first.click()

    async def fill(self, label: str | re.Pattern[str], text: str) -> None:
        await self.page.get_by_label(label).first.fill(text)

    async def confirm(self, reason: str = "") -> None:
        """What the open dialog asks."""
        dialog = self.page.get_by_role("dialog")
        if reason:
            await dialog.get_by_role("textbox").fill(reason)
        await dialog.locator("button:not(.plain)").click()
        await dialog.wait_for(state="detached")

    async def axe(self, what: str = "") -> None:
        """Fails with what axe has against the page as it is now."""
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(AXE.read_text("utf-8"))
        found: list[dict[str, Any]] = await self.page.evaluate(
            "() => axe.run({resultTypes: ['violations']}).then((seen) => seen.violations)"
        )
        told = [f"{v['id']}: {v['help']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in found]
        assert not told, f"{what or self.page.url}: " + "\n".join(told)
        wide = await self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{what or self.page.url}: {wide} px wider than the screen"

    async def shot(self, name: str) -> None:
        """A picture for whoever works on the page; where JIEDUI_TEST_SHOTS names a folder."""
        if folder := os.environ.get("JIEDUI_TEST_SHOTS"):
            width = (self.page.viewport_size or PHONE)["width"]
            lang = await self.page.evaluate("() => document.documentElement.lang.slice(0, 2)")
            await self.page.screenshot(path=f"{folder}/{name}-{lang}-{width}.png", full_page=True)


class Visitors:
    """Makes them, and remembers what their browsers met."""

    def __init__(self, browser: Browser, system: System) -> None:
        self._browser = browser
        self._system = system
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.ours = {urlsplit(system.url(service)).netloc for service in SERVICES}

    async def come(self, lang: str = "zh", **options: Any) -> Visitor:
        locale, viewport = FORMS[lang]
        made = {"locale": locale, "viewport": viewport, "timezone_id": "Europe/Berlin"} | options
        context = await self._browser.new_context(**made)
        self._contexts.append(context)
        self.watch(context)
        return Visitor(self._system, context, await context.new_page(), self._system.url("notify"))

    async def come_back(self, folder: Path, lang: str = "zh", **options: Any) -> Visitor:
        """As somebody whose browser keeps its profile in `folder`, also when it was closed in between."""
        locale, viewport = FORMS[lang]
        made = {"locale": locale, "viewport": viewport, "timezone_id": "Asia/Shanghai"} | options
        context = await self._browser.browser_type.launch_persistent_context(
            folder, executable_path=chromium(), args=ARGUMENTS, **made
        )
        self._contexts.append(context)
        self.watch(context)
        return Visitor(self._system, context, context.pages[0], self._system.url("notify"))

    def watch(self, context: BrowserContext) -> None:
        """Before its first page is opened."""
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._note)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._look)

    def allow(self, *patterns: str) -> None:
        """Errors that a journey brings about on purpose, such as a service that is stopped."""
        self.errors = [error for error in self.errors if not any(re.search(pattern, error) for pattern in patterns)]

    def check(self) -> None:
        assert not self.errors, "\n".join(self.errors)
        assert not self.foreign, "\n".join(self.foreign)

    async def leave(self) -> None:
        for context in self._contexts:
            await context.close()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _look(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self.ours:
            self.foreign.append(request.url)


def forms() -> Sequence[str]:
    return list(FORMS)
