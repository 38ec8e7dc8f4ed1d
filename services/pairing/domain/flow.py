"""Min-cost flow in whole units, by OR-tools. Nothing rests on its answers: `proof` proves them."""

import numpy as np
from ortools.graph.python import min_cost_flow

from services.pairing.domain.network import Network
from services.pairing.domain.snapshot import Ints, Mask


def cheapest_flow(network: Network, cost: Ints, *, free: Mask, flow: Ints) -> Ints:
    """The cheapest flow that agrees with `flow` on all arcs that are not `free`.

    Raises:
        ArithmeticError: the supplies cannot be met, or a cost is beyond what OR-tools takes.
    """
    arcs = np.flatnonzero(free)
    left = network.supply.copy()
    np.subtract.at(left, network.tail[~free], flow[~free])
    np.add.at(left, network.head[~free], flow[~free])
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(
        network.tail[arcs], network.head[arcs], network.capacity[arcs], cost[arcs]
    )
    solver.set_nodes_supplies(np.arange(len(left)), left)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise ArithmeticError(f"the flow solver answered {status}")
    found = flow.copy()
    found[arcs] = solver.flows(np.arange(len(arcs)))
    return found
