"""The runner with other children: `JIEDUI_FAKE` maps a name to Python code, which is ready once it made its file.

Everything else is the real thing: checks, locks, signals, supervision.
"""

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from deploy import local, supervisor
from deploy.settings import Settings

supervisor.RESTART_AFTER_S = float(os.environ.get("JIEDUI_FAKE_RESTART_AFTER_S", 0.2))


def children(*_: Any) -> list[supervisor.Child]:
    home = Settings().home
    return [
        supervisor.Child(
            name=name,
            command=[sys.executable, "-S", "-c", code],
            ready=partial(Path.exists, home / f"{name}.ready"),
            env={"READY": str(home / f"{name}.ready"), "HOME_DIR": str(home)},
            ports=[1],
        )
        for name, code in json.loads(os.environ["JIEDUI_FAKE"]).items()
    ]


async def nothing(*_: Any, **__: Any) -> None:
    pass


async def forever(*_: Any, **__: Any) -> None:
    await asyncio.Event().wait()


class Overview:
    position = 0


async def overview(*_: Any) -> Overview:
    return Overview()


local.listening = lambda *_: []
local.servers = lambda *_: []
local.programs = children
local._topics = nothing
local.load = nothing
local.summary.read = overview
local.summary.lines = lambda *_: ["all is ready"]
local.feed.follow = forever

if __name__ == "__main__":
    sys.exit(local.up(Settings()))
