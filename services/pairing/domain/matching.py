"""Who is paired with whom: the best pairs of a frozen snapshot, always the same ones.

The pairs are the greatest in level 1, among those the greatest in level 2, and so on:

 1. counties   counties with a live or new pairing
 2. needs      (county, category) needs with a live or new pairing
 3. bands      in each county its new pairings, highest band first, count
               max(1, band - live - (k - 1)) for k = 1, 2, …; live = the county's live pairings
 4. preference the sum of the pairs' preferences (county 2, province 1)
 5. kept       pairs that the last completed round proposed too
 6. severity   the sum of the needs' severities in thousandths
 7. a 20-bit hash of both ids, the seed and a counter, which rises until no other pairs are as good

Each level is a min-cost flow in whole units on one network (`network`). One solve of levels 1 to 5
with small weights guesses the flow. Nothing rests on the guess: each level is proved by potentials, or
solved alone; then only arcs of zero reduced cost stay free for the next level. At last the free
arcs show whether any other pairs are as good. The potentials are the certificate (`certificate`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from services.pairing.domain.certificate import Certificate
from services.pairing.domain.flow import cheapest_flow
from services.pairing.domain.network import LEVELS, Model, Network, build, objective
from services.pairing.domain.proof import on_residual_cycle, potentials, tight
from services.pairing.domain.snapshot import Ints, Mask, PinsDoNotFit, read_snapshot

__all__ = ["LEVELS", "Match", "PinsDoNotFit", "answer_of", "match", "solve"]

# The solver's time grows with the range of the costs: severity, in thousandths, is dearer in the guess than alone.
_GUESSED_WEIGHTS = (2**13, 2**9, 2**5, 2**3, 1, 0)


@dataclass(frozen=True, kw_only=True)
class Match:
    """Which of the instance's pairs are the best, and the proof."""

    chosen: Mask
    certificate: Certificate


def solve(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """The best pairs of a snapshot, and what they are worth; the same for any order of the input.

    `snapshot`: {`seed`, `commitments` [`id`, `open`], `needs` [`county`, `category`, `slots`,
    `band`, `severity`, `live`], `pairs` [`commitment`, `county`, `category`, `preference`, `kept`,
    `pinned`]}; other fields are ignored. Answers {`objective` [`level`, `value`], `pairs`
    [[commitment, county]]}, sorted.

    Raises:
        ValueError: it is no sound snapshot; the message says where, in one line.
        PinsDoNotFit: there are more pins than open shares or slots.
    """
    model = build(read_snapshot(snapshot))
    return answer_of(model, match(model).chosen)


def answer_of(model: Model, chosen: Mask) -> dict[str, Any]:
    """Pairs and levels as `solve` answers them."""
    instance = model.instance
    pairs = zip(instance.pair_commitment[chosen].tolist(), instance.pair_need[chosen].tolist(), strict=True)
    counties = instance.need_county.tolist()
    return {
        "objective": [{"level": name, "value": value} for name, value in objective(instance, chosen).items()],
        "pairs": sorted([instance.commitments[i], instance.counties[counties[j]]] for i, j in pairs),
    }


def match(model: Model, note: Callable[[float], None] = lambda part: None) -> Match:
    """The best pairs, which are the only best ones. `note` hears how much is done, from 0 to 1."""
    network = model.network
    free = np.ones(len(network.tail), dtype=bool)
    guess = sum(weight * -value for weight, value in zip(_GUESSED_WEIGHTS, model.values, strict=True))
    flow = cheapest_flow(network, np.asarray(guess), free=free, flow=np.zeros(len(free), dtype=np.int64))
    proofs = []
    for no, value in enumerate(model.values):
        note((no + 2) / (len(LEVELS) + 3))
        flow, free, proof = _settle(network, -value, free=free, flow=flow)
        proofs.append(proof)
    for counter in count():
        loose = np.flatnonzero(free[: model.pair_arcs])
        only = not on_residual_cycle(network, free=free, flow=flow, arcs=loose).any()
        # One counter more than the choice needs is proved: an explanation asks what would be chosen
        # if this choice were barred, and must not meet a tie either.
        flow, free, proof = _settle(network, -model.lots(counter), free=free, flow=flow)
        proofs.append(proof)
        if only:
            break
    chosen = model.instance.pinned.copy()
    chosen[~model.instance.pinned] = flow[: model.pair_arcs] == 1
    return Match(chosen=chosen, certificate=Certificate(potentials=np.stack(proofs)))


def _settle(network: Network, cost: Ints, *, free: Mask, flow: Ints) -> tuple[Ints, Mask, Ints]:
    """The cheapest flow at one level, the arcs that are free for the levels after it, and its proof."""
    if not cost[free].any():
        return flow, free, np.zeros(len(network.supply), dtype=np.int64)
    proof = potentials(network, cost, free=free, flow=flow)
    if proof is None:
        flow = cheapest_flow(network, cost, free=free, flow=flow)
        proof = potentials(network, cost, free=free, flow=flow)
        if proof is None:
            raise ArithmeticError("the flow solver's answer is not the cheapest flow")
    return flow, tight(network, cost, proof, free), proof
