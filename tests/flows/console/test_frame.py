"""The frame of all pages: signing in by role, the menu, both languages, and a page that is not there."""

import pytest

from tests.flows.console.visitors import Visitors
from tests.flows.system import System


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_people_sign_in_and_begin_where_the_programme_stands(visitors: Visitors, lang: str) -> None:
    visitor = await visitors.come(lang)
    await visitor.page.goto(visitor.home)
    await visitor.page.locator('[data-person^="partner-"]').first.wait_for()
    await visitor.page.locator('[data-person^="officer-"]').first.wait_for()
    await visitor.axe("sign in")
    await visitor.shot("sign-in")
    await visitor.page.locator('[data-person="monitor"]').click()
    await visitor.page.locator(".figures").wait_for()
    await visitor.axe("home")
    await visitor.shot("home")
    assert await visitor.page.evaluate("() => document.documentElement.lang") == {"zh": "zh-Hans", "en": "en"}[lang]


async def test_a_page_that_is_not_there_says_so(visitors: Visitors) -> None:
    visitor = await visitors.come("en")
    await visitor.enter("monitor", "/no/such/page")
    await visitor.wait_for("There is no such page")
    await visitor.axe()


# Goes to another page as soon as the first is drawn.
HASTE = """new MutationObserver((_, watch) => {
  if (!document.querySelector("main")) return
  watch.disconnect()
  location.hash = "/no/such/page"
}).observe(document, {childList: true, subtree: true})"""


async def test_who_goes_on_before_the_first_page_is_painted_arrives(visitors: Visitors) -> None:
    visitor = await visitors.come("en")
    await visitor.page.add_init_script(HASTE)
    await visitor.enter("monitor")
    await visitor.wait_for("There is no such page")


async def test_who_takes_part_is_listed_also_while_nobody_says_what_they_do(visitors: Visitors, system: System) -> None:
    """Their names come from pairing, their projects from projects."""
    visitor = await visitors.come("en")
    await visitor.enter("monitor")
    await visitor.page.route(system.url("projects") + "/**", lambda route: route.abort())
    for path in ("/counties", "/partners"):
        await visitor.open(path)
        await visitor.wait_for("This service cannot be reached just now")
        await visitor.page.locator("tbody tr", has_text="unknown").first.wait_for()
        await visitor.axe(path)
    visitors.allow("ERR_FAILED")


async def test_a_page_begins_at_its_top_for_the_eye_and_for_a_screen_reader(visitors: Visitors) -> None:
    visitor = await visitors.come("zh")
    await visitor.enter("monitor", "/counties")
    await visitor.page.locator("tbody a").last.click()
    await visitor.page.wait_for_url("**/#/county/*")
    await visitor.page.wait_for_function("() => scrollY === 0 && document.activeElement.id === 'main'")


async def test_who_cannot_learn_where_the_services_are_is_told_and_may_try_again(visitors: Visitors) -> None:
    visitor = await visitors.come("zh")
    await visitor.page.route("**/config.json", lambda route: route.abort())
    await visitor.page.goto(visitor.home)
    await visitor.wait_for("暂时连不上这项服务")
    await visitor.axe()
    await visitor.page.unroute("**/config.json")
    await visitor.press("重试")
    await visitor.page.locator('[data-person="monitor"]').wait_for()
    visitors.allow("ERR_FAILED", "Failed to fetch")


async def test_the_language_can_be_changed_and_is_kept(visitors: Visitors) -> None:
    visitor = await visitors.come("zh")
    await visitor.page.goto(visitor.home)
    await visitor.press("English")
    await visitor.wait_for("Sign in")
    await visitor.page.reload()
    await visitor.wait_for("Sign in")


async def test_a_page_whose_words_did_not_come_says_so_in_both_languages(visitors: Visitors) -> None:
    visitor = await visitors.come("zh")
    await visitor.page.route("**/words-*.json", lambda route: route.abort())
    await visitor.page.goto(visitor.home)
    await visitor.wait_for("请重新加载。The page did not come whole")
    visitors.allow("ERR_FAILED", "Failed to fetch")
