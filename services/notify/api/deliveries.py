"""Deliveries: what became of each, and sending one again by hand."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from services.kit.clock import rfc3339
from services.kit.decision import Decision, NotFound
from services.kit.http import Call, allow, ok
from services.notify.api.queries import ROLES
from services.notify.domain import Delivery, Subscription
from services.notify.domain.deliveries import resend
from services.notify.store import Tx

router = APIRouter()


class AttemptView(BaseModel):
    """`status` is `unknown` (no answer came; the receiver may have it), `delivered`, `failed` or `repeated`."""

    at: str
    status: str
    code: int | None
    detail: str | None


class DeliveryView(BaseModel):
    """`next_at` is when it is tried next; null where it is not tried by itself, also in a digest."""

    id: str
    subscription_id: str
    channel: str
    event_id: str
    webhook_id: str
    status: str
    reason: str | None
    attempts: list[AttemptView]
    created_at: str
    next_at: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryView":
        return cls(
            id=delivery.id,
            subscription_id=delivery.subscription_id,
            channel=delivery.channel,
            event_id=delivery.event_id,
            webhook_id=delivery.id,
            status=delivery.status,
            reason=delivery.reason,
            attempts=[
                AttemptView(at=rfc3339(attempt.at), status=attempt.status, code=attempt.code, detail=attempt.detail)
                for attempt in delivery.attempts
            ],
            created_at=rfc3339(delivery.created_at),
            next_at=rfc3339(delivery.next_at) if delivery.next_at else None,
        )


class DeliveryList(BaseModel):
    items: list[DeliveryView]
    next_cursor: str | None
    total: int | None = None


@router.post("/deliveries/{id}/resend", response_model=DeliveryView)
async def resend_delivery(id: str, call: Annotated[Call, allow(*ROLES)]) -> Response:
    """Sends it once more, with the same id and the same content."""

    async def work(tx: Tx) -> Decision[Delivery]:
        delivery: Delivery | None = await tx.get(Delivery, id)
        if delivery is None or delivery.owner != call.caller.sub:
            raise NotFound(f"There is no delivery {id}.")
        again = resend(delivery, await tx.get(Subscription, delivery.subscription_id), tx.now)
        return Decision(again, saves=(again,))

    return await call.perform(work, ok(DeliveryView.of))
