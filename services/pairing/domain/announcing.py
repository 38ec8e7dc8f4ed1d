"""The end of a round: its plan is settled, then told pair by pair, then shown.

A plan may have more pairs than one transaction takes. Once it is settled the round goes to its end,
whoever runs it: `announced` says how far it has come. Until it is completed nobody sees its proposals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.envelope import Event
from schemas.pairings import RoundCompleted
from services.kit.decision import Decision
from services.pairing.domain.commitment import Commitment
from services.pairing.domain.pairing import Pairing, propose_event, proposed, reject_pairing, supersede_pairing
from services.pairing.domain.refusals import RoundNotRunning
from services.pairing.domain.round import DONE, SOLVED, Part, Result, Round, Rounds


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A pair of a plan, and the version of the commitment's terms that it rests on."""

    commitment_id: str
    county_code: str
    terms_version: int


def settle_round(round: Round, rounds: Rounds, result: Result, parts: Sequence[Part]) -> Decision[Round]:
    """From now on its plan is the newest; what earlier rounds still propose cannot be approved any more."""
    if round.status != "running" or round.result:
        raise RoundNotRunning(f"The round is {round.status}.")
    round = replace(round, version=round.version + 1, progress=SOLVED, result=result)
    return Decision(round, (round, replace(rounds, newest=round.id), *parts))


def next_planned(round: Round, plan: Sequence[Planned], most: int) -> Sequence[Planned]:
    """About `most` pairs that are not announced yet, all of a commitment's at once, since they share it out."""
    end = min(round.announced + most, len(plan))
    while end < len(plan) and plan[end].commitment_id == plan[end - 1].commitment_id:
        end += 1
    return plan[round.announced : end]


def announce_pairs(
    round: Round,
    planned: Sequence[Planned],
    commitments: Mapping[str, Commitment],
    *,
    of: int,
    ids: Sequence[str],
    now: datetime,
) -> Decision[Round]:
    """The next of a plan's `of` pairs become proposals. Shares go by county code, in which pairs are sorted."""
    saves: list[Any] = []
    events: list[Event] = []
    shares = {id: commitment.next_shares() for id, commitment in commitments.items()}
    for id, pair in zip(ids, planned, strict=True):
        commitment = commitments[pair.commitment_id]
        has_changed = (
            commitment.is_over
            or commitment.terms_version != pair.terms_version
            or commitment.is_paired_with(pair.county_code)
        )
        units = None if has_changed else next(shares[pair.commitment_id], None)
        pairing = proposed(commitment, pair.county_code, units or 0, id=id, round_id=round.id, now=now)
        events.append(propose_event(pairing))
        if units is None:
            end = reject_pairing if commitment.is_over else supersede_pairing
            ended = end(pairing, reason="Its commitment changed while the round ran.")
            pairing = ended.state
            events += ended.events
        saves.append(pairing)
    announced = round.announced + len(planned)
    progress = SOLVED + (DONE - 1 - SOLVED) * announced // of
    round = replace(round, version=round.version + 1, announced=announced, progress=progress)
    return Decision(round, (round, *saves), events)


def supersede_earlier(earlier: Sequence[Pairing]) -> Decision[None]:
    """What earlier rounds still propose."""
    ended = [supersede_pairing(pairing, reason="A newer round was completed.") for pairing in earlier]
    saves = [state for one in ended for state in one.saves]
    return Decision(None, saves, [event for one in ended for event in one.events])


def complete_round(round: Round, rounds: Rounds, result: Result, *, now: datetime) -> Decision[Round]:
    """All is told: its proposals show."""
    round = replace(round, version=round.version + 1, status="completed", progress=DONE, ended_at=now)
    event = RoundCompleted(
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
    return Decision(round, (round, replace(rounds, running=None)), (event,))
