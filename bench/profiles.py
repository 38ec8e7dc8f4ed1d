"""A profile of our side, as text, for a figure that misses its goal."""

import io
import pstats
from pathlib import Path

_LINES = 40


def summary(found: Path) -> str:
    """The functions in which the main thread spent most time, without this machine's paths."""
    text = io.StringIO()
    stats = pstats.Stats(str(found), stream=text)
    stats.strip_dirs().sort_stats("tottime").print_stats(_LINES)
    # The first lines name the file and the day.
    lines = text.getvalue().splitlines()
    start = next(no for no, line in enumerate(lines) if "function calls" in line)
    return "\n".join(line.rstrip() for line in lines[start:]).strip() + "\n"
