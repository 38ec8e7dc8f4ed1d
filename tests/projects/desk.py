"""The rules of projects on a store in memory: what the units of work do, without a database."""

from datetime import datetime
from typing import Any

from services.projects import domain
from services.projects.domain import (
    Around,
    Claim,
    Conflict,
    Edit,
    Evidence,
    HistoryEntry,
    Observation,
    Project,
    Report,
    Uploader,
)
from tests.projects.builders import NOW, a_project


class Desk:
    """One project and all that is kept of it."""

    def __init__(self) -> None:
        self.project: Project = a_project()
        self.edits: dict[str, Edit] = {}
        self.conflicts: dict[str, Conflict] = {}
        self.observations: dict[str, Observation] = {}
        self.evidence: dict[str, Evidence] = {}
        self.history: list[HistoryEntry] = []
        self.events: list[Any] = []

    def keep(self, decision: Any) -> Any:
        kinds = {
            Edit: self.edits,
            Conflict: self.conflicts,
            Observation: self.observations,
            Evidence: self.evidence,
        }
        for state in decision.saves:
            if isinstance(state, Project):
                assert state.version == self.project.version + 1
                self.project = state
            elif isinstance(state, HistoryEntry):
                assert state.id not in {entry.id for entry in self.history}
                self.history.append(state)
            else:
                kinds[type(state)][state.id] = state
        self.events.extend(decision.events)
        return decision.state

    def open_conflicts(self, no: int) -> list[Conflict]:
        return [one for one in self.conflicts.values() if one.milestone_no == no and one.status == "open"]

    def around(self, edit: Edit) -> Around:
        path = f"milestones/{edit.milestone_no}/"
        base = edit.base_version or 0
        return Around(
            project=self.project,
            before=self.edits.get(edit.after or ""),
            changes=[
                entry
                for entry in self.history
                if entry.field.startswith(path) and entry.version and entry.version > base
            ],
            conflicts=self.open_conflicts(edit.milestone_no or 0),
            observations=list(self.observations.values()),
            evidence=self.evidence,
        )

    def upload(self, sha256: str, who: str) -> None:
        self.evidence[sha256] = Evidence(
            id=sha256,
            size=1,
            media_type="application/pdf",
            position=None,
            file_id=sha256,
            served_size=1,
            served_sha256=sha256,
            uploaded_at=NOW,
            uploaders=(Uploader(who=who, county_codes=()),),
        )

    def report(self, no: int, note: str, who: str, now: datetime) -> None:
        told = Report(occurred_at=now, note=note)
        conflicts = self.open_conflicts(no)
        self.keep(
            domain.report_milestone(
                self.project, no, told, evidence=self.evidence, conflicts=conflicts, who=who, now=now
            )
        )

    def observe(self, claim: Claim, who: str, now: datetime) -> None:
        self.keep(domain.observe(self.project, claim, list(self.observations.values()), who=who, now=now))

    def resolve(self, conflict: Conflict, note: Any, who: str, now: datetime) -> None:
        others = [one for one in self.open_conflicts(conflict.milestone_no) if one.id != conflict.id]
        fields = {"note": note}
        self.keep(domain.resolve_conflict(conflict, self.project, others, fields, "why", who=who, now=now))

    def take(self, edit: Edit, now: datetime) -> Edit:
        """Without what waited for it."""
        verdict: Edit = self.keep(
            domain.take_edit(
                edit,
                self.edits.get(edit.id),
                self.around(edit),
                held=True,
                faults={},
                conflict_id=f"conflict of {edit.id}",
                now=now,
            )
        )
        return verdict

    def settle(self, edit: Edit, now: datetime) -> Edit:
        verdict: Edit = self.keep(
            domain.settle_edit(edit, self.around(edit), conflict_id=f"conflict of {edit.id}", now=now)
        )
        return verdict

    def waiting_for(self, id: str) -> list[Edit]:
        return [one for one in self.edits.values() if one.after == id and one.outcome == "waiting"]
