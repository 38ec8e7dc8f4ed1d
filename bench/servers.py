"""A Kafka and a MongoDB of the benches' own, on free ports, as `make run` starts them.

With `JIEDUI_TEST_KAFKA` and `JIEDUI_TEST_MONGODB` set, those are used and none is started.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from deploy import kafka, mongod, process


@dataclass(frozen=True)
class Servers:
    kafka: str
    mongodb: str
    home: Path
    """A directory for whatever the figures leave behind; it goes with the servers."""

    def environment(self) -> dict[str, str]:
        """For our programs; traces go nowhere unless a figure sends them somewhere."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIEDUI_", "OTEL_"))}
        return kept | {
            "JIEDUI_HOME": str(self.home),
            "JIEDUI_KAFKA_BOOTSTRAP": self.kafka,
            "JIEDUI_MONGODB_URI": self.mongodb,
            "OTEL_TRACES_EXPORTER": "none",
        }

    def drop(self, *databases: str) -> None:
        """What an earlier repeat wrote must not make the next one slower."""
        with MongoClient[dict[str, object]](self.mongodb) as client:
            for name in databases:
                client.drop_database(name)

    async def create_topic(self, name: str, partitions: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            await admin.close()


@contextmanager
def running() -> Iterator[Servers]:
    home = Path(tempfile.mkdtemp(prefix="jiedui-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        bootstrap, uri = os.environ.get("JIEDUI_TEST_KAFKA"), os.environ.get("JIEDUI_TEST_MONGODB")
        kafka_port, controller_port, mongodb_port = free_ports(3)
        if bootstrap is None:
            broker = kafka.start(home / "kafka", port=kafka_port, controller_port=controller_port)
            stack.callback(process.stop, broker)
            kafka.wait_ready(broker, port=kafka_port)
        if uri is None:
            server = mongod.start(home / "mongodb", port=mongodb_port)
            stack.callback(process.stop, server)
            mongod.wait_ready(server, port=mongodb_port)
        yield Servers(bootstrap or f"127.0.0.1:{kafka_port}", uri or mongod.uri(mongodb_port), home)


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
