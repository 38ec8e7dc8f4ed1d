"""Zipkin on loopback, the trace viewer of `make run`. It keeps its spans in memory only."""

from pathlib import Path

from deploy import probe

JAR = Path(__file__).parent / "embedded/target/zipkin.jar"


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def command(*, port: int) -> list[str]:
    """The command line of a server that only this machine reaches."""
    return [
        *("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx192m", "-jar", str(JAR)),
        # The server's own setting for its port would bind it to every address of the machine.
        *("--armeria.ports[0].ip=127.0.0.1", f"--armeria.ports[0].port={port}", "--armeria.ports[0].protocols[0]=http"),
        *("--zipkin.storage.mem.max-spans=50000", "--logging.level.root=WARN", "--spring.main.banner-mode=off"),
    ]


def is_ready(port: int) -> bool:
    return probe.answers(port, "/health")
