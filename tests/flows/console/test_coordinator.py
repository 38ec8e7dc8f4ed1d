"""Coordinators: a round from its request to its approval with the reasons, and what waits for a second person."""

import re
from typing import Any

import pytest

from services.kit.clock import Clock
from services.kit.ids import new_id
from tests.flows.console.visitors import Visitors, words
from tests.flows.system import Person, System, offer
from tests.projects.photos import photo
from tests.waiting import until

# Far from where all photos of this test were taken.
SEAT = (106.08434, 25.751052)
WORDS = {
    "zh": {
        "run": "运行",
        "done": "已完成",
        "difference": "与上一轮相比",
        "unserved": "未满足的需求",
        "why": "有它与没有它",
        "ban": "以后禁止",
        "banned": "已禁止",
        "approve": "批准",
        "approved": "已批准。",
        "remove": "取消规则",
        "own": "须由另一位协调员核实",
        "far": "拍摄地点离本县很远",
        "verify": "核实",
        "verified": "已核实。",
        "back": "退回",
        "returned": "已退回。",
    },
    "en": {
        "run": "Run a round",
        "done": "Completed",
        "difference": "Compared with the last",
        "unserved": "Needs unserved",
        "why": "With it and without it",
        "ban": "Ban",
        "banned": "Banned, from",
        "approve": "Approve",
        "approved": "Approved.",
        "remove": "Remove",
        "own": "another coordinator must verify it",
        "far": "Taken far from the county",
        "verify": "Verify",
        "verified": "is verified.",
        "back": "Send back",
        "returned": "was sent back.",
    },
}


async def milestones(coordinator: Person, project_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await coordinator.get("projects", f"/projects/{project_id}"))["milestones"]
    return found


@pytest.mark.parametrize(("lang", "county"), [("zh", "632725"), ("en", "632726")])
async def test_a_coordinator_runs_a_round_asks_why_and_approves(
    visitors: Visitors, system: System, lang: str, county: str
) -> None:
    say = WORDS[lang]
    _, partner = await system.partner(f"轮次企业{county}")
    await system.county(county)
    made = await partner.post("pairing", "/commitments", offer(county=county))
    desk = await visitors.come(lang)
    await desk.enter("coordinator", "/rounds")
    await desk.page.locator(".table").wait_for()
    await desk.axe("rounds")
    await desk.shot("coordinator-rounds")
    await desk.page.get_by_role("button", name=say["run"], exact=True).click()
    await desk.page.locator("p[role=status] .tag", has_text=say["done"]).wait_for()
    await desk.page.locator("table a").first.wait_for()
    await desk.axe("proposals")
    await desk.shot("coordinator-proposals")
    coordinator = system.person("coordinator")
    (pairing,) = await coordinator.all("pairing", f"/pairings?commitment={made['id']}")

    await desk.page.get_by_role("button", name=say["difference"], exact=True).click()
    row = desk.page.locator("tr", has_text=f"示例县{county}" if lang == "zh" else f"County {county}")
    await row.first.wait_for()
    await desk.axe("difference")
    await desk.shot("coordinator-difference")
    await desk.page.get_by_role("button", name=say["unserved"]).click()
    await desk.page.locator("td .tag").first.wait_for()
    await desk.axe("unserved")
    await desk.shot("coordinator-unserved")

    await desk.open(f"/pairings/{pairing['id']}")
    await desk.wait_for(say["why"])
    await desk.axe("pairing")
    await desk.shot("coordinator-pairing")
    await desk.page.get_by_role("button", name=say["ban"], exact=True).click()
    await desk.page.get_by_role("dialog").wait_for()
    await desk.axe("a question")
    await desk.confirm("先看看别的县")
    await desk.wait_for(say["banned"])
    await desk.page.get_by_role("button", name=say["approve"], exact=True).click()
    await desk.confirm()
    await desk.wait_for(say["approved"])
    assert (await coordinator.get("pairing", f"/pairings/{pairing['id']}"))["status"] == "approved"

    await desk.open("/rules")
    ban = desk.page.locator("tr", has_text="先看看别的县")
    await ban.wait_for()
    await desk.axe("rules")
    await desk.shot("coordinator-rules")
    await ban.get_by_role("button", name=say["remove"]).click()
    await desk.confirm()
    await ban.wait_for(state="detached")


@pytest.mark.parametrize(("lang", "county"), [("zh", "632701"), ("en", "632523")])
async def test_a_milestone_waits_for_a_second_person(
    visitors: Visitors, system: System, lang: str, county: str
) -> None:
    say = WORDS[lang]
    _, partner = await system.partner(f"核实企业{county}")
    officer = await system.county(county)
    made = await partner.post("pairing", "/commitments", offer(county=county))
    round = await system.round()
    coordinator = system.person("coordinator")
    (pairing,) = await coordinator.all("pairing", f"/pairings?round={round['id']}&commitment={made['id']}")
    approved = await coordinator.post("pairing", f"/pairings/{pairing['id']}/approve", status=200)
    project = await system.eventually(
        coordinator, "projects", f"/projects/{approved['project_id']}", lambda found: True, "the project is opened"
    )
    answer = await system.http.post(
        system.url("projects") + "/evidence",
        files={"file": ("photo.jpg", photo(at=SEAT), "image/jpeg")},
        headers={"authorization": f"Bearer {officer.token}", "idempotency-key": new_id()},
    )
    assert answer.status_code == 201, answer.text
    report = {"occurred_at": Clock().now().isoformat(), "note": "教室装好了 <script>window.caught=1</script>"}
    path = f"/projects/{project['id']}/milestones"
    evidence = {"evidence": [answer.json()["sha256"]]}
    await officer.post("projects", f"{path}/1/report", report | evidence, status=200, if_match='"1"')
    await coordinator.post("projects", f"{path}/2/report", report, status=200, if_match='"1"')

    desk = await visitors.come(lang)
    await desk.enter("coordinator", f"/verify?county={county}")
    first = desk.page.locator(f'[data-milestone="{project["id"]}/1"]')
    second = desk.page.locator(f'[data-milestone="{project["id"]}/2"]')
    await first.locator("img").wait_for()
    await first.get_by_text(say["far"]).wait_for()
    await second.get_by_text(say["own"]).wait_for()
    assert await second.get_by_role("button", name=say["verify"], exact=True).count() == 0
    await desk.axe("verify")
    await desk.shot("coordinator-verify")
    # Something is added while the coordinator looks at it: they are told, and see it before they decide.
    added = report | evidence | {"note": "测速也做了"}
    await officer.post("projects", f"{path}/1/report", added, status=200, if_match='"2"')
    await first.get_by_role("button", name=say["verify"], exact=True).click()
    dialog = desk.page.get_by_role("dialog")
    await dialog.locator("button:not(.plain)").click()
    await dialog.get_by_text(words(lang)["problem.412"]).wait_for()
    await dialog.locator("button.plain").click()
    await first.get_by_text("测速也做了").wait_for()
    await first.get_by_role("button", name=say["verify"], exact=True).click()
    await desk.confirm()
    await desk.wait_for(re.compile(re.escape(say["verified"])))
    await first.wait_for(state="detached")
    # The sign-in ends while a reason is being written: it is still there afterwards.
    await second.get_by_role("button", name=say["back"]).click()
    await dialog.get_by_role("textbox").fill("缺验收单")
    over: dict[str, Any] = {"status": 401, "headers": {"access-control-allow-origin": "*"}, "body": "{}"}
    await desk.page.route("**/return", lambda route: route.fulfill(**over))
    await dialog.locator("button:not(.plain)").click()
    await dialog.locator(".over button").wait_for()
    await desk.axe("over, in a dialog")
    await desk.page.unroute("**/return")
    await dialog.locator(".over button").click()
    await dialog.locator(".over").wait_for(state="detached")
    assert await dialog.get_by_role("textbox").input_value() == "缺验收单"
    await desk.confirm()
    await desk.wait_for(re.compile(re.escape(say["returned"])))

    async def told() -> bool:
        one, two = (await milestones(coordinator, project["id"]))[:2]
        return (one["status"], two["status"], two["reason"]) == ("verified", "returned", "缺验收单")

    await until(told, "both are told")
    assert await desk.page.evaluate("() => window.caught") is None
    visitors.allow("412", "401")
