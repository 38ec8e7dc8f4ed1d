"""Figures as JSON under bench/results/, and as one table there and in README."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure, Goal, Side

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
_MARKED = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


def keep(figure: Figure, machine: Mapping[str, str], versions: Mapping[str, str]) -> None:
    """Writes a figure's JSON; nothing in it tells the day or the place."""
    RESULTS.mkdir(exist_ok=True)
    for name, text in figure.profile.items():
        (RESULTS / name).write_text(text)
    body = {
        "figure": figure.no,
        "title": figure.title,
        "reached": figure.reached,
        "goals": [_goal(goal) for goal in figure.goals],
        "beside": [_side(side) for side in figure.beside],
        "notes": list(figure.notes),
        "profiles": sorted(figure.profile),
        "machine": dict(machine),
        "versions": dict(versions),
    }
    (RESULTS / f"{figure.no}.json").write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def table() -> str:
    """Markdown of all figures that are kept, and on what they were measured."""
    kept = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"), key=_place)]
    lines = ["| | what | ours | peer | ratio | goal | reached |", "|---|---|---|---|---|---|---|"]
    lines += [_row(figure, goal) for figure in kept for goal in figure["goals"]]
    return "\n".join([*lines, "", *_machines(kept)]) + "\n"


def publish() -> None:
    """Puts the table into bench/results/README.md and between README's marks."""
    found = table()
    (RESULTS / "README.md").write_text(
        "# Figures\n\nMade by `make bench`.\n\n" + found.replace("](bench/results/", "](")
    )
    readme = README.read_text("utf-8")
    README.write_text(_MARKED.sub(lambda marks: marks.group(1) + found + marks.group(2), readme), "utf-8")


def sentence(figure: Figure) -> str:
    """One figure for the terminal."""
    parts = []
    for goal in figure.goals:
        against = f" against {goal.peer.median:,.4g} ({goal.peer.name}), ratio {goal.value:.2f}" if goal.peer else ""
        verdict = "reached" if goal.reached else "NOT REACHED"
        parts.append(f"{goal.ours.name} {goal.ours.median:,.4g} {goal.ours.unit}{against}; {_limit(goal)}: {verdict}")
    parts += [f"beside: {side.name} {side.median:,.4g} {side.unit}" for side in figure.beside]
    return f"{figure.no} {figure.title}\n" + "\n".join(f"   {part}" for part in [*parts, *figure.notes])


def _row(figure: Mapping[str, Any], goal: Mapping[str, Any]) -> str:
    ours, peer = goal["ours"], goal["peer"]
    cells = [
        figure["figure"],
        f"{figure['title']}: {ours['name']}",
        _shown(ours),
        f"{_shown(peer)}: {peer['name']}, {peer['version']}" if peer else "",
        f"{goal['value']:.2f}" if peer else "",
        goal["goal"],
        _verdict(figure, goal),
    ]
    return f"| {' | '.join(cells)} |"


def _goal(goal: Goal) -> dict[str, Any]:
    return {
        "goal": _limit(goal),
        "value": round(goal.value, 4),
        "reached": goal.reached,
        "ours": _side(goal.ours),
        "peer": _side(goal.peer) if goal.peer else None,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "version": side.version,
        "unit": side.unit,
        "median": round(side.median, 3),
        "values": [round(value, 3) for value in side.values],
        "repeats": len(side.values),
        "cpu_us": None if side.cpu_us is None else round(side.cpu_us, 1),
    }


def _limit(goal: Goal) -> str:
    sign, limit = ("≥", goal.least) if goal.least is not None else ("≤", goal.most)
    return f"{sign}{limit:g} ×" if goal.peer else f"{sign}{limit:g} {goal.ours.unit}"


def _shown(side: Mapping[str, Any]) -> str:
    return f"{side['median']:,.4g} {side['unit']}" if side["median"] < 1000 else f"{side['median']:,.0f} {side['unit']}"


def _verdict(figure: Mapping[str, Any], goal: Mapping[str, Any]) -> str:
    if goal["reached"]:
        return "yes"
    links = ", ".join(f"[profile](bench/results/{name})" for name in figure["profiles"])
    return f"**no** ({links})" if links else "**no**"


def _machines(kept: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each machine and set of versions; most often there is one."""
    found: dict[str, list[str]] = {}
    for figure in kept:
        both = [*figure["machine"].items(), *figure["versions"].items()]
        found.setdefault(", ".join(f"{name} {value}" for name, value in both), []).append(figure["figure"])
    return [f"{', '.join(figures)}: {on}." for on, figures in found.items()]


def _place(path: Path) -> tuple[bool, int, str]:
    """B2 before B10, and those without a number last."""
    number = path.stem.removeprefix("B")
    return (not number.isdigit(), int(number) if number.isdigit() else 0, path.stem)
