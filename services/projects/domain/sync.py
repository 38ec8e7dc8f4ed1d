"""Taking in the edits of a phone's queue: three-way merges by field, in whatever order they come.

A report's `note` conflicts where somebody else set it after the version on which the phone's chain
began; its `evidence` is a union and conflicts with nothing. What the same chain changed before is
no other's change. An observation conflicts with nothing either: of two for the same days, the one
that was made later counts, whichever comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from schemas.shapes import Text
from services.kit.chinese import chinese
from services.kit.decision import Conflict as Refusal
from services.kit.decision import Decision
from services.projects.domain.conflicts import Clash, Conflict, refreshed
from services.projects.domain.edits import NEVER_CAME, WAITS, Edit, Outcome, became, said
from services.projects.domain.evidence import EVIDENCE_OF_A_MILESTONE, Evidence, named
from services.projects.domain.history import Change, HistoryEntry, Link, entries
from services.projects.domain.indicators import Observation, changes_of, claim_faults, observe, same_days
from services.projects.domain.milestones import future_faults, report_faults
from services.projects.domain.project import Milestone, Project
from services.projects.domain.reports import change_report


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is known of what an edit is about.

    `before` is the edit that it builds on. `changes` are those of its milestone after its
    `base_version`, in their order; `conflicts` the milestone's open ones; `observations` those of
    its indicator in the project; `evidence` what we have of what it names; `twin` is the id of
    another edit that says the same.
    """

    project: Project | None = None
    before: Edit | None = None
    changes: Sequence[HistoryEntry] = ()
    conflicts: Sequence[Conflict] = ()
    observations: Sequence[Observation] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    twin: str | None = None


def take_edit(
    edit: Edit,
    known: Edit | None,
    around: Around,
    *,
    held: bool,
    faults: Mapping[str, str],
    conflict_id: str,
    now: datetime,
) -> Decision[Edit]:
    """An edit comes, maybe not for the first time; `known` is what is kept under its id.

    `held` says that whoever sent it held the project's county when it was made; `faults` are those
    of its fields by themselves. The state is the edit with its verdict; `duplicate` is said of it,
    and never kept.
    """
    if known and known.outcome != "refused":
        if known.fingerprint != edit.fingerprint:
            return Decision(replace(edit, outcome="refused", detail=said("other-content")))
        if known.is_in:
            words = said("duplicate", outcome=known.outcome)
            return Decision(replace(known, outcome="duplicate", detail=words))
        return settle_edit(known, around, conflict_id=conflict_id, now=now)
    came_at = known.came_at if known else edit.came_at
    edit = replace(edit, came_at=came_at, link=_link(edit, around.before), twin=around.twin)
    if refused := _refused(edit, around, held=held, faults=faults, now=now):
        return Decision(refused, (refused,))
    return settle_edit(edit, around, conflict_id=conflict_id, now=now)


def settle_edit(edit: Edit, around: Around, *, conflict_id: str, now: datetime) -> Decision[Edit]:
    """Applies an edit that was let in, if it need not wait."""
    before, project = around.before, around.project
    assert project
    if edit.after and not (before and before.is_over):
        if now - edit.came_at < WAITS:
            waiting = replace(edit, detail=said("waiting", after=edit.after))
        else:
            waiting = became(edit, "refused", NEVER_CAME, now)
        return Decision(waiting, (waiting,))
    if before and before.who != edit.who:
        refused = became(edit, "refused", "builds-on-another", now)
        return Decision(refused, (refused,))
    edit = replace(edit, link=_link(edit, before))
    try:
        project.must_run()
        if edit.kind == "observation":
            return _settle_observation(edit, project, around, now)
        return _settle_report(edit, project, around, conflict_id, now)
    except Refusal as refusal:
        refused = became(edit, "refused", refusal.rule, now)
        return Decision(refused, (refused,))


def _link(edit: Edit, before: Edit | None) -> Link:
    if before and before.link:
        return Link(chain=before.link.chain, depth=before.link.depth + 1)
    return Link(chain=edit.id, depth=0)


def _refused(edit: Edit, around: Around, *, held: bool, faults: Mapping[str, str], now: datetime) -> Edit | None:
    """What can be said against it whatever came before it."""
    project, found = around.project, dict(faults)
    if edit.after == edit.id:
        return became(edit, "refused", "builds-on-another", now)
    if project is None or not held:
        return became(edit, "refused", "no-project", now)
    if edit.kind == "milestone-report":
        milestone = next((one for one in project.milestones if one.no == edit.milestone_no), None)
        if milestone is None:
            return became(edit, "refused", "no-milestone", now)
        if edit.base_version is None or not 1 <= edit.base_version <= milestone.version:
            return became(edit, "refused", "no-base", now)
        if edit.report:
            found |= report_faults(project, milestone, edit.report, around.evidence, who=edit.who, now=now)
            if len({*milestone.evidence, *(edit.report.evidence or ())}) > EVIDENCE_OF_A_MILESTONE:
                found["/evidence"] = f"A milestone has {EVIDENCE_OF_A_MILESTONE} pieces of evidence at most."
    elif edit.claim:
        found |= claim_faults(project, edit.claim, now)
    found |= future_faults(edit.occurred_at, now)
    if not found:
        return None
    text: Text = {
        "zh": "".join(map(chinese, found.values())),
        "en": " ".join(f"{pointer}: {fault}" for pointer, fault in found.items()),
    }
    return became(edit, "refused", "faults", now, faults=text)


def _settle_report(edit: Edit, project: Project, around: Around, conflict_id: str, now: datetime) -> Decision[Edit]:
    assert edit.milestone_no is not None
    assert edit.report is not None
    assert edit.link is not None
    milestone, told, link = project.milestone(edit.milestone_no), edit.report, edit.link
    notes = [change for change in around.changes if change.field.endswith("/note")]
    notes_of_others = [change for change in notes if not _is_of(change, link)]
    # An edit that was refused first and mended later comes after those that build on it.
    is_passed = told.note is not None and any(
        _is_of(change, link) and change.edit.depth > link.depth for change in notes if change.edit
    )
    note = milestone.note if told.note is None or is_passed else told.note
    clashes = note != milestone.note and bool(notes_of_others)
    evidence = tuple(dict.fromkeys([*milestone.evidence, *(told.evidence or ())]))
    besides: tuple[Change, ...] = ()
    conflict = None
    if clashes:
        conflict = _conflict(edit, project, around.conflicts, notes_of_others, conflict_id, now)
        besides = ((f"conflicts/{conflict.id}/note", milestone.note, note),)
        note = milestone.note
    elif is_passed:
        besides = ((f"superseded/milestones/{milestone.no}/note", milestone.note, told.note),)
    says_nothing_new = evidence == milestone.evidence and note == milestone.note
    if says_nothing_new and (clashes or milestone.status in ("reported", "verified")):
        done = _also_reported(project, milestone, edit, besides, now)
    else:
        done = change_report(
            project,
            milestone,
            occurred_at=max(milestone.occurred_at or edit.occurred_at, edit.occurred_at),
            note=note,
            evidence=evidence,
            reported_by=edit.who,
            who=edit.who,
            now=now,
            said_at=edit.occurred_at,
            besides=besides,
            edit=link,
        )
    newer = (
        *refreshed(around.conflicts, done.state, who=edit.who, now=now),
        *named(told.evidence or (), around.evidence, project),
    )
    version = done.state.version
    if conflict:
        settled = became(edit, "conflict", "conflict", now, version=version, conflict_id=conflict.id)
        return Decision(settled, (settled, conflict, *done.saves, *newer), done.events)
    outcome: Outcome = (
        "merged" if is_passed or not all(_is_of(change, link) for change in around.changes) else "applied"
    )
    settled = became(edit, outcome, outcome, now, version=version)
    return Decision(settled, (settled, *done.saves, *newer), done.events)


def _conflict(
    edit: Edit,
    project: Project,
    open_: Sequence[Conflict],
    theirs: Sequence[HistoryEntry],
    id: str,
    now: datetime,
) -> Conflict:
    """A new one, or that of the same chain, where the last edit of it counts."""
    assert edit.milestone_no is not None
    assert edit.report is not None
    assert edit.link is not None
    mine, link = edit.report.note, edit.link
    for conflict in open_:
        if conflict.edit.chain == link.chain:
            if conflict.edit.depth > link.depth:
                return conflict
            return replace(
                conflict,
                edit=link,
                occurred_at=edit.occurred_at,
                fields=tuple(replace(clash, mine=mine) for clash in conflict.fields),
                version=conflict.version + 1,
            )
    first, last = theirs[0], theirs[-1]
    clash = Clash(name="note", base=first.old, mine=mine, theirs=last.new, by=last.who, at=last.when)
    return Conflict(
        id=id,
        project_id=project.id,
        county_code=project.county_code,
        milestone_no=edit.milestone_no,
        edit=link,
        who=edit.who,
        occurred_at=edit.occurred_at,
        fields=(clash,),
        opened_at=now,
    )


def _also_reported(
    project: Project, milestone: Milestone, edit: Edit, besides: Sequence[Change], now: datetime
) -> Decision[Milestone]:
    """Whoever says the same as is reported already has reported it too, and so cannot verify it."""
    reporters = tuple(dict.fromkeys([*milestone.reporters, edit.who]))
    also = replace(milestone, reporters=reporters)
    changed = project.with_milestone(also)
    return Decision(also, (changed, *entries(project, changed, who=edit.who, now=now, besides=besides, edit=edit.link)))


def _settle_observation(edit: Edit, project: Project, around: Around, now: datetime) -> Decision[Edit]:
    assert edit.claim is not None
    assert edit.link is not None
    link, there = edit.link, same_days(edit.claim, around.observations)
    own = there.edit if there and there.edit and there.edit.chain == link.chain else None
    if there and (own.depth > link.depth if own else there.occurred_at > edit.occurred_at):
        changed = project.changed()
        besides = tuple((f"superseded/{path}", was, told) for path, was, told in changes_of(edit.claim, there))
        told = entries(project, changed, who=edit.who, now=now, besides=besides, edit=link)
        settled = became(edit, "merged", "older", now, version=there.version)
        return Decision(settled, (settled, changed, *told))
    done = observe(project, edit.claim, around.observations, who=edit.who, now=now, edit=link)
    outcome: Outcome = "merged" if there and not own else "applied"
    settled = became(edit, outcome, outcome, now, version=done.state.version)
    return Decision(settled, (settled, *done.saves), done.events)


def _is_of(change: HistoryEntry, link: Link) -> bool:
    return change.edit is not None and change.edit.chain == link.chain
