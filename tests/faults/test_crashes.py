"""Everything dies, at the worst moments and at random ones, and nothing is lost or done twice."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.aftermath import check, recovered
from tests.faults.load import Load
from tests.faults.servers import AWAY_S, Kafka, Mongod
from tests.flows.system import SERVICES, Json, System, today
from tests.topics import produce
from tests.waiting import until

pytestmark = pytest.mark.timeout(400)

KILLS = 5


@asynccontextmanager
async def under_load(system: System, county: str, projects: int, seed: int) -> AsyncIterator[Load]:
    load = Load(system, county, seed)
    await load.prepare(projects)
    running = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        load.stop()
        await running


async def test_each_program_may_die_at_each_named_point(faulty: System, seed: int) -> None:
    """The programs are armed from their start: the first event, command or row that passes a point is its last."""
    load = Load(faulty, "632731", seed)
    await load.prepare(projects=4)
    await load.run_to_the_end()
    await check(faulty, load)
    spent = {"project_id": load.projects[0], "amount": "0.01", "currency": "CNY", "payee": "收款人"}
    await faulty.person("bookkeeper").post("funding", "/expenditures", spent | {"spent_on": today().isoformat()})
    await faulty.person("monitor").post("notify", "/subscriptions", {"channel": "inbox", "filter": {}})
    # notify writes no events; what its relay sends are dead letters.
    await produce(faulty.settings["JIEDUI_KAFKA_BOOTSTRAP"], "jiedui.partners.v1", (b"nobody", b"no JSON"))
    armed = {place.replace(":", "-") for place in faulty.settings["JIEDUI_CRASH_AT"].split(",")}

    def marks() -> set[str]:
        return {mark.name.removeprefix("crashed-") for mark in (faulty.home / "run").glob("crashed-*")}

    await until(lambda: armed <= marks(), "each program has died at each of its points", 120)
    await recovered(faulty, "the crash points")
    await check(faulty, load)


async def test_workers_and_apis_killed_at_random_under_load(faulty: System, seed: int) -> None:
    chance = random.Random(seed)
    async with under_load(faulty, "632732", projects=20, seed=seed) as load:
        await asyncio.gather(*(_kill(faulty, f"{service}-worker", KILLS, chance) for service in SERVICES))
        await recovered(faulty, "the workers' deaths")
        await asyncio.gather(*(_kill(faulty, f"{service}-api", 1, chance) for service in SERVICES))
        await recovered(faulty, "the APIs' deaths")
    await check(faulty, load)


async def test_two_workers_of_one_service_and_one_of_them_killed(faulty: System, seed: int) -> None:
    async with under_load(faulty, "632733", projects=6, seed=seed) as load:
        async with faulty.second_worker("funding"):
            os.kill(faulty.pid("funding-worker"), signal.SIGKILL)
            await recovered(faulty, "the first worker's death")
        await recovered(faulty, "the second worker's end")
    await check(faulty, load)


async def test_the_broker_stopped_and_started(faulty: System, broker: Kafka, seed: int) -> None:
    async with under_load(faulty, "632734", projects=6, seed=seed) as load:
        before, letters = len(load.commitments), await dead_letters(faulty)
        broker.stop()
        await asyncio.sleep(AWAY_S)
        taken = len(load.commitments) - before
        apis, workers = await ready(faulty, "api"), await ready(faulty, "worker")
        monitor = await faulty.person("monitor").get("notify", "/monitor")
        waiting = await faulty.metric("pairing-worker", "jiedui_outbox_depth")
        age_s = await faulty.metric("pairing-worker", "jiedui_outbox_oldest_age_seconds")
        await asyncio.to_thread(broker.start)
        assert taken >= 10, "commands are taken while the broker is away"
        assert apis == dict.fromkeys(SERVICES, True)
        assert workers == dict.fromkeys(SERVICES, False)
        assert all(lag["count"] is None and lag["age_s"] is None for lag in monitor["lag"]), "unknown is null"
        assert outboxes(monitor) == dict.fromkeys(SERVICES, (None, None)), "unknown is null"
        assert waiting >= 10, "what waits shows"
        assert age_s >= AWAY_S / 2, "and for how long"
        await recovered(faulty, "the broker's return")
    await faulty.eventually(
        faulty.person("monitor"),
        "notify",
        "/monitor",
        lambda found: outboxes(found) == dict.fromkeys(SERVICES, (0, 0.0)),
        "every outbox is known to be empty",
    )
    await check(faulty, load)
    assert await dead_letters(faulty) == letters, "nothing is dead-lettered"


async def test_the_database_stopped_and_started(faulty: System, database: Mongod, seed: int) -> None:
    async with under_load(faulty, "632735", projects=6, seed=seed) as load:
        letters = await dead_letters(faulty)
        database.stop()
        await asyncio.sleep(AWAY_S)
        apis, workers = await ready(faulty, "api"), await ready(faulty, "worker")
        await asyncio.to_thread(database.start)
        assert apis == workers == dict.fromkeys(SERVICES, False)
        await recovered(faulty, "the database's return")
    await check(faulty, load)
    assert await dead_letters(faulty) == letters, "nothing is dead-lettered"


def outboxes(monitor: Json) -> dict[str, tuple[int | None, float | None]]:
    """Depth, and age in seconds of the oldest row, by service."""
    return {outbox["service"]: (outbox["depth"], outbox["oldest_age_s"]) for outbox in monitor["outbox"]}


async def dead_letters(system: System) -> int:
    return len(await system.person("monitor").all("notify", "/dead-letters"))


async def ready(system: System, program: str) -> dict[str, bool]:
    """Of each service, whether its API or worker says that it is ready."""
    return {service: await system.is_ready(system.port(f"{service}-{program}")) for service in SERVICES}


async def _kill(system: System, child: str, times: int, chance: random.Random) -> None:
    """Kills a program at random moments, each time once it is ready again."""
    port = system.port(child)
    for _ in range(times):
        await asyncio.sleep(chance.uniform(0, 1))
        pid = system.pid(child)
        os.kill(pid, signal.SIGKILL)

        await until(lambda pid=pid: system.is_back(child, pid, port), f"{child} is ready again", 30)  # type: ignore[misc]
