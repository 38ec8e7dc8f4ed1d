"""What all figures share: how much is measured, the servers, processes that are measured over a topic."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import events, profiles
from bench.programs import started
from bench.servers import Servers, free_ports
from bench.side import Measured, measure

Run = Callable[[], Awaitable[Measured]]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of each; `programmes` is how many sizes of rounds, `profiles` whether missed goals are looked into.

    `edits` are those of a phone's queue, `round` the commitments and counties of the one in a worker, `growth` is how
    many times a programme grows.
    """

    repeats: int
    events: int
    traced_events: int
    effects: int
    single_effects: int
    requests: int
    reports: int
    projects: int
    edits: int
    postings: int
    rows: int
    programmes: int
    listeners: int
    round: tuple[int, int]
    growth: int
    profiles: bool = True


LONG = Size(
    repeats=5,
    events=200_000,
    traced_events=60_000,
    effects=40_000,
    single_effects=1_000,
    requests=3_000,
    reports=60,
    projects=20,
    edits=200,
    postings=1_000_000,
    rows=100_000,
    programmes=4,
    listeners=2_000,
    round=(100_000, 3_000),
    growth=100,
)
SHORT = Size(
    repeats=1,
    events=8_000,
    traced_events=6_000,
    effects=6_000,
    single_effects=50,
    requests=200,
    reports=5,
    projects=2,
    edits=20,
    postings=12_000,
    rows=2_000,
    programmes=1,
    listeners=200,
    round=(2_000, 200),
    growth=3,
    profiles=False,
)


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic with so many events."""

    name: str
    count: int

    def cut(self, count: int) -> "Topic":
        """Only its beginning."""
        return replace(self, count=min(count, self.count))


@dataclass(frozen=True, kw_only=True)
class Bench:
    """`say` prints progress."""

    servers: Servers
    size: Size
    say: Callable[[str], None]

    async def topic(self, name: str, count: int, sampled: float) -> Topic:
        """Filled with events of which this share is sampled."""
        self.say(f"{count:,} events on the topic {name}")
        await self.servers.create_topic(name, partitions=4)
        await events.publish(self.servers.kafka, name, count, sampled)
        return Topic(name=name, count=count)

    def over(self, topic: Topic, target: str, database: str, env: Mapping[str, str] | None = None) -> Run:
        """A side in a process of its own that reads a topic into an empty database."""

        async def run() -> Measured:
            return await self._process(topic, target, database, env, None)

        return run

    async def profile(self, topic: Topic, target: str, database: str, env: Mapping[str, str] | None = None) -> str:
        """Where such a side spends its time."""
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder) / "profile"
            await self._process(topic, target, database, env, found)
            return profiles.summary(found)

    @contextmanager
    def sink(self) -> Iterator[Mapping[str, str]]:
        """What sends a program's spans to where they are forgotten."""
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "bench.sink", str(port)]
        with started(command, port, "/", self.servers.home / "sink.log", self.servers.environment()):
            yield {
                "OTEL_TRACES_EXPORTER": "zipkin",
                "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"http://127.0.0.1:{port}/api/v2/spans",
            }

    async def _process(
        self, topic: Topic, target: str, database: str, env: Mapping[str, str] | None, profile: Path | None
    ) -> Measured:
        self.servers.drop(database)
        servers = {"kafka": self.servers.kafka, "mongodb": self.servers.mongodb}
        given = {**servers, "topic": topic.name, "count": topic.count}
        return await asyncio.to_thread(measure, target, given, self.servers.environment() | dict(env or {}), profile)
