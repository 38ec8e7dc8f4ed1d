"""Real servers for all tests: one broker and one mongod a session, on free ports.

With `JIEDUI_TEST_KAFKA` and `JIEDUI_TEST_MONGODB` set, those are used and none is started.
"""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import kafka as embedded_kafka
from deploy import mongod as embedded_mongod


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


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
