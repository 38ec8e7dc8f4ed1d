"""Who changed which field of a project, when, from what to what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.projects.domain.project import Project, rfc3339

Change = tuple[str, Any, Any]
# Values that never counted: those that a conflict kept, and those that were told after newer ones.
KEPT_ASIDE = ("conflicts/", "superseded/")


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where an edit stands among those of its phone that build on one another: `chain` is the first one's id."""

    chain: str
    depth: int


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One field's way from `old` to `new`, as JSON values. `field` is a path such as `milestones/2/note`.

    `reason` is what `who` said about it. A milestone's entries have the `version` that the change
    made of the milestone, and what came from a phone has its `edit`. Ids of one project sort by its
    version, so by time.
    """

    id: str
    project_id: str
    field: str
    who: str
    when: datetime
    old: Any
    new: Any
    reason: str | None
    version: int | None = None
    edit: Link | None = None


def entries(
    old: Project,
    new: Project,
    *,
    who: str,
    now: datetime,
    reason: str | None = None,
    besides: Sequence[Change] = (),
    edit: Link | None = None,
) -> tuple[HistoryEntry, ...]:
    """An entry for each field that differs, then for those `besides` that do not stand in the project itself."""
    before, after = fields(old), fields(new)
    changes = [(path, before[path], after[path]) for path in after if before[path] != after[path]]
    versions = {f"milestones/{milestone.no}": milestone.version for milestone in new.milestones}
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
            version=versions.get(path.rpartition("/")[0]),
            edit=edit,
        )
        for number, (path, was, becomes) in enumerate([*changes, *besides])
    )


def fields_before(project: Project, observed: Mapping[str, Any], later: Sequence[HistoryEntry]) -> Mapping[str, Any]:
    """Each field as it was before `later`, which are all changes since then in their order.

    `observed` are the fields of the project's observations as they are now.
    """
    then = fields(project) | dict(observed)
    for entry in reversed(later):
        if not entry.field.startswith(KEPT_ASIDE):
            then[entry.field] = entry.old
    return then


def fields(project: Project) -> dict[str, Any]:
    """What history is kept of, by path, as JSON values."""
    found: dict[str, Any] = {
        "status": project.status,
        "decision": project.decision and project.decision.reason,
        "at_risk": list(project.at_risk),
    }
    for milestone in project.milestones:
        path = f"milestones/{milestone.no}"
        found |= {
            f"{path}/status": milestone.status,
            f"{path}/occurred_at": milestone.occurred_at and rfc3339(milestone.occurred_at),
            f"{path}/note": milestone.note,
            f"{path}/evidence": list(milestone.evidence),
            f"{path}/due_on": milestone.due_on.isoformat(),
        }
    for indicator in project.indicators:
        found[f"indicators/{indicator.code}/actual"] = indicator.actual
    return found
