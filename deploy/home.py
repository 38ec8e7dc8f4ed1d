"""What `JIEDUI_HOME` holds: `data/`, `log/`, `run/`, the programs' `faust/` and `issuer/`; and who uses it now.

The runner holds `run/runner.lock` as long as it lives, however it ends. So a free lock means that nothing
runs here, whatever the other files say.
"""

import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass
from io import BufferedWriter
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class State:
    """Where to find what runs. `ports` by the name of the child; pids are in the pid files."""

    kafka_bootstrap: str
    mongodb_uri: str
    ports: dict[str, list[int]]


class Home:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.log = root / "log"
        self.run = root / "run"
        self._state = self.run / "state.json"
        self._loaded = self.data / "example-loaded"

    def lock(self, name: str) -> BufferedWriter | None:
        """Take `run`/<name>.lock until the file is closed; None = another process holds it."""
        self.run.mkdir(parents=True, exist_ok=True)
        file = (self.run / f"{name}.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def in_use(self) -> bool:
        if not self.run.exists():
            return False
        lock = self.lock("runner")
        if lock is not None:
            lock.close()
        return lock is None

    def enter(self) -> None:
        """Make the directories and sign as the runner; the logs of the run before are kept as *.log.1."""
        for directory in (self.data, self.log, self.run):
            directory.mkdir(parents=True, exist_ok=True)
        for log in self.log.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))
        self._state.unlink(missing_ok=True)
        (self.run / "runner.pid").write_text(f"{os.getpid()}\n")

    def leave(self) -> None:
        for left in (self._state, self.run / "runner.pid"):
            left.unlink(missing_ok=True)

    def write_state(self, state: State) -> None:
        unfinished = self._state.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(state)))
        unfinished.replace(self._state)

    def state(self) -> State | None:
        """The state of what runs here, None if nothing does."""
        if not self.in_use() or not self._state.exists():
            return None
        return State(**json.loads(self._state.read_text()))

    def pid(self, child: str) -> int | None:
        try:
            return int((self.run / f"{child}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def runner(self) -> int | None:
        """The process id of the runner, None if there is none."""
        return self.pid("runner") if self.in_use() else None

    def example_is_loaded(self) -> bool:
        return self._loaded.exists()

    def mark_example_loaded(self) -> None:
        self._loaded.touch()

    def remove_data(self) -> None:
        """All but the issuer's key, so that tokens stay good. By name: a home set to a wrong place keeps its files."""
        for directory in (self.data, self.log, self.run, self.root / "faust"):
            shutil.rmtree(directory, ignore_errors=True)
