"""Coordinators: all that they may decide about a round and its pairings, and what they are told of it."""

from typing import Any

import pytest

from tests.flows.console.visitors import Visitor, Visitors, words
from tests.flows.system import Person, System, offer
from tests.waiting import until


async def run_a_round(desk: Visitor, say: dict[str, str]) -> str:
    """From the button to its proposals; answers its id."""
    await desk.open("/rounds")
    await desk.page.get_by_role("button", name=say["rounds.run"], exact=True).click()
    await desk.page.locator("p[role=status] .tag", has_text=say["round.completed"]).wait_for()
    return desk.page.url.rpartition("/")[2].partition("?")[0]


async def decide(desk: Visitor, say: dict[str, str], pairing: dict[str, Any], act: str, reason: str = "") -> None:
    await desk.open(f"/pairings/{pairing['id']}")
    await desk.page.get_by_role("button", name=say[f"pairing.{act}"], exact=True).click()
    await desk.confirm(reason)
    await desk.wait_for(say[f"pairing.{act}.done"])


async def pairing_of(coordinator: Person, round: str, commitment: dict[str, Any]) -> dict[str, Any]:
    (found,) = await coordinator.all("pairing", f"/pairings?round={round}&commitment={commitment['id']}")
    return found


@pytest.mark.parametrize(("lang", "counties"), [("zh", ("632727", "632728")), ("en", ("632736", "632737"))])
async def test_a_coordinator_rejects_pins_bans_reruns_approves_the_whole_and_revokes(
    visitors: Visitors, system: System, lang: str, counties: tuple[str, str]
) -> None:
    say = words(lang)
    coordinator = system.person("coordinator")
    _, partner = await system.partner(f"决定企业{counties[0]}")
    for county in counties:
        await system.county(county)
    kept, barred = [await partner.post("pairing", "/commitments", offer(county=county)) for county in counties]
    desk = await visitors.come(lang)
    await desk.enter("coordinator", "/rounds")

    first = await run_a_round(desk, say)
    await decide(desk, say, await pairing_of(coordinator, first, kept), "reject", "先看材料")
    await decide(desk, say, await pairing_of(coordinator, first, kept), "pin", "材料齐了")
    await decide(desk, say, await pairing_of(coordinator, first, barred), "ban", "路还没通")

    second = await run_a_round(desk, say)
    pinned = await pairing_of(coordinator, second, kept)
    assert not await coordinator.all("pairing", f"/pairings?round={second}&commitment={barred['id']}")
    name = f"示例县{counties[1]}" if lang == "zh" else f"County {counties[1]}"
    await desk.page.get_by_role("button", name=say["round.difference"], exact=True).click()
    dropped = desk.page.locator("tr", has_text=name)
    await dropped.get_by_text(say["difference.dropped"]).wait_for()
    await desk.axe("what was dropped")
    await desk.shot("coordinator-dropped")
    await desk.page.get_by_role("button", name=say["round.unserved"], exact=True).click()
    why_not = desk.page.locator("tr", has_text=name)
    await why_not.get_by_text(say["unserved.excluded"]).wait_for()
    await desk.axe("why not")

    # Nobody opens the project meanwhile, so that the approval can be taken back.
    with system.stopped("projects-worker"):
        await desk.page.get_by_role("button", name=say["round.approve"], exact=True).click()
        await desk.confirm()
        await desk.page.locator("[role=status]", has_text=say["round.approved"].partition("{n}")[2].strip()).wait_for()
        await desk.axe("approved")
        assert (await coordinator.get("pairing", f"/pairings/{pinned['id']}"))["status"] == "approved"
        await decide(desk, say, pinned, "revoke", "单位改了主意")
        await desk.axe("revoked")
        await desk.shot("coordinator-revoked")
    # Why the first round's proposal ended, in the reader's words.
    await desk.open(f"/pairings/{(await pairing_of(coordinator, first, barred))['id']}")
    await desk.wait_for(say["reason.A newer round was completed."])
    revoked = await coordinator.get("pairing", f"/pairings/{pinned['id']}")
    assert (revoked["status"], revoked["reason"]) == ("revoked", "单位改了主意")


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_a_round_that_runs_shows_how_far_it_is_and_can_be_stopped(
    visitors: Visitors, system: System, lang: str
) -> None:
    say = words(lang)
    desk = await visitors.come(lang)
    await desk.enter("coordinator", "/rounds")
    with system.stopped("pairing-worker"):
        await desk.page.get_by_role("button", name=say["rounds.run"], exact=True).click()
        await desk.page.locator("progress").wait_for()
        await desk.axe("a round that runs")
        await desk.shot("coordinator-running")
        await desk.page.get_by_role("button", name=say["round.cancel"], exact=True).click()
        await desk.confirm()
        await desk.page.locator("p[role=status] .tag", has_text=say["round.cancelled"]).wait_for()
    await until(lambda: system.is_ready(system.port("pairing-worker")), "the worker is back")
