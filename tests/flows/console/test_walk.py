"""Each page of the console once, before axe and in both widths; what the journeys do with them is told elsewhere."""

import re
from collections.abc import Mapping

import pytest

from tests.flows.console.visitors import CONSOLE, EVIL, Visitors
from tests.flows.system import System

COUNTY = "520627"
# Who looks at a part's pages.
PEOPLE = {
    "home": "bookkeeper",
    "partner": "partner",
    "coordinator": "coordinator",
    "county": "monitor",
    "monitor": "monitor",
}
# An id, an instant as programs write it, or a text that no catalogue has.
RAW = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-\S+|\d{4}-\d\d-\d\dT\S*|\b[a-z_]+\.[a-z_-]+(?:\.[a-z_-]+)*\b")


def pages(part: str) -> list[str]:
    """As src/pages lists them."""
    if part == "home":
        return ["/"]
    table = (CONSOLE / "src/pages" / part / "index.ts").read_text("utf-8")
    return re.findall(r'path: "([^"]+)"', table)


async def examples(system: System) -> Mapping[str, str]:
    """Something of the example programme for each parameter of a page."""
    coordinator = system.person("coordinator")
    (project, *_) = await coordinator.all("projects", f"/projects?county={COUNTY}")
    (round, *_) = await coordinator.all("pairing", "/rounds")
    return {
        "/county/:code": f"/county/{COUNTY}",
        "/project/:id": f"/project/{project['id']}",
        "/project/:id/entries": f"/project/{project['id']}/entries",
        "/story/:id": f"/story/{project['id']}",
        "/commitments/:id": f"/commitments/{project['commitment_id']}",
        "/pairings/:id": f"/pairings/{project['pairing_id']}",
        "/rounds/:id": f"/rounds/{round['id']}",
        "/funds/:what": "/funds/committed",
        "partner": f"partner-{project['partner_id']}",
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_each_page_is_whole_and_axe_has_nothing_against_it(visitors: Visitors, system: System, lang: str) -> None:
    known = await examples(system)
    visitor = await visitors.come(lang)
    for part, person in PEOPLE.items():
        await visitor.enter(known.get(person, person))
        for path in pages(part):
            assert ":" not in path or path in known, f"{path} needs an example here"
            await visitor.open(known.get(path, path))
            await visitor.settled()
            assert await visitor.page.locator("h1").count() == 1, path
            assert await visitor.page.locator(".refusal").count() == 0, path
            text = await visitor.page.locator("main").inner_text()
            assert RAW.findall(text.replace(EVIL, "")) == [], path
            await visitor.axe(path)
            await visitor.shot(f"walk-{path.strip('/').replace('/', '-').replace(':', '') or 'home'}")
