"""A FastAPI app with everything that all four have: tokens, limits, problems, health, metrics."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from services.kit import mongo, problems
from services.kit.decision import Invalid, Refused
from services.kit.entrance import Authentication, BodyLimit
from services.kit.forms import faults
from services.kit.group import Group
from services.kit.handover import App
from services.kit.languages import voice
from services.kit.service import Context, Service
from services.kit.settings import Settings
from services.kit.supervise import forever
from services.kit.tokens import Tokens

log = logging.getLogger(__name__)

_PING_S = 2
EXPOSED = ["ETag", "Location", "Retry-After"]
_OPEN = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
# Who asks for what is another's: nothing tells whether it is there, so what is not there is among it.
_KEPT_OUT = frozenset({403, 404})
_RULES = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


def create_app(service: Service, settings: Settings) -> FastAPI:
    """The API of a service. Nothing is connected before it starts.

    Raises:
        ValueError: the settings name no issuer whose tokens may be believed.
    """
    context = Context.of(service, settings, "api")
    tokens = Tokens(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        home=settings.home,
        production=settings.env == "production",
        clock=context.clock,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(forever(name, run)) for name, run in _loops(context)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = App(
        title=f"jiedui {service.name}",
        version="1",
        description=service.about,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"operation_spans": False},
    )
    app.state.context = context
    app.state.transactor = context.transactor
    app.state.group = Group(context.transactor)
    for router in service.routers:
        app.include_router(router)
    _add_health(app, context)
    _add_problems(app)
    app.add_middleware(BodyLimit, limits=service.body_limits)
    app.add_middleware(
        Authentication, tokens=tokens, open_paths=_OPEN | service.public, open_below=service.public_below
    )
    if settings.console_origin:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[settings.console_origin],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    return app


def _loops(context: Context) -> list[tuple[str, Any]]:
    async def prepare() -> None:
        await context.prepare()
        # Nothing more to do, and `forever` runs what returns again.
        await asyncio.Event().wait()

    own = [(loop.__name__, lambda loop=loop: loop(context)) for loop in context.service.api_background]
    return [("prepare", prepare), *own]


def _add_health(app: FastAPI, context: Context) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz(request: Request) -> Response:
        # Kafka may be away: commands are taken meanwhile, that is what the outbox is for.
        try:
            await asyncio.wait_for(context.database.command("ping"), _PING_S)
        except (PyMongoError, TimeoutError):
            return problems.unavailable(request.url.path)
        if not context.prepared:
            return problems.unavailable(request.url.path)
        return Response(b'{"status":"ready"}', media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        if problems.status_of(error) in _KEPT_OUT:
            # Some paths are open to callers without a token.
            caller = getattr(request.state, "caller", None)
            about = {"who": caller and caller.sub, "method": request.method, "path": request.url.path}
            log.info("kept out", extra=about)
        if isinstance(error, Invalid):
            error.errors = _told(error.errors, request)
        return problems.refusal(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        if any(fault["type"] == "json_invalid" for fault in found):
            return problems.problem(400, "bad-request", "The body is not JSON.", request.url.path)
        errors: dict[str, str] = {}
        for fault in found:
            where, *steps = fault["loc"]
            errors |= (
                faults([fault | {"loc": steps}], None) if where == "body" else {str(fault["loc"][-1]): fault["msg"]}
            )
        detail = "Some fields are wrong; see errors."
        return problems.problem(422, "invalid", detail, request.url.path, _told(errors, request))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        rule = _RULES.get(error.status_code, "http")
        return problems.problem(error.status_code, rule, str(error.detail), request.url.path, headers=error.headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        # Nobody reads the answer; a line that broke off is no fault of ours.
        return problems.problem(400, "bad-request", "The body ended before its end.", request.url.path)

    @app.exception_handler(PyMongoError)
    async def database(request: Request, error: PyMongoError) -> Response:
        if mongo.is_infrastructure(error):
            log.warning("the database is away", extra={"error": repr(error)})
            return problems.unavailable(request.url.path)
        return await unexpected(request, error)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("a request failed", exc_info=error)
        detail = "This is our fault, and it is in the log under the trace_id."
        return problems.problem(500, "internal", detail, request.url.path)


def _told(errors: Mapping[str, str], request: Request) -> dict[str, str]:
    """What is wrong with each field, in the reader's language."""
    say = voice(request.headers.get("accept-language"))
    return {pointer: say(fault) for pointer, fault in errors.items()}
