"""Load with a memory: what was acknowledged, so that afterwards it can be asked for."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.kit.ids import new_id
from tests.flows.system import Json, Person, System, offer

# Commitments to it wait for a round that nobody runs.
_NOBODYS = "632799"


@dataclass
class Load:
    """Partners who submit, officers who report, coordinators who verify, until told to stop.

    Each command has an Idempotency-Key and is sent again, as clients do, until it is answered: the
    system must be patient.
    """

    system: System
    county: str
    seed: int
    commitments: list[str] = field(default_factory=list)
    """Ids of acknowledged commitments."""
    verified: list[tuple[str, int]] = field(default_factory=list)
    """(project, milestone) of acknowledged verifications."""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self, projects: int) -> None:
        """Projects in a county of their own, with money, to be reported upon."""
        system = self.system
        await system.county(_NOBODYS)
        self.officer = await system.county(self.county, slots=projects)
        self.coordinator = system.person("coordinator")
        _, self.partner = await system.partner("负载企业")
        body = offer("1000.01", county=self.county)
        made = [
            await self.partner.post("pairing", "/commitments", body | {"reference": f"load-{self.county}-{n}"})
            for n in range(projects)
        ]
        self.commitments += [commitment["id"] for commitment in made]
        round_ = await system.round()
        approved = await self.coordinator.post("pairing", f"/rounds/{round_['id']}/approve", status=200)
        pairings = [await self.coordinator.get("pairing", f"/pairings/{id}") for id in approved["approved"]]
        self.projects = [pairing["project_id"] for pairing in pairings if pairing["county_code"] == self.county]
        assert len(self.projects) == projects
        for project in self.projects:
            await system.eventually(
                self.officer,
                "projects",
                f"/projects/{project}",
                lambda found: found["funds"]["reserved"] != "0.00",
                "the money of a loaded project is reserved",
                timeout=120,
            )

    async def run(self) -> None:
        """Until `stop`; three people at once."""
        chance = random.Random(self.seed)
        work = [(project, no) for no in (1, 2, 3, 4) for project in self.projects]
        await asyncio.gather(self._submit(), self._milestones(work[0::2], chance), self._milestones(work[1::2], chance))

    async def run_to_the_end(self) -> None:
        """All milestones, and no more."""
        chance = random.Random(self.seed)
        await self._milestones([(project, no) for no in (1, 2, 3, 4) for project in self.projects], chance)

    def stop(self) -> None:
        self._stop.set()

    async def _submit(self) -> None:
        while not self._stop.is_set():
            body = offer("10.00", county=_NOBODYS, reference=new_id())
            made = await self.partner.post("pairing", "/commitments", body)
            self.commitments.append(made["id"])
            await self._pause(0.1)

    async def _milestones(self, work: list[tuple[str, int]], chance: random.Random) -> None:
        for project, no in work:
            if self._stop.is_set():
                return
            path = f"/projects/{project}/milestones/{no}"
            occurred_at = datetime.now(UTC).isoformat(timespec="milliseconds")
            await self._versioned(self.officer, path, "report", {"occurred_at": occurred_at})
            await self._versioned(self.coordinator, path, "verify", {})
            self.verified.append((project, no))
            await self._pause(chance.uniform(0.05, 0.3))

    async def _versioned(self, person: Person, path: str, verb: str, body: Json) -> None:
        project, no = path.split("/")[2], int(path.split("/")[4])
        found = await person.get("projects", f"/projects/{project}")
        version = next(m["version"] for m in found["milestones"] if m["no"] == no)
        await person.post("projects", f"{path}/{verb}", body, status=200, if_match=f'"{version}"')

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
