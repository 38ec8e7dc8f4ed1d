"""Proofs that a flow is the cheapest, and the only one. They need no solver.

A flow is cheapest if and only if there are node potentials under which no residual arc has a
negative reduced cost (Ahuja, Magnanti, Orlin: Network Flows, 1993, theorem 9.3). All in integers.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from services.pairing.domain.network import Network
from services.pairing.domain.snapshot import Ints, Mask

# Following all parents costs as much as a pass or two, so not after each of them.
_PASSES_BETWEEN_CYCLE_CHECKS = 16


def potentials(network: Network, cost: Ints, *, free: Mask, flow: Ints) -> Ints | None:
    """Node potentials that prove `flow` cheapest among those equal to it off the `free` arcs, or None.

    With p the potentials, `cost + p[tail] - p[head]` is ≥ 0 where more could flow and ≤ 0 where
    something flows. None: a negative residual cycle was found, so there is a cheaper flow.
    """
    forward, backward = free & (flow < network.capacity), free & (flow > 0)
    tail = np.concatenate((network.tail[forward], network.head[backward]))
    head = np.concatenate((network.head[forward], network.tail[backward]))
    costs = np.concatenate((cost[forward], -cost[backward]))
    # Bellman-Ford from every node at once, on the arcs out of nodes that fell in the last pass.
    distance = np.zeros(len(network.supply), dtype=np.int64)
    parent = np.full(len(distance), -1)
    fell = np.ones(len(distance), dtype=bool)
    passed = 0
    while True:
        passed += 1
        arcs = np.flatnonzero(fell[tail])
        offer = distance[tail[arcs]] + costs[arcs]
        better = offer < distance[head[arcs]]
        if not better.any():
            return distance
        arcs, offer = arcs[better], offer[better]
        np.minimum.at(distance, head[arcs], offer)
        fell = np.zeros(len(distance), dtype=bool)
        fell[head[arcs]] = True
        best = arcs[offer == distance[head[arcs]]]
        parent[head[best]] = tail[best]
        if passed % _PASSES_BETWEEN_CYCLE_CHECKS == 0 and _has_cycle(parent):
            return None


def tight(network: Network, cost: Ints, potential: Ints, free: Mask) -> Mask:
    """The `free` arcs of zero reduced cost: all others carry the same in every cheapest flow."""
    return np.asarray(free & (cost + potential[network.tail] == potential[network.head]), dtype=np.bool_)


def on_residual_cycle(network: Network, *, free: Mask, flow: Ints, arcs: Ints) -> Mask:
    """Which of `arcs`, each of capacity 1, some other flow could carry otherwise, on the `free` arcs alone."""
    after: dict[int, list[int]] = {}
    forward, backward = free & (flow < network.capacity), free & (flow > 0)
    for tails, heads in (
        (network.tail[forward], network.head[forward]),
        (network.head[backward], network.tail[backward]),
    ):
        for tail, head in zip(tails.tolist(), heads.tolist(), strict=True):
            after.setdefault(tail, []).append(head)
    component = _components(after)
    ends = zip(network.tail[arcs].tolist(), network.head[arcs].tolist(), strict=True)
    return np.array([component.get(tail, -1) == component.get(head, -2) for tail, head in ends], dtype=bool)


def _has_cycle(parent: NDArray[np.int64]) -> bool:
    """A cycle of Bellman-Ford parents is a negative cycle of the network."""
    root = len(parent)
    ancestor = np.append(np.where(parent < 0, root, parent), root)
    for _ in range(root.bit_length()):
        ancestor = ancestor[ancestor]
    return bool((ancestor != root).any())


def _components(after: dict[int, list[int]]) -> dict[int, int]:
    """Strongly connected components (Tarjan 1972, without recursion): node → a number of its component."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    component: dict[int, int] = {}
    open_nodes: list[int] = []
    for start in after:
        if start in order:
            continue
        order[start] = low[start] = len(order)
        open_nodes.append(start)
        path: list[tuple[int, Iterator[int]]] = [(start, iter(after[start]))]
        while path:
            node, heads = path[-1]
            for head in heads:
                if head not in order:
                    order[head] = low[head] = len(order)
                    open_nodes.append(head)
                    path.append((head, iter(after.get(head, ()))))
                    break
                if head not in component:
                    low[node] = min(low[node], order[head])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == order[node]:
                    while True:
                        member = open_nodes.pop()
                        component[member] = node
                        if member == node:
                            break
    return component
