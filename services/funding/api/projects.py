"""A project's money."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.funding.api.views import FundsView
from services.funding.domain import Funds
from services.funding.store import Tx
from services.kit.decision import NotFound
from services.kit.http import Call, Caller, allow, ok

router = APIRouter()


@router.get("/projects/{id}/funds", response_model=FundsView)
async def get_funds(
    id: str, call: Annotated[Call, allow("partner", "officer", "coordinator", "monitor", "bookkeeper")]
) -> Response:
    async def work(tx: Tx) -> Funds:
        funds = await tx.get(Funds, id)
        if funds is None or not _may_see(call.caller, funds) or not funds.is_booked:
            raise NotFound(f"There is no project {id} with money.")
        return funds

    return await call.read(work, ok(FundsView.of))


def _may_see(caller: Caller, funds: Funds) -> bool:
    if caller.has("coordinator", "monitor", "bookkeeper"):
        return True
    own = caller.has("partner") and caller.partner_id == funds.partner_id
    return own or (caller.has("officer") and funds.county_code in caller.county_codes)
