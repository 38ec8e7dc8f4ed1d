"""The monitor and the dead letters over HTTP, with Kafka away: unknown is not nought."""

import base64
import itertools
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from pydantic import ValidationError

from schemas.topics import dead_letters
from services.kit.build import build
from services.kit.clock import rfc3339
from services.kit.decision import Decision
from services.kit.records import RawRecord
from services.notify.api.gauges import show, unknown
from services.notify.api.lag import Lag
from services.notify.api.monitor import look
from services.notify.domain import Pulse
from services.notify.settings import Settings
from services.notify.store import Tx
from tests.notify import builders as b
from tests.notify.conftest import Newsroom, newsroom_at
from tests.notify.test_heartbeats import pulse
from tests.waiting import until

_offsets = itertools.count()


def letter(at: int = 41, value: bytes | None = b"\xff not JSON", service: str = "funding") -> RawRecord:
    """As a consumer writes it of the record at offset `at`."""
    about = {
        "topic": "jiedui.projects.v1", "partition": "2", "offset": str(at), "key": "project-1", "service": service,
        "error-type": "unreadable", "error-message": "not JSON", "attempts": "3",
        "first-failed-at": "2026-03-04T01:00:00.000Z",
    }  # fmt: skip
    headers = {f"jiedui-{name}": text.encode() for name, text in about.items()} | {"content-type": b"text/plain"}
    return RawRecord(dead_letters(service), 0, next(_offsets), b"project-1", value, headers, 0)


async def test_a_dead_letter_is_kept_once_bytes_untouched(newsroom: Newsroom) -> None:
    await newsroom.inbox.take([letter()])
    await newsroom.inbox.take([letter()])
    (found,) = (await newsroom.read("/dead-letters", "coordinator"))["items"]
    assert base64.b64decode(found.pop("value")) == b"\xff not JSON"
    assert found == {
        "id": "funding-jiedui.projects.v1-2-41", "service": "funding",
        "topic": "jiedui.projects.v1", "partition": 2, "offset": 41,
        "key": "project-1", "error": {"type": "unreadable", "message": "not JSON"}, "attempts": 3,
        "first_failed_at": "2026-03-04T01:00:00.000Z", "status": "open", "reason": None, "decided_by": None,
        "decided_at": None,
    }  # fmt: skip
    assert (await newsroom.read("/monitor"))["dead_letters"] == 1


async def test_dead_letters_are_filtered_and_a_null_value_is_one_too(newsroom: Newsroom) -> None:
    await newsroom.inbox.take([letter(1), letter(2, None, "notify"), letter(3)])
    await newsroom.post("/dead-letters/funding-jiedui.projects.v1-2-1/discard", {"reason": "a test"})

    async def ids(query: str) -> list[str]:
        return [item["id"] for item in (await newsroom.read(f"/dead-letters?{query}"))["items"]]

    assert await ids("service=funding") == ["funding-jiedui.projects.v1-2-1", "funding-jiedui.projects.v1-2-3"]
    assert await ids("status=open&topic=jiedui.projects.v1") == [
        "funding-jiedui.projects.v1-2-3",
        "notify-jiedui.projects.v1-2-2",
    ]
    assert await ids("status=discarded") == ["funding-jiedui.projects.v1-2-1"]
    assert (await newsroom.read("/dead-letters?service=notify"))["items"][0]["value"] is None
    assert (await newsroom.get("/dead-letters?status=lost")).status_code == 422
    assert (await newsroom.get("/dead-letters?colour=red")).status_code == 422


async def test_a_replay_goes_into_the_outbox_for_the_one_service_and_is_decided_once(newsroom: Newsroom) -> None:
    await newsroom.inbox.take([letter()])
    answer = await newsroom.post("/dead-letters/funding-jiedui.projects.v1-2-41/replay", {"reason": "mended"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["reason"], told["decided_by"]) == ("replayed", "mended", "monitor")
    (row,) = await newsroom.context.database.outbox.find({}).to_list(None)
    assert (row["topic"], row["key"], row["value"]) == ("jiedui.projects.v1", b"project-1", b"\xff not JSON")
    assert row["headers"] == {"content-type": b"text/plain", "jiedui-replay-for": b"funding"}
    for step in ("replay", "discard"):
        again = await newsroom.post(f"/dead-letters/funding-jiedui.projects.v1-2-41/{step}", {"reason": "again"})
        assert (again.status_code, again.json()["type"]) == (409, "/problems/dead-letter-not-open")
    assert await newsroom.context.database.outbox.count_documents({}) == 1


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": 7}, {"reason": "a", "more": 1}, []])
async def test_a_decision_needs_a_reason(newsroom: Newsroom, body: Any) -> None:
    await newsroom.inbox.take([letter()])
    assert (await newsroom.post("/dead-letters/funding-jiedui.projects.v1-2-41/replay", body)).status_code == 422
    assert (await newsroom.post("/dead-letters/nothing/replay", body)).status_code == 404


async def test_monitors_decide_coordinators_look_and_nobody_else(newsroom: Newsroom) -> None:
    await newsroom.inbox.take([letter()])
    assert (
        await newsroom.post("/dead-letters/funding-jiedui.projects.v1-2-41/discard", {"reason": "r"}, "coordinator")
    ).status_code == 403
    for role in ("partner", "officer", "bookkeeper"):
        for path in ("/monitor", "/dead-letters"):
            assert (await newsroom.get(path, role)).status_code == 403


async def test_what_kafka_and_silent_workers_would_tell_is_unknown_and_not_nought(newsroom: Newsroom) -> None:
    found = await newsroom.read("/monitor")
    assert {"group": "jiedui-funding", "topic": "jiedui.projects.v1", "count": None, "age_s": None} in found["lag"]
    assert {row["group"] for row in found["lag"]} == {
        f"jiedui-{s}" for s in ("pairing", "projects", "funding", "notify")
    }
    assert found["outbox"] == [
        {"service": service, "depth": None, "oldest_age_s": None}
        for service in ("pairing", "projects", "funding", "notify")
    ]
    assert (found["dead_letters"], found["stuck"], found["skipped"]) == (0, [], [])


async def test_what_a_worker_said_last_is_shown_for_five_seconds(newsroom: Newsroom) -> None:
    async def shown(age_s: float) -> dict[str, Any]:
        heard = replace(pulse(), at=newsroom.context.now() - timedelta(seconds=age_s))

        async def work(tx: Tx) -> Decision[None]:
            await tx.get(Pulse, heard.id)
            return Decision(None, saves=(heard,))

        await newsroom.context.transact(work, "test")
        found: dict[str, Any] = (await newsroom.read("/monitor"))["outbox"][2]
        return found

    assert await shown(1) == {"service": "funding", "depth": 3, "oldest_age_s": 1.5}
    assert await shown(6) == {"service": "funding", "depth": None, "oldest_age_s": None}


async def test_a_saga_older_than_a_minute_is_stuck_until_it_goes_on(newsroom: Newsroom) -> None:
    long_ago = newsroom.context.now() - timedelta(seconds=90)
    record = newsroom.record(b.approved(1), recordedtime=rfc3339(long_ago))
    await newsroom.inbox.take([record, newsroom.record(b.approved(2)), newsroom.record(b.opened(1))])
    await newsroom.folded()
    assert (await newsroom.read("/monitor"))["stuck"] == [
        {
            "kind": "approval",
            "id": "pairing-1",
            "since": rfc3339(long_ago),
            "waits_for": "jiedui.fund.reserved",
        }
    ]
    await newsroom.happen(b.reserved(1))
    await newsroom.folded()
    assert (await newsroom.read("/monitor"))["stuck"] == []


async def test_read_models_that_lag_make_no_saga_look_stuck(newsroom: Newsroom) -> None:
    """What they have not folded yet may well be what the saga waits for."""
    long_ago = newsroom.context.now() - timedelta(seconds=90)
    await newsroom.inbox.take([newsroom.record(b.approved(1, None), recordedtime=rfc3339(long_ago))])
    await newsroom.folded()
    await newsroom.context.database.projections.update_one({}, {"$set": {"time": long_ago}})
    await newsroom.context.database.positions.update_one({}, {"$inc": {"newest": 1}})
    assert (await newsroom.read("/monitor"))["stuck"] == []


async def test_skipped_numbers_and_events_that_could_not_be_folded_are_told(newsroom: Newsroom) -> None:
    await newsroom.context.database.skipped.insert_one({"stream": "/jiedui/pairing p", "first": 3, "last": 4})
    odd = b.envelope(b.reserved(1)) | {"data": b.reserved(1).data() | {"currency": "ZZZ"}}
    await newsroom.inbox.take([newsroom.raw(odd, "jiedui.funding.v1")])
    await newsroom.folded()
    gap, passed_over = (await newsroom.read("/monitor"))["skipped"]
    assert gap == {"stream": "/jiedui/pairing p", "first": 3, "last": 4, "reason": "never came"}
    assert (passed_over["stream"], passed_over["first"]) == ("/jiedui/funding project-1", 1)


async def test_metrics_show_what_is_known_and_have_no_sample_of_what_is_not(newsroom: Newsroom) -> None:
    await newsroom.inbox.take([letter()])
    heard = replace(pulse(), at=newsroom.context.now(), build="0.1.0+abc")

    async def beat(tx: Tx) -> Decision[None]:
        await tx.get(Pulse, heard.id)
        return Decision(None, saves=(heard,))

    await newsroom.context.transact(beat, "test")
    await newsroom.happen(b.registered())
    shown = await look(newsroom.context.reading(), Lag(), newsroom.context)
    assert shown["workers"] == [{"id": heard.id, "service": "funding", "build": "0.1.0+abc"}]
    assert shown["deliveries"] == {"waiting": 0, "failed": 0, "suppressed": 0}
    show(shown | {"lag": [{"group": "g", "topic": "t", "count": 0, "age_s": 0.0},
                          {"group": "g", "topic": "away", "count": None, "age_s": None}]})  # fmt: skip

    async def archived() -> bool:
        return "jiedui_event_to_archive_seconds_count" in (await newsroom.client.get("/metrics")).text

    await until(archived, "the hub has seen an event")
    text = (await newsroom.client.get("/metrics")).text
    assert 'jiedui_lag_records{group="g",topic="t"} 0.0' in text
    assert 'topic="away"' not in text
    assert 'jiedui_service_outbox_depth{service="funding"} 3.0' in text
    assert 'jiedui_service_outbox_depth{service="pairing"}' not in text
    assert 'jiedui_worker_info{build="0.1.0+abc"' in text
    for line in ("jiedui_dead_letters 1.0", "jiedui_stuck_sagas 0.0", "jiedui_stream_listeners"):
        assert line in text
    show(await unknown(Lag(), newsroom.context))
    text = generate_latest().decode()
    assert "jiedui_dead_letters NaN" in text
    for name in ("jiedui_lag_records", "jiedui_service_outbox_depth", "jiedui_worker_info"):
        assert f"{name}{{" not in text


def test_a_build_names_the_version_and_the_source() -> None:
    assert re.fullmatch(r"[0-9.]+\+[0-9a-f]{12}", build())


@pytest.mark.parametrize("url", ["", None])
def test_without_a_template_traces_have_no_link(url: Any) -> None:
    assert Settings(port=1, worker_port=2, trace_url=url).trace_url is None


@pytest.mark.parametrize("url", ["http://zipkin/", "ftp://x/{trace_id}", "{trace_id}"])
def test_a_template_that_leads_nowhere_stops_the_program(url: str) -> None:
    with pytest.raises(ValidationError, match="trace_id"):
        Settings(port=1, worker_port=2, trace_url=url)


async def test_a_story_links_to_each_trace(newsroom: Newsroom) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    record = newsroom.record(b.opened(), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    await newsroom.inbox.take([record, newsroom.record(b.reported())])
    async with newsroom_at(
        newsroom.settings.model_copy(update={"trace_url": "https://traces.example/t/{trace_id}"}), newsroom.name
    ) as linked:
        found = (await linked.read("/story/project-1"))["items"]
    assert [item["trace_url"] for item in found] == [f"https://traces.example/t/{trace}", None]
