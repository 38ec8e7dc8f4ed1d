"""Who withdraws, refuses and cancels: every step is undone by name, and money and states agree afterwards."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tests.flows.system import Json, Person, System, offer
from tests.waiting import until


async def types_of(system: System, query: str) -> list[str]:
    found = await system.person("monitor").all("notify", f"/events?{query}")
    return [item["event"]["type"].removeprefix("jiedui.") for item in found]


async def propose(system: System, county: str, count: int = 1, amount: str = "1000.00", **more: Any) -> list[Json]:
    """`count` commitments to a new county, each proposed in one round; the commitments and their pairings."""
    await system.county(county, slots=count)
    _, partner = await system.partner(f"企业{county}")
    body = offer(amount, county=county, **more)
    made = [await partner.post("pairing", "/commitments", body | {"reference": f"{county}-{n}"}) for n in range(count)]
    await system.round()
    coordinator = system.person("coordinator")
    found = []
    for commitment in made:
        (pairing,) = await coordinator.all("pairing", f"/pairings?commitment={commitment['id']}&status=proposed")
        found.append({"commitment": commitment["id"], "pairing": pairing["id"], "partner": partner})
    return found


async def approve(system: System, pairing: str) -> str:
    approved = await system.person("coordinator").post("pairing", f"/pairings/{pairing}/approve", status=200)
    assert approved["status"] == "approved"
    return str(approved["project_id"])


async def test_a_withdrawal_that_funding_hears_of_first_ends_refused_everywhere(system: System) -> None:
    (made,) = await propose(system, "632722")
    monitor = system.person("monitor")
    with system.stopped("funding-worker"):
        project_id = await approve(system, made["pairing"])
        withdrawn = await made["partner"].post(
            "pairing", f"/commitments/{made['commitment']}/withdraw", {"reason": "预算取消"}, status=200
        )
        assert withdrawn["status"] == "withdrawn"
    project = await system.eventually(
        monitor,
        "projects",
        f"/projects/{project_id}",
        lambda found: found["status"] == "cancelled",
        "the project is cancelled",
    )
    assert project["funds"]["reserved"] == "0.00"
    pairing = await system.eventually(
        monitor, "pairing", f"/pairings/{made['pairing']}", lambda p: p["status"] == "revoked", "revoked"
    )
    assert pairing["project_id"] == project_id
    types = await until(lambda: _has(system, project_id, "project.cancelled"), "the feed has the cancellation")
    # Whether it had reserved before it heard of the withdrawal is a matter of the topics' order.
    assert [type_ for type_ in types if type_.startswith("fund.")] in (
        ["fund.refused"],
        ["fund.reserved", "fund.reversed", "fund.refused"],
    )
    assert (await types_of(system, f"subject={made['pairing']}"))[-1] == "pairing.revoked"
    assert (await monitor.get("funding", f"/projects/{project_id}/funds"))["reserved"] == "0.00"


async def test_fifty_withdrawals_that_race_the_reservation_each_end_refused_or_running(system: System) -> None:
    made = await propose(system, "632723", count=50)
    monitor = system.person("monitor")
    outcomes: Counter[str] = Counter()

    async def one(item: Json, delay_ms: int) -> None:
        project_id = await approve(system, item["pairing"])
        await asyncio.sleep(delay_ms / 1000)
        answer = await item["partner"].send(
            "POST", "pairing", f"/commitments/{item['commitment']}/withdraw", {"reason": "race"}
        )
        assert answer.status_code in (200, 409), answer.text
        ends = "cancelled" if answer.status_code == 200 else "active"
        reserved = "0.00" if answer.status_code == 200 else "1000.00"
        await system.eventually(
            monitor,
            "projects",
            f"/projects/{project_id}",
            lambda found: found["status"] == ends and found["funds"]["reserved"] == reserved,
            f"{project_id} ends {ends}",
        )
        wanted = "revoked" if answer.status_code == 200 else "approved"
        await system.eventually(
            monitor, "pairing", f"/pairings/{item['pairing']}", lambda found: found["status"] == wanted, wanted
        )
        funds = await monitor.get("funding", f"/projects/{project_id}/funds")
        assert funds["reserved"] == reserved
        outcomes[ends] += 1

    # One after the other, each a little later into its reservation than the one before.
    for number, item in enumerate(made):
        await one(item, delay_ms=number * 3)
    assert outcomes.total() == 50


async def test_a_cancelled_project_gives_back_both_parts_and_its_share_is_matched_again(system: System) -> None:
    county = "632724"
    (made,) = await propose(system, county, amount="1000.00")
    officer, coordinator = system.person("officer", counties=(county,)), system.person("coordinator")
    project_id = await approve(system, made["pairing"])
    await verify_first(system, project_id, officer, coordinator)
    project = await system.eventually(
        coordinator, "projects", f"/projects/{project_id}", lambda p: p["funds"]["released"] != "0.00", "released"
    )
    released = project["funds"]["released"]
    await coordinator.post("projects", f"/projects/{project_id}/cancel", {"reason": "路断了"}, status=200)
    commitment = await system.eventually(
        coordinator,
        "pairing",
        f"/commitments/{made['commitment']}",
        lambda found: found["remaining"]["projects"] == 1,
        "the share came back",
    )
    assert commitment["remaining"]["amount"] == {"amount": "1000.00", "currency": "CNY"}
    # Pairing may have heard of it before the archive has.
    feed = f"/events?subject={project_id}&type=jiedui.fund.returned"
    found = await system.eventually(coordinator, "notify", feed, lambda page: page["items"], "it is in the feed")
    (returned,) = [item["event"]["data"] for item in found["items"]]
    assert returned["refunded"] == released
    assert returned["amount"] == "1000.00"
    assert float(returned["unreserved"]) + float(released) == 1000
    await system.round()
    proposed = await coordinator.all("pairing", f"/pairings?commitment={made['commitment']}&status=proposed")
    assert [pairing["allocated"]["amount"] for pairing in proposed] == ["1000.00"]


async def verify_first(system: System, project_id: str, officer: Person, coordinator: Person) -> None:
    """Reports and verifies milestone 1."""
    path = f"/projects/{project_id}"
    project = await system.eventually(
        officer, "projects", path, lambda found: found["funds"]["reserved"] != "0.00", "reserved"
    )
    first = project["milestones"][0]
    report = {"occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    await officer.post("projects", f"{path}/milestones/1/report", report, status=200, if_match=f'"{first["version"]}"')
    version = (await officer.get("projects", path))["milestones"][0]["version"]
    await coordinator.post("projects", f"{path}/milestones/1/verify", {}, status=200, if_match=f'"{version}"')


async def _has(system: System, project_id: str, type_: str) -> list[str] | None:
    found = await types_of(system, f"project={project_id}")
    return found if type_ in found else None
