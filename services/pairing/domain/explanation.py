"""What a round says of itself: why a pair, why not a need, what is otherwise than before."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Why = Literal["no-commitment", "excluded", "outbid", "not-eligible"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A commitment's share goes from `was` to `now`; None: it is, or was, left open."""

    commitment_id: str
    was: str | None
    now: str | None


@dataclass(frozen=True, kw_only=True)
class LevelPair:
    """A level's value with the pairing (or with the need served), and without."""

    level: str
    with_: int
    without: int


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What the best round without this pairing would be. `decided_by`: `pin`, a level's name, or `lot`.

    `names` are those of the counties and commitments in it (of these, their partners'), as they were then.
    """

    id: str
    round_id: str
    decided_by: str
    levels: tuple[LevelPair, ...]
    instead: str | None
    steps: tuple[Step, ...]
    rule_id: str | None
    names: dict[str, dict[str, str]]

    @staticmethod
    def key(round_id: str, commitment_id: str, county_code: str) -> str:
        return f"{round_id}/{commitment_id}/{county_code}"


@dataclass(frozen=True, kw_only=True)
class SmallestChange:
    """`lift-ban`, `lift-exclusion` (of the list `bar`), or `share`: one more, which may only go there."""

    kind: str
    commitment_id: str | None = None
    rule_id: str | None = None
    bar: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnservedNeed:
    """`counts`: how many commitments of the category what bars, or `allowed`. `since`: a day.

    `is_detailed`: whether `change`, `levels` and `steps` are known yet; in a big round they are when asked for.
    """

    id: str
    round_id: str
    county_code: str
    category: str
    band: int
    open_slots: int
    status: str | None
    as_of: str
    reason: Why
    since: str
    counts: dict[str, int]
    is_detailed: bool
    change: SmallestChange | None
    levels: tuple[LevelPair, ...]
    steps: tuple[Step, ...]
    names: dict[str, dict[str, str]]

    @staticmethod
    def key(round_id: str, county_code: str, category: str) -> str:
        return f"{round_id}/{county_code}/{category}"


@dataclass(frozen=True, kw_only=True)
class Different:
    """`was` is where a share that moved went before. `level`: the one that decided, where it is known."""

    kind: Literal["added", "dropped", "moved"]
    commitment_id: str
    county_code: str
    was: str | None
    reason: str
    level: str | None


def named_in(steps: Iterable[Step]) -> tuple[set[str], set[str]]:
    """The commitments and counties that steps speak of."""
    found = list(steps)
    counties = {code for step in found for code in (step.was, step.now) if code}
    return {step.commitment_id for step in found}, counties
