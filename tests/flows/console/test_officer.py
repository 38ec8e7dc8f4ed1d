"""Officers: what they note reaches the services once each, with a line or without, also from two phones at once."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route

from services.kit.clock import Clock
from tests.flows.console.visitors import EVIL, Visitor, Visitors, words
from tests.flows.system import System
from tests.projects.photos import photo

# Ziyun's seat, as services/projects/data/county_positions.csv has it.
SEAT = (106.08434, 25.751052)
WORDS = {
    "zh": {"note": "光缆到村，测速正常", "on": "下一步", "send": "发送", "later": "存好，有网时发送", "sync": "收发"},
    "en": {
        "note": "Fibre reached the village",
        "on": "Next",
        "send": "Send",
        "later": "Keep, and send once there is a line",
        "sync": "Sync",
    },
}


def picture(size: tuple[int, int] = (2000, 1500)) -> dict[str, Any]:
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo(at=SEAT, size=size)}


async def project_of(system: System, county: str, place: int = 0) -> dict[str, Any]:
    found = await system.person("coordinator").all("projects", f"/projects?county={county}")
    return found[place]


async def report(phone: Visitor, project: dict[str, Any], no: int, note: str, button: str, **file: Any) -> None:
    """Notes a milestone's report, through its three pages."""
    await phone.open(f"/officer#/report/{project['id']}/{no}")
    await phone.page.locator("#note").fill(note)
    await phone.page.locator("#day").wait_for()
    await phone.page.locator("form button").last.click()
    await phone.page.locator("#photo").wait_for()
    if file:
        await phone.page.locator("#photo").set_input_files([file])
        await phone.page.locator(".photos img").wait_for()
    await phone.page.locator("form button").last.click()
    await phone.page.get_by_role("button", name=button, exact=True).click()
    await phone.page.locator("[data-report]").first.wait_for()


async def become(phone: Visitor, *wanted: str) -> None:
    """Newest first."""
    await phone.page.wait_for_function(
        "wanted => [...document.querySelectorAll('[data-report]')].map(e => e.dataset.state).join() === wanted",
        arg=",".join(wanted),
    )


async def milestone(system: System, project: dict[str, Any], no: int) -> dict[str, Any]:
    found = await system.person("coordinator").get("projects", f"/projects/{project['id']}")
    return next(one for one in found["milestones"] if one["no"] == no)


@pytest.mark.parametrize(("lang", "county"), [("zh", "520425"), ("en", "621027")])
async def test_an_officer_reports_a_milestone_and_observes_an_indicator(
    visitors: Visitors, system: System, lang: str, county: str
) -> None:
    say = WORDS[lang]
    phone = await visitors.come(lang)
    await phone.officer(county)
    await phone.axe("projects")
    await phone.shot("officer-projects")
    project = await project_of(system, county)
    await phone.page.locator(f'[href="#/project/{project["id"]}"]').click()
    await phone.page.locator("h2").first.wait_for()
    await phone.axe("project")
    await phone.shot("officer-project")

    await phone.page.locator(f'[href="#/report/{project["id"]}/1"]').click()
    await phone.page.locator("#note").fill(say["note"])
    await phone.axe("words")
    await phone.shot("officer-words")
    await phone.press(say["on"])
    await phone.page.locator("#photo").set_input_files([picture()])
    await phone.page.locator(".photos img").wait_for()
    await phone.axe("photos")
    await phone.shot("officer-photos")
    await phone.press(say["on"])
    await phone.page.locator("dl").wait_for()
    await phone.axe("check")
    await phone.shot("officer-check")
    await phone.page.get_by_role("button", name=say["send"], exact=True).click()
    await become(phone, "sent")
    told = await milestone(system, project, 1)
    assert (told["status"], told["note"], told["reported_by"]) == ("reported", say["note"], f"officer-{county}")
    (sent,) = told["evidence"]
    answer = await system.person("coordinator").send("GET", "projects", f"/evidence/{sent}", accept="application/json")
    # The photo was made smaller, and still knows where it was taken.
    assert answer.json()["size"] < len(picture()["buffer"]) / 3
    assert answer.json()["location"] == ("near" if county == "520425" else "far")

    indicator = next(one for one in project["indicators"] if one["kind"] in ("flow", "cumulative", "level"))
    await phone.open(f"/officer#/observe/{project['id']}/{indicator['code']}")
    await phone.page.locator("form button").last.click()
    await phone.page.locator(".fault").first.wait_for()
    await phone.axe("a fault")
    await phone.page.locator("#value").fill("０")
    await phone.page.locator("form button").last.click()
    await become(phone, "sent", "sent")
    await phone.axe("reports")
    await phone.shot("officer-reports")
    now = (await project_of(system, county))["indicators"]
    assert next(one for one in now if one["code"] == indicator["code"])["actual"] == 0


async def test_two_phones_without_a_line_and_a_conflict_that_a_person_decides(
    visitors: Visitors, system: System, tmp_path: Path
) -> None:
    """The second phone is in airplane mode, reloaded, its browser closed and opened again; nothing it noted is lost."""
    county = "513428"
    project = await project_of(system, county)
    first = await visitors.come("en")
    await first.officer(county)
    second = await visitors.come_back(tmp_path / "phone")
    await second.officer(county)

    await second.context.set_offline(True)
    await report(second, project, 1, "设备已装，等验收", WORDS["zh"]["later"], **picture())
    await second.page.reload()
    await become(second, "waiting")
    await second.axe("waiting")
    await second.shot("officer-waiting")
    await second.context.close()

    await report(first, project, 1, "Devices are in, two are missing", WORDS["en"]["send"])
    await become(first, "sent")

    second = await visitors.come_back(tmp_path / "phone", offline=True)
    await second.open("/officer")
    await second.page.locator("a.card.way").first.wait_for()
    await second.page.locator(".line time").wait_for()
    await second.open("/officer#/sending")
    await become(second, "waiting")
    await report(second, project, 2, "第二步也做完了", WORDS["zh"]["later"])
    await become(second, "waiting", "waiting")
    await second.context.set_offline(False)
    await become(second, "sent", "needs")
    there = await milestone(system, project, 1)
    assert there["note"] == "Devices are in, two are missing"
    assert len(there["evidence"]) == 1, "evidence is a union, also where the words are in conflict"

    await second.page.locator('[href^="#/conflict/"]').first.click()
    await second.page.locator("#reason").wait_for()
    for text in ("设备已装，等验收", "Devices are in, two are missing"):
        await second.wait_for(text)
    await second.axe("the desk")
    await second.shot("officer-desk")
    await second.page.locator("label", has_text="设备已装，等验收").click()
    await second.page.locator("#own").fill("设备已装，缺两台，等验收")
    await second.page.locator("#reason").fill("到现场核对过")
    await second.page.locator("form button").last.click()
    await second.page.locator("a.card.way").first.wait_for()
    assert (await milestone(system, project, 1))["note"] == "设备已装，缺两台，等验收"
    await second.open("/officer#/sending")
    await become(second, "sent", "sent")
    assert (await milestone(system, project, 2))["note"] == "第二步也做完了"


async def test_a_refused_report_holds_up_no_other_and_can_be_exported_or_deleted_alone(
    visitors: Visitors, system: System
) -> None:
    county = "532627"
    project = await project_of(system, county)
    indicator = next(one for one in project["indicators"] if one["kind"] == "flow")
    officer = system.person("officer", sub=f"officer-{county}", counties=(county,))
    today = Clock().today()
    told = {"indicator": indicator["code"], "value": 5, "occurred_at": f"{today.isoformat()}T00:00:00+08:00"}
    days = {"from": today.replace(day=1).isoformat(), "until": today.isoformat()}
    await officer.post("projects", f"/projects/{project['id']}/observations", told | {"period": days})

    phone = await visitors.come("en")
    await phone.officer(county)
    await phone.context.set_offline(True)
    await phone.open(f"/officer#/observe/{project['id']}/{indicator['code']}")
    await phone.page.locator("#value").fill("7")
    await phone.page.locator("form button").last.click()
    await become(phone, "waiting")
    await report(phone, project, 1, "Done", WORDS["en"]["later"])
    await phone.open(f"/officer#/report/{project['id']}/2")
    await phone.page.locator("#note").fill("Not yet")
    await phone.context.set_offline(False)
    await phone.open("/officer#/sending")
    await become(phone, "draft", "sent", "needs")
    await phone.wait_for("The days overlap with a period that was told already")
    await phone.axe("needs you")
    await phone.shot("officer-needs")
    async with phone.page.expect_download() as download:
        await phone.page.locator('[data-state="needs"]').get_by_role("button", name="Export").click()
    exported = json.loads(Path(await (await download.value).path()).read_text("utf-8"))
    assert (exported["indicator"], exported["value"]) == (indicator["code"], 7)
    phone.page.on("dialog", lambda dialog: dialog.accept())
    await phone.page.locator('[data-state="needs"]').get_by_role("button", name="Delete").click()
    await become(phone, "draft", "sent")
    await phone.page.reload()
    await become(phone, "draft", "sent")


async def test_sending_stops_where_the_service_is_away_or_the_token_is_over_and_goes_on_after(
    visitors: Visitors, system: System
) -> None:
    county = "653222"
    project = await project_of(system, county)
    phone = await visitors.come("en")
    await phone.officer(county)
    asked: list[int] = []
    uploads: list[str] = []
    phone.page.on("request", lambda request: uploads.append(request.url) if "/evidence" in request.url else None)
    answers = [503, 401]

    async def refuse(route: Route) -> None:
        asked.append(answers[0])
        if answers[0] == 503:
            # On its way it can be exported already; whether it goes on is decided by the answer.
            there = phone.page.locator('[data-state="sending"]')
            await there.get_by_role("button", name=words("en")["officer.export"]).wait_for()
            assert await there.get_by_role("button", name=words("en")["officer.delete"]).count() == 0
            # The service takes it, and the answer is lost on its way.
            await route.fetch()
        await route.fulfill(
            status=answers[0],
            headers={"access-control-allow-origin": phone.home, "content-type": "application/problem+json"},
            body=json.dumps({"type": "/problems/unavailable", "detail": "away"}),
        )

    await phone.page.route("**/sync", refuse)
    await report(phone, project, 1, "First", WORDS["en"]["send"], **picture())
    await phone.wait_for("The database cannot be reached just now")
    await become(phone, "waiting")
    assert (asked, uploads) == ([503], []), "what would come next is not tried"
    answers.pop(0)
    await phone.open(f"/officer#/report/{project['id']}/2")
    await phone.page.locator("#note").fill("Half a sentence")
    await phone.press("Sync")
    await phone.wait_for("Your sign-in is over")
    assert await phone.page.locator("#note").input_value() == "Half a sentence"
    await phone.open("/officer#/sending")
    await become(phone, "draft", "waiting")
    await phone.axe("over")
    await phone.shot("officer-over")
    count = len(asked)
    await phone.press("Sync")
    assert len(asked) == count, "nothing is tried with a token that is over"

    await phone.page.unroute("**/sync")
    await phone.press("Sign in again")
    await phone.page.locator(f'[data-person="officer-{county}"]').click()
    await phone.page.locator("a.card.way").first.wait_for()
    await phone.open("/officer#/sending")
    await become(phone, "draft", "sent")
    history = await system.person("coordinator").all("projects", f"/projects/{project['id']}/history")
    notes = [(one["old"], one["new"]) for one in history if one["field"] == "milestones/1/note"]
    assert notes == [(None, "First")], "sent twice, taken once"
    await phone.press("Go on")
    assert await phone.page.locator("#note").input_value() == "Half a sentence"
    visitors.allow("503", "401")


@pytest.mark.parametrize(("lang", "kept"), [("zh", False), ("en", True)])
async def test_an_officer_is_told_where_the_browser_may_not_keep_what_waits(
    visitors: Visitors, system: System, lang: str, kept: bool
) -> None:
    phone = await visitors.come(lang)
    await phone.context.add_init_script(f"StorageManager.prototype.persist = async () => {str(kept).lower()}")
    await phone.officer("522632")
    told = phone.page.locator("details.notice")
    if kept:
        # It is asked before anything is read.
        await phone.page.locator(".line .quiet").wait_for()
        assert await told.count() == 0
    else:
        await told.wait_for()
        await told.locator("summary").click()
        await phone.wait_for(words(lang)["officer.not-kept.more"])
        await phone.axe("not kept")
        await phone.shot("officer-not-kept")
        # As on a phone that has no room left.
        await phone.page.evaluate("() => { IDBObjectStore.prototype.put = () => { throw new Error('full') } }")
        project = await project_of(system, "522632")
        await phone.open(f"/officer#/report/{project['id']}/1")
        await phone.page.locator("#note").fill("记下了，没存住")
        await phone.wait_for(words(lang)["officer.lost"])
        assert await phone.page.locator("#note").input_value() == "记下了，没存住"
        await phone.axe("full")


async def test_a_script_in_a_title_or_a_note_is_shown_and_not_run(visitors: Visitors, system: System) -> None:

    async def spoil(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        for project in body["items"]:
            project["title"] = {"zh": EVIL, "en": EVIL}
            for one in project["milestones"]:
                one |= {"title": {"zh": EVIL}, "note": EVIL, "reason": EVIL, "status": "returned"}
        await route.fulfill(response=answer, json=body)

    phone = await visitors.come("en")
    await phone.page.route(re.compile(r"/sync\?"), spoil)
    await phone.officer("522632")
    await phone.page.locator("a.card.way").first.click()
    await phone.wait_for("Milestones")
    assert EVIL in await phone.page.locator("main").inner_text()
    assert await phone.page.evaluate("() => window.caught") is None
    await phone.axe()


async def test_a_project_that_is_gone_says_so(visitors: Visitors) -> None:
    phone = await visitors.come("zh")
    await phone.officer("522632")
    await phone.open("/officer#/project/gone")
    await phone.wait_for("没有这个项目")
    await phone.axe()
