"""One trace from a command through the outbox and Kafka to each program that took its events in."""

import asyncio
import os
import re
import signal
from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest

from schemas.projects import MilestoneVerified
from schemas.topics import DOMAIN
from tests.flows.system import Json, System, offer
from tests.topics import everything
from tests.waiting import until

COUNTY = "632761"
VERIFIED = MilestoneVerified.TYPE
_HOP = re.compile(r"^(?P<indent> *)(?P<service>\S+)  (?P<span>.+?) +[\d.]+ ms(?:  queue_ms (?P<queue>\d+))?$")


@pytest.fixture(scope="module")
async def project(system: System) -> str:
    """The id of a project with money."""
    await system.county(COUNTY)
    _, partner = await system.partner("足迹企业")
    commitment = await partner.post("pairing", "/commitments", offer(county=COUNTY))
    round_ = await system.round()
    coordinator = system.person("coordinator")
    await coordinator.post("pairing", f"/rounds/{round_['id']}/approve", status=200)
    (pairing,) = await coordinator.all("pairing", f"/pairings?commitment={commitment['id']}")
    found: str = pairing["project_id"]
    await system.eventually(
        coordinator, "projects", f"/projects/{found}", lambda p: p["funds"]["reserved"] != "0.00", "it has its money"
    )
    return found


async def act(system: System, project: str, no: int, verb: str) -> None:
    """Reports or verifies a milestone."""
    path = f"/projects/{project}"
    coordinator = system.person("coordinator")
    officer = system.person("officer", sub=f"officer-{COUNTY}", counties=(COUNTY,))
    milestones = (await coordinator.get("projects", path))["milestones"]
    version = next(milestone["version"] for milestone in milestones if milestone["no"] == no)
    who = officer if verb == "report" else coordinator
    body = {"occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds")} if verb == "report" else {}
    await who.post("projects", f"{path}/milestones/{no}/{verb}", body, status=200, if_match=f'"{version}"')


async def archived(system: System, project: str, no: int) -> Json:
    """The story's item of a milestone's verification."""

    async def look() -> Json | None:
        items = (await system.person("monitor").get("notify", f"/story/{project}"))["items"]
        found = [i for i in items if i["event"]["type"] == VERIFIED and i["event"]["data"]["milestone_no"] == no]
        return found[0] if found else None

    found: Json = await until(look, "the verification is in the archive")
    return found


async def hops(system: System, event_id: str) -> tuple[str, list[dict[str, str]]]:
    """The trace's id and its hops, as `jiedui trace` prints them once both readers have told theirs."""

    async def look() -> list[str] | None:
        done = await asyncio.to_thread(system.jiedui, "trace", event_id)
        told = [line for line in done.stdout.splitlines() if f"process {VERIFIED}" in line]
        return done.stdout.splitlines() if len(told) >= 2 else None

    first, *lines = await until(look, "Zipkin knows how both readers took it in")
    found = [match.groupdict() for line in lines if (match := _HOP.match(line))]
    assert len(found) == len(lines), lines
    assert re.fullmatch(rf"trace [0-9a-f]{{32}} of {VERIFIED} {event_id}", first)
    return first.split()[1], found


def check_edges(found: list[dict[str, str]]) -> None:
    """From projects-api to funding-worker and to notify-worker, each once."""
    command = found[0]
    assert (command["indent"], command["service"]) == ("", "projects-api")
    assert all(hop["indent"] == "  " for hop in found[1:]), "all are caused by the command"
    took = [hop for hop in found if hop["span"] == f"process {VERIFIED}"]
    assert sorted(hop["service"] for hop in took) == ["funding-worker", "notify-worker"]
    assert all(int(hop["queue"]) >= 0 for hop in took)
    twice = [of for of, count in Counter((hop["service"], hop["span"]) for hop in found).items() if count > 1]
    assert not twice, "one span for each event and reader"


async def test_a_verification_is_traced_to_each_that_took_it_in(system: System, project: str) -> None:
    await act(system, project, 1, "report")
    await act(system, project, 1, "verify")
    item = await archived(system, project, 1)
    trace_id, found = await hops(system, item["event"]["id"])
    check_edges(found)
    assert item["trace_id"] == trace_id
    assert item["event"]["traceparent"].split("-")[1] == trace_id


async def test_a_relay_that_is_killed_with_the_event_unsent_breaks_no_trace(system: System, project: str) -> None:
    await act(system, project, 2, "report")
    pid = system.pid("projects-worker")
    os.kill(pid, signal.SIGSTOP)
    try:
        await act(system, project, 2, "verify")
    finally:
        os.kill(pid, signal.SIGKILL)
    item = await archived(system, project, 2)
    trace_id, found = await hops(system, item["event"]["id"])
    check_edges(found)
    assert item["trace_id"] == trace_id


async def test_each_record_has_the_one_traceparent_of_its_event(system: System, project: str) -> None:
    records = await everything(system.status()["kafka_bootstrap"], *DOMAIN)
    assert len(records) > 500
    verified = 0
    for record in records:
        event = orjson.loads(record.value)
        sent = [value.decode() for name, value in record.headers if name == "traceparent"]
        assert sent == ([event["traceparent"]] if event.get("traceparent") else []), event
        verified += event["type"] == VERIFIED and len(sent) == 1
    assert verified, "a command's event is traced"


async def test_what_has_no_trace_is_told_in_one_line(system: System) -> None:
    done = await asyncio.to_thread(system.jiedui, "trace", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "jiedui: there is no event nothing in the archive\n"
