"""B2, B3 and the consumer's half of B9: what comes in from Kafka."""

from collections.abc import Sequence

from bench import archive, connect, effect
from bench.figures import Figure, Goal, Side, alternating, rates
from bench.machine import versions_of
from bench.measuring import Bench, Topic
from bench.side import Measured

_EVENTS = "events/s"
_NOTIFY = "jiedui_notify"
_OURS = "bench.archive:ours"
_PROFILED = 30_000


async def archiving(bench: Bench) -> Figure:
    """B2: the archive against MongoDB's connector and against the barest loop."""
    connect.fetch()
    topic = await bench.topic("bench-archive", bench.size.events, sampled=0.01)
    with bench.sink() as traced:
        async with connect.running(bench.servers) as connector:

            async def peer() -> Measured:
                bench.servers.drop(archive.DATABASE)
                return await connector.measure(topic.name, topic.count)

            bench.say("the connector warms up")
            await peer()
            found = await alternating(
                {
                    "ours": bench.over(topic, _OURS, _NOTIFY, traced),
                    "connector": peer,
                    "bare": bench.over(topic, "bench.archive:bare", archive.DATABASE),
                },
                bench.size.repeats,
                bench.say,
            )
        ours = rates("notify's consumer", versions_of("aiokafka", "motor"), _EVENTS, found["ours"])
        connector_ = rates("MongoDB Kafka Connector", connect.versions(), _EVENTS, found["connector"])
        bare = rates("getmany + insert_many", versions_of("aiokafka", "motor"), _EVENTS, found["bare"])
        goals = [Goal(ours=ours, peer=connector_, least=2), Goal(ours=ours, peer=bare, least=0.7)]
        return Figure(
            no="B2",
            title="archive, Kafka → MongoDB with positions",
            goals=goals,
            notes=[
                f"{topic.count:,} events of 1.2 kB, 130 a project, mixed, 4 partitions, one task each, 1 % sampled.",
                "Ours checks each envelope and its data against their schemas, drops what it has, keeps each "
                "subject's order, gives positions and writes eleven indexes; the peers write documents.",
            ],
            profile=await _profile(bench, goals, "B2-profile.txt", topic, _OURS, _NOTIFY),
        )


async def effects(bench: Bench) -> Figure:
    """B3: inbox, state and outbox in one transaction a batch."""
    topic = await bench.topic("bench-effects", bench.size.effects, sampled=0.0)
    few = topic.cut(bench.size.single_effects)
    found = await alternating(
        {
            "ours": bench.over(topic, "bench.effect:ours", effect.DATABASE),
            "one by one": bench.over(few, "bench.effect:one_by_one", effect.DATABASE),
            "bulk": bench.over(topic, "bench.effect:bulk", effect.DATABASE),
        },
        bench.size.repeats,
        bench.say,
    )
    versions = versions_of("motor", "pymongo")
    ours = rates("one transaction a batch", versions_of("aiokafka", "motor"), _EVENTS, found["ours"])
    goals = [
        Goal(ours=ours, peer=rates("one transaction an event", versions, _EVENTS, found["one by one"]), least=20),
        Goal(ours=ours, peer=rates("bulk writes, no transaction", versions, _EVENTS, found["bulk"]), least=0.5),
    ]
    return Figure(
        no="B3",
        title="effectively-once consumption (inbox, state, outbox)",
        goals=goals,
        notes=["Each event counts once in its project's tally and writes one event of ours."],
        profile=await _profile(bench, goals, "B3-profile.txt", topic, "bench.effect:ours", effect.DATABASE),
    )


async def traced_archiving(bench: Bench) -> tuple[Goal, Sequence[Side]]:
    """The consumer's half of B9: 1 % sampled against tracing off, and 100 % beside it."""
    count = bench.size.traced_events
    few = await bench.topic("bench-traced-1", count, sampled=0.01)
    all_ = await bench.topic("bench-traced-100", count, sampled=1.0)
    with bench.sink() as traced:
        found = await alternating(
            {
                "1 % sampled": bench.over(few, _OURS, _NOTIFY, traced),
                "off": bench.over(few, _OURS, _NOTIFY, {"OTEL_SDK_DISABLED": "true"}),
                "100 % sampled": bench.over(all_, _OURS, _NOTIFY, traced),
            },
            bench.size.repeats,
            bench.say,
        )
    sdk = versions_of("opentelemetry-sdk")
    on = rates("archive with 1 % sampled", sdk, _EVENTS, found["1 % sampled"])
    off = rates("tracing off", sdk, _EVENTS, found["off"])
    return Goal(ours=on, peer=off, least=0.9), [rates("archive, 100 % sampled", sdk, _EVENTS, found["100 % sampled"])]


async def _profile(
    bench: Bench, goals: Sequence[Goal], name: str, topic: Topic, target: str, database: str
) -> dict[str, str]:
    """Only for goals that were missed, and of few events: a profile slows down what it looks at."""
    if not bench.size.profiles or all(goal.reached for goal in goals):
        return {}
    bench.say("a goal was missed: profiling our side")
    return {name: await bench.profile(topic.cut(_PROFILED), target, database)}
