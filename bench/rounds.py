"""B1: a whole round, all levels proved, beside bare solvers on the same network.

Ours is `match`: the best pairs of all seven levels, with the certificate. Beside it, each in a process
of its own and in turn, `--repeats` times; the medians count:

- OR-tools' min-cost flow, once, of a usual weighted sum of the levels: proves no level, leaves ties open;
- HiGHS' LP of level 3 alone;
- networkx' network simplex of the weighted sum.

Who does not end within `--patience` seconds of processor time is not asked again.

Usage: python -m bench.rounds [--sizes 77x42 …] [--repeats 5] [--patience 60]
"""

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.programme import instance
from services.pairing.domain.certificate import faults_of
from services.pairing.domain.flow import cheapest_flow
from services.pairing.domain.matching import answer_of, match
from services.pairing.domain.network import LEVELS, Model, build

SIZES = ("77x42", "1000x832", "10000x832", "100000x3000")
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
    return {"cpu_s": cpu_s, "peak_mb": peak_mb, "answer_s": answer_s, "check_s": check_s, "value": dict(stated)}


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
Runs = dict[str, list[dict[str, Any]]]


def measured(size: str, repeats: int, patience_s: int) -> Runs:
    """By side what its runs found; a side that did not end in time is left out."""
    found: Runs = {side: [] for side in SIDES}
    for _ in range(repeats):
        for side in list(found):
            command = [sys.executable, "-m", "bench.rounds", "--side", side, "--sizes", size]
            done = subprocess.run([*command, "--patience", str(patience_s)], capture_output=True, text=True)
            if done.returncode == -signal.SIGXCPU:
                del found[side]
            elif done.returncode:
                raise RuntimeError(f"{side} failed: {done.stderr}")
            else:
                found[side].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def told(size: str, runs: Runs, patience_s: int) -> list[str]:
    """The medians, and each goal with what was reached."""
    commitments = int(size.partition("x")[0])
    lines = [f"{size}: {runs['ours'][0]['arcs']} arcs"]
    for side in SIDES:
        if side in runs:
            value = ", ".join(f"{name} {number}" for name, number in runs[side][0]["value"].items())
            cpu_s, peak_mb = _median(runs, side, "cpu_s"), _median(runs, side, "peak_mb")
            lines.append(f"  {side:<9} {cpu_s:9.3f} CPU s  {peak_mb:6.0f} MB  {value}")
        else:
            lines.append(f"  {side:<9} did not end within {patience_s} CPU s")
    named, checked = (_median(runs, "ours", key) for key in ("answer_s", "check_s"))
    lines.append(f"  beside: pairs named in {named:.3f} CPU s, certificate checked in {checked:.3f} CPU s")
    cpu, memory = (_median(runs, "ours", key) / _median(runs, "ortools", key) for key in ("cpu_s", "peak_mb"))
    if commitments < 100:
        lines.append(_goal("ours, ms", _median(runs, "ours", "cpu_s") * 1000, most=20))
    lines.append(_goal("CPU, ours / OR-tools bare", cpu, most=2 if commitments >= 10_000 else None))
    lines.append(_goal("memory, ours / OR-tools bare", memory, most=1.2))
    highs_s = _median(runs, "highs", "cpu_s") if "highs" in runs else patience_s
    what = f"CPU, HiGHS of level 3 / ours of all{'' if 'highs' in runs else ', more than'}"
    least = 10 if commitments == 10_000 else None
    lines.append(_goal(what, highs_s / _median(runs, "ours", "cpu_s"), least=least))
    return lines


def _goal(what: str, value: float, *, least: float | None = None, most: float | None = None) -> str:
    if least is most is None:
        return f"  {what}: {value:.2f}"
    reached = (least is None or value >= least) and (most is None or value <= most)
    limit = f"≤ {most}" if least is None else f"≥ {least}"
    return f"  {what}: {value:.2f} (goal {limit}: {'reached' if reached else 'NOT REACHED'})"


def _median(runs: Runs, side: str, key: str) -> float:
    return statistics.median(run[key] for run in runs[side])


def say(lines: str) -> None:
    sys.stdout.write(f"{lines}\n")
    sys.stdout.flush()


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _weighted(model: Model) -> Any:
    return sum(weight * -value for weight, value in zip(WEIGHTS, model.values, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--patience", type=int, default=60)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        model = build(instance(*map(int, asked.sizes[0].split("x"))))
        end = round(time.process_time()) + asked.patience
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
        say(json.dumps(SIDES[asked.side](model) | {"arcs": len(model.network.tail)}))
        return
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ortools", "highspy", "networkx"))
    say(f"B1 · {versions} · Python {platform.python_version()} · {platform.machine()}, {os.cpu_count()} cores")
    for size in asked.sizes:
        say("\n".join(told(size, measured(size, asked.repeats, asked.patience), asked.patience)))


if __name__ == "__main__":
    main()
