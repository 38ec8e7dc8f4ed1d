"""Overview and views on a real database: true up to the event they name, and to each their own."""

from typing import Any

import pytest

from tests.notify import builders as b
from tests.notify.conftest import Newsroom

RUN = [
    b.registered(), b.registered("partner-2"), b.listed("520326"), b.listed("520327"), b.submitted(),
    b.approved(1), b.opened(1), b.reserved(1), b.approved(2), b.opened(2), b.reserved(2),
    b.reported(1, 1), b.verified(1, 1), b.released(1, 1), b.spent(1),
]  # fmt: skip


async def test_an_empty_overview_is_all_noughts(newsroom: Newsroom) -> None:
    found = await newsroom.read("/overview", "partner")
    assert (found["partners"], found["counties"], found["projects"], found["events"]) == (0, 0, 0, 0)
    assert found["as_of"] == {"position": 0, "time": None}


async def test_the_overview_says_what_happened_and_up_to_where(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    found = await newsroom.read("/overview", "officer")
    time = found["as_of"].pop("time")
    assert time.endswith("Z")
    assert found == {
        "partners": 1,
        "counties": 2,
        "projects": 2,
        "projects_by_category": {
            "coverage": 2, "produce-sales": 0, "education": 0, "ecommerce-training": 0, "smart-travel": 0
        },
        "projects_by_status": {"active": 2, "suspended": 0, "completed": 0, "cancelled": 0},
        "milestones": {"pending": 5, "reported": 0, "returned": 0, "verified": 1},
        "funds": {"CNY": {"promised": "3000.00", "committed": "2000.00", "handed_over": "300.00", "used": "100.00"}},
        "events": len(RUN),
        "as_of": {"position": len(RUN)},
    }  # fmt: skip


async def test_a_project_is_shown_to_its_partner_its_county_and_the_staff(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    found = await newsroom.read("/views/projects/project-1", "partner")
    assert (found["status"], found["progress"], found["county_code"]) == ("active", 20, "520326")
    assert found["funds"] == {
        "currency": "CNY", "reserved": "1000.00", "released": "300.00", "spent": "100.00", "returned": "0.00"
    }  # fmt: skip
    first = found["milestones"][0]
    assert (first["status"], first["reported_by"], first["due_on"]) == ("verified", "somebody", "2026-06-30")
    for role in ("officer", "coordinator", "monitor", "bookkeeper"):
        assert await newsroom.read("/views/projects/project-1", role) == found
    assert (await newsroom.get("/views/projects/project-2", "officer")).status_code == 404
    assert (await newsroom.get("/views/projects/project-1", "partner", partner_id="partner-2")).status_code == 404
    assert (await newsroom.get("/views/projects/nothing")).status_code == 404


async def test_a_county_is_shown_whole_to_its_officer_and_to_partners_without_others_projects(
    newsroom: Newsroom,
) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    whole = await newsroom.read("/views/counties/520326")
    assert (whole["code"], whole["status"], whole["projects"]) == ("520326", "listed", ["project-1"])
    assert whole["funds"]["CNY"] == {"committed": "1000.00", "handed_over": "300.00", "used": "100.00"}
    assert await newsroom.read("/views/counties/520326", "officer") == whole
    assert (await newsroom.get("/views/counties/520327", "officer")).status_code == 404
    other = await newsroom.read("/views/counties/520326", "partner", partner_id="partner-2")
    assert (other["projects"], other["funds"], other["projects_by_status"]["active"]) == ([], {}, 0)
    assert other["name"] == whole["name"]
    assert (await newsroom.get("/views/counties/530927")).status_code == 404


async def test_a_partner_is_shown_to_itself_and_to_officers_as_far_as_it_works_in_their_counties(
    newsroom: Newsroom,
) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    whole = await newsroom.read("/views/partners/partner-1", "partner")
    assert whole["projects"] == ["project-1", "project-2"]
    assert whole["funds"]["CNY"]["promised"] == "3000.00"
    assert await newsroom.read("/views/partners/partner-1") == whole
    part = await newsroom.read("/views/partners/partner-1", "officer")
    assert part["projects"] == ["project-1"]
    assert part["funds"]["CNY"] == {
        "promised": "0.00", "committed": "1000.00", "handed_over": "300.00", "used": "100.00"
    }  # fmt: skip
    assert (await newsroom.get("/views/partners/partner-2", "officer")).status_code == 404
    assert (await newsroom.get("/views/partners/partner-2", "partner")).status_code == 404


async def test_each_figure_of_the_overview_is_the_sum_over_the_projects_it_drills_down_to(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN, b.cancelled(2), b.returned(2), b.revoked(2))
    await newsroom.folded()
    overview = await newsroom.read("/overview")
    counties = [await newsroom.read(f"/views/counties/{code}") for code in ("520326", "520327")]
    ids = [id for county in counties for id in county["projects"]]
    projects = [await newsroom.read(f"/views/projects/{id}") for id in ids]
    live = [project for project in projects if project["status"] != "cancelled"]
    assert overview["projects"] == len(live) == 1
    assert overview["counties"] == len({project["county_code"] for project in live})
    assert overview["funds"]["CNY"]["committed"] == _sum(projects, "reserved", "returned")
    for name in ("projects_by_category", "projects_by_status", "milestones"):
        for key, number in overview[name].items():
            assert number == sum(county[name][key] for county in counties)


async def test_the_read_models_can_be_folded_again_and_are_the_same(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    before = await _answers(newsroom)
    for collection in ("projections", "project_views", "commitment_views", "sagas", "entries", "tallies"):
        await newsroom.context.database[collection].delete_many({})
    await newsroom.happen(b.listed("530927"))
    await newsroom.folded()
    assert await _answers(newsroom) == before


@pytest.mark.parametrize("path", ["/overview", "/views/projects/project-1", "/views/counties/520326"])
async def test_views_need_a_token(newsroom: Newsroom, path: str) -> None:
    assert (await newsroom.client.get(path)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/overview", "/views/projects/p", "/views/counties/520326", "/views/partners/p", "/story/p", "/monitor"]
)
async def test_where_nothing_can_be_asked_for_a_filter_is_not_passed_over(newsroom: Newsroom, path: str) -> None:
    answer = await newsroom.get(f"{path}?county=520327")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "county")


async def _answers(newsroom: Newsroom) -> list[dict[str, Any]]:
    paths = ["/overview", "/views/projects/project-1", "/views/counties/520326", "/views/partners/partner-1"]
    answers = [await newsroom.read(path) for path in paths]
    return [{name: value for name, value in answer.items() if name not in ("as_of", "events")} for answer in answers]


def _sum(projects: list[dict[str, Any]], plus: str, minus: str) -> str:
    fen = sum(
        round(100 * float(project["funds"][plus])) - round(100 * float(project["funds"][minus])) for project in projects
    )
    return f"{fen / 100:.2f}"
