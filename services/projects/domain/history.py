"""Who changed which field of a project, when, from what to what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.projects.domain.project import Project, rfc3339

Change = tuple[str, Any, Any]


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One field's way from `old` to `new`, as JSON values. `field` is a path such as `milestones/2/note`.

    `reason` is what `who` said about it. Ids of one project sort by its version, so by time.
    """

    id: str
    project_id: str
    field: str
    who: str
    when: datetime
    old: Any
    new: Any
    reason: str | None


def entries(
    old: Project,
    new: Project,
    *,
    who: str,
    now: datetime,
    reason: str | None = None,
    besides: Sequence[Change] = (),
) -> tuple[HistoryEntry, ...]:
    """An entry for each field that differs, then for those `besides` that do not stand in the project itself."""
    before, after = _fields(old), _fields(new)
    changes = [(path, before[path], after[path]) for path in after if before[path] != after[path]]
    return tuple(
        HistoryEntry(
            id=f"{new.id}.{new.version:08d}.{number:02d}",
            project_id=new.id,
            field=path,
            who=who,
            when=now,
            old=was,
            new=becomes,
            reason=reason,
        )
        for number, (path, was, becomes) in enumerate([*changes, *besides])
    )


def _fields(project: Project) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "status": project.status,
        "decision": project.decision and project.decision.reason,
    }
    for milestone in project.milestones:
        path = f"milestones/{milestone.no}"
        fields |= {
            f"{path}/status": milestone.status,
            f"{path}/occurred_at": milestone.occurred_at and rfc3339(milestone.occurred_at),
            f"{path}/note": milestone.note,
            f"{path}/evidence": list(milestone.evidence),
            f"{path}/due_on": milestone.due_on.isoformat(),
        }
    return fields
