"""A matching round: asked for, frozen, settled, announced, completed; or failed or cancelled before it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from schemas.pairings import RoundFailed
from services.kit.decision import Decision, Invalid
from services.pairing.domain.pairing import Pairing
from services.pairing.domain.refusals import (
    PairingNotProposed,
    RoundIsRunning,
    RoundIsSettled,
    RoundNotCompleted,
    RoundNotNewest,
    RoundNotRunning,
)

LevelName = Literal["counties", "needs", "bands", "preference", "kept", "severity"]
RoundStatus = Literal["running", "completed", "failed", "cancelled"]
FROZEN, SOLVED, DONE = 30, 70, 100
"""Progress in per cent."""


@dataclass(frozen=True, kw_only=True)
class Level:
    level: LevelName
    value: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """`pairings` are the proposed ones; `needs_unserved` have slots and neither a live nor a new pairing."""

    pairings: int
    counties_reached: int
    needs_served: int
    needs_unserved: int
    objective: tuple[Level, ...]
    solve_ms: float


@dataclass(frozen=True, kw_only=True)
class Round:
    """`reason` says why it failed or was cancelled; `previous` is the round completed before it.

    `result` is there once it is settled: from then on it goes to its end. `announced` counts the
    pairs that have become proposals. `chain` is the command's that asked for it.
    """

    id: str
    version: int
    as_of: date
    seed: int
    status: RoundStatus
    progress: int
    requested_at: datetime
    requested_by: str
    chain: dict[str, Any] = field(default_factory=dict)
    previous: str | None = None
    frozen_at: datetime | None = None
    snapshot_sha256: str | None = None
    result: Result | None = None
    announced: int = 0
    ended_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of what a round keeps for ever: its `snapshot`, `pairs`, `certificate` or `difference`, compressed."""

    id: str
    round_id: str
    of: str
    no: int
    content: bytes

    @classmethod
    def all_of(cls, round_id: str, of: str, contents: Sequence[bytes]) -> list["Part"]:
        return [
            cls(id=f"{round_id}/{of}/{no}", round_id=round_id, of=of, no=no, content=content)
            for no, content in enumerate(contents)
        ]


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Which round runs, and which was settled last. There is one of these, so that one round runs at a time."""

    id: str
    running: str | None
    newest: str | None


NO_ROUNDS = Rounds(id="rounds", running=None, newest=None)


def request_round(
    rounds: Rounds,
    *,
    as_of: date,
    seed: int,
    id: str,
    now: datetime,
    today: date,
    by: str,
    chain: dict[str, Any],
) -> Decision[Round]:
    """A worker will take it up."""
    if as_of > today:
        raise Invalid({"/as_of": f"lies in the future; today is {today}"})
    if rounds.running:
        raise RoundIsRunning(f"Round {rounds.running} is running.", round_id=rounds.running)
    round = Round(
        id=id,
        version=1,
        as_of=as_of,
        seed=seed,
        status="running",
        progress=0,
        requested_at=now,
        requested_by=by,
        chain=chain,
        previous=rounds.newest,
    )
    return Decision(round, (round, replace(rounds, running=id)))


def keep_parts(round: Round, parts: Sequence[Part], earlier: Sequence[Part]) -> Decision[Round]:
    """`earlier` are those of an attempt that came to nothing."""
    _check_running(round)
    new = {part.id for part in parts}
    return Decision(round, parts, deletes=[part for part in earlier if part.id not in new])


def freeze_round(round: Round, *, sha256: str, now: datetime) -> Decision[Round]:
    """All parts of the snapshot are kept: whatever comes later, this round rests on it."""
    _check_running(round)
    round = replace(round, version=round.version + 1, progress=FROZEN, frozen_at=now, snapshot_sha256=sha256)
    return Decision(round, (round,))


def note_progress(round: Round, progress: int) -> Decision[Round]:
    _check_running(round)
    if progress <= round.progress:
        return Decision(round)
    round = replace(round, version=round.version + 1, progress=progress)
    return Decision(round, (round,))


def fail_round(round: Round, rounds: Rounds, *, reason: str, now: datetime) -> Decision[Round]:
    """Nothing is proposed; earlier proposals stay."""
    _check_running(round)
    round = replace(round, version=round.version + 1, status="failed", reason=reason, ended_at=now)
    event = RoundFailed(round_id=round.id, reason=reason)
    return Decision(round, (round, replace(rounds, running=None)), (event,))


def cancel_round(round: Round, rounds: Rounds, *, reason: str | None, now: datetime) -> Decision[Round]:
    """A coordinator does not want to wait for it."""
    _check_running(round)
    if round.result:
        raise RoundIsSettled("Its proposals are being written; it ends in a moment.")
    round = replace(round, version=round.version + 1, status="cancelled", reason=reason, ended_at=now)
    return Decision(round, (round, replace(rounds, running=None)))


def check_newest(round: Round, rounds: Rounds) -> None:
    """Only what the last completed round proposes can be approved as a whole."""
    if round.status != "completed":
        raise RoundNotCompleted(f"The round is {round.status}.")
    if rounds.newest != round.id:
        raise RoundNotNewest(f"Round {rounds.newest} is newer.", round_id=rounds.newest)


def check_not_overtaken(pairing: Pairing, rounds: Rounds) -> None:
    """What an older round still proposes, while a newer one's plan is being told."""
    if pairing.status == "proposed" and pairing.round_id != rounds.newest:
        raise PairingNotProposed(f"Round {rounds.newest} takes its place.")


def _check_running(round: Round) -> None:
    if round.status != "running":
        raise RoundNotRunning(f"The round is {round.status}.")
