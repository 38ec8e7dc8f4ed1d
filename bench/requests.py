"""B4, B5 and the API's half of B9: what comes in over HTTP."""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import commands, latency, profiles
from bench.figures import Figure, Goal, Side, alternating, rates
from bench.machine import versions_of
from bench.measuring import Bench
from deploy import kafka

_REQUESTS = "requests/s"
_PAIRING = "jiedui_pairing"
_SERVER = ("fastapi", "uvicorn", "motor")


async def posting(bench: Bench) -> Figure:
    """B4: 64 clients who post commitments, against the least that FastAPI and MongoDB can do."""
    count = bench.size.requests
    bench.servers.drop(_PAIRING, "bench_api")
    with bench.sink() as traced:
        async with commands.jiedui(bench.servers, traced) as jiedui, commands.bare(bench.servers) as bare:
            for side in (jiedui, bare):
                await side.measure(count // 10 + commands.AT_ONCE)
            found = await alternating(
                {"ours": lambda: jiedui.measure(count), "bare": lambda: bare.measure(count)},
                bench.size.repeats,
                bench.say,
            )
    ours = rates("POST /commitments", versions_of(*_SERVER), _REQUESTS, found["ours"])
    bare_ = rates("FastAPI + insert_one", versions_of(*_SERVER), _REQUESTS, found["bare"])
    goals = [Goal(ours=ours, peer=bare_, least=0.5)]
    return Figure(
        no="B4",
        title=f"{commands.AT_ONCE} at once",
        goals=goals,
        notes=[
            "Both under uvicorn with the same settings, a majority journaled. Ours checks the token and the "
            "partner, keeps the answer for its Idempotency-Key, writes the event, and traces every request."
        ],
        profile=await _of_posting(bench) if bench.size.profiles and not goals[0].reached else {},
    )


async def latencies(bench: Bench) -> Figure:
    """B5: from a milestone report's POST to the client of the stream."""
    await kafka.create_topics(bench.servers.kafka)
    bench.servers.drop("jiedui_projects", "jiedui_notify", "bench_latency")
    count = bench.size.reports
    ours: list[list[float]] = []
    peer: list[list[float]] = []
    async with latency.jiedui(bench.servers, bench.size.projects) as office, latency.bare(bench.servers) as bare:
        for side in (office, bare):
            await side.measure(min(count, 20))
        for repeat in range(1, bench.size.repeats + 1):
            for name, side, found in (("ours", office, ours), ("bare", bare, peer)):
                found.append(await side.measure(count))
                half = statistics.median(found[-1]) * 1000
                bench.say(f"{repeat}/{bench.size.repeats} {name}: half within {half:.1f} ms")
    versions = versions_of("aiokafka", "motor")
    goals = [
        Goal(
            ours=_side(f"report to stream, p{share}", versions, ours, share),
            peer=_side(f"Kafka round trip + majority write, p{share}", versions, peer, share),
            most=most,
        )
        for share, most in ((50, 3), (99, 5))
    ]
    return Figure(
        no="B5",
        title="latency, unloaded",
        goals=goals,
        notes=[
            f"{count} reports a repeat, ten a second, through projects' and notify's four programs: HTTP, a "
            "transaction, relay, Kafka, a transaction, hub, stream."
        ],
        profile=await _of_reporting(bench) if bench.size.profiles and not all(goal.reached for goal in goals) else {},
    )


async def traced_posting(bench: Bench) -> Goal:
    """The API's half of B9: every request sampled against tracing off."""
    count = bench.size.requests
    bench.servers.drop(_PAIRING)
    with bench.sink() as traced:
        off_ = {"OTEL_SDK_DISABLED": "true"}
        async with commands.jiedui(bench.servers, traced) as on, commands.jiedui(bench.servers, off_) as off:
            for side in (on, off):
                await side.measure(count // 10 + commands.AT_ONCE)
            found = await alternating(
                {"every request sampled": lambda: on.measure(count), "off": lambda: off.measure(count)},
                bench.size.repeats,
                bench.say,
            )
    sdk = versions_of("opentelemetry-sdk")
    ours = rates("POST /commitments, every request sampled", sdk, _REQUESTS, found["every request sampled"])
    return Goal(ours=ours, peer=rates("tracing off", sdk, _REQUESTS, found["off"]), least=0.9)


def _side(name: str, version: str, repeats: Sequence[Sequence[float]], share: int) -> Side:
    values = [sorted(one)[min(len(one) - 1, len(one) * share // 100)] * 1000 for one in repeats]
    return Side(name=name, version=version, unit="ms", values=values)


async def _of_posting(bench: Bench) -> dict[str, str]:
    bench.say("the goal was missed: profiling pairing's API")
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "profile"
        async with commands.jiedui(bench.servers, profile=found) as side:
            await side.measure(bench.size.requests // 2)
        return {"B4-profile.txt": profiles.summary(found)}


async def _of_reporting(bench: Bench) -> dict[str, str]:
    bench.say("a goal was missed: profiling the four programs")
    with tempfile.TemporaryDirectory() as folder:
        async with latency.jiedui(bench.servers, bench.size.projects, profile=Path(folder)) as office:
            await office.measure(bench.size.reports)
        return {f"B5-{program}.txt": profiles.summary(Path(folder) / program) for program in latency.PROGRAMS}
