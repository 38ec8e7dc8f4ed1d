"""What would change if one thing were otherwise: one shortest path in what the best flow leaves over.

With the potentials of the certificate every residual arc has a vector of reduced costs that is
lexicographically ≥ 0. So Dijkstra's algorithm finds the cheapest way to make up for a change, exactly,
level by level, without solving anything anew (successive shortest paths; Ahuja, Magnanti, Orlin,
chapter 9.7).
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from services.pairing.domain.certificate import Certificate, costs
from services.pairing.domain.network import LEVELS, Model
from services.pairing.domain.snapshot import Ints, Mask

# A vector is packed into one whole number, 64 bits a level, so that comparing numbers compares vectors.
_BITS = 64


@dataclass(frozen=True, kw_only=True)
class Move:
    """A commitment goes to another county: from `was` (None: a share that was open) to `now` (None: left open)."""

    commitment: int
    was: int | None
    now: int | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """`gain` by level, the named ones first, then the hashes; `moves` turn the round's pairs into the best others."""

    gain: tuple[int, ...]
    moves: tuple[Move, ...]

    @property
    def is_better(self) -> bool:
        return self.gain > (0,) * len(self.gain)


@dataclass(frozen=True, kw_only=True)
class _Graph:
    """The residual arcs, sorted by their tails: those of node n are `starts[n]` up to `starts[n + 1]`.

    `arcs` are their numbers in the network, `signs` -1 where one takes flow back; `reduced` and
    `potentials` are packed vectors.
    """

    costs: Ints
    arcs: Ints
    signs: Ints
    heads: list[int]
    starts: list[int]
    reduced: list[int]
    potentials: list[int]

    @classmethod
    def of(cls, model: Model, chosen: Mask, certificate: Certificate) -> "_Graph":
        network, flow = model.network, model.flow_of(chosen)
        forward, backward = np.flatnonzero(flow < network.capacity), np.flatnonzero(flow > 0)
        tail = np.concatenate((network.tail[forward], network.head[backward]))
        head = np.concatenate((network.head[forward], network.tail[backward]))
        arcs = np.concatenate((forward, backward))
        signs = np.concatenate((np.ones(len(forward), dtype=np.int64), np.full(len(backward), -1)))
        order = np.argsort(tail, kind="stable")
        arcs, signs = arcs[order], signs[order]
        every_cost = costs(model, len(certificate.potentials))
        reduced = every_cost + certificate.potentials[:, network.tail] - certificate.potentials[:, network.head]
        return cls(
            costs=every_cost,
            arcs=arcs,
            signs=signs,
            heads=head[order].tolist(),
            starts=np.searchsorted(tail[order], np.arange(len(network.supply) + 1)).tolist(),
            reduced=_packed(reduced[:, arcs] * signs).tolist(),
            potentials=_packed(certificate.potentials).tolist(),
        )


class Residual:
    """Of the best pairs of one round; answers any number of questions about them."""

    def __init__(self, model: Model, chosen: Mask, certificate: Certificate) -> None:
        self.model = model
        self.chosen = chosen
        self._certificate = certificate

    @cached_property
    def _graph(self) -> "_Graph":
        # Only when the first question comes: of a big round it takes a gigabyte.
        return _Graph.of(self.model, self.chosen, self._certificate)

    def without(self, commitment: int, need: int, pair: int) -> Change:
        """The best if one of the round's pairs must not be. `pair` is its number in the instance."""
        path = self._path(commitment, self.model.need_in + need)
        assert path is not None, "a share can always stay open"
        loss = [a - b for a, b in zip(self._cost(path), self._pair_cost(pair), strict=True)]
        return self._change(loss, path, (Move(commitment=commitment, was=need, now=None),))

    def forced(self, need: int) -> Change | None:
        """The best if an unserved need must be served; None: nobody can."""
        start, goal = self.model.need_out + need, self.model.need_in + need
        path = self._path(start, goal)
        if path is None:
            return None
        first = self._graph.costs[:, self.model.first][:, need].tolist()
        loss = [a + b for a, b in zip(self._cost(path), first, strict=True)]
        return self._change(loss, path, ())

    def with_pair(self, commitment: int, need: int, *, preference: int, kept: bool) -> Change | None:
        """The best with this pair, allowed or not, whether better than the round or not; None: no share of it can."""
        path = self._path(self.model.need_in + need, commitment)
        if path is None:
            return None
        cost = self._cost(path)
        cost[LEVELS.index("preference")] -= preference
        cost[LEVELS.index("kept")] -= int(kept)
        lots = self.model.lot_of(commitment, need, len(cost) - len(LEVELS))
        loss = [*cost[: len(LEVELS)], *(a - b for a, b in zip(cost[len(LEVELS) :], lots, strict=True))]
        return self._change(loss, path, (Move(commitment=commitment, was=None, now=need),))

    def best_of(self, need: int, commitments: Iterable[int]) -> list[int]:
        """Those of `commitments` that can get to an unserved need at all, the cheapest way first."""
        start = self.model.need_in + need
        distance = self._distances(start, None)[0]
        reached = [(distance[one] + self._graph.potentials[one], one) for one in commitments if one in distance]
        return [one for _, one in sorted(reached)]

    def _path(self, start: int, goal: int) -> list[int] | None:
        """Numbers of residual arcs."""
        reached, came_by = self._distances(start, goal)
        if goal not in reached:
            return None
        path, node = [], goal
        while node != start:
            arc, node = came_by[node]
            path.append(arc)
        return path[::-1]

    def _distances(self, start: int, goal: int | None) -> tuple[dict[int, int], dict[int, tuple[int, int]]]:
        """Dijkstra from `start`, up to `goal` or everywhere: distances, and by which arc from where."""
        graph = self._graph
        done: dict[int, int] = {}
        best = {start: 0}
        came_by: dict[int, tuple[int, int]] = {}
        queue = [(0, start)]
        while queue:
            distance, node = heapq.heappop(queue)
            if node in done:
                continue
            done[node] = distance
            if node == goal:
                break
            for arc in range(graph.starts[node], graph.starts[node + 1]):
                head = graph.heads[arc]
                if head not in done:
                    offer = distance + graph.reduced[arc]
                    if head not in best or offer < best[head]:
                        best[head] = offer
                        came_by[head] = (arc, node)
                        heapq.heappush(queue, (offer, head))
        return done, came_by

    def _cost(self, path: list[int]) -> list[int]:
        """By level, from the arcs themselves: digits of a packed number could not be told apart."""
        graph = self._graph
        return (graph.costs[:, graph.arcs[path]] * graph.signs[path]).sum(axis=1).tolist()  # type: ignore[no-any-return]

    def _pair_cost(self, pair: int) -> list[int]:
        instance = self.model.instance
        commitment, need = int(instance.pair_commitment[pair]), int(instance.pair_need[pair])
        named = [0] * len(LEVELS)
        named[LEVELS.index("preference")] = -int(instance.preference[pair])
        named[LEVELS.index("kept")] = -int(instance.kept[pair])
        lots = self.model.lot_of(commitment, need, len(self._graph.costs) - len(LEVELS))
        return named + [-lot for lot in lots]

    def _change(self, loss: list[int], path: list[int], own: tuple[Move, ...]) -> Change:
        network, model, graph = self.model.network, self.model, self._graph
        came: dict[int, Any] = {move.commitment: move.now for move in own if move.now is not None}
        went: dict[int, Any] = {move.commitment: move.was for move in own if move.was is not None}
        for arc, sign in zip(graph.arcs[path].tolist(), graph.signs[path].tolist(), strict=True):
            if arc < model.pair_arcs:
                commitment, need = int(network.tail[arc]), int(network.head[arc]) - model.need_in
                (came if sign > 0 else went)[commitment] = need
        moves = [Move(commitment=one, was=went.get(one), now=came.get(one)) for one in {**went, **came}]
        return Change(gain=tuple(-one for one in loss), moves=tuple(moves))


def _packed(vectors: Ints) -> Any:
    """One Python number a column."""
    packed = vectors[0].astype(object)
    for row in vectors[1:]:
        packed = (packed << _BITS) + row.astype(object)
    return packed
