"""People who watch: the feed loses nothing, whoever stops is seen, and what is not known is not called 0."""

import asyncio
import json
import os
import re
import signal
import time

from playwright.async_api import Route

from services.kit.ids import new_id
from tests.flows.console.visitors import Visitor, Visitors
from tests.flows.system import System
from tests.topics import produce
from tests.waiting import until

PATIENCE_MS = 60_000
# How soon the page shows it; a machine that is busy may miss it once or twice.
SEEN_WITHIN_S = 3
TRIES = 3
# All that the page says of a service's lag from now on.
NOTE_LAGS = """() => {
  window.lags = []
  setInterval(() => lags.push(document.querySelector('[data-service=funding] [data-lag]').textContent), 100)
}"""


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
    assert set(await visitor.page.locator(".event b").all_inner_texts()) == {"帮扶单位登记"}
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


async def test_an_event_that_nobody_foresaw_spoils_no_page_and_a_reason_of_a_service_is_in_the_readers_words(
    visitors: Visitors,
) -> None:
    odd = {"amount": "5", "title": 7, "was": "never", "due_on": "never", "support": "no", "milestone_no": {}}
    reason = f"trainees = 12000, observed in project {new_id()}"

    async def spoil(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        first, second, *_ = (item["event"] for item in body["items"])
        first |= {"type": "jiedui.unheard.of", "data": odd}
        second |= {"type": "jiedui.county.card_updated", "data": {"county_code": "520627", "reason": reason}}
        await route.fulfill(response=answer, json=body)

    visitor = await visitors.come("en")
    await visitor.page.route(re.compile(r"/events\?"), spoil)
    await visitor.enter("monitor", "/feed")
    await visitor.wait_for("Another event")
    await visitor.wait_for("“People trained 12,000”")
    assert await visitor.page.locator("[data-position]").count() >= 50, "all others are there"
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
    took: list[float] = []
    while not took or (min(took) > SEEN_WITHIN_S and len(took) < TRIES):
        with system.stopped("funding-worker"):
            await system.partner("A partner whom nobody takes in")
            began = time.monotonic()
            await becomes(visitor, f"{age} > 0")
            took.append(time.monotonic() - began)
            seen = await visitor.page.evaluate(age)
            await becomes(visitor, f"{age} > {seen} + 1")
            await visitor.axe("one stopped")
            await visitor.shot("monitor-stopped")
        await becomes(visitor, f"{age} === 0")
    assert min(took) <= SEEN_WITHIN_S, took

    lag = "document.querySelector('[data-service=funding] [data-lag]').textContent"
    with system.stopped("kafka"):
        await becomes(visitor, f"{lag} === 'unknown'")
        await visitor.page.evaluate(NOTE_LAGS)
        await asyncio.sleep(SEEN_WITHIN_S)
        assert set(await visitor.page.evaluate("window.lags")) == {"unknown"}, "never 0, nor any other number"
    await becomes(visitor, f"{lag} === '0'")
    assert await visitor.page.evaluate("window.theSame"), "without a reload"


async def test_a_message_that_nobody_could_take_is_looked_at_and_replayed_or_discarded_with_a_reason(
    visitors: Visitors, system: System
) -> None:
    poison = b"<img src=x onerror=alert(1)> is no JSON"
    bootstrap = f"127.0.0.1:{system.ports['JIEDUI_KAFKA_PORT']}"
    await produce(bootstrap, "jiedui.funding.v1", *[(b"poison-of-the-console", poison)] * 2)
    monitor = system.person("monitor")

    path = "/dead-letters?status=open&service=projects&limit=500"

    def there(found: dict[str, list[dict[str, str]]]) -> bool:
        return sum(one["key"] == "poison-of-the-console" for one in found["items"]) >= 2

    await system.eventually(monitor, "notify", path, there, "both are dead letters", PATIENCE_MS / 1000)
    visitor = await visitors.come("zh")
    await visitor.enter("monitor", "/dead-letters?status=open&service=projects")
    card = visitor.page.locator(".event", has_text="poison-of-the-console")
    await card.first.wait_for()
    await card.first.get_by_text("查看内容").click()
    await visitor.wait_for(poison.decode())
    await visitor.axe("a dead letter")
    await visitor.shot("dead-letters")
    for deed, done in (("重放", "replayed"), ("放弃", "discarded")):
        # What was replayed in vain is a dead letter anew.
        await system.eventually(monitor, "notify", path, there, "both are open", PATIENCE_MS / 1000)
        await visitor.open("/dead-letters?status=open&service=projects")
        await card.first.get_by_role("button", name=deed).click()
        dialog = visitor.page.get_by_role("dialog")
        await dialog.get_by_label("理由").fill("来自控制台的检查")
        await visitor.axe(deed)
        await dialog.get_by_role("button", name=deed).click()
        await visitor.page.get_by_role("dialog").wait_for(state="detached")
        await visitor.open(f"/dead-letters?status={done}&service=projects")
        await card.first.get_by_text("来自控制台的检查").wait_for()


async def test_a_story_is_told_by_any_id_and_leads_to_its_traces(visitors: Visitors, system: System) -> None:
    (project, *_) = await system.person("monitor").all("projects", "/projects?county=520627")
    story = await system.person("monitor").get("notify", f"/story/{project['id']}")
    event = next(item for item in story["items"] if item["event"]["type"] == "jiedui.project.opened")
    visitor = await visitors.come("en")
    await visitor.enter("monitor", f"/story/{project['id']}")
    cards = visitor.page.locator(".story .event")
    await cards.first.wait_for()
    assert await cards.count() == len(story["items"])
    traces = await visitor.page.get_by_role("link", name="Trace").evaluate_all("all => all.map(one => one.href)")
    assert any(event["trace_id"] in trace for trace in traces)
    await visitor.axe("a story")
    await visitor.shot("story")
    await visitor.open("/story")
    await visitor.fill("Id", event["event"]["id"])
    await visitor.press("Find")
    await visitor.wait_for("Project opened")
    await visitor.open("/story/520627")
    await visitor.wait_for("County listed")
    await visitor.open("/story/nothing")
    await visitor.wait_for("There is nothing of this id")
    visitors.allow("404")
