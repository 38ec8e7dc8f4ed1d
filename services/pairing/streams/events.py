"""What projects and funding say of approved pairings, and what projects observe."""

from datetime import date
from typing import Any

from schemas.envelope import Event
from schemas.funding import (
    FundRefused,
    FundReserved,
    FundReturned,
    FundReversed,
    FundTrancheReleased,
    FundTransferred,
)
from schemas.money import to_minor
from schemas.projects import IndicatorObserved, ProjectCancelled, ProjectCompleted, ProjectOpened
from schemas.topics import FUNDING, PROJECTS
from services.kit.batch import Handler
from services.kit.decision import Decision, NotYet
from services.kit.records import Received
from services.pairing import domain
from services.pairing.domain import Commitment, County, Pairing, observing
from services.pairing.domain.observing import Observation, Observed, value_of
from services.pairing.store import Tx

TOPICS = (PROJECTS, FUNDING)


async def see_project(event: Received[ProjectOpened], tx: Tx) -> Decision[Any]:
    return domain.see_project(await _pairing(tx, event.data.pairing_id))


async def cancel_project(event: Received[ProjectCancelled], tx: Tx) -> Decision[Any]:
    pairing = await _pairing(tx, event.data.pairing_id)
    commitment, county = await _sides(tx, pairing)
    return domain.cancel_project(pairing, commitment, county, reason=event.data.reason)


async def complete_project(event: Received[ProjectCompleted], tx: Tx) -> Decision[Any]:
    pairing = await _pairing(tx, event.data.pairing_id)
    return domain.complete_project(pairing, await tx.need(County, pairing.county_code))


async def see_reservation(event: Received[FundReserved], tx: Tx) -> Decision[Any]:
    return domain.see_reservation(await _pairing(tx, event.data.pairing_id))


async def see_tranche(event: Received[FundTrancheReleased], tx: Tx) -> Decision[Any]:
    return domain.see_tranche(await _pairing(tx, event.data.pairing_id))


async def refuse_reservation(event: Received[FundRefused], tx: Tx) -> Decision[Any]:
    pairing = await _pairing(tx, event.data.pairing_id)
    commitment, county = await _sides(tx, pairing)
    return domain.refuse_reservation(pairing, commitment, county, reason=event.data.reason)


async def return_money(event: Received[FundReturned], tx: Tx) -> Decision[Any]:
    pairing = await _pairing(tx, event.data.pairing_id)
    commitment = await tx.need(Commitment, pairing.commitment_id)
    return domain.return_money(pairing, commitment, minor=to_minor(event.data.amount, event.data.currency))


async def transfer_out(event: Received[FundTransferred], tx: Tx) -> Decision[Any]:
    commitment = await tx.get(Commitment, event.data.commitment_id)
    if commitment is None:
        raise NotYet(event.data.commitment_id)
    after = domain.transfer_out(commitment, to_minor(event.data.amount, event.data.currency))
    return Decision(after, (after,))


async def see_reversal(event: Received[FundReversed], tx: Tx) -> Decision[Any]:
    """Of a transfer, which belongs to no project. What is undone within a project changes no share."""
    if event.data.project_id:
        return Decision(None)
    commitment = await tx.get(Commitment, event.data.commitment_id)
    if commitment is None:
        raise NotYet(event.data.commitment_id)
    after = domain.transfer_back(commitment, to_minor(event.data.amount, event.data.currency))
    return Decision(after, (after,))


async def observe(event: Received[IndicatorObserved], tx: Tx) -> Decision[Any]:
    data = event.data
    county = await tx.get(County, data.county_code)
    value = value_of(data.value, data.kind, data.unit)
    if county is None or value is None:
        return Decision(None)
    period: Any = data.period
    last = str(period["until"] if period else data.on)
    observation = Observation(
        project_id=data.project_id,
        key=f"{period['from']}/{last}" if period else last,
        day=date.fromisoformat(last),
        value=value,
        recorded_at=event.time,
    )
    return observing.observe(
        county,
        await tx.get(Observed, Observed.key(county.id, data.indicator)),
        observation,
        indicator=data.indicator,
        kind=data.kind,
        now=tx.now,
        today=tx.today,
        by=event.envelope.actor,
    )


HANDLERS: dict[type[Event], Handler] = {
    ProjectOpened: see_project,
    ProjectCancelled: cancel_project,
    ProjectCompleted: complete_project,
    IndicatorObserved: observe,
    FundReserved: see_reservation,
    FundTrancheReleased: see_tranche,
    FundRefused: refuse_reservation,
    FundReturned: return_money,
    FundTransferred: transfer_out,
    FundReversed: see_reversal,
}
READS = dict.fromkeys(HANDLERS, ((Pairing, "pairing_id"), (Commitment, "commitment_id"), (County, "county_code")))


async def _pairing(tx: Tx, id: str) -> Pairing:
    pairing = await tx.get(Pairing, id)
    if pairing is None:
        raise NotYet(id)
    return pairing


async def _sides(tx: Tx, pairing: Pairing) -> tuple[Commitment, County]:
    return await tx.need(Commitment, pairing.commitment_id), await tx.need(County, pairing.county_code)
