"""An HTTP entrance: translate, transact, translate.

`allow` says which roles may come in and hands out a `Call`; `Call.perform` runs a command on the one
write path, `Call.read` and `Call.page` read. Faults come in the order 401, 403, 404, Idempotency-Key,
428, 412, 422, 409: 401 is the middleware's, 403 is `allow`'s, the others follow from the order within
`work`: look the thing up, `expect` its version, `read` the form, call the rule.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import PyMongoError
from starlette.responses import Response

from services.kit import crash
from services.kit.decision import Decision, Invalid, NotAllowed, Refused
from services.kit.forms import Form, Unread
from services.kit.idempotency import Key, Reply
from services.kit.ids import new_id
from services.kit.problems import PreconditionRequired, Stale
from services.kit.rows import Cause
from services.kit.tokens import Caller
from services.kit.tracing import current_traceparent
from services.kit.transact import Transactor, Tx

__all__ = ["Call", "Caller", "Form", "Page", "Unread", "accepted", "allow", "created", "ok"]

T = TypeVar("T")
Answer = Callable[[Any], Reply]
View = Callable[[Any], BaseModel | Mapping[str, Any]]
_BOUNDARY = re.compile(r'^multipart/form-data;.*boundary="?([^";]+)"?', re.I)


class RoleNotAllowed(NotAllowed):
    """No role of the token may do this."""


class Page(BaseModel):
    """Query of a list. A service's list adds its filters; an unknown one is a fault."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = None
    total: bool = False


@dataclass
class Call:
    """One request of one caller."""

    request: Request
    caller: Caller
    sent: bytes

    @property
    def transactor(self) -> Transactor:
        found: Transactor = self.request.app.state.transactor
        return found

    def expect(self, version: int, current: BaseModel | Mapping[str, Any], *, required: bool = True) -> None:
        """Holds If-Match against the version of what is to be changed.

        Raises:
            PreconditionRequired: it is missing.
            Stale: the state has changed since it was read.
        """
        header = self.request.headers.get("if-match")
        if header is None:
            if required:
                raise PreconditionRequired(f'Send If-Match: "{version}", the ETag of what you read.')
            return
        if header.strip() != f'"{version}"':
            state = current.model_dump(mode="json") if isinstance(current, BaseModel) else current
            raise Stale(f"It has changed since you read it; its version is {version} now.", current=state)

    async def perform(
        self,
        work: Callable[[Any], Awaitable[Decision[T]]],
        answer: Answer,
        *,
        locks: Sequence[str] = (),
        before: Callable[[], Awaitable[None]] | None = None,
        together: bool = False,
    ) -> Response:
        """Runs a command; with an Idempotency-Key, once.

        `together`: it may share a transaction with others of its kind that come at once (see `group.py`).
        `before` is for what takes more than one transaction: units of its own, which stand whatever
        comes of this one, and find nothing left to do when they are run again.
        """
        key = self._key()
        if before:
            if key and (kept := await key.find(self.transactor.database)):
                return _response(kept)
            await before()

        async def decide(tx: Tx) -> Reply:
            reply = answer(tx.keep(await work(tx)))
            if key:
                key.keep(tx, reply)
            return reply

        wanted = (*locks, key.id) if key else locks
        unit = self.request.app.state.group.unit if together else self.transactor.unit
        while True:
            try:
                reply = await unit(self.cause(), decide, locks=wanted)
                crash.point("after-commit")
                return _response(reply)
            except (Refused, PyMongoError) as error:
                if key is None or not (isinstance(error, Refused) or key.is_taken(error)):
                    raise
                # It was done already, whatever the rule says of it now; or is refused for the first time.
                if kept := await key.find(self.transactor.database):
                    return _response(kept)
                if isinstance(error, Refused):
                    raise

    async def read(self, work: Callable[[Any], Awaitable[T]], answer: Answer) -> Response:
        """Reads, without a transaction, what a majority has."""
        return _response(answer(await work(self.transactor.reading())))

    async def page(
        self,
        kind: type[Any],
        where: Mapping[str, Any],
        page: Page,
        view: View,
        *,
        by: str = "id",
        newest_first: bool = False,
        besides: Mapping[str, Any] | None = None,
    ) -> Response:
        """A page of a list in the order of its ids, which is that of time (UUIDv7) or of county codes.

        `by` names another field whose values are unique to order it by; `besides` stands beside the items.

        Raises:
            Invalid: the cursor is of another list.
        """
        tx = self.transactor.reading()
        column = "_id" if by == "id" else by
        of = hashlib.sha256(orjson.dumps([kind.__name__, where, by, newest_first], default=str)).hexdigest()[:16]
        beyond: dict[str, Any] = {}
        if page.cursor is not None:
            beyond = {column: {"$lt" if newest_first else "$gt": _after(page.cursor, of)}}
        filters = {"$and": [dict(where), beyond]} if beyond else dict(where)
        found = await tx.find(kind, filters, sort=((column, -1 if newest_first else 1),), limit=page.limit + 1)
        items = found[: page.limit]
        body: dict[str, Any] = {"items": [_plain(view(item)) for item in items], "next_cursor": None, **(besides or {})}
        if len(found) > page.limit:
            body["next_cursor"] = base64.urlsafe_b64encode(orjson.dumps([of, getattr(items[-1], by)])).decode()
        if page.total:
            body["total"] = await tx.count(kind, where)
        return _response(Reply(200, orjson.dumps(body), {}))

    def cause(self) -> Cause:
        """The command as the cause of what follows from it."""
        id = new_id()
        return Cause(self.transactor.service, self.caller.sub, id, id, current_traceparent())

    def _key(self) -> Key | None:
        header = self.request.headers.get("idempotency-key")
        if header is None or self.request.method != "POST":
            return None
        route = f"{self.request.method} {self.request.url.path}"
        return Key.of(self.caller.sub, route, header, self._canonical())

    def _canonical(self) -> bytes:
        """The same JSON in another order of fields is the same body; so is the same file within another boundary."""
        found = _BOUNDARY.search(self.request.headers.get("content-type", ""))
        if found:
            return self.sent.replace(found.group(1).encode("latin-1"), b"")
        try:
            return orjson.dumps(orjson.loads(self.sent), option=orjson.OPT_SORT_KEYS)
        except orjson.JSONDecodeError:
            return self.sent


def allow(*roles: str) -> Any:
    """A dependency that lets callers with any of `roles` in.

    Raises:
        RoleNotAllowed: for all others.
    """

    async def enter(request: Request) -> Call:
        caller: Caller = request.state.caller
        if not caller.has(*roles):
            raise RoleNotAllowed(f"This needs the role {' or '.join(roles)}.")
        return Call(request, caller, await request.body())

    return Depends(enter)


def ok(view: View) -> Answer:
    """200 with the state, and its version as ETag where it has one."""
    return lambda state: _reply(200, state, view)


def created(path: str, view: View) -> Answer:
    """201 with Location `path`/<id>."""
    return lambda state: _reply(201, state, view, location=f"{path}/{state.id}")


def accepted(path: str, view: View) -> Answer:
    """202 with Location `path`/<id>: it has begun."""
    return lambda state: _reply(202, state, view, location=f"{path}/{state.id}")


def _reply(status: int, state: Any, view: View, location: str | None = None) -> Reply:
    headers = {}
    if (version := getattr(state, "version", None)) is not None:
        headers["etag"] = f'"{version}"'
    if location:
        headers["location"] = location
    return Reply(status, orjson.dumps(_plain(view(state)), default=str), headers)


def _plain(view: BaseModel | Mapping[str, Any]) -> Any:
    return view.model_dump(mode="json", by_alias=True) if isinstance(view, BaseModel) else view


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, headers=dict(reply.headers), media_type="application/json")


def _after(cursor: str, of: str) -> str | int:
    try:
        list_, last = orjson.loads(base64.urlsafe_b64decode(cursor))
        if not isinstance(last, str) and not (isinstance(last, int) and last < 2**63):
            raise ValueError("neither an id nor a number that MongoDB can hold")
    except (ValueError, TypeError) as error:
        raise Invalid({"cursor": "is no cursor; take next_cursor of the page before"}) from error
    if list_ != of:
        raise Invalid({"cursor": "is of another list or filter; begin without one"})
    return last
