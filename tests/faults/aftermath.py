"""What must be true after any fault, asked over HTTP, of the topics and by `jiedui verify`."""

import asyncio
from collections import Counter
from typing import Any

from tests.faults.load import Load
from tests.flows.system import Json, System
from tests.waiting import until

RECOVERY_S = 30


async def recovered(system: System, what: str, timeout: float = RECOVERY_S) -> float:
    """Waits until all programs are ready and a new command's event is in the feed; answers the seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await until(lambda: _all_ready(system), f"all are ready after {what}", timeout)
    partner_id, _ = await system.partner("恢复探针")
    monitor = system.person("monitor")
    left = max(timeout - (loop.time() - began), 1)
    await system.eventually(
        monitor, "notify", f"/events?subject={partner_id}", lambda f: f["items"], f"a new event, after {what}", left
    )
    return loop.time() - began


async def _all_ready(system: System) -> bool:
    ports = [port for name, port in system.ports.items() if name.endswith(("_PORT",)) and _is_program(name)]
    answers = await asyncio.gather(
        *(system.http.get(f"http://127.0.0.1:{port}/readyz") for port in ports), return_exceptions=True
    )
    return all(not isinstance(answer, BaseException) and answer.status_code == 200 for answer in answers)


def _is_program(name: str) -> bool:
    return not name.startswith(("JIEDUI_KAFKA", "JIEDUI_MONGODB", "JIEDUI_ZIPKIN"))


async def check(system: System, load: Load) -> Counter[str]:
    """Every acknowledged command has its effect once; answers how many events of each type there are."""
    monitor = system.person("monitor")
    wanted = {f"verified {project} {no}" for project, no in load.verified}
    events = await until(lambda: _settled(system, wanted), "every verification's tranche is archived", 60)
    types = Counter(event["type"] for event in events)
    submitted = Counter(e["subject"] for e in events if e["type"] == "jiedui.commitment.submitted")
    assert all(submitted[id] == 1 for id in load.commitments), "each acknowledged commitment was submitted once"
    for type_ in ("jiedui.milestone.verified", "jiedui.fund.tranche_released"):
        counted = Counter((e["subject"], e["data"]["milestone_no"]) for e in events if e["type"] == type_)
        assert all(counted[step] == 1 for step in load.verified), f"each acknowledged verification has one {type_}"
        assert all(count == 1 for count in counted.values()), f"no {type_} came twice"
    assert len({event["id"] for event in events}) == len(events), "no event is in the archive twice"
    by_stream: dict[tuple[str, str], list[int]] = {}
    for event in events:
        by_stream.setdefault((event["source"], event["subject"]), []).append(int(event["sequence"]))
    for stream, numbers in by_stream.items():
        assert numbers == list(range(1, len(numbers) + 1)), f"{stream} is in order and without gaps"
    for project in load.projects:
        released = sum(share for of, share in _tranches(events) if of == project)
        funds = (await monitor.get("projects", f"/projects/{project}"))["funds"]
        assert funds["released"] == f"{released // 100}.{released % 100:02d}", "the project shows what was released"
    found = await until(lambda: _nothing_stuck(system), "nothing is stuck", 60)
    assert found is True
    done = await asyncio.to_thread(system.jiedui, "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    return types


async def _settled(system: System, wanted: set[str]) -> list[Json] | None:
    items = await system.person("monitor").all("notify", "/events")
    assert [item["position"] for item in items] == list(range(1, len(items) + 1)), "positions have no gap"
    events = [item["event"] for item in items]
    released = {
        f"verified {event['subject']} {event['data']['milestone_no']}"
        for event in events
        if event["type"] == "jiedui.fund.tranche_released"
    }
    return events if wanted <= released else None


def _tranches(events: list[Json]) -> list[tuple[str, int]]:
    return [
        (event["subject"], int(event["data"]["amount"].replace(".", "")))
        for event in events
        if event["type"] == "jiedui.fund.tranche_released"
    ]


async def _nothing_stuck(system: System) -> bool:
    monitor: Any = await system.person("monitor").get("notify", "/monitor")
    return monitor["stuck"] == []
