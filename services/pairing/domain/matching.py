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

Each level is a min-cost flow in whole units on one network:

    commitment → need in → need out → county → sink
        │                     └───────────────→ sink    past the county's positions, counts 1
        └─────────────────────────────────────→ sink    shares that stay open

The first unit from need in to need out counts in level 2, the first through the county in
level 1; further positions of the county take away 1, 2, … in level 3 as long as more than 1 can
be left. A pinned pair has no arc: its unit is supplied at need in.

One solve of all levels with small weights guesses the flow. Nothing rests on the guess: each
level is proved by potentials, or solved alone; then only arcs of zero reduced cost stay free for
the next level. At last the free arcs show whether any other pairs are as good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.pairing.domain.flow import (
    Ints,
    Mask,
    Network,
    cheapest_flow,
    on_residual_cycle,
    potentials,
    tight,
)
from services.pairing.domain.snapshot import Instance, PinsDoNotFit, read_snapshot

__all__ = ["LEVELS", "PinsDoNotFit", "best_pairs", "objective", "solve"]

LEVELS = ("counties", "needs", "bands", "preference", "kept", "severity")
_GUESSED_WEIGHTS = (2**24, 2**20, 2**16, 2**13, 2**11, 1)
_HASH_BITS = 20


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
    instance = read_snapshot(snapshot)
    chosen = best_pairs(instance)
    pairs = zip(instance.pair_commitment[chosen].tolist(), instance.pair_need[chosen].tolist(), strict=True)
    counties = instance.need_county.tolist()
    return {
        "objective": [{"level": name, "value": value} for name, value in objective(instance, chosen).items()],
        "pairs": sorted([instance.commitments[i], instance.counties[counties[j]]] for i, j in pairs),
    }


def best_pairs(instance: Instance) -> Mask:
    """Which of the instance's pairs are the best: the only ones that are."""
    model = _model(instance)
    network = model.network
    free = np.ones(len(network.tail), dtype=bool)
    guess = sum(weight * -value for weight, value in zip(_GUESSED_WEIGHTS, model.values, strict=True))
    flow = cheapest_flow(network, np.asarray(guess), free=free, flow=np.zeros(len(free), dtype=np.int64))
    for value in model.values:
        flow, free = _settle(network, -value, free=free, flow=flow)
    ids = _hashes(instance.commitments)[model.pair_commitment]
    for counter in count():
        loose = np.flatnonzero(free[: model.pair_arcs])
        if not on_residual_cycle(network, free=free, flow=flow, arcs=loose).any():
            break
        tie_break = np.zeros(len(free), dtype=np.int64)
        salted = _mixed(_hashes(instance.counties) + _hashes([f"{instance.seed}/{counter}"]))
        tie_break[: model.pair_arcs] = _mixed(ids ^ salted[model.pair_county]) >> np.uint64(64 - _HASH_BITS)
        flow, free = _settle(network, -tie_break, free=free, flow=flow)
    chosen = instance.pinned.copy()
    chosen[~instance.pinned] = flow[: model.pair_arcs] == 1
    return chosen


def objective(instance: Instance, chosen: Mask) -> dict[str, int]:
    """The values of the levels by their definition, not by the network's."""
    need = instance.pair_need[chosen]
    served = instance.live > 0
    served[need] = True
    county = instance.need_county[need]
    order = np.lexsort((-instance.band[need], county))
    starts = np.flatnonzero(np.diff(county[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    counts = np.maximum(1, instance.band[need][order] - instance.county_live[county[order]] - rank)
    values = (
        len(np.unique(instance.need_county[served])),
        served.sum(),
        counts.sum(),
        instance.preference[chosen].sum(),
        instance.kept[chosen].sum(),
        instance.severity[need].sum(),
    )
    return {name: int(value) for name, value in zip(LEVELS, values, strict=True)}


@dataclass(frozen=True, kw_only=True)
class _Model:
    """The network, whose first `pair_arcs` arcs are the pairs not pinned, and each arc's value by level."""

    network: Network
    values: tuple[Ints, ...]
    pair_arcs: int
    pair_commitment: Ints
    pair_county: Ints


def _model(instance: Instance) -> _Model:
    loose = ~instance.pinned
    pair_commitment, pair_need = instance.pair_commitment[loose], instance.pair_need[loose]
    commitments, needs, counties = len(instance.commitments), len(instance.need_county), len(instance.counties)
    need_in, need_out, county, sink = np.cumsum((commitments, needs, needs, counties)).tolist()
    open_slots = np.maximum(0, instance.slots - instance.live)
    is_new = instance.live == 0
    every_need, need_county = np.arange(needs), county + instance.need_county
    # Positions of county c are worth -live - t for t = 0, 1, …: as many as can leave more than 1 of its
    # highest band, and the first in any case where no pairing is live, since it counts in level 1.
    highest = np.zeros(counties, dtype=np.int64)
    np.maximum.at(highest, instance.need_county, instance.band)
    positions = np.maximum(highest - instance.county_live - 1, instance.county_live == 0)
    at = np.repeat(np.arange(counties), positions)
    place = np.arange(len(at)) - np.repeat(np.cumsum(positions) - positions, positions)
    first_in_county = (place == 0) & (instance.county_live[at] == 0)

    arcs = _Arcs()
    pair = arcs.add(pair_commitment, need_in + pair_need, 1)
    arcs.add(np.arange(commitments), sink, instance.open)
    first = arcs.add(need_in + every_need, need_out + every_need, np.minimum(open_slots, is_new))
    further = arcs.add(need_in + every_need, need_out + every_need, np.maximum(0, open_slots - is_new))
    into_county = arcs.add(need_out + every_need, need_county, open_slots)
    past_county = arcs.add(need_out + every_need, sink, open_slots)
    position = arcs.add(county + at, sink, 1)
    supply = np.zeros(sink + 1, dtype=np.int64)
    supply[:commitments] = instance.open
    np.subtract.at(supply, instance.pair_commitment[instance.pinned], 1)
    np.add.at(supply, need_in + instance.pair_need[instance.pinned], 1)
    supply[sink] = -supply.sum()

    values = np.zeros((len(LEVELS), arcs.total), dtype=np.int64)
    of_counties, of_needs, of_bands, of_preference, of_kept, of_severity = values
    of_counties[position] = first_in_county
    of_needs[first] = 1
    of_bands[into_county] = instance.band
    of_bands[past_county] = 1
    of_bands[position] = -instance.county_live[at] - place
    of_preference[pair] = instance.preference[loose]
    of_kept[pair] = instance.kept[loose]
    of_severity[first] = of_severity[further] = instance.severity
    return _Model(
        network=arcs.network(supply),
        values=tuple(values),
        pair_arcs=len(pair_commitment),
        pair_commitment=pair_commitment,
        pair_county=instance.need_county[pair_need],
    )


class _Arcs:
    def __init__(self) -> None:
        self.total = 0
        self._groups: list[tuple[Ints, ...]] = []

    def add(self, tail: Ints, head: Ints | int, capacity: Ints | int) -> slice:
        """Adds a group of arcs and answers where they stand among all."""
        self._groups.append(tuple(np.broadcast_arrays(tail, head, capacity)))
        self.total += len(tail)
        return slice(self.total - len(tail), self.total)

    def network(self, supply: Ints) -> Network:
        tail, head, capacity = (np.concatenate(column) for column in zip(*self._groups, strict=True))
        return Network(tail=tail, head=head, capacity=capacity, supply=supply)


def _settle(network: Network, cost: Ints, *, free: Mask, flow: Ints) -> tuple[Ints, Mask]:
    """The cheapest flow at one level, and the arcs that are free for the levels after it."""
    if not cost[free].any():
        return flow, free
    proof = potentials(network, cost, free=free, flow=flow)
    if proof is None:
        flow = cheapest_flow(network, cost, free=free, flow=flow)
        proof = potentials(network, cost, free=free, flow=flow)
        if proof is None:
            raise ArithmeticError("the flow solver's answer is not the cheapest flow")
    return flow, tight(network, cost, proof, free)


def _hashes(ids: list[str]) -> NDArray[np.uint64]:
    return np.array([int.from_bytes(sha256(id.encode()).digest()[:8]) for id in ids], dtype=np.uint64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of splitmix64 (Steele, Lea, Flood 2014); sums wrap around."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
