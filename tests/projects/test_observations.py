"""Observations over HTTP: what is taken, what is told to be wrong, and who corrects whom."""

import asyncio
from typing import Any

import pytest

from tests.projects.conftest import Office

OCCURRED = {"occurred_at": "2020-11-01T09:30:00+08:00"}


async def test_observations_come_to_a_total_by_their_kind(office: Office) -> None:
    id = await office.open()
    path = f"/projects/{id}/observations"
    q1, q2 = {"from": "2020-01-01", "until": "2020-03-31"}, {"from": "2020-04-01", "until": "2020-06-30"}
    for period, value in ((q1, 10), (q2, 25), (q1, 12)):
        body = OCCURRED | {"indicator": "villages_with_fibre", "value": value, "period": period}
        made = await office.post(path, body, "officer")
        assert made.status_code == 201
    assert (made.headers["etag"], made.json()["value"], made.json()["period"]) == ('"2"', 12, q1)
    assert (await office.get(made.headers["location"])).json() == made.json()
    ratio = {"numerator": 45, "denominator": 60}
    await office.post(path, OCCURRED | {"indicator": "fibre_village_share", "value": ratio, "on": "2020-06-30"})
    indicators = {one["code"]: one for one in (await office.project(id))["indicators"]}
    assert (indicators["villages_with_fibre"]["actual"], indicators["villages_with_fibre"]["observations"]) == (25, 2)
    assert indicators["fibre_village_share"]["actual"] == 75
    assert indicators["clinics_linked"]["actual"] is None
    listed = (await office.get(f"{path}?indicator=villages_with_fibre&total=true")).json()
    assert ([item["value"] for item in listed["items"]], listed["total"]) == ([12, 25], 2)
    assert (await office.published(id))[1].envelope.time == "2020-11-01T01:30:00.000Z"


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"value": 10**20}, {"/value"}),
        ({"value": -1}, {"/value"}),
        ({"value": "5"}, {"/value"}),
        ({"indicator": "visitors"}, {"/indicator"}),
        ({"unit": "km"}, {"/unit"}),
        ({"splits": {"men": 1}}, {"/splits/men"}),
        ({"period": {"from": "2020-03-31", "until": "2020-03-01"}}, {"/period/until"}),
        ({"period": {"from": "2020-02-30", "until": "2020-3-1"}}, {"/period/from", "/period/until"}),
        ({"period": None}, {"/period"}),
        ({"on": "1577836800"}, {"/on"}),
        ({"period": None, "on": "2999-01-01"}, {"/on"}),
        ({"period": {"from": "2999-01-01", "until": "2999-12-31"}}, {"/period/from"}),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, {"/occurred_at"}),
        ({"indicator": 5, "value": -1, "occurred_at": None}, {"/indicator", "/occurred_at"}),
        ({"value": -1, "extra": 1, "splits": {"men": 1}, "on": "x"}, {"/value", "/extra", "/splits/men", "/on"}),
    ],
)
async def test_a_wrong_observation_is_told_by_field(office: Office, change: dict[str, Any], pointers: set[str]) -> None:
    id = await office.open()
    period = {"from": "2020-01-01", "until": "2020-03-31"}
    body = OCCURRED | {"indicator": "villages_with_fibre", "value": 5, "period": period} | change
    refused = await office.post(f"/projects/{id}/observations", body, "officer")
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == pointers


async def test_a_value_that_is_no_number_of_json_is_refused(office: Office) -> None:
    id = await office.open()
    body = b'{"indicator":"villages_with_fibre","value":NaN,"on":"2020-01-01","occurred_at":"2020-11-01T09:30:00Z"}'
    headers = office.token("coordinator") | {"content-type": "application/json"}
    refused = await office.client.post(f"/projects/{id}/observations", content=body, headers=headers)
    assert refused.status_code in (400, 422)
    assert await office.types(id) == ["jiedui.project.opened"]


async def test_of_two_who_correct_one_observation_the_second_is_told_what_the_first_made_of_it(office: Office) -> None:
    path = f"/projects/{await office.open()}/observations"
    body = OCCURRED | {"indicator": "villages_with_fibre", "on": "2020-10-31"}
    read = (await office.post(path, body | {"value": 3}, "officer")).headers["etag"]
    headers = {"if-match": read}
    assert (await office.post(path, body | {"value": 40}, "officer", sub="a", headers=headers)).status_code == 201
    refused = await office.post(path, body | {"value": 55}, "officer", sub="b", headers=headers)
    current = refused.json()["current"]
    assert (refused.status_code, current["value"], current["observed_by"], current["version"]) == (412, 40, "a", 2)
    again = await office.post(path, body | {"value": 55}, "officer", sub="b", headers={"if-match": '"2"'})
    assert (again.status_code, again.json()["version"]) == (201, 3)


async def test_ten_observations_at_once_are_all_counted(office: Office) -> None:
    id = await office.open(category="produce-sales")
    bodies = [
        OCCURRED | {"indicator": "parcels_shipped", "value": 0.1, "on": f"2020-01-{day:02}"} for day in range(1, 11)
    ]
    answers = await asyncio.gather(*(office.post(f"/projects/{id}/observations", body) for body in bodies))
    assert {answer.status_code for answer in answers} == {201}
    parcels = next(one for one in (await office.project(id))["indicators"] if one["code"] == "parcels_shipped")
    assert (parcels["actual"], parcels["observations"]) == (1, 10)
    assert (await office.types(id)).count("jiedui.indicator.observed") == 10
