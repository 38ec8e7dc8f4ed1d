"""Dead letters: looked at, replayed or discarded, with a reason."""

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.kit.clock import rfc3339
from services.kit.decision import Decision
from services.kit.http import Call, Form, Page, Unread, allow, ok
from services.notify import domain
from services.notify.domain import DeadLetter
from services.notify.store import Tx

router = APIRouter()


class Reason(Form):
    reason: str = Field(min_length=1, max_length=2000, pattern=r"\S")


class DeadLetterPage(Page):
    service: str | None = None
    topic: str | None = None
    status: Literal["open", "replayed", "discarded"] | None = None


class Error(BaseModel):
    type: str
    message: str


class DeadLetterView(BaseModel):
    """`value` is base64; `key` is shown as text, with what is no UTF-8 escaped."""

    id: str
    service: str
    topic: str
    partition: int
    offset: int
    key: str | None
    error: Error
    attempts: int
    first_failed_at: str
    value: str | None
    status: str
    reason: str | None
    decided_by: str | None
    decided_at: str | None

    @classmethod
    def of(cls, letter: DeadLetter) -> "DeadLetterView":
        return cls(
            id=letter.id,
            service=letter.service,
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            key=None if letter.key is None else letter.key.decode(errors="backslashreplace"),
            error=Error(type=letter.error_type, message=letter.error_message),
            attempts=letter.attempts,
            first_failed_at=rfc3339(letter.first_failed_at),
            value=None if letter.value is None else base64.b64encode(letter.value).decode(),
            status=letter.status,
            reason=letter.reason,
            decided_by=letter.decided_by,
            decided_at=rfc3339(letter.decided_at) if letter.decided_at else None,
        )


class DeadLetterList(BaseModel):
    items: list[DeadLetterView]
    next_cursor: str | None
    total: int | None = None


@router.get("/dead-letters", response_model=DeadLetterList)
async def list_dead_letters(
    call: Annotated[Call, allow("coordinator", "monitor")], page: Annotated[DeadLetterPage, Query()]
) -> Response:
    columns = {"service": page.service, "topic": page.topic, "status": page.status}
    where: dict[str, Any] = {name: value for name, value in columns.items() if value is not None}
    return await call.page(DeadLetter, where, page, DeadLetterView.of)


@router.post("/dead-letters/{id}/replay", response_model=DeadLetterView)
async def replay(id: str, call: Annotated[Call, allow("monitor")], reason: Unread[Reason]) -> Response:
    """Puts the record back on its topic, bytes untouched, for the one service that could not take it."""

    async def work(tx: Tx) -> Decision[DeadLetter]:
        letter = await tx.need(DeadLetter, id)
        return domain.replay(letter, reason=reason.read().reason, by=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(DeadLetterView.of))


@router.post("/dead-letters/{id}/discard", response_model=DeadLetterView)
async def discard(id: str, call: Annotated[Call, allow("monitor")], reason: Unread[Reason]) -> Response:
    async def work(tx: Tx) -> Decision[DeadLetter]:
        letter = await tx.need(DeadLetter, id)
        return domain.discard(letter, reason=reason.read().reason, by=call.caller.sub, now=tx.now)

    return await call.perform(work, ok(DeadLetterView.of))
