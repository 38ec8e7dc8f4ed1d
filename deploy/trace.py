"""The way of one event: from the command that caused it through every program that took it in, out of Zipkin."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
from pymongo import MongoClient

from deploy import zipkin
from services.kit.tracing import QUEUE_MS, is_sampled

Span = Mapping[str, Any]


class Untraced(Exception):
    """There is no trace to show; the message says why, in one line."""


def trace(event_id: str, mongodb_uri: str, zipkin_port: int) -> list[str]:
    """The hops of an event's trace, a line each, indented under what caused them.

    Raises:
        Untraced: the event is unknown or was not sampled, or Zipkin is away or has nothing.
        PyMongoError: the archive cannot be read.
    """
    event = _archived(event_id, mongodb_uri)
    trace_id = event["trace_id"]
    if trace_id is None or not is_sampled(event["envelope"].get("traceparent")):
        raise Untraced(f"event {event_id} has no trace: what caused it was not sampled")
    return [f"trace {trace_id} of {event['type']} {event_id}", *lines(_spans(trace_id, zipkin.url(zipkin_port)))]


def _archived(event_id: str, mongodb_uri: str) -> Mapping[str, Any]:
    with MongoClient[dict[str, Any]](mongodb_uri, serverSelectionTimeoutMS=3000) as client:
        event = client.jiedui_notify.events.find_one({"_id": event_id}, {"type": 1, "trace_id": 1, "envelope": 1})
    if event is None:
        raise Untraced(f"there is no event {event_id} in the archive")
    return event


def _spans(trace_id: str, server: str) -> Sequence[Span]:
    try:
        answer = httpx.get(f"{server}/api/v2/trace/{trace_id}", timeout=5, trust_env=False)
        answer.raise_for_status()
        spans: Sequence[Span] = answer.json()
    except httpx.HTTPStatusError as fault:
        if fault.response.status_code == httpx.codes.NOT_FOUND:
            raise Untraced(
                f"Zipkin has no span of trace {trace_id}: it forgets when it is started again, "
                "and is told of new ones after some seconds"
            ) from fault
        raise Untraced(f"Zipkin at {server} answers {fault.response.status_code}") from fault
    except httpx.HTTPError as fault:
        raise Untraced(f"Zipkin at {server} does not answer: {fault}") from fault
    return spans


def lines(spans: Sequence[Span]) -> Iterator[str]:
    """Service, span, duration and time in the queue of each hop; what one caused stands under it, in order of time."""
    known = {span["id"] for span in spans}
    under: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.get("timestamp", 0)):
        parent = span.get("parentId")
        under[parent if parent in known else None].append(span)

    def tell(parent: str | None, depth: int) -> Iterator[tuple[str, Span]]:
        for span in under[parent]:
            yield f"{'  ' * depth}{span['localEndpoint']['serviceName']}  {span.get('name', '?')}", span
            yield from tell(span["id"], depth + 1)

    told = list(tell(None, 0))
    width = max((len(name) for name, _ in told), default=0)
    for name, span in told:
        queued = span.get("tags", {}).get(QUEUE_MS)
        queue = f"  queue_ms {float(queued):.0f}" if queued is not None else ""
        yield f"{name:<{width}}  {span.get('duration', 0) / 1000:8.1f} ms{queue}"
