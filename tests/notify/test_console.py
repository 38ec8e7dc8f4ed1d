"""The console as a browser gets it: what it may load and speak with, what is kept how long, and its sign-in."""

import re
from pathlib import Path

import httpx
import pytest

from services.kit.app import create_app
from services.notify.api import console
from services.notify.main import service
from services.notify.settings import Settings
from tests.notify.conftest import Newsroom


async def plain(newsroom: Newsroom, path: str, **headers: str) -> httpx.Response:
    return await newsroom.client.get(path, headers=headers)


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", ["/", "/officer"])
async def test_a_page_needs_no_token_and_may_run_and_reach_only_what_is_ours(newsroom: Newsroom, path: str) -> None:
    answer = await plain(newsroom, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    allowed = policy(answer)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["script-src"] == allowed["style-src"] == ["'self'"]
    assert set(allowed["connect-src"]) == {"'self'", *newsroom.settings.api_urls.values()}
    assert "unsafe" not in str(allowed)
    assert not re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", answer.text)


async def test_all_that_a_page_names_is_there_and_kept_for_ever(newsroom: Newsroom) -> None:
    for path in ("/", "/officer"):
        page = await plain(newsroom, path)
        assert page.headers["cache-control"] == "no-cache"
        for named in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
            answer = await plain(newsroom, named)
            assert answer.status_code == 200, named
            assert ("immutable" in answer.headers["cache-control"]) == named.startswith("/assets/")
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
async def test_a_file_comes_packed_as_asked_for_and_once(newsroom: Newsroom, coding: str) -> None:
    page = await plain(newsroom, "/")
    (script,) = re.findall(r'<script type="module" src="([^"]+)"', page.text)
    first = await plain(newsroom, script, **{"accept-encoding": "identity"})
    asked = {"accept-encoding": coding}
    async with newsroom.client.stream("GET", script, headers=asked) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding", "identity") == coding
    assert len(raw) < len(first.content) or coding == "identity"
    again = await newsroom.client.get(script, headers=asked | {"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_learns_where_the_services_are(newsroom: Newsroom) -> None:
    config = (await plain(newsroom, "/config.json")).json()
    assert config["apis"]["notify"] == f"http://127.0.0.1:{newsroom.settings.port}"
    assert config["apis"]["pairing"] == "http://127.0.0.1:8001"
    assert config["oidc"] is None


def test_behind_a_proxy_all_services_are_one_origin() -> None:
    settings = Settings(console_origin="https://jiedui.example.org")
    assert set(settings.api_urls.values()) == {"https://jiedui.example.org"}


async def test_somebody_of_the_programme_gets_a_token_of_their_own(newsroom: Newsroom) -> None:
    answer = await newsroom.client.post("/sign-in", json={"id": "coordinator"})
    token = answer.json()["token"]
    seen = await newsroom.client.get("/overview", headers={"authorization": f"Bearer {token}"})
    assert seen.status_code == 200
    people = (await plain(newsroom, "/sign-in/people")).json()["items"]
    assert {"coordinator", "monitor", "bookkeeper"} <= {person["role"] for person in people}
    assert (await newsroom.client.post("/sign-in", json={"id": "partner-nobody"})).status_code == 404


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_another_site_gets_no_token(newsroom: Newsroom, headers: dict[str, str]) -> None:
    answer = await newsroom.client.post("/sign-in", json={"id": "coordinator"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/not-from-here"


@pytest.mark.parametrize("env", ["local", "production"])
async def test_where_others_issue_tokens_nobody_gets_one_here(tmp_path: Path, env: str) -> None:
    settings = Settings(home=tmp_path, oidc_issuer="https://login.example.org/realms/jiedui", env=env)
    transport = httpx.ASGITransport(create_app(service(), settings))
    async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client:
        assert (await client.post("/sign-in", json={"id": "coordinator"})).status_code == 404
        assert (await client.get("/sign-in/people")).status_code == 404
        assert (await client.get("/config.json")).json()["oidc"] == {
            "issuer": "https://login.example.org/realms/jiedui",
            "client_id": "jiedui",
        }
        assert "https://login.example.org" in policy(await client.get("/"))["connect-src"]


async def test_a_console_that_was_not_built_says_how(tmp_path: Path) -> None:
    app = create_app(service(), Settings(home=tmp_path))
    app.router.routes[:] = console.router(tmp_path / "nothing").routes
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8004") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text


async def test_who_comes_as_localhost_is_sent_to_the_origin_that_the_services_answer(newsroom: Newsroom) -> None:
    answer = await plain(newsroom, "/officer", host=f"localhost:{newsroom.settings.port}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{newsroom.settings.public_url}/officer")
