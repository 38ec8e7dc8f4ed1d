"""One trace through all: the context goes into the event once, and each hop is its child."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from schemas.envelope import Envelope
from services.kit import tracing
from services.kit.clock import instant
from services.kit.zipkin import zipkin_span

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = SAMPLED[:-2] + "00"
NOW = instant("2020-10-26T04:00:01.500Z")


def envelope(traceparent: str | None) -> Envelope:
    return Envelope(
        id="e1",
        source="/jiedui/pairing",
        type="jiedui.partner.registered",
        subject="p",
        time="2020-10-26T04:00:00.000Z",
        recordedtime="2020-10-26T04:00:00.000Z",
        dataschema="/schemas/json/jiedui.partner.registered.json#v1",
        sequence=1,
        actor="a",
        correlationid="c",
        causationid="c",
        traceparent=traceparent,
        data={},
    )


def test_a_sampled_event_gets_a_process_span_under_its_command(spans: InMemorySpanExporter) -> None:
    applied = tracing.Applied()
    with applied.processing(envelope(SAMPLED), "jiedui.partners.v1", NOW):
        inner = tracing.current_traceparent()
    assert spans.get_finished_spans() == (), "what is not written yet may be tried again"
    applied.tell()
    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == SAMPLED[36:52]
    assert f"{span.get_span_context().trace_id:032x}" == SAMPLED[3:35]
    assert span.attributes is not None
    assert span.attributes["jiedui.queue_ms"] == 1500.0
    assert span.attributes["messaging.destination.name"] == "jiedui.partners.v1"
    assert inner is not None
    assert tracing.trace_id_of(inner) == SAMPLED[3:35]


@pytest.mark.parametrize("traceparent", [UNSAMPLED, None, "nonsense", "00-0-0-01"])
def test_an_unsampled_or_unsound_context_costs_no_span(spans: InMemorySpanExporter, traceparent: str | None) -> None:
    with tracing.Applied().processing(envelope(traceparent), "jiedui.partners.v1", NOW):
        assert not trace.get_current_span().is_recording()
    assert spans.get_finished_spans() == ()


def test_a_batch_links_its_sampled_events_and_no_more_than_the_sdk_keeps(spans: InMemorySpanExporter) -> None:
    context = tracing.span_context_of(SAMPLED)
    assert context is not None
    with tracing.batch(500, [context] * 500):
        pass
    (span,) = spans.get_finished_spans()
    assert len(span.links) == tracing.MAX_LINKS
    with tracing.batch(500, []):
        assert not trace.get_current_span().is_recording()


def test_zipkin_is_told_what_the_span_says(spans: InMemorySpanExporter) -> None:
    applied = tracing.Applied()
    with applied.processing(envelope(SAMPLED), "jiedui.partners.v1", NOW):
        pass
    applied.tell()
    span: ReadableSpan = spans.get_finished_spans()[0]
    told = zipkin_span(span)
    assert told["traceId"] == SAMPLED[3:35]
    assert told["parentId"] == SAMPLED[36:52]
    assert told["kind"] == "CONSUMER"
    assert told["localEndpoint"] == {"serviceName": "toy-worker"}
    assert told["tags"]["jiedui.queue_ms"] == "1500.0"
    assert span.start_time is not None
    assert told["timestamp"] == span.start_time // 1000
