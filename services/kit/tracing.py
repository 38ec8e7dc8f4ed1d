"""OpenTelemetry: set-up, and the context in and out of `traceparent`.

A command's context is written once, into its events; every later hop is a child of it. An event
whose command was not sampled costs no span.

Attributes follow OpenTelemetry's messaging conventions; ours is `jiedui.queue_ms`, the time from
when the event was written to when it was taken in.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, Span, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.envelope import Envelope
from services.kit.clock import instant
from services.kit.zipkin import ZipkinExporter

QUEUE_MS = "jiedui.queue_ms"
# The SDK keeps 128 links a span.
MAX_LINKS = 128
_SAMPLED = frozenset(f"{flags:02x}" for flags in range(1, 256, 2))

_NO_SPAN = nullcontext()
_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("jiedui")


def start(program: str) -> None:
    """Exports the spans of this program (`projects-api`), as the `OTEL_*` variables say.

    `OTEL_TRACES_EXPORTER` is `otlp` by default; `zipkin` and `none` are known too.
    """
    exporter = _exporter(os.environ.get("OTEL_TRACES_EXPORTER", "otlp"))
    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", program)}))
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def stop() -> None:
    """Sends what is finished, if there is somebody who takes it."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def _exporter(name: str) -> SpanExporter | None:
    match name:
        case "otlp":
            return OTLPSpanExporter()
        case "zipkin":
            return ZipkinExporter(os.environ.get("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://127.0.0.1:9411/api/v2/spans"))
        case "none":
            return None
    raise ValueError(f"OTEL_TRACES_EXPORTER: {name!r} is none of otlp, zipkin, none")


def current_traceparent() -> str | None:
    """The `traceparent` of the span that is open here (W3C Trace Context)."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def current_trace_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def trace_id_of(traceparent: str | None) -> str | None:
    context = span_context_of(traceparent)
    return f"{context.trace_id:032x}" if context else None


def span_context_of(traceparent: str | None) -> SpanContext | None:
    """The span context that a `traceparent` names, or None where it is not sound."""
    if not traceparent:
        return None
    context = trace.get_current_span(_context(traceparent)).get_span_context()
    return context if context.is_valid else None


def is_sampled(traceparent: str | None) -> bool:
    """Whether a `traceparent` has the sampled flag; quick, since every event is asked."""
    return traceparent is not None and traceparent[53:55] in _SAMPLED


def _context(traceparent: str) -> Context:
    return _propagator.extract({"traceparent": traceparent}, context=Context())


class Applied:
    """The `process` spans of one unit of work, told once it is written.

    A unit may be run again, and a batch that failed is taken again one by one: an event has one span for
    the one time that it was applied, and none for the tries.
    """

    def __init__(self) -> None:
        self._ended: list[tuple[Span, int]] = []

    def forget(self) -> None:
        """The unit is run again. A span that is never ended is never exported."""
        self._ended.clear()

    def tell(self) -> None:
        """The unit is written."""
        for span, at in self._ended:
            span.end(at)
        self._ended.clear()

    def processing(self, envelope: Envelope, topic: str, now: datetime) -> AbstractContextManager[None]:
        """The `process` span of one consumed event, a child of the command that caused it; none if its handler raises.

        `now` is when it was taken in.
        """
        if not is_sampled(envelope.traceparent) or span_context_of(envelope.traceparent) is None:
            return _NO_SPAN
        return self._open(_process_span(envelope, topic, now))

    @contextmanager
    def _open(self, span: Span) -> Iterator[None]:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield
        self._ended.append((span, time.time_ns()))


def _process_span(envelope: Envelope, topic: str, now: datetime) -> Span:
    assert envelope.traceparent is not None
    queued = (now - instant(envelope.recordedtime)).total_seconds() * 1000
    return _tracer.start_span(
        f"process {envelope.type}",
        context=_context(envelope.traceparent),
        kind=SpanKind.CONSUMER,
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
            "messaging.message.id": envelope.id,
            QUEUE_MS: max(queued, 0.0),
        },
    )


@contextmanager
def sending(traceparent: str | None, system: str, id: str) -> Iterator[str | None]:
    """The span of sending a message on to somebody outside; gives the `traceparent` that goes with it."""
    context = span_context_of(traceparent)
    if context is None or not context.trace_flags.sampled or not traceparent:
        yield traceparent if context else None
        return
    with _tracer.start_as_current_span(
        f"send {system}",
        context=_context(traceparent),
        kind=SpanKind.PRODUCER,
        attributes={"messaging.system": system, "messaging.operation.type": "send", "messaging.message.id": id},
    ):
        yield current_traceparent()


@contextmanager
def batch(size: int, contexts: Sequence[SpanContext]) -> Iterator[None]:
    """The span of a batch's transaction, linked from the sampled events in it; none where there are none."""
    if not contexts:
        yield
        return
    with _tracer.start_as_current_span(
        "transact batch",
        context=Context(),
        kind=SpanKind.INTERNAL,
        links=[Link(context) for context in contexts[:MAX_LINKS]],
        attributes={"messaging.batch.message_count": size},
    ):
        yield
