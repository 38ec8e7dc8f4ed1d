"""From a commitment to a verified milestone in the feed, over HTTP only."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.flows.system import Person, System, offer, today
from tests.waiting import until


async def stream(person: Person, system: System, count: int, path: str, last_event_id: str | None = None) -> list[Any]:
    """The first `count` events of a stream, each as (id, type, data)."""
    headers = {"authorization": f"Bearer {person.token}"} | ({"last-event-id": last_event_id} if last_event_id else {})
    found: list[Any] = []
    async with system.http.stream("GET", system.url("notify") + path, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                found.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
                if len(found) == count:
                    return found
    raise AssertionError(f"the stream ended after {len(found)} events")


async def test_a_commitment_becomes_a_project_whose_verified_milestone_releases_its_money(system: System) -> None:
    coordinator, monitor = system.person("coordinator"), system.person("monitor")
    officer = await system.county("632721")
    partner_id, partner = await system.partner("流程企业")

    answer = await partner.send("POST", "pairing", "/commitments", offer("300000.01", county="632721"))
    assert answer.status_code == 201, answer.text
    commitment = answer.json()
    assert answer.headers["location"] == f"/commitments/{commitment['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (commitment["status"], commitment["partner_id"]) == ("open", partner_id)

    round_ = await system.round()
    (proposed,) = await coordinator.all("pairing", f"/pairings?commitment={commitment['id']}")
    assert (proposed["status"], proposed["county_code"]) == ("proposed", "632721")
    assert proposed["allocated"] == {"amount": "300000.01", "currency": "CNY"}
    approval = await coordinator.post("pairing", f"/rounds/{round_['id']}/approve", status=200)
    assert proposed["id"] in approval["approved"]
    project_id = (await coordinator.get("pairing", f"/pairings/{proposed['id']}"))["project_id"]

    project = await system.eventually(
        officer,
        "projects",
        f"/projects/{project_id}",
        lambda found: found["funds"]["reserved"] == "300000.01",
        "the project is open and its money reserved",
    )
    assert (project["status"], project["starts_on"], project["progress"]) == ("active", today().isoformat(), 0)
    assert sum(milestone["weight"] for milestone in project["milestones"]) == 100
    assert sum(milestone["tranche_share"] for milestone in project["milestones"]) == 100
    assert {indicator["code"] for indicator in project["indicators"]} <= {
        "schools_connected",
        "multimedia_classrooms",
        "learners",
        "class_hours",
    }
    assert all(indicator["actual"] is None for indicator in project["indicators"])

    first = project["milestones"][0]
    happened = datetime.now(UTC).isoformat(timespec="milliseconds")
    report = {"occurred_at": happened, "note": "教室已接通"}
    path = f"/projects/{project_id}/milestones/{first['no']}"
    await officer.post("projects", f"{path}/report", report, status=200, if_match=f'"{first["version"]}"')
    reported = (await officer.get("projects", f"/projects/{project_id}"))["milestones"][0]
    assert (reported["status"], reported["reported_by"]) == ("reported", "officer-632721")
    await coordinator.post("projects", f"{path}/verify", {}, status=200, if_match=f'"{reported["version"]}"')

    project = await system.eventually(
        partner,
        "projects",
        f"/projects/{project_id}",
        lambda found: found["funds"]["released"] != "0.00",
        "the tranche is released and the project shows it",
    )
    assert project["progress"] == first["weight"]
    assert project["milestones"][0]["verified_by"] == "coordinator"
    funds = await partner.get("funding", f"/projects/{project_id}/funds")
    assert funds["released"] == project["funds"]["released"]

    expected = [
        "jiedui.project.opened",
        "jiedui.milestone.reported",
        "jiedui.milestone.verified",
    ]
    feed = await until(lambda: _whole_feed(monitor, project_id, 5), "the feed has the five events of the project")
    by_source: dict[str, list[Any]] = {}
    for item in feed:
        by_source.setdefault(item["event"]["source"], []).append(item["event"])
    assert [event["type"] for event in by_source["/jiedui/projects"]] == expected
    assert [event["type"] for event in by_source["/jiedui/funding"]] == [
        "jiedui.fund.reserved",
        "jiedui.fund.tranche_released",
    ]
    for events in by_source.values():
        assert [int(event["sequence"]) for event in events] == list(range(1, len(events) + 1))

    everything = await monitor.all("notify", "/events")
    assert [item["position"] for item in everything] == list(range(1, len(everything) + 1))
    assert len({item["event"]["id"] for item in everything}) == len(everything)

    base = f"/events/stream?subject={project_id}&after=0"
    seen = await stream(monitor, system, 5, base)
    assert [data for _, _, data in seen] == feed
    assert [type_ for _, type_, _ in seen] == [item["event"]["type"] for item in feed]
    resumed = await stream(monitor, system, 3, f"/events/stream?subject={project_id}", last_event_id=seen[1][0])
    assert resumed == seen[2:]


async def _whole_feed(monitor: Person, subject: str, count: int) -> list[Any] | None:
    found = await monitor.all("notify", f"/events?subject={subject}")
    return found if len(found) >= count else None


async def test_a_stream_without_an_id_begins_now_and_shows_what_comes(system: System) -> None:
    monitor = system.person("monitor")
    headers = {"authorization": f"Bearer {monitor.token}"}
    url = system.url("notify") + "/events/stream?type=jiedui.partner.registered"
    async with system.http.stream("GET", url, headers=headers, timeout=30) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        partner_id, _ = await system.partner("直播企业")
        async for line in lines:
            if line.startswith("data: "):
                assert json.loads(line[6:])["event"]["subject"] == partner_id
                break


async def test_nobody_hears_or_reads_without_a_token(system: System) -> None:
    for service, path in (("notify", "/events"), ("notify", "/events/stream"), ("projects", "/projects")):
        answer: httpx.Response = await system.http.get(system.url(service) + path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
