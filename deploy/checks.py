"""What must be so before anything is started. Each check raises Unready with one line that says what to do."""

import errno
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy import kafka, zipkin

JAVA = 17


class Unready(Exception):
    """Something must be put right first; the message is the one line for the one who started it."""


def java() -> None:
    if shutil.which("java") is None:
        raise Unready(
            f"java is not found: install Java {JAVA} or later (Debian: apt-get install openjdk-17-jdk-headless)"
        )
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found.group(1)) < JAVA:
        raise Unready(
            f"java is too old ({said.splitlines()[0] if said else 'no version'}): install Java {JAVA} or later"
        )
    if not (kafka.JARS.is_dir() and zipkin.JAR.is_file()):
        raise Unready("Kafka's and Zipkin's jars are not there: run make setup")


def disk(home: Path, min_free_mb: int) -> None:
    there = home
    while not there.exists():
        there = there.parent
    free_mb = shutil.disk_usage(there).free // 2**20
    if free_mb < min_free_mb:
        raise Unready(
            f"only {free_mb} MB are free in {there}, {min_free_mb} are needed: "
            "make room, set JIEDUI_HOME to another disk, or lower JIEDUI_MIN_FREE_MB"
        )


def ports(wanted: Iterable[tuple[str, int]]) -> None:
    """`wanted` gives for each port the name of the setting that moves it."""
    taken_by: dict[int, str] = {}
    for setting, port in wanted:
        if port in taken_by:
            raise Unready(f"{setting} and {taken_by[port]} are both {port}: set one of them to another port")
        taken_by[port] = setting
        if not is_free(port):
            raise Unready(f"port {port} is taken: stop what listens there, or set {setting} to another port")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Without it, connections of an earlier run that are still being closed would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise Unready(f"port {port} cannot be used: {fault.strerror}") from None
            return False
    return True


def free_from(port: int, *, but: Iterable[int] = ()) -> int:
    """The first free port at or after `port`. Counted up and not asked of the system, whose picks lie
    where outgoing connections take their ports from."""
    avoid = set(but)
    while port in avoid or not is_free(port):
        port += 1
    return port
