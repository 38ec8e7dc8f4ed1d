"""One Kafka broker in KRaft mode on loopback, out of the jars that deploy/embedded/pom.xml names."""

import base64
import socket
import struct
import subprocess
import uuid
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from deploy import process
from schemas import topics

JARS = Path(__file__).parent / "embedded/target/kafka"
TOPICS = Path(__file__).parent / "topics.yaml"
_JAVA = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
_LARGEST_RECORD = 6 * 1024 * 1024  # the dead-letter topics take 5 MiB, and a batch has an overhead


def _properties(directory: Path, port: int, controller_port: int) -> dict[str, Any]:
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": directory / "data",
        "auto.create.topics.enable": "false",
        "message.max.bytes": _LARGEST_RECORD,
        "replica.fetch.max.bytes": _LARGEST_RECORD,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Ten years: after the default week of standing still every group would begin again at the first event.
        "offsets.retention.minutes": 10 * 365 * 24 * 60,
        "group.initial.rebalance.delay.ms": 0,
        # The default of 128 MiB is a quarter of the heap, for one small compacted topic.
        "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
    }


def command(directory: Path, *, port: int, controller_port: int) -> list[str]:
    """The command line of a broker that keeps all it has under `directory`, which is formatted on first use.

    Raises RuntimeError when the directory cannot be formatted.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "server.properties"
    config.write_text(
        "".join(f"{name}={value}\n" for name, value in _properties(directory, port, controller_port).items())
    )
    if not (directory / "data/meta.properties").exists():
        _format(config)
    return [*_JAVA, "-Xmx512m", "-cp", f"{JARS}/*", "kafka.Kafka", str(config)]


def _format(config: Path) -> None:
    # A cluster id is 16 bytes in base64; one that begins with "-" would be read as an option.
    cluster = "-"
    while cluster.startswith("-"):
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        [*_JAVA, "-cp", f"{JARS}/*", "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(
            f"Kafka's directory {config.parent} cannot be formatted: {done.stderr.strip() or done.stdout.strip()}"
        )


def start(directory: Path, *, port: int, controller_port: int) -> subprocess.Popen[bytes]:
    """Start a broker on 127.0.0.1; its log is `directory`/kafka.log."""
    return process.launch(command(directory, port=port, controller_port=controller_port), directory / "kafka.log")


def is_ready(bootstrap: str) -> bool:
    """Whether the broker answers requests; connections alone are taken long before."""
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    api_versions = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(api_versions)) + api_versions)
            return len(connection.recv(10)) > 0
    except OSError:
        return False


def wait_ready(broker: subprocess.Popen[bytes], *, port: int, timeout: float = 60) -> None:
    """Raises RuntimeError when the broker ends first, TimeoutError after `timeout` seconds."""
    process.wait_until(broker, lambda: is_ready(f"127.0.0.1:{port}"), "Kafka", timeout=timeout)


async def create_topics(bootstrap: str, profile: str = "local") -> None:
    """Create the topics of schemas/topics.py that are not there yet; `profile` is a key of topics.yaml."""
    sizes = yaml.safe_load(TOPICS.read_text())[profile]
    wanted = [
        NewTopic(
            name=topic.name,
            num_partitions=sizes["partitions"],
            replication_factor=sizes["replication"],
            topic_configs={
                "cleanup.policy": topic.cleanup_policy,
                "retention.ms": str(topic.retention_ms),
                "max.message.bytes": str(topic.max_message_bytes),
                "min.insync.replicas": str(sizes["min_insync"]),
            },
        )
        for topic in topics.ALL
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(wanted)
    finally:
        await admin.close()
    for name, code, *message in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise RuntimeError(f"topic {name} cannot be created: {for_code(code).__name__} {message[0] or ''}")
