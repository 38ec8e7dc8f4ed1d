"""A round while its worker dies: another takes it up, and nothing of it shows before all does."""

from typing import Any

import psutil

from tests.flows.system import Json, System, offer, today
from tests.waiting import until


async def test_a_round_whose_worker_is_killed_is_taken_up_by_the_other(system: System) -> None:
    await system.county("632771")
    partner_id, partner = await system.partner()
    commitment = await partner.post("pairing", "/commitments", offer(county="632771"))
    coordinator = system.person("coordinator")

    async def solver() -> psutil.Process | None:
        """The process that a worker of this system has begun to solve with."""
        for found in psutil.process_iter(["cmdline"]):
            try:
                is_solver = "services.pairing.streams.solving" in " ".join(found.info["cmdline"] or ())
                if is_solver and found.environ().get("JIEDUI_HOME") == str(system.home):
                    return found
            except psutil.Error:
                continue
        return None

    async with system.second_worker("pairing"):
        asked = await coordinator.post("pairing", "/rounds", {"as_of": today().isoformat(), "seed": 1}, status=202)
        child = await until(solver, "a worker has begun to solve")
        leader = child.parent()
        assert leader is not None
        leader.kill()

        async def left_alone() -> bool:
            return not child.is_running()

        await until(left_alone, "what the dead worker began has ended")

        async def ended() -> Json | None:
            before = await shown()
            round = await coordinator.get("pairing", f"/rounds/{asked['id']}")
            if round["status"] == "running":
                assert before == []
                return None
            return round

        async def shown() -> list[Json]:
            return await coordinator.all("pairing", f"/pairings?round={asked['id']}")

        round: Any = await until(ended, "the other worker ends the round", 60)
        assert round["status"] == "completed"
        assert len(await shown()) == round["pairings"] > 0
        (pairing,) = await coordinator.all("pairing", f"/pairings?commitment={commitment['id']}")
        assert (pairing["status"], pairing["partner_id"]) == ("proposed", partner_id)
        await system.eventually(
            system.person("monitor"),
            "notify",
            f"/events?subject={asked['id']}",
            lambda found: [one["event"]["type"] for one in found["items"]] == ["jiedui.round.completed"],
            "the round is told once",
        )
