"""B1: a whole round, all levels proved, beside bare solvers on the same network.

Ours is `match`: the best pairs of all seven levels, with the certificate. Beside it, each in a process
of its own and in turn; the medians count:

- OR-tools' min-cost flow, once, of a usual weighted sum of the levels: proves no level, leaves ties open;
- HiGHS' LP of level 3 alone;
- networkx' network simplex of the weighted sum.

What each of them reached stands beside: at level 3 alone nobody can be above HiGHS, in the weighted sum nobody
above the other two; ours gives way there where an earlier level wants it.

Who does not end within `PATIENCE_S` of processor time is not asked again.
"""

import asyncio
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bench.figures import Figure, Goal, Side
from bench.machine import versions_of
from bench.measuring import Bench
from bench.programme import instance
from services.pairing.domain.certificate import faults_of
from services.pairing.domain.flow import cheapest_flow
from services.pairing.domain.matching import answer_of, match
from services.pairing.domain.network import LEVELS, Model, build

SIZES = ("77x42", "1000x832", "10000x832", "100000x3000")
PATIENCE_S = 60
# As one would choose them by hand, 3000, 300, 20, 1, 1 and 1, for a severity from 0 to 1; here it is in thousandths.
WEIGHTS = (3_000_000, 300_000, 20_000, 1_000, 1_000, 1)


def ours(model: Model) -> dict[str, Any]:
    found, cpu_s = _timed(lambda: match(model))
    peak_mb = _peak_mb()
    answer, answer_s = _timed(lambda: answer_of(model, found.chosen))
    stated = [(level["level"], level["value"]) for level in answer["objective"]]
    faults, check_s = _timed(lambda: list(faults_of(model, answer["pairs"], stated, found.certificate)))
    if faults:
        raise ArithmeticError(f"the certificate does not hold: {faults}")
    value = dict(stated) | {"weighted": sum(weight * of for weight, (_, of) in zip(WEIGHTS, stated, strict=True))}
    return {"cpu_s": cpu_s, "peak_mb": peak_mb, "answer_s": answer_s, "check_s": check_s, "value": value}


def ortools(model: Model) -> dict[str, Any]:
    every_arc = np.ones(len(model.network.tail), dtype=bool)
    cost = _weighted(model)
    flow, cpu_s = _timed(
        lambda: cheapest_flow(model.network, cost, free=every_arc, flow=np.zeros_like(model.network.tail))
    )
    values = {name: int((row * flow).sum()) for name, row in zip(LEVELS, model.values, strict=True)}
    return {"cpu_s": cpu_s, "peak_mb": _peak_mb(), "value": values | {"weighted": -int((cost * flow).sum())}}


def highs(model: Model) -> dict[str, Any]:
    import highspy

    network = model.network
    arcs = len(network.tail)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = arcs, len(network.supply)
    lp.col_cost_ = -model.values[LEVELS.index("bands")].astype(float)
    lp.col_lower_, lp.col_upper_ = np.zeros(arcs), network.capacity.astype(float)
    lp.row_lower_ = lp.row_upper_ = network.supply.astype(float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.arange(0, 2 * arcs + 1, 2)
    lp.a_matrix_.index_ = np.stack((network.tail, network.head), axis=1).ravel()
    lp.a_matrix_.value_ = np.tile((1.0, -1.0), arcs)
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.passModel(lp)
    _, cpu_s = _timed(solver.run)
    bands = round(-solver.getInfo().objective_function_value)
    return {"cpu_s": cpu_s, "peak_mb": _peak_mb(), "value": {"bands": bands}}


def networkx(model: Model) -> dict[str, Any]:
    import networkx as nx

    network = model.network
    graph = nx.MultiDiGraph()
    graph.add_nodes_from((node, {"demand": -supply}) for node, supply in enumerate(network.supply.tolist()))
    columns = (network.tail, network.head, network.capacity, _weighted(model))
    arcs = zip(*(column.tolist() for column in columns), strict=True)
    graph.add_edges_from((tail, head, {"capacity": most, "weight": cost}) for tail, head, most, cost in arcs)
    (cost, _), cpu_s = _timed(lambda: nx.network_simplex(graph))
    return {"cpu_s": cpu_s, "peak_mb": _peak_mb(), "value": {"weighted": -cost}}


SIDES: dict[str, Callable[[Model], dict[str, Any]]] = {
    "ours": ours,
    "ortools": ortools,
    "highs": highs,
    "networkx": networkx,
}
PACKAGES = {"ours": ("ortools",), "ortools": ("ortools",), "highs": ("highspy",), "networkx": ("networkx",)}
Runs = dict[str, list[dict[str, Any]]]


def measured(size: str, repeats: int) -> Runs:
    """By side what its runs found; a side that did not end in time is left out."""
    found: Runs = {side: [] for side in SIDES}
    for _ in range(repeats):
        for side in list(found):
            done = subprocess.run([sys.executable, "-m", "bench.rounds", side, size], capture_output=True, text=True)
            if done.returncode == -signal.SIGXCPU:
                del found[side]
            elif done.returncode:
                raise RuntimeError(f"{side} failed: {done.stderr}")
            else:
                found[side].append(json.loads(done.stdout.splitlines()[-1]))
    return found


async def matching(bench: Bench) -> Figure:
    """B1: each size in turn."""
    goals: list[Goal] = []
    beside: list[Side] = []
    for size in SIZES[: bench.size.programmes]:
        bench.say(f"{size}: {', '.join(SIDES)}, {bench.size.repeats} times each")
        runs = await asyncio.to_thread(measured, size, bench.size.repeats)
        goals += _goals(size, runs)
        beside += _beside(size, runs)
    return Figure(
        no="B1",
        title="a full round",
        goals=goals,
        beside=beside,
        notes=[
            f"Each side's CPU seconds in a process of its own; one that needs over {PATIENCE_S} is left out. Ours: all "
            "seven levels, with the certificate; OR-tools: one min-cost flow of the weighted sum; HiGHS: level 3 alone."
        ],
    )


def _goals(size: str, runs: Runs) -> list[Goal]:
    commitments = int(size.partition("x")[0])
    bare = "bare OR-tools min-cost flow"
    cpu, memory = (
        _side(f"{size}, {what}", runs, "ours", key) for what, key in (("CPU", "cpu_s"), ("memory", "peak_mb"))
    )
    found = [Goal(ours=memory, peer=_side(bare, runs, "ortools", "peak_mb"), most=1.2)]
    if commitments < 100:
        found.insert(
            0, Goal(ours=replace(cpu, unit="ms", values=[value * 1000 for value in cpu.values]), peer=None, most=20)
        )
    if commitments >= 10_000:
        found.insert(0, Goal(ours=cpu, peer=_side(bare, runs, "ortools", "cpu_s"), most=2))
    if commitments == 10_000:
        lp = (
            _side("HiGHS LP of level 3", runs, "highs", "cpu_s") if "highs" in runs else _endless("HiGHS LP of level 3")
        )
        found.append(Goal(ours=cpu, peer=lp, most=0.1))
    return found


def _beside(size: str, runs: Runs) -> list[Side]:
    others = [
        _side(f"{size}, {side}", runs, side, "cpu_s")
        for side in ("ours", "ortools", "highs", "networkx")
        if side in runs
    ]
    parts = (("pairs named", "answer_s"), ("certificate checked", "check_s"))
    reached = [
        _side(f"{size}, {what}, {side}", runs, side, key)
        for what, key in (("level 3", "bands"), ("weighted sum of the levels", "weighted"))
        for side in runs
        if key in runs[side][0]["value"]
    ]
    return others + [_side(f"{size}, {what}", runs, "ours", key) for what, key in parts] + reached


def _side(name: str, runs: Runs, side: str, key: str) -> Side:
    unit = {"peak_mb": "MB", "bands": "", "weighted": ""}.get(key, "CPU s")
    values = [run[key] if key in run else run["value"][key] for run in runs[side]]
    return Side(name=name, version=versions_of(*PACKAGES[side]), unit=unit, values=values)


def _endless(name: str) -> Side:
    """Its ratio is a bound: it would have taken longer still."""
    return Side(name=f"{name}, not ended", version=versions_of("highspy"), unit="CPU s", values=[PATIENCE_S])


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _weighted(model: Model) -> Any:
    return sum(weight * -value for weight, value in zip(WEIGHTS, model.values, strict=True))


def main(side: str, size: str) -> None:
    model = build(instance(*map(int, size.split("x"))))
    end = round(time.process_time()) + PATIENCE_S
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
    print(json.dumps(SIDES[side](model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
