"""What `jiedui trace` prints of the spans that it is given."""

from typing import Any

from deploy.trace import lines


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
