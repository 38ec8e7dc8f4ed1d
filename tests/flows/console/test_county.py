"""The programme and its counties: each figure leads to its rows, each chart has its table, and 0 is not "no entry"."""

import itertools
import math
import re
from pathlib import Path

from playwright.async_api import expect

from services.kit.clock import Clock
from tests.flows.console.visitors import PATIENCE_MS, Visitor, Visitors
from tests.flows.system import System

COUNTY = "520627"


async def figure_of(visitor: Visitor, category: str) -> int:
    """What the bar of a category says."""
    bar = visitor.page.locator(".bars li", has=visitor.page.get_by_role("link", name=category, exact=True))
    return int(await bar.locator("b").inner_text())


async def test_each_figure_of_the_programme_leads_to_its_rows(visitors: Visitors) -> None:
    visitor = await visitors.come("zh")
    await visitor.enter("bookkeeper", "/programme")
    await visitor.wait_for(re.compile("数据截至第"))
    counted = await figure_of(visitor, "智慧旅游")
    assert counted > 0
    await visitor.page.get_by_text("全部指标").wait_for()
    await visitor.axe("the programme")
    await visitor.shot("programme")

    await visitor.page.get_by_role("link", name="智慧旅游", exact=True).first.click()
    await visitor.wait_for(f"{counted} 个项目")
    assert await visitor.page.locator("tbody tr").count() == counted
    await visitor.axe("projects")
    await visitor.shot("projects")
    async with visitor.page.expect_download() as download:
        await visitor.press("导出 CSV")
    assert Path(await (await download.value).path()).read_text("utf-8-sig").count("\n") == counted + 1

    for figure in ("个县", "家帮扶单位"):
        await visitor.open("/programme")
        box = visitor.page.locator(".figures li", has=visitor.page.get_by_role("link", name=figure))
        count = int(await box.locator("b").inner_text())
        await box.get_by_role("link").click()
        await visitor.page.locator("tbody tr").first.wait_for()
        assert await visitor.page.locator("tbody tr").count() == count
        await visitor.axe(figure)
        await visitor.shot(f"rows-{figure}")
    await visitor.open("/programme")
    await visitor.page.get_by_role("link", name="已承诺").click()
    await visitor.page.locator("tbody tr").first.wait_for()
    await visitor.axe("promises")
    await visitor.open("/milestones?status=pending")
    await visitor.page.locator("tbody tr").first.wait_for()
    await visitor.axe("milestones")


async def test_a_county_shows_its_indicators_over_time_and_0_is_not_no_entry(
    visitors: Visitors, system: System
) -> None:
    coordinator = system.person("coordinator")
    (project, *_) = await coordinator.all("projects", f"/projects?county={COUNTY}")
    told = next(one for one in project["indicators"] if one["kind"] in ("flow", "cumulative"))
    untold = next(one for one in project["indicators"] if one is not told)
    at = f"{Clock().today().isoformat()}T00:00:00+08:00"
    for month, value in (("01", 0), ("02", 7)):
        period = {"from": f"2026-{month}-01", "until": f"2026-{month}-28"}
        seen = {"indicator": told["code"], "value": value, "period": period, "occurred_at": at}
        await coordinator.post("projects", f"/projects/{project['id']}/observations", seen)

    def both(found: dict[str, object]) -> bool:
        items = found["items"]
        return isinstance(items, list) and any(len(one["periods"]) == 2 for one in items)

    await system.eventually(coordinator, "notify", f"/indicators?county={COUNTY}", both, "both are counted")

    visitor = await visitors.come("en")
    await visitor.enter("monitor", f"/county/{COUNTY}")
    chart = visitor.page.locator("figure", has=visitor.page.locator("svg"))
    await chart.first.wait_for()
    assert await chart.locator("circle").count() == 2, "0 is a point of its own"
    await chart.get_by_text("As a table").click()
    assert [text.split("\u00a0")[0].split(" ")[0] for text in await chart.locator("td.figure").all_inner_texts()] == [
        "0",
        "7",
    ]
    rows = visitor.page.locator("table", has_text="All indicators").locator("tbody tr")
    assert await rows.locator(".gap", has_text="no entry").count() >= 1, untold
    await visitor.page.locator("table", has_text="Needs by category").wait_for()
    await visitor.axe("a county")
    await visitor.shot("county")
    async with visitor.page.expect_download() as download:
        await chart.get_by_role("button", name="Export as CSV").click()
    assert Path(await (await download.value).path()).read_text("utf-8-sig").count("\n") == 3

    await visitor.open(f"/project/{project['id']}")
    await visitor.page.locator("table", has_text="Goals and where they stand").wait_for()
    await visitor.axe("a project")
    await visitor.shot("project")
    await visitor.open("/counties")
    await visitor.page.locator("tbody tr").first.wait_for()
    await visitor.axe("counties")
    dots = await visitor.page.locator(".map a circle").evaluate_all(
        "all => all.map(({cx, cy, r}) => [cx, cy, r].map(one => one.baseVal.value))"
    )
    assert len(dots) >= 42, "each county of the example has a place"
    for (x, y, r), (x2, y2, r2) in itertools.combinations(dots, 2):
        assert math.hypot(x - x2, y - y2) > r + r2 - 1, "no dot lies on another"


GONE = {
    "monitor": ("county/999999", "project/gone", "pairings/gone", "rounds/gone", "commitments/gone", "story/gone"),
    "coordinator": ("rounds/%E0%A4%A", "county/%"),
}


async def test_a_page_for_an_id_that_is_gone_says_so(visitors: Visitors) -> None:
    visitor = await visitors.come("zh")
    for person, paths in GONE.items():
        await visitor.enter(person)
        for path in paths:
            await visitor.open(f"/{path}")
            await visitor.page.locator(".refusal", has_text=re.compile("可能已不存在|没有这个编号")).first.wait_for()
            await visitor.axe(path)
    visitors.allow("404", "422")


async def test_a_service_that_is_away_takes_only_its_own_part_until_it_is_back(
    visitors: Visitors, system: System
) -> None:
    (project, *_) = await system.person("coordinator").all("projects", f"/projects?county={COUNTY}")
    visitor = await visitors.come("zh")
    await visitor.enter("monitor")
    for service, still in (("pairing", "项目、进度和资金"), ("projects", "各类需求"), ("notify", "各类需求")):
        away = re.compile(visitor.system.url(service) + r"/(?!\?|assets|config|officer|sign-in|$)")
        await visitor.page.route(away, lambda route: route.abort())
        await visitor.open(f"/county/{COUNTY}")
        await visitor.wait_for("暂时连不上这项服务")
        await visitor.page.locator("table", has_text=still).wait_for()
        await visitor.axe(f"without {service}")
        if service != "projects":
            await visitor.open(f"/project/{project['id']}")
            await visitor.page.locator("table", has_text=project["milestones"][0]["title"]["zh"]).wait_for()
        await visitor.page.unroute(away)
        await expect(visitor.page.locator(".refusal")).to_have_count(0, timeout=PATIENCE_MS)
        await visitor.open("/")
    visitors.allow("ERR_FAILED", "404")
