"""What projects keeps, where, and its questions to MongoDB. Only this file knows field names there."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, TypeVar

from motor.motor_asyncio import AsyncIOMotorGridFSBucket
from pymongo import IndexModel

from services.kit import mongo, transact
from services.kit.ids import new_id
from services.kit.service import Index
from services.projects.domain import (
    NEVER_CAME,
    RUNNING,
    TWIN_WITHIN,
    WAITS,
    Around,
    Conflict,
    County,
    Edit,
    Evidence,
    FundEntry,
    HistoryEntry,
    Naming,
    Observation,
    Project,
    end_of,
    is_twin,
)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A secret that only this service has; it signs what phones bring back."""

    id: str
    secret: bytes


class Tx(transact.Tx):
    KINDS: ClassVar[Mapping[type, str]] = {
        Project: "projects",
        County: "counties",
        Observation: "observations",
        HistoryEntry: "history",
        FundEntry: "fund_entries",
        Edit: "edits",
        Conflict: "conflicts",
        Evidence: "evidence",
        SigningKey: "signing_keys",
    }

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._questions: set[tuple[type, str]] = set()

    async def running_in(self, county_code: str) -> list[Project]:
        return await self.find(Project, {"county_code": county_code, "status": {"$in": list(RUNNING)}})

    async def running(self, after: str, limit: int) -> list[Project]:
        """Running projects in the order of their ids."""
        where = {"_id": {"$gt": after}, "status": {"$in": list(RUNNING)}}
        return await self.find(Project, where, limit=limit)

    async def to_be_asked(self) -> list[County]:
        """Counties that were to be delisted on a day that has come."""
        return await self.find(County, {"asked": False, "on": {"$lte": self.today.isoformat()}})

    async def observations_of(self, project_id: str, indicator: str) -> list[Observation]:
        return await self._asked(
            Observation,
            observations(project_id, indicator),
            lambda one: (one.project_id, one.indicator) == (project_id, indicator),
        )

    async def open_conflicts(self, project_id: str, milestone_no: int) -> list[Conflict]:
        return await self._asked(
            Conflict,
            {"project_id": project_id, "milestone_no": milestone_no, "status": "open"},
            lambda one: (one.project_id, one.milestone_no, one.status) == (project_id, milestone_no, "open"),
        )

    async def changes_since(self, project_id: str, day: date) -> list[HistoryEntry]:
        """Those after the end of a day in Shanghai."""
        return await self.find(HistoryEntry, {"project_id": project_id, "when": {"$gte": end_of(day)}})

    async def around(self, edit: Edit) -> Around:
        """What is known of what an edit is about."""
        report, claim = edit.report, edit.claim
        return Around(
            project=await self.get(Project, edit.project_id),
            before=await self.get(Edit, edit.after) if edit.after else None,
            changes=await self._changes_of_milestone(edit),
            conflicts=await self.open_conflicts(edit.project_id, edit.milestone_no or 0) if report else (),
            observations=await self.observations_of(edit.project_id, claim.indicator) if claim else (),
            evidence=await self.get_many(Evidence, report.evidence or ()) if report else {},
            twin=next((one.id for one in self.seen(Edit) if is_twin(one, edit)), None),
        )

    async def read_edits(self, edits: Sequence[Edit]) -> None:
        """Reads what many edits will ask for: before the first of them writes, since a question then writes it out."""
        await self.get_many(Edit, [id for edit in edits for id in (edit.id, edit.after) if id])
        await self.get_many(Project, [edit.project_id for edit in edits])
        alike = {"content": {"$in": [edit.content for edit in edits]}, "came_at": {"$gt": self.now - TWIN_WITHIN}}
        await self.find(Edit, alike)
        for edit in edits:
            await self.around(edit)

    async def _changes_of_milestone(self, edit: Edit) -> list[HistoryEntry]:
        base = edit.base_version
        if edit.milestone_no is None or base is None:
            return []
        path = f"milestones/{edit.milestone_no}/"
        field = {"$regex": f"^{re.escape(path)}"}
        return await self._asked(
            HistoryEntry,
            {"project_id": edit.project_id, "field": field, "version": {"$gt": base}},
            lambda one: one.project_id == edit.project_id and one.field.startswith(path) and (one.version or 0) > base,
        )

    async def _asked(self, kind: type[T], where: Mapping[str, Any], belongs: Callable[[T], bool]) -> list[T]:
        """As `find`, for what a unit asks again and again: MongoDB is asked once, then what this unit changed since."""
        question = (kind, repr(where))
        if question not in self._questions:
            self._questions.add(question)
            return await self.find(kind, where)
        return sorted((one for one in self.seen(kind) if belongs(one)), key=lambda one: one.id)  # type: ignore[attr-defined]

    async def waiting_for(self, edit_ids: Sequence[str]) -> list[Edit]:
        """Edits that build on one of these and wait for it."""
        return await self.find(Edit, {"after": {"$in": list(edit_ids)}, "outcome": "waiting"})

    async def can_go_on(self, limit: int) -> list[Edit]:
        """Waiting edits whose wait is over: what they build on has come meanwhile, or the time is up."""
        stages: list[dict[str, Any]] = [
            {"$match": {"outcome": "waiting"}},
            {"$lookup": {"from": "edits", "localField": "after", "foreignField": "_id", "as": "before"}},
            {
                "$match": {
                    "$or": [
                        {"before": {"$elemMatch": {"outcome": {"$ne": "waiting"}, "why": {"$ne": NEVER_CAME}}}},
                        {"came_at": {"$lte": self.now - WAITS}},
                    ]
                }
            },
            {"$sort": {"came_at": 1}},
            {"$limit": limit},
            {"$project": {"before": 0}},
        ]
        return [mongo.from_document(Edit, row) async for row in self.database.edits.aggregate(stages)]


INDEXES: Mapping[type, Sequence[Index]] = {
    Project: [
        [("county_code", 1), ("_id", 1)],
        [("partner_id", 1), ("_id", 1)],
        [("category", 1), ("_id", 1)],
        [("status", 1), ("_id", 1)],
        [("decision.reason", 1), ("_id", 1)],
        [("milestones.due_on", 1)],
        [("milestones.status", 1), ("_id", 1)],
        [("at_risk", 1), ("_id", 1)],
    ],
    County: [IndexModel([("on", 1)], partialFilterExpression={"asked": False})],
    Observation: [[("project_id", 1), ("_id", 1)]],
    HistoryEntry: [[("project_id", 1), ("_id", 1)], [("project_id", 1), ("field", 1), ("version", 1)]],
    Edit: [
        IndexModel([("after", 1)], partialFilterExpression={"outcome": "waiting"}),
        [("outcome", 1), ("came_at", 1)],
        [("content", 1), ("came_at", 1)],
    ],
    Conflict: [[("project_id", 1), ("milestone_no", 1), ("status", 1)], [("county_code", 1), ("_id", 1)]],
    Evidence: [IndexModel([("file_id", 1)], unique=True), [("named_by.project_id", 1), ("_id", 1)]],
}


class Files:
    """The contents of evidence, in GridFS.

    A file is there before the state that names it, since GridFS writes outside of transactions; what
    no state names an hour later was left by a program that died in between.
    """

    ABANDONED_S: ClassVar[int] = 3600

    def __init__(self, database: mongo.Database) -> None:
        self._database = database
        self._bucket = AsyncIOMotorGridFSBucket(database)

    async def put(self, content: bytes) -> str:
        """Keeps a content; answers its id. Where this fails nothing is left."""
        id = new_id()
        try:
            await self._bucket.upload_from_stream_with_id(id, id, content)
        except BaseException:
            await self.delete(id)
            raise
        return id

    async def get(self, id: str) -> bytes:
        stream = await self._bucket.open_download_stream(id)
        content: bytes = await stream.read()
        return content

    async def delete(self, id: str) -> None:
        """Also of a file that is not whole, or not there."""
        await self._database["fs.files"].delete_one({"_id": id})
        await self._database["fs.chunks"].delete_many({"files_id": id})

    async def abandoned(self) -> list[str]:
        """Ids of files without a state; of those put within the last two days, so that not all are looked at."""
        latest = time.time() - self.ABANDONED_S
        stages: list[dict[str, Any]] = [
            {"$match": {"files_id": {"$gt": _id_at(latest - 2 * 86400), "$lt": _id_at(latest)}, "n": 0}},
            {"$lookup": {"from": "evidence", "localField": "files_id", "foreignField": "file_id", "as": "state"}},
            {"$match": {"state": []}},
            {"$project": {"files_id": 1}},
        ]
        return [row["files_id"] async for row in self._database["fs.chunks"].aggregate(stages)]


def _id_at(unix_s: float) -> str:
    """What ids given since then are greater than (a UUIDv7 begins with its milliseconds)."""
    digits = f"{int(unix_s * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The projects that somebody may see or touch: all, or a partner's own and those of some counties."""

    everything: bool = False
    partner_id: str | None = None
    county_codes: frozenset[str] = frozenset()

    def covers(self, project: Project | Naming) -> bool:
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
    milestone: str | None,
) -> dict[str, Any]:
    """Projects of a list; None leaves a question out. `due_before`: a milestone is due and not verified;
    `milestone`: one has this status."""
    equal = {"category": category, "county_code": county, "partner_id": partner, "status": status}
    found: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
    if undecided:
        found["decision.reason"] = {"$exists": True}
    if at_risk is not None:
        found["at_risk.0"] = {"$exists": at_risk}
    if due_before:
        unverified = {"due_on": {"$lt": due_before.isoformat()}, "status": {"$ne": "verified"}}
        found["milestones"] = {"$elemMatch": unverified}
    if milestone:
        found["milestones.status"] = milestone
    return found


def observations(project_id: str, indicator: str | None) -> dict[str, Any]:
    return {"project_id": project_id} | ({"indicator": indicator} if indicator else {})


def history(project_id: str, as_of: date | None) -> dict[str, Any]:
    """All changes of a project, or those until the end of a day in Shanghai."""
    ended = {"when": {"$lt": end_of(as_of)}} if as_of else {}
    return {"project_id": project_id} | ended


def conflicts(reach: Reach, *, status: str | None, project: str | None) -> dict[str, Any]:
    """Those of a list; None leaves a question out."""
    equal = {"status": status, "project_id": project}
    where: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
    return where if reach.everything else where | {"county_code": {"$in": sorted(reach.county_codes)}}


def evidence_of(project_id: str) -> dict[str, Any]:
    return {"named_by.project_id": project_id}


def file(id: str) -> dict[str, Any]:
    """The evidence whose content a file is."""
    return {"file_id": id}
