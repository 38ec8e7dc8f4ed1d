"""What the loader says when it cannot go on: one line that tells what to do."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from deploy.example.client import Client, LoadFailed
from deploy.example.files import Body, read
from deploy.example.load import EXAMPLE, day_of_loading, load


def client(answer: httpx.Response) -> Client:
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer))
    return Client(http, {"pairing": "http://pairing"}, lambda *roles, **who: "token")


def refusal(status: int, **body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


async def test_a_service_that_is_away_is_named_with_what_starts_it() -> None:
    nobody = {"pairing": "http://127.0.0.1:1", "notify": "http://127.0.0.1:1"}
    with pytest.raises(LoadFailed, match=r"http://127.0.0.1:1/counties\S* cannot be reached .*make run") as caught:
        await load(nobody, lambda *roles, **who: "token", lambda what, done, total: None)
    assert "\n" not in str(caught.value)


async def test_a_refused_row_is_told_with_its_faults_in_one_line() -> None:
    answer = refusal(422, type="/problems/invalid", detail="", errors=[{"pointer": "/kind", "detail": "is no kind"}])
    with pytest.raises(LoadFailed, match=r"POST /partners was answered 422 \(/problems/invalid: /kind: is no kind\)"):
        await client(answer).post("/partners", {}, key="k")


async def test_an_answer_that_is_no_problem_document_is_shown_as_it_is() -> None:
    with pytest.raises(LoadFailed, match=r"answered 502 \(Bad gateway\)"):
        await client(httpx.Response(502, text="Bad gateway")).get("pairing", "/partners")


async def test_a_card_that_is_there_by_now_stays_as_it_is() -> None:
    await client(refusal(428, type="/problems/precondition-required", detail="")).put_first("/counties/1/card", {})


async def test_a_busy_service_is_asked_again_when_it_says_so() -> None:
    answers = iter([httpx.Response(503, headers={"retry-after": "0"}), httpx.Response(200, json={"id": "1"})])
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: next(answers)))
    busy = Client(http, {"pairing": "http://pairing"}, lambda *roles, **who: "token")
    assert await busy.post("/partners", {}, key="k") == {"id": "1"}


def listing(card: Body, by: str) -> Body:
    return {"spells": [{"status": "listed", "from": card["valid_from"], "until": None, "reason": by}]}


def test_a_load_that_goes_on_later_keeps_the_day_of_the_first() -> None:
    first, later = date(2026, 3, 1), date(2026, 3, 20)
    code, card = next(iter(read(EXAMPLE, first).cards.items()))
    assert day_of_loading(read(EXAMPLE, later), {code: listing(card, card["reason"])}, later) == first


def test_a_county_that_somebody_else_listed_long_ago_sets_no_day() -> None:
    today = date(2026, 3, 1)
    code, card = next(iter(read(EXAMPLE, today - timedelta(days=4000)).cards.items()))
    assert day_of_loading(read(EXAMPLE, today), {code: listing(card, "县名单导入")}, today) == today
    assert day_of_loading(read(EXAMPLE, today), {}, today) == today
