"""Partners: a commitment from its first field to its story with the reason, and a file with its faults."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.kit.clock import Clock
from services.pairing.domain.intake.table import open_table
from tests.flows.console.visitors import EVIL, Visitor, Visitors
from tests.flows.system import Json, Person, System, today
from tests.pairing.files import xlsx_of
from tests.waiting import until

WORDS: dict[str, Any] = {
    "zh": {
        "open": "待结对",
        "paired": "全部结对",
        "pledged": "承诺",
        "back": "带问题说明",
        "rows": "只存入",
        "faults": ["'不知道' 不在已知的之列", "'很多' 不是数字", "早于"],
    },
    "en": {
        "open": "Open",
        "paired": "Fully",
        "pledged": "Pledged",
        "back": "Fetch",
        "rows": "Store the good",
        "faults": ["'不知道' is none of those known", "'很多' is not a number", "is before"],
    },
}


async def release_spend_cancel(system: System, officer: Person, spent: Json) -> None:
    """One tranche goes out, a part of it is spent, and the project is cancelled."""
    project, coordinator = f"/projects/{spent['project_id']}", system.person("coordinator")
    report = {"occurred_at": Clock().now().isoformat()}
    await officer.post("projects", f"{project}/milestones/1/report", report, status=200, if_match='"1"')
    await coordinator.post("projects", f"{project}/milestones/1/verify", {}, status=200, if_match='"2"')

    def is_out(found: Json) -> bool:
        return bool(found["funds"]["released"] != "0.00")

    await system.eventually(coordinator, "projects", project, is_out, "the tranche is out")
    await system.person("bookkeeper").post("funding", "/expenditures", spent)
    await coordinator.post("projects", f"{project}/cancel", {"reason": "改道"}, status=200)


async def go_on(desk: Visitor, there: str) -> None:
    """To the next page of the form, on which `there` is."""
    await desk.page.locator("form button").last.click()
    await desk.page.locator(there).wait_for()


async def correct_what_the_service_finds(desk: Visitor, lang: str) -> None:
    """A province that is preferred and excluded: said in the summary and beside the field, in the reader's words."""
    said = {"zh": "同时又写为优先", "en": "is preferred as well"}[lang]
    await desk.page.locator("form button").last.click()
    await desk.page.get_by_role("alert").get_by_role("link", name=re.compile(said)).click()
    await desk.page.locator("#field-excludes-fault", has_text=said).wait_for()
    await desk.axe("what the service found")
    await desk.shot("partner-found")
    await desk.page.get_by_role("alert").get_by_role("link").click()
    assert await desk.page.evaluate("() => document.activeElement.id") == "field-excludes"
    await desk.page.locator(".field", has=desk.page.locator("#field-excludes")).get_by_role("button").click()
    await desk.page.locator("#field-excludes-fault").wait_for(state="detached")
    await go_on(desk, "#field-valid_until")
    await go_on(desk, "dl.card")


@pytest.mark.parametrize(("lang", "county"), [("zh", "632581"), ("en", "632582")])
async def test_a_partner_promises_and_sees_what_became_of_it(
    visitors: Visitors, system: System, lang: str, county: str
) -> None:
    say = WORDS[lang]
    id, partner = await system.partner(f"承诺企业{county}")
    coordinator = system.person("coordinator")
    officer = await system.county(county)
    await system.eventually(partner, "notify", f"/views/partners/{id}", lambda found: True, "notify knows the partner")
    desk = await visitors.come(lang)
    await desk.enter(f"partner-{id}", "/commitments/new")
    submit = desk.page.locator("form button").last
    await submit.click()
    await desk.page.locator("#field-zh-fault").wait_for()
    assert await desk.page.locator("[role=alert] li").count() == 3
    await desk.axe("faults")
    await desk.shot("partner-faults")
    await desk.page.locator("#field-category").select_option("education")
    await desk.page.locator("#field-zh").fill(f"教室 {EVIL}")
    await desk.page.locator("#field-en").fill(f"Classrooms {EVIL}")
    await submit.click()
    await desk.page.locator("#field-amount").fill("３０００００")
    # What was typed is there when the page is loaded anew.
    await desk.page.reload()
    assert await desk.page.locator("#field-amount").input_value() == "３０００００"
    await desk.axe("support")
    await go_on(desk, "#field-projects_max")
    await go_on(desk, "#field-only")
    await desk.page.locator(f'#field-only option[value="{county}"]').wait_for(state="attached")
    await desk.page.locator("#field-only").select_option(county)
    await desk.page.locator("#field-prefers").select_option(county[:2])
    await desk.page.locator("#field-excludes").select_option(county[:2])
    await desk.axe("for whom")
    await desk.shot("partner-where")
    await go_on(desk, "#field-valid_until")
    await desk.page.locator("#field-valid_until").fill((today() + timedelta(days=365)).isoformat())
    await go_on(desk, "dl.card")
    await desk.axe("check")
    await desk.shot("partner-check")
    await correct_what_the_service_finds(desk, lang)
    refused = {"status": 401, "headers": {"access-control-allow-origin": "*"}, "body": "{}"}
    await desk.page.route("**/commitments", lambda route: route.fulfill(**refused))
    await submit.click()
    await desk.page.locator(".over").wait_for()
    await desk.page.unroute("**/commitments")
    await desk.page.locator(".over button").click()
    await desk.page.locator(".over").wait_for(state="detached")
    await submit.click()
    await desk.page.locator("h1", has_text="onerror").wait_for()
    assert await desk.page.evaluate("() => window.caught") is None
    await desk.page.locator(".tag", has_text=say["open"]).first.wait_for()

    (made,) = await coordinator.all("pairing", f"/commitments?partner={id}")
    assert made["only"]["counties"] == [county]
    assert made["prefers"]["provinces"] == [county[:2]]
    assert made["excludes"] is None
    round = await system.round()
    (pairing,) = await coordinator.all("pairing", f"/pairings?round={round['id']}&commitment={made['id']}")
    approved = await coordinator.post("pairing", f"/pairings/{pairing['id']}/approve", status=200)
    project = f"/projects/{approved['project_id']}"
    await system.eventually(coordinator, "projects", project, lambda found: True, "the project is opened")

    async def booked() -> bool:
        view = await partner.get("notify", f"/views/partners/{id}")
        return view["funds"].get("CNY", {}).get("committed") == "300000.00"

    await until(booked, "the money is reserved")
    await desk.page.reload()
    await desk.page.locator("section.card li").first.wait_for()
    await desk.page.locator(".story li").nth(3).wait_for()
    await desk.axe("story")
    await desk.shot("partner-story")
    await desk.open("/commitments")
    await desk.page.locator("td .tag", has_text=say["paired"]).wait_for()
    await desk.axe("commitments")
    await desk.shot("partner-commitments")
    await desk.page.locator('.figures a[href="#/funds/promised"]').click()
    await desk.page.locator("td", has_text=say["pledged"]).first.wait_for()
    await desk.wait_for("300,000.00 CNY")
    await desk.axe("rows")
    await desk.shot("partner-rows")

    used = {"project_id": approved["project_id"], "amount": "100.00", "currency": "CNY", "payee": "施工队"}
    await release_spend_cancel(system, officer, used | {"spent_on": today().isoformat()})

    async def all_back() -> Json | None:
        funds: Json = (await partner.get("notify", f"/views/partners/{id}"))["funds"]["CNY"]
        return funds if funds["committed"] == funds["used"] == "100.00" else None

    for what, amount in (await until(all_back, "what was not spent is back")).items():
        await desk.open(f"/funds/{what}")
        total = desk.page.locator('[data-total="CNY"]', has_text=f"{Decimal(amount):,} CNY")
        await total.wait_for()
    visitors.allow("401", "422", r"404 .*/story/")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_partner_hands_in_a_file_and_sees_all_its_faults(
    visitors: Visitors, system: System, lang: str, kind: str
) -> None:
    say = WORDS[lang]
    id, partner = await system.partner(f"表格企业{lang}{kind}")
    # Whose browser speaks another language than they chose.
    desk = await visitors.come(lang, locale="fr-FR")
    await system.eventually(partner, "notify", f"/views/partners/{id}", lambda found: True, "notify knows the partner")
    await desk.enter(f"partner-{id}", "/upload")
    await desk.page.evaluate("lang => localStorage.setItem('jiedui.language', lang)", lang)
    await desk.page.reload()
    days = [today().isoformat(), (today() + timedelta(days=90)).isoformat()]
    rows = [
        ["类别", "项目名称", "承诺金额", "开始日期", "结束日期"],
        ["远程教育", f"教室{lang}", "200000", *days],
        ["不知道", "坏行", "很多", days[1], days[0]],
    ]
    content = xlsx_of(rows) if kind == "xlsx" else "\n".join(map(",".join, rows)).encode()
    await desk.page.locator("input[type=file]").set_input_files(
        [{"name": f"{EVIL}.{kind}", "mimeType": "application/octet-stream", "buffer": content}]
    )
    await desk.page.locator("form button").click()
    await desk.page.locator("tbody tr").nth(2).wait_for()
    for fault in say["faults"]:
        await desk.page.locator("td", has_text=fault).wait_for()
    await desk.wait_for("<img src=x")
    await desk.axe("faults of a file")
    await desk.shot(f"partner-upload-{kind}")
    assert not await partner.all("pairing", "/commitments"), "nothing is stored before the partner says so"
    async with desk.page.expect_download() as download:
        await desk.page.get_by_role("button", name=say["back"]).click()
    back = await download.value
    assert back.suggested_filename.endswith(kind)
    told = [list(line.cells) for line in open_table(Path(await back.path()).read_bytes()).read()]
    assert told[0] == [*rows[0], "problem"]
    assert told[1] == rows[1]
    assert all(fault in told[2][-1] for fault in say["faults"]), told[2]
    await desk.page.get_by_role("button", name=say["rows"]).click()

    async def stored() -> bool:
        return len(await partner.all("pairing", "/commitments")) == 1

    await until(stored, "the good row is stored")
    assert await desk.page.evaluate("() => window.caught") is None
