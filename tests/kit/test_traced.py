"""An event has one span for the one time that it was applied, and each line of the log the trace it belongs to."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo.errors import OperationFailure
from starlette.responses import Response

from schemas.partners import PartnerRegistered
from services.kit import logs, tracing
from services.kit.app import create_app
from services.kit.clock import Clock
from services.kit.decision import Decision
from services.kit.http import Call, allow
from services.kit.records import Received
from services.kit.service import Service
from services.kit.settings import Settings
from services.kit.tokens import LocalIssuer
from tests.kit import toy
from tests.kit.toy import Bench, Tx, partner_event
from tests.waiting import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
COMMAND = "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{COMMAND}-01"


class Lines:
    """The lines that this process logs, as a program does."""

    def __init__(self) -> None:
        self.output = io.StringIO()

    def saying(self, message: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.output.getvalue().splitlines()]
        return [line for line in found if line["event"] == message]


@pytest.fixture
def lines() -> Iterator[Lines]:
    found = Lines()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.start("toy-worker")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(found.output)
    yield found
    root.handlers[:] = handlers
    root.setLevel(level)


def transient() -> Exception:
    """As MongoDB says that a transaction is to be run again."""
    return OperationFailure("conflict", 112, {"errorLabels": ["TransientTransactionError"]})


def own() -> Exception:
    return RuntimeError("the first try")


@pytest.mark.parametrize("fault", [own, transient])
async def test_a_failed_first_try_leaves_one_span_under_the_command(
    bench: Bench, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    tries: list[str] = []

    async def register(event: Received[PartnerRegistered], tx: Tx) -> Decision[Any]:
        tries.append(event.id)
        if len(tries) == 2:
            raise fault()
        return await toy.register(event, tx)

    monkeypatch.setitem(toy.HANDLERS, PartnerRegistered, register)
    events = [partner_event(partner, 1, traceparent=SAMPLED) for partner in ("p", "q")]
    async with bench.running(bench.consumer()):
        await bench.produce(*events)
        await until(lambda: bench.partner("q"), "q is there")
    assert len(tries) > 2
    told = [span for span in spans.get_finished_spans() if span.name == f"process {PartnerRegistered.TYPE}"]
    ids = sorted(json.loads(value)["id"] for _, value in events)
    assert sorted(str((span.attributes or {})["messaging.message.id"]) for span in told) == ids
    for span in told:
        assert span.parent is not None
        assert (f"{span.parent.span_id:016x}", f"{span.parent.trace_id:032x}") == (COMMAND, TRACE)


async def test_a_parked_event_has_its_span_when_it_is_applied(bench: Bench, spans: InMemorySpanExporter) -> None:
    async with bench.running(bench.consumer()):
        await bench.produce(partner_event("p", 2, "later", type_="amended", traceparent=SAMPLED))
        await until(lambda: bench.database.early.find_one({"about": "p"}), "the update is parked")
        names = [span.name for span in spans.get_finished_spans()]
        assert "process jiedui.partner.amended" not in names
        await bench.produce(partner_event("p", 1, "first"))
        await until(lambda: bench.partner("p"), "p is there")
    names = [span.name for span in spans.get_finished_spans()]
    assert names.count("process jiedui.partner.amended") == 1


async def test_what_a_handler_logs_names_the_trace_of_its_command(
    bench: Bench, spans: InMemorySpanExporter, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def register(event: Received[PartnerRegistered], tx: Tx) -> Decision[Any]:
        logging.getLogger("toy").info("registering")
        return await toy.register(event, tx)

    monkeypatch.setitem(toy.HANDLERS, PartnerRegistered, register)
    async with bench.running(bench.consumer()):
        await bench.produce(partner_event("p", 1, traceparent=SAMPLED))
        await until(lambda: bench.partner("p"), "p is there")
    (line,) = lines.saying("registering")
    assert (line["trace_id"], line["program"]) == (TRACE, "toy-worker")


async def test_the_line_about_a_dead_letter_names_its_trace(
    bench: Bench, spans: InMemorySpanExporter, lines: Lines
) -> None:
    async with bench.running(bench.consumer(), bench.relay()):
        await bench.produce(partner_event("p", 1, "poison", traceparent=SAMPLED))
        await until(bench.dead_letters, "it is dead-lettered")
    (line,) = lines.saying("a record is dead-lettered")
    assert line["trace_id"] == TRACE
    assert not [span for span in spans.get_finished_spans() if span.name.startswith("process")]


async def test_what_a_request_logs_names_its_trace(
    tmp_path: Any, mongodb: str, spans: InMemorySpanExporter, lines: Lines
) -> None:
    router = APIRouter()

    @router.get("/traced")
    async def traced(call: Annotated[Call, allow("monitor")]) -> Response:
        logging.getLogger("toy").info("asked")
        return Response(tracing.current_trace_id())

    @router.get("/broken")
    async def broken(call: Annotated[Call, allow("monitor")]) -> Response:
        raise RuntimeError("ours")

    settings = Settings(port=0, worker_port=0, home=tmp_path, mongodb_uri=mongodb)
    app = create_app(Service(name="toytraced", tx=Tx, routers=(router,)), settings)
    token = LocalIssuer(tmp_path).token(sub="m", roles=("monitor",), now=Clock().now())
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy", headers=headers) as client:
        trace_id = (await client.get("/traced")).text
        assert (await client.get("/broken")).status_code == 500
    asked, broke = [f"{span.get_span_context().trace_id:032x}" for span in spans.get_finished_spans()]
    assert trace_id == asked
    assert [line["trace_id"] for line in lines.saying("asked")] == [asked]
    assert [line["trace_id"] for line in lines.saying("a request failed")] == [broke]
