"""Refusals and faults as problem details (RFC 9457), in one place.

`type` is `/problems/<rule>`; docs/problems.md explains each. For a refusal of a rule, `<rule>` is the
refusal's class name in kebab-case.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from services.kit.decision import Conflict, Invalid, NotAllowed, NotFound, Refused
from services.kit.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

_STATUS: tuple[tuple[type[Refused], int], ...] = (
    (Invalid, 422),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
)


class Unauthorised(Refused):
    """401: no token, or one that is not to be believed."""


class BadRequest(Refused):
    """400: not even JSON."""


class UnsupportedMediaType(Refused):
    """415: a body of a kind that is not read here."""


class Stale(Refused):
    """412: the state has changed since it was read; `current` is what it is now."""


class PreconditionRequired(Refused):
    """428: If-Match is missing."""


_KIT: dict[type[Refused], int] = {
    Unauthorised: 401,
    BadRequest: 400,
    UnsupportedMediaType: 415,
    Stale: 412,
    PreconditionRequired: 428,
}


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal, by its kind."""
    exact = _KIT.get(type(refused))
    return exact or next(status for kind, status in _STATUS if isinstance(refused, kind))


def refusal(refused: Refused, instance: str) -> Response:
    """A refusal as a response."""
    errors = refused.errors if isinstance(refused, Invalid) else None
    status = status_of(refused)
    headers = {"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return problem(status, refused.rule, refused.detail, instance, errors, refused.extra, headers)


def problem(
    status: int,
    rule: str,
    detail: str,
    instance: str,
    errors: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document. `errors` maps JSON pointers to what is wrong there."""
    body: dict[str, Any] = {
        "type": f"/problems/{rule}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    if errors is not None:
        body["errors"] = [{"pointer": pointer, "detail": fault} for pointer, fault in errors.items()]
    if trace_id := current_trace_id():
        body["trace_id"] = trace_id
    body |= extra or {}
    return Response(orjson.dumps(body, default=str), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def unavailable(instance: str) -> Response:
    """503: the database is away; the command may or may not have been done."""
    detail = "The database cannot be reached just now. Send it again with the same Idempotency-Key."
    return problem(503, "unavailable", detail, instance, headers={"retry-after": str(RETRY_AFTER_S)})
