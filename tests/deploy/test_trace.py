"""What `jiedui trace` prints of the spans that it is given."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.trace import Untraced, lines, trace
from services.kit.ids import new_id
from tests.conftest import free_ports


def span(id: str, service: str, at: int, parent: str | None = None, **tags: str) -> dict[str, Any]:
    found = {
        "id": id,
        "name": f"span {id}",
        "timestamp": at,
        "duration": 1500,
        "localEndpoint": {"serviceName": service},
        "tags": {name.replace("_", ".", 1): value for name, value in tags.items()},
    }
    return found | ({"parentId": parent} if parent else {})


def test_what_a_hop_caused_stands_under_it_in_order_of_time() -> None:
    told = list(
        lines(
            [
                span("c", "notify-worker", 30, "a", jiedui_queue_ms="21.7"),
                span("b", "funding-worker", 20, "a", jiedui_queue_ms="12"),
                span("d", "notify-worker", 50, "b"),
                span("a", "projects-api", 10),
            ]
        )
    )
    assert [line.split("  span")[0] for line in told] == [
        "projects-api",
        "  funding-worker",
        "    notify-worker",
        "  notify-worker",
    ]
    assert [line.rpartition(" ms")[2].strip() for line in told] == ["", "queue_ms 12", "", "queue_ms 22"]
    assert all("1.5 ms" in line for line in told)


def test_a_span_whose_parent_was_never_told_stands_by_itself() -> None:
    (line,) = lines([span("b", "funding-worker", 20, "a")])
    assert line.startswith("funding-worker")


@pytest.fixture
def archive(mongodb: str) -> Iterator[Any]:
    """The archive as notify keeps it."""
    with MongoClient[dict[str, Any]](mongodb) as client:
        yield client.jiedui_notify.events


def archived(archive: Any, flags: str) -> str:
    trace_id, id = "0af7651916cd43dd8448eb211c80319c", new_id()
    envelope = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-{flags}"}
    event = {"type": "jiedui.partner.registered", "trace_id": trace_id, "envelope": envelope}
    # Positions are unique, and no event has a negative one.
    archive.insert_one({"_id": id, "position": -1 - int(flags), **event})
    return id


def test_what_cannot_be_shown_is_told_in_one_line(archive: Any, mongodb: str) -> None:
    (nobody,) = free_ports(1)
    unsampled, sampled = archived(archive, "00"), archived(archive, "01")
    try:
        for id, reason in (
            ("nothing", "there is no event nothing in the archive"),
            (unsampled, "not sampled"),
            (sampled, f"Zipkin at http://127.0.0.1:{nobody} does not answer"),
        ):
            with pytest.raises(Untraced, match=reason) as told:
                trace(id, mongodb, nobody)
            assert len(str(told.value).splitlines()) == 1
    finally:
        archive.delete_many({"_id": {"$in": [unsampled, sampled]}})
