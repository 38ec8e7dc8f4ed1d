"""The network of a round: each allowed pair an arc, each level a value on the arcs.

    commitment → need in → need out → county → sink
        │                     └───────────────→ sink    past the county's positions, counts 1
        └─────────────────────────────────────→ sink    shares that stay open

The first unit from need in to need out counts in level 2, the first through the county in
level 1; further positions of the county take away 1, 2, … in level 3 as long as more than 1 can
be left. A pinned pair has no arc: its unit is supplied at need in.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from services.pairing.domain.snapshot import Instance, Ints, Mask

LEVELS = ("counties", "needs", "bands", "preference", "kept", "severity")
HASH_BITS = 20


@dataclass(frozen=True, kw_only=True)
class Network:
    """Arcs run from `tail` to `head` and carry 0 to `capacity`; what a node supplies is negative at a sink."""

    tail: Ints
    head: Ints
    capacity: Ints
    supply: Ints


@dataclass(frozen=True, kw_only=True)
class Model:
    """A round's network. The first `pair_arcs` arcs are the pairs not pinned; each arc has a value by level.

    Nodes: commitments, then need in, need out (one of each a need), counties, the sink.
    """

    instance: Instance
    network: Network
    values: Ints
    """One row a level."""
    pair_arcs: int
    open: slice
    first: slice
    further: slice
    into_county: slice
    past_county: slice
    position: slice
    position_county: Ints
    place: Ints

    @property
    def need_in(self) -> int:
        """The node of the first need."""
        return len(self.instance.commitments)

    @property
    def need_out(self) -> int:
        return self.need_in + len(self.instance.need_county)

    @property
    def sink(self) -> int:
        return len(self.network.supply) - 1

    def flow_of(self, chosen: Mask) -> Ints:
        """The flow whose pairs are `chosen`: what lies behind them goes the best way."""
        instance = self.instance
        flow = np.zeros(len(self.network.tail), dtype=np.int64)
        loose = chosen[~instance.pinned]
        flow[: self.pair_arcs] = loose
        given = np.bincount(instance.pair_commitment[chosen], minlength=len(instance.commitments))
        flow[self.open] = instance.open - given
        count = np.bincount(instance.pair_need[chosen], minlength=len(instance.need_county))
        flow[self.first] = np.minimum(count, self.network.capacity[self.first])
        flow[self.further] = count - flow[self.first]
        # Of a county's new pairings, highest band first, those take a position that count more there than past it.
        need = instance.pair_need[chosen]
        need = need[np.lexsort((need, -instance.band[need], instance.need_county[need]))]
        county = instance.need_county[need]
        live, rank = instance.county_live[county], ranks(county)
        takes = (instance.band[need] - live - rank > 1) | ((live == 0) & (rank == 0))
        into = np.bincount(need[takes], minlength=len(instance.need_county))
        flow[self.into_county] = into
        flow[self.past_county] = count - into
        taken = np.bincount(county[takes], minlength=len(instance.counties))
        flow[self.position] = self.place < taken[self.position_county]
        return flow

    def lots(self, counter: int) -> Ints:
        """Level 7 of a counter: 20 bits for each pair arc, out of both ids and the seed; 0 for other arcs."""
        instance, loose = self.instance, ~self.instance.pinned
        county = instance.need_county[instance.pair_need[loose]]
        found = np.zeros(len(self.network.tail), dtype=np.int64)
        found[: self.pair_arcs] = _lots(
            _hashes(instance.commitments)[instance.pair_commitment[loose]],
            _hashes(instance.counties)[county],
            f"{instance.seed}/{counter}",
        )
        return found

    def lot_of(self, commitment: int, need: int, counters: int) -> list[int]:
        """Level 7 of one pair, allowed or not, for counters 0, 1, …."""
        instance = self.instance
        ids = _hashes([instance.commitments[commitment]])
        codes = _hashes([instance.counties[instance.need_county[need]]])
        return [int(_lots(ids, codes, f"{instance.seed}/{counter}")[0]) for counter in range(counters)]


def build(instance: Instance) -> Model:
    """The network of an instance."""
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
    place = ranks(at)
    first_in_county = (place == 0) & (instance.county_live[at] == 0)

    arcs = _Arcs()
    pair = arcs.add(pair_commitment, need_in + pair_need, 1)
    left_open = arcs.add(np.arange(commitments), sink, instance.open)
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
    return Model(
        instance=instance,
        network=arcs.network(supply),
        values=values,
        pair_arcs=len(pair_commitment),
        open=left_open,
        first=first,
        further=further,
        into_county=into_county,
        past_county=past_county,
        position=position,
        position_county=at,
        place=place,
    )


def objective(instance: Instance, chosen: Mask) -> dict[str, int]:
    """The values of the levels by their definition, not by the network's."""
    need = instance.pair_need[chosen]
    served = instance.live > 0
    served[need] = True
    county = instance.need_county[need]
    order = np.lexsort((-instance.band[need], county))
    counts = np.maximum(1, instance.band[need][order] - instance.county_live[county[order]] - ranks(county[order]))
    values = (
        len(np.unique(instance.need_county[served])),
        served.sum(),
        counts.sum(),
        instance.preference[chosen].sum(),
        instance.kept[chosen].sum(),
        instance.severity[need].sum(),
    )
    return {name: int(value) for name, value in zip(LEVELS, values, strict=True)}


def ranks(group: Ints) -> Ints:
    """0, 1, 2, … within each run of equal numbers."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group))))


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


def _hashes(ids: list[str]) -> NDArray[np.uint64]:
    return np.array([int.from_bytes(sha256(id.encode()).digest()[:8]) for id in ids], dtype=np.uint64)


def _lots(ids: NDArray[np.uint64], codes: NDArray[np.uint64], salt: str) -> Ints:
    mixed = _mixed(ids ^ _mixed(codes + _hashes([salt]))) >> np.uint64(64 - HASH_BITS)
    return mixed.astype(np.int64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of splitmix64 (Steele, Lea, Flood 2014); sums wrap around."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
