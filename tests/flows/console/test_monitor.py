"""People who watch: the feed loses nothing, whoever stops is seen, and what is not known is not called 0."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.async_api import Route

from tests.flows.console.visitors import Visitor, Visitors
from tests.flows.system import System
from tests.waiting import until

PATIENCE_MS = 60_000


@contextmanager
def stopped(system: System, child: str) -> Iterator[None]:
    """A program that is there and does nothing."""
    pid = system.pid(child)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def positions(visitor: Visitor) -> list[int]:
    """Of the events on the page, from the top."""
    found = await visitor.page.eval_on_selector_all("[data-position]", "all => all.map(one => one.dataset.position)")
    return [int(position) for position in found]


async def becomes(visitor: Visitor, condition: str) -> None:
    """Waits from outside: the page's own policy lets no text be run as a script."""
    await until(lambda: visitor.page.evaluate(condition), condition, PATIENCE_MS / 1000)


async def live(visitor: Visitor) -> None:
    await visitor.page.locator('[data-state="live"]').wait_for(timeout=PATIENCE_MS)


async def test_the_feed_shows_each_event_once_through_a_pause_a_broken_line_and_a_filter(
    visitors: Visitors, system: System
) -> None:
    visitor = await visitors.come("zh")
    await visitor.enter("monitor", "/feed")
    await live(visitor)
    await visitor.page.locator("[data-position]").first.wait_for()
    await visitor.axe("the feed")
    await visitor.shot("feed")

    await visitor.press("暂停")
    before = await positions(visitor)
    await system.partner("停时来的一家")
    await visitor.wait_for(re.compile("已暂停，新到 [1-9]"))
    assert (await positions(visitor)) == before, "nothing moves while it is paused"
    await visitor.axe("paused")
    await visitor.press(re.compile("继续"))
    await becomes(visitor, f"document.querySelector('[data-position]').dataset.position > {before[0]}")

    pid = system.pid("notify-api")
    os.kill(pid, signal.SIGKILL)
    await visitor.page.locator('[data-state="away"]').wait_for(timeout=PATIENCE_MS)
    await system.partner("断线时来的一家")
    await live(visitor)
    await system.partner("之后来的一家")
    await becomes(visitor, f"document.querySelectorAll('[data-position]').length >= {len(before) + 3}")
    shown = await positions(visitor)
    assert shown == list(range(shown[0], shown[-1] - 1, -1)), "each once, newest on top, none left out"

    await visitor.page.get_by_label("事件").select_option("jiedui.partner.registered")
    await visitor.page.reload()
    await live(visitor)
    await visitor.page.locator("[data-position]").first.wait_for()
    assert set(await visitor.page.locator(".event b").all_inner_texts()) == {"伙伴加入"}
    visitors.allow("ERR_", "Failed to fetch", "503")


async def test_a_feed_that_begins_anew_says_so(visitors: Visitors) -> None:
    visitor = await visitors.come("en")
    begun: list[str | None] = []

    async def forget(route: Route) -> None:
        """As a service whose archive no longer reaches back to where this browser was."""
        begun.append(route.request.headers.get("last-event-id"))
        told = json.dumps({"oldest": 7, "newest": 9, "detail": "too old"})
        await route.fulfill(
            headers={"content-type": "text/event-stream"}, body=f": open\n\nid: 9\nevent: reset\ndata: {told}\n\n"
        )

    await visitor.page.route("**/events/stream*", forget, times=1)
    async with visitor.page.expect_request(
        lambda request: "/events/stream" in request.url and request.headers.get("last-event-id") == "9"
    ):
        await visitor.enter("monitor", "/feed?category=education")
    await visitor.wait_for("The list was read again")
    assert begun[0], "it says where it was"
    await visitor.axe()


async def test_a_worker_that_stops_is_seen_on_the_page_as_it_is_and_a_broker_that_is_away_makes_the_lag_unknown(
    visitors: Visitors, system: System
) -> None:
    visitor = await visitors.come("en")
    await visitor.enter("monitor", "/monitor")
    age = "Number(document.querySelector('[data-service=funding] [data-age]').dataset.age)"
    await visitor.page.locator("[data-service=funding] [data-age]").wait_for()
    await becomes(visitor, f"{age} === 0")
    await visitor.axe("all is well")
    await visitor.shot("monitor")
    await visitor.page.evaluate("window.theSame = true")
    with stopped(system, "funding-worker"):
        await system.partner("A partner whom nobody takes in")
        await becomes(visitor, f"{age} > 0")
        seen = await visitor.page.evaluate(age)
        await becomes(visitor, f"{age} > {seen} + 1")
        await visitor.axe("one stopped")
        await visitor.shot("monitor-stopped")
    await becomes(visitor, f"{age} === 0")

    with stopped(system, "kafka"):
        lag = "document.querySelector('[data-service=funding] [data-lag]').textContent"
        await becomes(visitor, f"{lag} === 'unknown'")
    await becomes(visitor, f"{lag} === '0'")
    assert await visitor.page.evaluate("window.theSame"), "without a reload"
