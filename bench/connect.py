"""B2's peer: MongoDB's Kafka connector on Kafka Connect, one worker, one task, out of bench/peers/pom.xml.

The worker is kept between repeats, so that its code is compiled by the time it counts; a connector of
its own reads the topic anew each time. It is set up as its documentation does for JSON, plus larger polls
and a heap that it does not fill.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient

from bench.archive import DATABASE
from bench.programs import Program, started
from bench.servers import Servers, free_ports
from bench.side import Measured
from services.kit.ids import new_id

_TARGET = Path(__file__).parent / "peers/target"
_POLL = 2000


def fetch() -> None:
    """Gets the jars, once.

    Raises:
        RuntimeError: Maven cannot.
    """
    if (_TARGET / "connect").is_dir() and (_TARGET / "plugins/mongodb").is_dir():
        return
    command = ["mvn", "--batch-mode", "--quiet", "-f", str(_TARGET.parent / "pom.xml"), "process-resources"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the peers' jars cannot be fetched: {done.stdout}{done.stderr}")


def versions() -> str:
    """`connector x on Kafka Connect y`, by the names of the jars."""
    connector = next((_TARGET / "plugins/mongodb").glob("mongo-kafka-connect-*-all.jar")).stem
    runtime = next((_TARGET / "connect").glob("connect-runtime-*.jar")).stem
    return f"{connector.removesuffix('-all')} on {runtime}"


class Connect:
    """A running Connect worker."""

    def __init__(self, servers: Servers, program: Program) -> None:
        self._servers = servers
        self._program = program
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{program.port}", timeout=30, trust_env=False)

    async def measure(self, topic: str, count: int) -> Measured:
        """A topic into a collection, from the first documents that are seen there to the last."""
        name = f"bench-{new_id()}"
        config = {
            "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
            "tasks.max": "1",
            "topics": topic,
            "connection.uri": self._servers.mongodb,
            "database": DATABASE,
            "collection": name,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
            "consumer.override.max.poll.records": str(_POLL),
            "consumer.override.auto.offset.reset": "earliest",
        }
        (await self._http.put(f"/connectors/{name}/config", json=config)).raise_for_status()
        try:
            with MongoClient[dict[str, Any]](self._servers.mongodb) as client:
                collection = client[DATABASE][name]
                while not (first := collection.estimated_document_count()):
                    await self._look(name)
                began, cpu_s = time.perf_counter(), self._program.cpu_s
                while collection.estimated_document_count() < count:
                    await self._look(name)
                wall_s = time.perf_counter() - began
            return Measured(count=count - first, wall_s=wall_s, cpu_s=self._program.cpu_s - cpu_s)
        finally:
            (await self._http.delete(f"/connectors/{name}")).raise_for_status()

    async def close(self) -> None:
        await self._http.aclose()

    async def _look(self, name: str) -> None:
        await asyncio.sleep(0.02)
        answer = await self._http.get(f"/connectors/{name}/status")
        for task in answer.json().get("tasks", []):
            if task["state"] == "FAILED":
                raise RuntimeError(f"the connector failed: {task['trace']}")


@asynccontextmanager
async def running(servers: Servers) -> AsyncIterator[Connect]:
    (port,) = free_ports(1)
    home = servers.home / "connect"
    home.mkdir(parents=True, exist_ok=True)
    properties = {
        "bootstrap.servers": servers.kafka,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": str(home / "offsets"),
        "plugin.path": str((_TARGET / "plugins").absolute()),
        "listeners": f"http://127.0.0.1:{port}",
        "connector.client.config.override.policy": "All",
    }
    config = home / "worker.properties"
    config.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    command = [
        *("java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
        *("-cp", f"{(_TARGET / 'connect').absolute()}/*", "org.apache.kafka.connect.cli.ConnectStandalone"),
        str(config),
    ]
    with started(command, port, "/connectors", home / "connect.log", servers.environment(), timeout=120) as program:
        worker = Connect(servers, program)
        try:
            yield worker
        finally:
            await worker.close()
