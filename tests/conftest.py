"""Real servers for all tests: one broker and one mongod for each process that tests, on free ports.

With `JIEDUI_TEST_KAFKA` and `JIEDUI_TEST_MONGODB` set, those are used and none is started.
"""

import asyncio
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from deploy import kafka as embedded_kafka
from deploy import mongod as embedded_mongod

# That a machine is busy is no fault of what is tested.
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")

SEED = "JIEDUI_TEST_SEED"
# Each needs a whole system. One after the other, beside all else: two at once are too much for two cores.
_WHOLE_SYSTEM = ("tests/faults/", "tests/flows/")
# Below the ports that the kernel gives to clients, and a range for each process that tests.
_FIRST_PORT, _PORTS = 20_000, 5_000


def pytest_configure() -> None:
    # The processes that share the tests inherit it.
    os.environ.setdefault(SEED, str(random.randrange(2**32)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"random schedules: {SEED}={os.environ[SEED]}")


class _Shares(LoadScopeScheduling):  # type: ignore[misc]
    """What needs a whole system is one share, each other file is one too; a share's tests run in order."""

    def _split_scope(self, nodeid: str) -> str:
        return "whole system" if nodeid.startswith(_WHOLE_SYSTEM) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Shares:
    return _Shares(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest share begins first."""
    items.sort(key=lambda item: not item.nodeid.startswith(_WHOLE_SYSTEM))


@pytest.fixture(scope="session")
def seed() -> int:
    """Of every random schedule; the summary names it, and the environment gives it back."""
    return int(os.environ[SEED])


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    first = _FIRST_PORT + _PORTS * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    found: list[int] = []
    for port in random.sample(range(first, first + _PORTS), _PORTS):
        if len(found) == count:
            break
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a broker that has the topics of schemas/topics.py."""
    if given := os.environ.get("JIEDUI_TEST_KAFKA"):
        asyncio.run(embedded_kafka.create_topics(given))
        yield given
        return
    port, controller = free_ports(2)
    directory: Path = tmp_path_factory.mktemp("kafka")
    broker = embedded_kafka.start(directory, port=port, controller_port=controller)
    try:
        embedded_kafka.wait_ready(broker, port=port)
        asyncio.run(embedded_kafka.create_topics(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"
    finally:
        _stop(broker)


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a replica set."""
    if given := os.environ.get("JIEDUI_TEST_MONGODB"):
        yield given
        return
    (port,) = free_ports(1)
    server = embedded_mongod.start(tmp_path_factory.mktemp("mongod"), port=port)
    try:
        embedded_mongod.wait_ready(server, port=port)
        yield embedded_mongod.uri(port)
    finally:
        _stop(server)
