"""Signing in at an issuer of tokens: the authorization code flow with PKCE, from a browser, against a real one."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from services.notify.settings import Settings
from tests.flows.console.issuer import Issuer, issuer_somewhere
from tests.flows.console.visitors import Visitors
from tests.notify.conftest import newsroom_at
from tests.serving import serving


class NotifyAlone:
    """Notify's API with another's tokens; the other services are nowhere."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, service: str) -> str:
        return self._url


@pytest.fixture
async def at_issuer(browser: Browser, mongodb: str, tmp_path: Path) -> AsyncIterator[tuple[Visitors, Issuer]]:
    issuer, port = issuer_somewhere()
    settings = Settings(home=tmp_path, mongodb_uri=mongodb, kafka_bootstrap="127.0.0.1:1", oidc_issuer=issuer.url)
    async with newsroom_at(settings, "consoletest") as newsroom:
        url = newsroom.settings.public_url
        alone: Any = NotifyAlone(url)
        visitors = Visitors(browser, alone)
        visitors.ours.add(f"127.0.0.1:{port}")
        async with serving(issuer.app(f"{url}/", url), port):
            try:
                yield visitors, issuer
                visitors.check()
            finally:
                await visitors.leave()


async def test_somebody_signs_in_at_the_issuer_and_comes_back_to_where_they_were(
    at_issuer: tuple[Visitors, Issuer],
) -> None:
    visitors, issuer = at_issuer
    visitor = await visitors.come("en")
    await visitor.open("/?from=a-mail")
    await visitor.press(re.compile("Sign in at"))
    await visitor.press("I am Li")
    await visitor.page.locator(".figures").wait_for()
    assert visitor.page.url == f"{visitor.home}/#/?from=a-mail"
    assert (issuer.given, issuer.refused) == (1, [])


async def test_an_answer_that_belongs_to_no_sign_in_of_this_tab_is_not_taken(
    at_issuer: tuple[Visitors, Issuer],
) -> None:
    visitors, issuer = at_issuer
    visitor = await visitors.come("en")
    await visitor.page.goto(f"{visitor.home}/?code=stolen&state=somebody-elses")
    await visitor.wait_for("The sign-in was not completed")
    assert (issuer.given, issuer.refused) == (0, [])


async def test_a_token_that_is_over_leaves_the_page_as_it_is_until_somebody_signs_in_beside_it(
    at_issuer: tuple[Visitors, Issuer],
) -> None:
    visitors, issuer = at_issuer
    issuer.lasting_s = -300
    visitor = await visitors.come("en")
    await visitor.open("/")
    await visitor.press(re.compile("Sign in at"))
    await visitor.press("I am Li")
    await visitor.wait_for("Your sign-in is over. All that you typed")
    issuer.lasting_s = 3600
    async with visitor.context.expect_page() as opened:
        await visitor.page.locator(".over button").click()
    beside = await opened.value
    await beside.get_by_role("button", name=re.compile("Sign in at")).click()
    await beside.get_by_role("link", name="I am Li").click()
    await beside.get_by_text("go on in the one that you came from").wait_for()
    await visitor.page.locator(".figures").wait_for()
    assert await visitor.page.locator(".over").count() == 0
    visitors.allow("401")
