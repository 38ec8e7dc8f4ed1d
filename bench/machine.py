"""On what and with what it was measured."""

import os
import platform
import subprocess
from importlib.metadata import version

import psutil

from deploy import kafka, mongod

_PACKAGES = ("aiokafka", "fastapi", "motor", "pymongo", "uvicorn", "uvloop", "httptools", "orjson", "opentelemetry-sdk")


def machine() -> dict[str, str]:
    """Cores, memory, system."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """What both sides stand on."""
    broker = next(kafka.JARS.glob("kafka_2.13-*.jar"), None)
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()
    return {
        "Python": platform.python_version(),
        "Kafka": broker.stem.removeprefix("kafka_2.13-") if broker else "given",
        "MongoDB": _mongodb(),
        "Java": said[0] if said else "none",
        **{package: version(package) for package in _PACKAGES},
    }


def versions_of(*packages: str) -> str:
    """`motor 3.7.1, pymongo 4.20.1`."""
    return ", ".join(f"{package} {version(package)}" for package in packages)


def _mongodb() -> str:
    binary = mongod.binary()
    if binary is None:
        return "given"
    said = subprocess.run([str(binary), "--version"], capture_output=True, text=True).stdout
    return said.splitlines()[0].removeprefix("db version v")


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()
