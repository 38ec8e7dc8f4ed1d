"""Spans to Zipkin's JSON v2 (https://zipkin.io/zipkin-api/), for the viewer that `make run` brings along.

OpenTelemetry's own Zipkin exporter ends with 2026, and Zipkin speaks no OTLP.
"""

from collections.abc import Sequence
from typing import Any

import httpx
import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

_KINDS = {
    SpanKind.SERVER: "SERVER",
    SpanKind.CLIENT: "CLIENT",
    SpanKind.PRODUCER: "PRODUCER",
    SpanKind.CONSUMER: "CONSUMER",
}


class ZipkinExporter(SpanExporter):
    """Sends finished spans; a batch that Zipkin does not take is given up."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._client = httpx.Client(timeout=5, trust_env=False)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        body = orjson.dumps([zipkin_span(span) for span in spans])
        try:
            answer = self._client.post(self._endpoint, content=body, headers={"content-type": "application/json"})
        except httpx.HTTPError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if answer.is_success else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._client.close()


def zipkin_span(span: ReadableSpan) -> dict[str, Any]:
    """One span in Zipkin's form; times are microseconds."""
    context = span.get_span_context()
    assert context is not None
    start, end = span.start_time or 0, span.end_time or 0
    tags = {key: str(value) for key, value in (span.attributes or {}).items()}
    if span.status.status_code is StatusCode.ERROR:
        tags["error"] = span.status.description or "error"
    found: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "id": f"{context.span_id:016x}",
        "name": span.name,
        "timestamp": start // 1000,
        "duration": max((end - start) // 1000, 1),
        "localEndpoint": {"serviceName": str(span.resource.attributes.get("service.name", "unknown"))},
        "tags": tags,
    }
    if span.parent is not None:
        found["parentId"] = f"{span.parent.span_id:016x}"
    if span.kind in _KINDS:
        found["kind"] = _KINDS[span.kind]
    return found
