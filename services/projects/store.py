"""What projects keeps, where, and its questions to MongoDB. Only this file knows field names there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from services.kit import transact
from services.projects.domain import RUNNING, County, FundEntry, HistoryEntry, Observation, Project


class Tx(transact.Tx):
    KINDS: ClassVar[Mapping[type, str]] = {
        Project: "projects",
        County: "counties",
        Observation: "observations",
        HistoryEntry: "history",
        FundEntry: "fund_entries",
    }

    async def running_in(self, county_code: str) -> list[Project]:
        return await self.find(Project, {"county_code": county_code, "status": {"$in": list(RUNNING)}})

    async def observations_of(self, project_id: str, indicator: str) -> list[Observation]:
        return await self.find(Observation, observations(project_id, indicator))


INDEXES = {
    Project: [
        [("county_code", 1), ("_id", 1)],
        [("partner_id", 1), ("_id", 1)],
        [("category", 1), ("_id", 1)],
        [("status", 1), ("_id", 1)],
        [("decision.reason", 1), ("_id", 1)],
        [("milestones.due_on", 1)],
    ],
    Observation: [[("project_id", 1), ("_id", 1)]],
    HistoryEntry: [[("project_id", 1), ("_id", 1)]],
}


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The projects that somebody may see or touch: all, or a partner's own and those of some counties."""

    everything: bool = False
    partner_id: str | None = None
    county_codes: frozenset[str] = frozenset()

    def covers(self, project: Project) -> bool:
        return self.everything or project.partner_id == self.partner_id or project.county_code in self.county_codes

    def filter(self) -> dict[str, Any]:
        """The same as a MongoDB filter."""
        if self.everything:
            return {}
        return {"$or": [{"partner_id": self.partner_id}, {"county_code": {"$in": sorted(self.county_codes)}}]}


def matching(
    *,
    category: str | None,
    county: str | None,
    partner: str | None,
    status: str | None,
    undecided: bool,
    at_risk: bool | None,
    due_before: date | None,
) -> dict[str, Any]:
    """Projects of a list; None leaves a question out. `due_before`: a milestone is due and not verified."""
    equal = {"category": category, "county_code": county, "partner_id": partner, "status": status}
    found: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
    if undecided:
        found["decision.reason"] = {"$exists": True}
    if at_risk is not None:
        found["at_risk.0"] = {"$exists": at_risk}
    if due_before:
        unverified = {"due_on": {"$lt": due_before.isoformat()}, "status": {"$ne": "verified"}}
        found["milestones"] = {"$elemMatch": unverified}
    return found


def observations(project_id: str, indicator: str | None) -> dict[str, Any]:
    return {"project_id": project_id} | ({"indicator": indicator} if indicator else {})


def history(project_id: str) -> dict[str, Any]:
    return {"project_id": project_id}
