"""What runs under a home, asked at this moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deploy import kafka, mongod, probe, zipkin
from deploy.home import Home


def read(root: Path) -> dict[str, Any]:
    """{`children` [`name`, `pid`, `ports`, `ready`], `kafka_bootstrap`, `mongodb_uri`}; no children if nothing runs."""
    home = Home(root)
    state = home.state()
    if state is None:
        return {"children": [], "kafka_bootstrap": None, "mongodb_uri": None}

    def child(name: str) -> dict[str, Any]:
        ports = state.ports[name]
        return {"name": name, "pid": home.pid(name), "ports": ports, "ready": _is_ready(name, ports[0])}

    with ThreadPoolExecutor(len(state.ports)) as pool:
        children = list(pool.map(child, state.ports))
    return {"children": children, "kafka_bootstrap": state.kafka_bootstrap, "mongodb_uri": state.mongodb_uri}


def _is_ready(name: str, port: int) -> bool:
    match name:
        case "kafka":
            return kafka.is_ready(f"127.0.0.1:{port}")
        case "mongodb":
            return mongod.is_primary(port)
        case "zipkin":
            return zipkin.is_ready(port)
    return probe.answers(port, "/readyz")
