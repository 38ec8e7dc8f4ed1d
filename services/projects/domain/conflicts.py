"""Conflicts: the same field was changed on a phone and here meanwhile. Both values are kept until a person decides.

What counts stays what stands here (`theirs`); the phone's value (`mine`) waits. Where `theirs` is
changed while the conflict is open, it is the newer one that the conflict shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.kit.decision import Decision, Invalid
from services.projects.domain.history import Link, entries
from services.projects.domain.project import Milestone, Project
from services.projects.domain.refusals import ConflictIsResolved
from services.projects.domain.reports import change_report


@dataclass(frozen=True, kw_only=True)
class Clash:
    """One field of a conflict: `base` is what the phone built upon, `theirs` was set `by` whom and when (`at`)."""

    name: str
    base: Any
    mine: Any
    theirs: Any
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Of one milestone and one phone's edits; `mine` is `who`'s, `edit` the last of those that set it."""

    id: str
    project_id: str
    county_code: str
    milestone_no: int
    edit: Link
    who: str
    occurred_at: datetime
    fields: tuple[Clash, ...]
    opened_at: datetime
    status: Literal["open", "resolved"] = "open"
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    reason: str | None = None
    resolution: Mapping[str, Any] | None = None
    version: int = 1

    @property
    def how(self) -> Literal["mine", "theirs", "other"] | None:
        """Whose value counts now: the phone's, the one that stood here, or another; None while it is open."""
        if self.resolution is None:
            return None
        (clash,) = self.fields
        told = self.resolution[clash.name]
        return "mine" if told == clash.mine else "theirs" if told == clash.theirs else "other"


def resolve_conflict(
    conflict: Conflict,
    project: Project,
    others: Sequence[Conflict],
    fields: Mapping[str, Any],
    reason: str,
    *,
    who: str,
    now: datetime,
) -> Decision[Conflict]:
    """A person decides what each field is; `others` are the milestone's other open conflicts.

    Taking the phone's value makes whoever sent it a reporter, a value of one's own the one who
    decides: neither can verify the milestone then.

    Raises:
        Invalid, ConflictIsResolved, ProjectEnded
    """
    if faults := resolution_faults(conflict, fields):
        raise Invalid(faults)
    if conflict.status == "resolved":
        raise ConflictIsResolved(f"{conflict.resolved_by} resolved it already.")
    resolved = replace(
        conflict,
        status="resolved",
        resolved_by=who,
        resolved_at=now,
        reason=reason,
        resolution=dict(fields),
        version=conflict.version + 1,
    )
    milestone = project.milestone(conflict.milestone_no)
    note = fields["note"]
    if note == milestone.note:
        changed = project.changed()
        besides = _settled(conflict, note)
        told = entries(project, changed, who=who, now=now, reason=reason, besides=besides)
        return Decision(resolved, (resolved, changed, *told))
    project.must_run()
    (clash,) = conflict.fields
    done = change_report(
        project,
        milestone,
        occurred_at=milestone.occurred_at or conflict.occurred_at,
        note=note,
        evidence=milestone.evidence,
        reported_by=conflict.who if note == clash.mine else who,
        who=who,
        now=now,
        reason=reason,
        besides=_settled(conflict, note),
    )
    newer = refreshed(others, done.state, who=who, now=now)
    return Decision(resolved, (resolved, *done.saves, *newer), done.events)


def resolution_faults(conflict: Conflict, fields: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a resolution, by JSON pointer."""
    names = {clash.name for clash in conflict.fields}
    faults = {
        "/fields/" + name.replace("~", "~0").replace("/", "~1"): "The conflict is not about this field."
        for name in fields.keys() - names
    }
    faults |= {f"/fields/{name}": "Say what it is to be." for name in names - fields.keys()}
    return faults


def refreshed(conflicts: Sequence[Conflict], milestone: Milestone, *, who: str, now: datetime) -> tuple[Conflict, ...]:
    """Those that are open about something that `who` has just changed, with what stands here now."""
    return tuple(
        replace(
            conflict,
            fields=tuple(replace(clash, theirs=milestone.note, by=who, at=now) for clash in conflict.fields),
            version=conflict.version + 1,
        )
        for conflict in conflicts
        if conflict.fields[0].theirs != milestone.note
    )


def _settled(conflict: Conflict, note: Any) -> tuple[tuple[str, Any, Any], ...]:
    """How it was settled, for the history: which value had waited, and what counts now."""
    (clash,) = conflict.fields
    return ((f"conflicts/{conflict.id}/{clash.name}", clash.mine, note),)
