"""`make bench` works: its short form, and what becomes of a figure."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from bench import report
from bench.figures import Figure, Goal, Side
from bench.history import EVENTS, PROJECTS, history
from services.notify.domain import PROGRAMME, Tally, fold, keys

ROOT = Path(__file__).parents[2]


def side(name: str, *values: float, unit: str = "events/s") -> Side:
    return Side(name=name, version="1.2", unit=unit, values=values)


@pytest.mark.timeout(600)
def test_the_short_form_measures_both_sides_of_each_figure(kafka: str, mongodb: str) -> None:
    """One of those that read topics and one of those that ask an API; the others are made of the same parts."""
    figures = ("B3", "B4")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short", *figures],
        cwd=ROOT,
        env=os.environ | {"JIEDUI_TEST_KAFKA": kafka, "JIEDUI_TEST_MONGODB": mongodb},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for figure in figures:
        told = done.stdout.partition(f"\n{figure} ")[2]
        assert "ratio" in told, done.stdout


def test_a_side_that_fails_is_told_and_ends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short", "B3"],
        cwd=ROOT,
        env=os.environ
        | {"JIEDUI_TEST_KAFKA": "127.0.0.1:1", "JIEDUI_TEST_MONGODB": "mongodb://127.0.0.1:1/?timeoutMS=100"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "bench: " in done.stderr


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal(ours=side("ours", 9, 20, 30), peer=side("peer", 10, 10, 11), least=2), True),
        (Goal(ours=side("ours", 9, 19, 30), peer=side("peer", 10, 10, 11), least=2), False),
        (Goal(ours=side("ours", 3, 6, 9, unit="ms"), peer=side("peer", 2, 2, 2, unit="ms"), most=3), True),
        (Goal(ours=side("ours", 21, unit="s"), peer=None, most=20), False),
    ],
)
def test_a_goal_is_held_against_the_ratio_of_the_medians(goal: Goal, reached: bool) -> None:
    assert goal.reached is reached


def test_a_figure_is_kept_as_json_and_stands_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(report, "README", readme)
    goals = [
        Goal(ours=side("ours", 1500), peer=side("peer", 1000), least=2),
        Goal(ours=side("to ready", 12, unit="s"), peer=None, most=20),
    ]
    figure = Figure(no="B2", title="archive", goals=goals, profile={"B2-profile.txt": "1 function call\n"})
    report.keep(figure, {"cores": "2"}, {"Python": "3.11"})
    report.publish()
    kept = json.loads((tmp_path / "results/B2.json").read_text())
    assert (kept["reached"], kept["goals"][0]["value"], kept["goals"][1]["reached"]) == (False, 1.5, True)
    assert (tmp_path / "results/B2-profile.txt").read_text() == "1 function call\n"
    text = readme.read_text()
    assert text.startswith("before\n<!-- bench -->\n| ")
    assert text.endswith("<!-- /bench -->\nafter\n")
    assert "| B2 | archive: ours | 1,500 events/s | 1,000 events/s: peer, 1.2 | 1.50 | ≥2 × | **no** (" in text
    assert "| 12 s |  |  | ≤20 s | yes |" in text
    assert "old" not in text


def test_a_made_up_programme_is_as_large_as_it_says_and_the_read_models_take_all_of_it() -> None:
    events = list(islice(history(2), 3_000))
    assert [event.position for event in events] == list(range(1, 3_001))
    changed, passed_over = fold(events, dict.fromkeys(keys(events)))
    assert passed_over == []
    assert changed[Tally, PROGRAMME].numbers["projects"] == 2 * PROJECTS
    assert sum(1 for _ in history(1)) == EVENTS
