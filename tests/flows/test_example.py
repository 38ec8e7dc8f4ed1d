"""The example programme as `make run` loads it: 2020's figures, out of the matching."""

from collections import Counter

from tests.flows.system import System


async def test_the_overview_shows_38_partners_42_counties_and_77_projects(system: System) -> None:
    overview = await system.person("monitor").get("notify", "/overview")
    assert (overview["partners"], overview["counties"], overview["projects"]) == (38, 42, 77)
    assert sum(overview["projects_by_category"].values()) == 77
    assert {status: n for status, n in overview["projects_by_status"].items() if n} == {"active": 77}
    assert overview["as_of"]["position"] == overview["events"]


async def test_35_of_the_projects_are_in_guizhou_and_each_of_the_42_counties_has_one(system: System) -> None:
    projects = await system.person("monitor").all("projects", "/projects")
    by_county = Counter(project["county_code"] for project in projects)
    guizhou = {code: count for code, count in by_county.items() if code.startswith("52")}
    assert len(projects) == 77
    assert len(by_county) == 42
    assert (len(guizhou), sum(guizhou.values())) == (9, 35)


async def test_every_database_fits_the_others(system: System) -> None:
    done = system.jiedui("verify")
    assert done.returncode == 0, done.stdout + done.stderr
