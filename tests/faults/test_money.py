"""Each step that money takes, while each program with a part in it is killed at each named point on the way."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.kit import crash
from tests.faults.aftermath import recovered
from tests.flows.system import Json, System, offer
from tests.waiting import until

# Each death costs the pause after it.
pytestmark = pytest.mark.skipif("JIEDUI_TEST_PROVE" not in os.environ, reason="two minutes, in make faults")

COUNTY = "632751"
SERVICES = ("pairing", "projects", "funding")
WORKERS = {f"{service}-worker-{point}" for service in SERVICES for point in crash.POINTS}
SPEAKS = {"pairing-worker-after-send", "pairing-worker-after-mark"}
PATIENCE_S = 120


def marks(system: System, names: set[str]) -> list[Path]:
    """Of programs at points: a program dies there unless its mark is there."""
    return [system.home / "run" / f"crashed-{name}" for name in names]


@asynccontextmanager
async def deadly(system: System, names: set[str]) -> AsyncIterator[None]:
    """Each program dies once at each of these points while what is done in it takes its course."""
    armed = marks(system, names)
    for mark in armed:
        mark.unlink()
    yield
    await until(lambda: all(mark.exists() for mark in armed), "each has died at each point", PATIENCE_S)
    await recovered(system, "the kills", PATIENCE_S)


async def propose(system: System, reference: str) -> Json:
    """A commitment to the county, and who made it."""
    _, partner = await system.partner("断电企业")
    made = await partner.post("pairing", "/commitments", offer("100.01", county=COUNTY, reference=reference))
    return {"commitment": made["id"], "partner": partner}


async def approve(system: System, item: Json) -> None:
    coordinator = system.person("coordinator")
    listed = await coordinator.get("pairing", f"/pairings?commitment={item['commitment']}&status=proposed")
    item["pairing"] = listed["items"][0]["id"]
    done = await coordinator.post("pairing", f"/pairings/{item['pairing']}/approve", status=200)
    item["project"] = done["project_id"]


async def turn_milestone(system: System, project: str, verb: str, body: Json) -> None:
    person = system.person("officer", counties=(COUNTY,)) if verb == "report" else system.person("coordinator")
    version = (await person.get("projects", f"/projects/{project}"))["milestones"][0]["version"]
    path = f"/projects/{project}/milestones/1/{verb}"
    await person.post("projects", path, body, status=200, if_match=f'"{version}"')


async def agree(system: System, item: Json, ends: tuple[str, str], said: Sequence[list[str]], **funds: str) -> None:
    """Waits until pairing, projects, funding and the archive tell the same of the money, and nothing is stuck."""
    monitor, project = system.person("monitor"), item["project"]
    pairing, status = ends
    wanted = dict.fromkeys(("reserved", "released", "spent", "returned"), "0.00") | funds

    def has_money(found: Json) -> bool:
        return all(found[part] == amount for part, amount in wanted.items())

    async def eventually(service: str, path: str, true: Any) -> None:
        await system.eventually(monitor, service, path, true, f"{service} has {ends} and {wanted}", PATIENCE_S)

    await eventually("pairing", f"/pairings/{item['pairing']}", lambda found: found["status"] == pairing)
    await eventually(
        "projects", f"/projects/{project}", lambda found: found["status"] == status and has_money(found["funds"])
    )
    await eventually("funding", f"/projects/{project}/funds", has_money)
    await eventually("notify", f"/events?project={project}&limit=100", lambda found: _of_money(found) in said)
    await eventually("notify", "/monitor", lambda found: found["stuck"] == [])


def _of_money(page: Json) -> list[str]:
    types = [item["event"]["type"].removeprefix("jiedui.") for item in page["items"]]
    return [type_ for type_ in types if type_.startswith("fund.")]


async def test_each_step_of_money_survives_a_kill_of_each_program_at_each_point(faulty: System) -> None:
    for mark in marks(faulty, WORKERS | {f"{service}-api-after-commit" for service in SERVICES}):
        mark.touch()
    coordinator = faulty.person("coordinator")
    await faulty.county(COUNTY, slots=2)
    kept, withdrawn = await propose(faulty, "kept"), await propose(faulty, "withdrawn")
    await faulty.round()

    async with deadly(faulty, WORKERS | {"pairing-api-after-commit"}):
        await approve(faulty, kept)
    said = ["fund.reserved"]
    await agree(faulty, kept, ("approved", "active"), [said], reserved="100.01")

    async with AsyncExitStack() as step:
        # Held still until both facts are there, or it might have reserved before the withdrawal.
        with faulty.stopped("funding-worker"):
            await approve(faulty, withdrawn)
            await step.enter_async_context(deadly(faulty, WORKERS | {"pairing-api-after-commit"}))
            path = f"/commitments/{withdrawn['commitment']}/withdraw"
            await withdrawn["partner"].post("pairing", path, {"reason": "预算取消"}, status=200)
    # Whether it had reserved before it heard of the withdrawal is a matter of the topics' order.
    either = [["fund.refused"], ["fund.reserved", "fund.reversed", "fund.refused"]]
    await agree(faulty, withdrawn, ("revoked", "cancelled"), either)

    project = kept["project"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    await turn_milestone(faulty, project, "report", {"occurred_at": now})
    async with deadly(faulty, WORKERS - SPEAKS | {"projects-api-after-commit"}):
        await turn_milestone(faulty, project, "verify", {})
    said += ["fund.tranche_released"]
    released = (await coordinator.get("projects", f"/projects/{project}"))["funds"]["released"]
    assert released != "0.00"
    await agree(faulty, kept, ("approved", "active"), [said], reserved="100.01", released=released)

    async with deadly(faulty, WORKERS | {"projects-api-after-commit"}):
        await coordinator.post("projects", f"/projects/{project}/cancel", {"reason": "路断了"}, status=200)
    said += ["fund.returned"]
    money = {"reserved": "100.01", "released": released, "returned": "100.01"}
    await agree(faulty, kept, ("revoked", "cancelled"), [said], **money)
    remaining = (await coordinator.get("pairing", f"/commitments/{kept['commitment']}"))["remaining"]
    assert (remaining["projects"], remaining["amount"]["amount"]) == (1, "100.01"), "the share is back, once"
