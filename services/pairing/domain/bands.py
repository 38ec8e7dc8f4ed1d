"""Severity falls into bands 1 to 5, so that a hair of it does not send a partner across the country."""

import json
from bisect import bisect_right
from pathlib import Path

# Each limit is the lowest severity of the next band.
_LIMITS: tuple[float, ...] = tuple(
    json.loads((Path(__file__).parent.parent / "data" / "bands.json").read_text(encoding="utf-8"))["limits"]
)


def band_of(severity: float | None) -> int:
    """1 (slight, or nothing is known) to 5 (grave)."""
    return 1 if severity is None else 1 + bisect_right(_LIMITS, severity)
