"""Edits: what officers noted on phones while there was no line. Each has one id, and is taken once for ever.

    comes → waiting (for the edit it builds on) → applied | merged | conflict | refused

What was refused left nothing behind, so its id can be sent again once what was wrong with it is
mended; what builds on it is judged by itself meanwhile. Only where the one before it never comes is
an edit refused after `WAITS` with all that builds on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from schemas.shapes import Text
from services.projects.domain.history import Link
from services.projects.domain.indicators import Claim
from services.projects.domain.milestones import Report

EditKind = Literal["milestone-report", "observation"]
Outcome = Literal["applied", "merged", "duplicate", "conflict", "waiting", "refused"]

WAITS = timedelta(days=7)
TWIN_WITHIN = timedelta(hours=1)
NEVER_CAME = "never-came"
FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a phone sent, and what became of it.

    `base_version` is the milestone's version on which its chain began, `after` the edit that it
    builds on. `sent` is the whole edit as JSON; two of one id say the same where their
    `fingerprint` is the same. `report` or `claim` is what it says where that can be read.
    `version` is that of the milestone or observation after it. Two of the same `content` say the
    same of the same, at whatever time; `twin` is such a one of the same person within the hour
    before, so this one is probably a duplicate under another id.
    """

    id: str
    kind: EditKind
    project_id: str
    milestone_no: int | None
    base_version: int | None
    after: str | None
    occurred_at: datetime
    sent: str
    fingerprint: str
    who: str
    came_at: datetime
    content: str = ""
    twin: str | None = None
    report: Report | None = None
    claim: Claim | None = None
    link: Link | None = None
    outcome: Outcome = "waiting"
    why: str = "waiting"
    version: int | None = None
    conflict_id: str | None = None
    detail: Text
    settled_at: datetime | None = None

    @property
    def is_in(self) -> bool:
        """Whether it has been taken, for ever."""
        return self.outcome in ("applied", "merged", "conflict")

    @property
    def is_over(self) -> bool:
        """Whether what builds on it need not wait for it any more."""
        return self.outcome != "waiting" and self.why != NEVER_CAME


def is_twin(other: Edit, edit: Edit) -> bool:
    """Whether another one says the same, by the same person, not long before, and was not refused."""
    same = (other.content, other.who) == (edit.content, edit.who) and other.id != edit.id
    return same and other.outcome != "refused" and edit.came_at - other.came_at <= TWIN_WITHIN


def became(
    edit: Edit,
    outcome: Outcome,
    why: str,
    now: datetime,
    *,
    version: int | None = None,
    conflict_id: str | None = None,
    **values: str | Text,
) -> Edit:
    """The edit with its verdict, told in the words of `why`."""
    return replace(
        edit,
        report=None,
        claim=None,
        outcome=outcome,
        why=why,
        version=version,
        conflict_id=conflict_id,
        detail=said(why, **values),
        settled_at=now,
    )


def said(why: str, **values: str | Text) -> Text:
    """What is told of an edit, in both languages."""
    told: dict[str, str] = {}
    for language, text in _WORDS[why].items():
        within = {name: value if isinstance(value, str) else str(value.get(language)) for name, value in values.items()}
        told[language] = text.format(**within)
    return cast(Text, told)


_WORDS: Mapping[str, Mapping[str, str]] = {
    "applied": {"zh": "已保存。", "en": "Taken."},
    "merged": {
        "zh": "已保存，并与其间的其他修改合并。",
        "en": "Taken, together with what others changed meanwhile.",
    },
    "older": {
        "zh": "已存入历史：同一时段已有更晚的数值，以后者为准。",
        "en": "Kept in the history: a value that was observed later counts for these days.",
    },
    "conflict": {
        "zh": "同一内容其间已被他人修改。两个值均已保留，等待人工处理。",
        "en": "Somebody changed the same field meanwhile. Both values are kept until a person decides.",
    },
    "duplicate": {"zh": "此前已收到（{outcome}）。", "en": "We have it already ({outcome})."},
    "waiting": {
        "zh": "等待它所依据的修改 {after} 到达。",
        "en": "It waits for the edit {after} that it builds on.",
    },
    "other-content": {
        "zh": "该编号已用于其他内容，未保存。",
        "en": "This id was used for something else; nothing was taken.",
    },
    "no-project": {
        "zh": "所管县中没有这个项目，当时也无权管理。",
        "en": "No project of your counties has this id, and no grant says that its county was yours then.",
    },
    "no-milestone": {"zh": "该项目没有这个里程碑。", "en": "The project has no such milestone."},
    "no-base": {
        "zh": "base_version 应为从服务器读到的里程碑版本号。",
        "en": "base_version is to be a version of the milestone that was read here.",
    },
    "builds-on-another": {
        "zh": "它所依据的修改是他人的，或就是它自己。",
        "en": "What it builds on is somebody else's edit, or itself.",
    },
    "faults": {"zh": "内容有误：{faults}", "en": "Some fields are wrong: {faults}"},
    NEVER_CAME: {
        "zh": "它所依据的修改七天内没有到达，未保存。",
        "en": "The edit that it builds on did not come within seven days; nothing was taken.",
    },
    FAILED: {
        "zh": "系统处理这一条时出错，未保存。请稍后用同一编号再发。",
        "en": "We failed on this one; nothing was taken. Send it again later under its id.",
    },
    "project-ended": {
        "zh": "项目已完成或已取消，不再接收。",
        "en": "The project is completed or cancelled; nothing more is taken.",
    },
    "periods-overlap": {
        "zh": "与已上报的时段重叠，会重复计算，未保存。",
        "en": "The days overlap with a period that was told already and would count twice; nothing was taken.",
    },
}
