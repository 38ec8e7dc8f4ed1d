"""A broker and a database that can be stopped and started again, with their data."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import kafka, mongod
from tests.conftest import free_ports

# How long either is away where it is stopped and started.
AWAY_S = int(os.environ.get("JIEDUI_TEST_AWAY_S", "20"))


class Kafka:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port, self._controller_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self.bootstrap = f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = kafka.start(self._directory, port=self.port, controller_port=self._controller_port)
        kafka.wait_ready(self._process, port=self.port)

    def stop(self) -> None:
        _stop(self._process)


class Mongod:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = mongod.uri(self.port)

    def start(self) -> None:
        self._process = mongod.start(self._directory, port=self.port)
        mongod.wait_ready(self._process, port=self.port)

    def stop(self) -> None:
        _stop(self._process)

    def pause(self) -> None:
        """Takes connections and answers nothing, as a machine whose disk hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    """Without ceremony, as a machine that fails."""
    if process is not None:
        process.kill()
        process.wait()


@contextmanager
def servers(directory: Path) -> Iterator[tuple[Kafka, Mongod]]:
    """Both, running, the topics made."""
    broker, database = Kafka(directory / "kafka"), Mongod(directory / "mongod")
    try:
        broker.start()
        database.start()
        asyncio.run(kafka.create_topics(broker.bootstrap))
        yield broker, database
    finally:
        broker.stop()
        database.stop()
