"""A matching round: asked for, frozen, solved, and what it proposes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from schemas.envelope import Event
from schemas.pairings import RoundCompleted, RoundFailed
from services.kit.decision import Decision, Invalid
from services.pairing.domain.commitment import Commitment
from services.pairing.domain.pairing import (
    Pairing,
    propose_event,
    proposed,
    reject_pairing,
    supersede_pairing,
)
from services.pairing.domain.refusals import RoundIsRunning, RoundNotCompleted, RoundNotNewest, RoundNotRunning

LevelName = Literal["counties", "needs", "bands", "preference", "kept", "severity"]
RoundStatus = Literal["running", "completed", "failed", "cancelled"]
FROZEN, SOLVED, DONE = 30, 80, 100
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
    """`reason` says why it failed or was cancelled."""

    id: str
    version: int
    as_of: date
    seed: int
    status: RoundStatus
    progress: int
    requested_at: datetime
    requested_by: str
    frozen_at: datetime | None = None
    snapshot_sha256: str | None = None
    result: Result | None = None
    ended_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A part of a round's snapshot; all parts in their order are its RFC 8785 bytes."""

    id: str
    round_id: str
    no: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Which round runs, and which was completed last. There is one of these, so that one round runs at a time."""

    id: str
    running: str | None
    newest: str | None


NO_ROUNDS = Rounds(id="rounds", running=None, newest=None)


def request_round(
    rounds: Rounds, *, as_of: date, seed: int, id: str, now: datetime, today: date, by: str
) -> Decision[Round]:
    """A worker will take it up."""
    if as_of > today:
        raise Invalid({"/as_of": f"lies in the future; today is {today}"})
    if rounds.running:
        raise RoundIsRunning(f"Round {rounds.running} is running.", round_id=rounds.running)
    round = Round(
        id=id, version=1, as_of=as_of, seed=seed, status="running", progress=0, requested_at=now, requested_by=by
    )
    return Decision(round, (round, replace(rounds, running=id)))


def keep_snapshot(round: Round, parts: Sequence[bytes], *, sha256: str, now: datetime) -> Decision[Round]:
    """The input is frozen: whatever comes later, this round rests on it."""
    _check_running(round)
    round = replace(round, version=round.version + 1, progress=FROZEN, frozen_at=now, snapshot_sha256=sha256)
    kept = [Snapshot(id=f"{round.id}/{no}", round_id=round.id, no=no, content=part) for no, part in enumerate(parts)]
    return Decision(round, (round, *kept))


def note_progress(round: Round, progress: int) -> Decision[Round]:
    _check_running(round)
    round = replace(round, version=round.version + 1, progress=progress)
    return Decision(round, (round,))


def complete_round(
    round: Round,
    rounds: Rounds,
    snapshot: Mapping[str, Any],
    answer: Mapping[str, Any],
    commitments: Mapping[str, Commitment],
    earlier: Sequence[Pairing],
    *,
    ids: Sequence[str],
    solve_ms: float,
    now: datetime,
) -> Decision[Round]:
    """The pairs become proposals, and what `earlier` rounds still proposed is superseded.

    `answer` is what `matching.solve` says; `commitments` are those in it as they are now, `ids` one
    for each pair. Shares go by county code.
    """
    _check_running(round)
    pairs: list[tuple[str, str]] = sorted((commitment, county) for commitment, county in answer["pairs"])
    result = _result(snapshot, answer, solve_ms)
    round = replace(round, version=round.version + 1, status="completed", progress=DONE, result=result, ended_at=now)
    saves: list[Any] = [round, replace(rounds, running=None, newest=round.id)]
    events: list[Event] = [_completed(round, result)]
    for pairing in earlier:
        ended = supersede_pairing(pairing, reason="A newer round was completed.")
        saves += ended.saves
        events += ended.events
    frozen = {one["id"]: one["version"] for one in snapshot["commitments"]}
    shares = {id: commitment.next_shares() for id, commitment in commitments.items()}
    for id, (commitment_id, county_code) in zip(ids, pairs, strict=True):
        commitment = commitments[commitment_id]
        changed = (
            commitment.is_over
            or commitment.terms_version != frozen[commitment_id]
            or commitment.is_paired_with(county_code)
        )
        units = None if changed else next(shares[commitment_id], None)
        pairing = proposed(commitment, county_code, units or 0, id=id, round_id=round.id, now=now)
        events.append(propose_event(pairing))
        if units is None:
            end = reject_pairing if commitment.is_over else supersede_pairing
            ended = end(pairing, reason="Its commitment changed while the round ran.")
            pairing = ended.state
            events += ended.events
        saves.append(pairing)
    return Decision(round, saves, events)


def fail_round(round: Round, rounds: Rounds, *, reason: str, now: datetime) -> Decision[Round]:
    """Nothing is proposed; earlier proposals stay."""
    _check_running(round)
    round = replace(round, version=round.version + 1, status="failed", reason=reason, ended_at=now)
    event = RoundFailed(round_id=round.id, reason=reason)
    return Decision(round, (round, replace(rounds, running=None)), (event,))


def cancel_round(round: Round, rounds: Rounds, *, reason: str | None, now: datetime) -> Decision[Round]:
    """A coordinator does not want to wait for it."""
    _check_running(round)
    round = replace(round, version=round.version + 1, status="cancelled", reason=reason, ended_at=now)
    return Decision(round, (round, replace(rounds, running=None)))


def check_newest(round: Round, rounds: Rounds) -> None:
    """Only what the last completed round proposes can be approved as a whole."""
    if round.status != "completed":
        raise RoundNotCompleted(f"The round is {round.status}.")
    if rounds.newest != round.id:
        raise RoundNotNewest(f"Round {rounds.newest} is newer.", round_id=rounds.newest)


def _result(snapshot: Mapping[str, Any], answer: Mapping[str, Any], solve_ms: float) -> Result:
    objective = tuple(Level(level=one["level"], value=one["value"]) for one in answer["objective"])
    values = {one.level: one.value for one in objective}
    category = {(pair["commitment"], pair["county"]): pair["category"] for pair in snapshot["pairs"]}
    new = {(county, category[commitment, county]) for commitment, county in answer["pairs"]}
    unserved = [
        need
        for need in snapshot["needs"]
        if need["slots"] and not need["live"] and (need["county"], need["category"]) not in new
    ]
    return Result(
        pairings=len(answer["pairs"]),
        counties_reached=values["counties"],
        needs_served=values["needs"],
        needs_unserved=len(unserved),
        objective=objective,
        solve_ms=solve_ms,
    )


def _completed(round: Round, result: Result) -> RoundCompleted:
    return RoundCompleted(
        round_id=round.id,
        id=round.id,
        status="completed",
        as_of=round.as_of.isoformat(),
        seed=round.seed,
        progress=round.progress,
        snapshot_sha256=str(round.snapshot_sha256),
        pairings=result.pairings,
        counties_reached=result.counties_reached,
        needs_served=result.needs_served,
        needs_unserved=result.needs_unserved,
        objective=[{"level": one.level, "value": one.value} for one in result.objective],
        solve_ms=result.solve_ms,
    )


def _check_running(round: Round) -> None:
    if round.status != "running":
        raise RoundNotRunning(f"The round is {round.status}.")
