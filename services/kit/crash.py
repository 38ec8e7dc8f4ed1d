"""Named places at which a test may kill a program, as a power cut would.

`JIEDUI_CRASH_AT=funding-worker:after-commit,…` kills that program there, with SIGKILL, once in a
`JIEDUI_HOME`: a mark under `run/` remembers it, so that the program goes on when it is started again.
Who takes the mark away lets it happen once more.
"""

import os
import signal
from pathlib import Path
from typing import Literal, get_args

Point = Literal["after-commit", "after-send", "after-mark", "before-offset"]
POINTS: tuple[Point, ...] = get_args(Point)

_armed: dict[Point, Path] = {}


def arm(program: str, crash_at: str | None, home: Path) -> None:
    """Reads `JIEDUI_CRASH_AT` for this program.

    Raises:
        ValueError: it names a place that there is not.
    """
    for wanted in filter(None, (crash_at or "").split(",")):
        of, _, point = wanted.partition(":")
        if point not in POINTS:
            raise ValueError(f"JIEDUI_CRASH_AT: {point!r} is none of {', '.join(POINTS)}")
        if of == program:
            _armed[point] = home / "run" / f"crashed-{program}-{point}"


def point(name: Point) -> None:
    """The program ends here if it is to."""
    mark = _armed.get(name)
    if mark is None:
        return
    mark.parent.mkdir(parents=True, exist_ok=True)
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
