"""Ending a run from outside."""

import contextlib
import os
import signal
import time
from pathlib import Path

from deploy.home import Home

_PATIENCE_S = 15


def stop(root: Path) -> str:
    """End the run of this home and say so. A runner that takes too long is killed, and its children with it."""
    home = Home(root)
    runner = home.runner()
    if runner is None:
        return "nothing runs here"
    for asked, patience_s in ((signal.SIGTERM, _PATIENCE_S), (signal.SIGKILL, _PATIENCE_S)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(runner, asked)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not home.in_use():
                return "stopped"
            time.sleep(0.1)
    return f"process {runner} does not end"
