"""What funding does when something happened elsewhere."""

from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.commitments import CommitmentAmended, CommitmentExpired, CommitmentSubmitted, CommitmentWithdrawn
from schemas.envelope import Event
from schemas.pairings import PairingApproved
from schemas.partners import PartnerRegistered
from schemas.projects import MilestoneVerified, ProjectCancelled, ProjectCompleted, ProjectOpened
from schemas.topics import COMMITMENTS, PAIRINGS, PARTNERS, PROJECTS
from services.funding import domain
from services.funding.domain import Account, Commitment, Funds
from services.funding.store import Tx
from services.kit.batch import Handler, Reads
from services.kit.decision import NOTHING, Decision, NotYet
from services.kit.records import Received

T = TypeVar("T")

TOPICS = (PARTNERS, COMMITMENTS, PAIRINGS, PROJECTS)


async def open_account(event: Received[PartnerRegistered], tx: Tx) -> Decision[Any]:
    account = domain.source_of(event.data.partner_id)
    if await tx.get(Account, account.id):
        return NOTHING
    return Decision(account, (account,))


async def follow_terms(event: Received[CommitmentSubmitted | CommitmentAmended], tx: Tx) -> Decision[Any]:
    commitment = await tx.get(Commitment, event.data.commitment_id)
    accounts = domain.accounts_of(event.data.commitment_id, event.data.partner_id)
    return domain.follow_terms(commitment, event.data, journal=await tx.journal(*accounts))


async def take_back(event: Received[CommitmentWithdrawn], tx: Tx) -> Decision[Any]:
    commitment = await _known(tx, Commitment, event.data.commitment_id)
    projects = await tx.paired_as(event.data.takes_back)
    accounts = (account for funds in projects for account in funds.accounts)
    return domain.take_back(commitment, projects, journal=await tx.journal(*commitment.accounts, *accounts))


async def expire(event: Received[CommitmentExpired], tx: Tx) -> Decision[Any]:
    commitment = await _known(tx, Commitment, event.data.commitment_id)
    return domain.expire(commitment, journal=await tx.journal(*commitment.accounts))


async def reserve_funds(event: Received[PairingApproved], tx: Tx) -> Decision[Any]:
    funds = await tx.get(Funds, event.data.project_id) or domain.funds_of(event.data)
    commitment = await tx.get(Commitment, funds.commitment_id)
    journal = await tx.journal(*funds.accounts)
    return domain.reserve_funds(funds, commitment, event.data, journal=journal)


async def plan_tranches(event: Received[ProjectOpened], tx: Tx) -> Decision[Any]:
    funds = await tx.get(Funds, event.data.project_id) or domain.funds_of(event.data)
    commitment = await tx.get(Commitment, funds.commitment_id)
    journal = await tx.journal(*funds.accounts)
    return domain.plan_tranches(funds, commitment, event.data, journal=journal)


async def release_tranche(event: Received[MilestoneVerified], tx: Tx) -> Decision[Any]:
    funds = await _known(tx, Funds, event.data.project_id)
    commitment = await tx.get(Commitment, funds.commitment_id)
    journal = await tx.journal(*funds.accounts)
    return domain.release_tranche(funds, commitment, event.data, journal=journal)


async def return_funds(event: Received[ProjectCancelled], tx: Tx) -> Decision[Any]:
    funds = await _known(tx, Funds, event.data.project_id)
    commitment = await tx.get(Commitment, funds.commitment_id)
    return domain.return_funds(funds, commitment, journal=await tx.journal(*funds.accounts))


async def complete_project(event: Received[ProjectCompleted], tx: Tx) -> Decision[Any]:
    return domain.complete_project(await _known(tx, Funds, event.data.project_id))


async def _known(tx: Tx, kind: type[T], id: str) -> T:
    state = await tx.get(kind, id)
    if state is None:
        raise NotYet(id)
    return state


HANDLERS: Mapping[type[Event], Handler] = {
    PartnerRegistered: open_account,
    CommitmentSubmitted: follow_terms,
    CommitmentAmended: follow_terms,
    CommitmentWithdrawn: take_back,
    CommitmentExpired: expire,
    PairingApproved: reserve_funds,
    ProjectOpened: plan_tranches,
    MilestoneVerified: release_tranche,
    ProjectCancelled: return_funds,
    ProjectCompleted: complete_project,
}
_OF_COMMITMENT = ((Commitment, "commitment_id"),)
_OF_PROJECT = ((Commitment, "commitment_id"), (Funds, "project_id"))
READS: Reads = {
    CommitmentSubmitted: _OF_COMMITMENT,
    CommitmentAmended: _OF_COMMITMENT,
    CommitmentWithdrawn: _OF_COMMITMENT,
    CommitmentExpired: _OF_COMMITMENT,
    PairingApproved: _OF_PROJECT,
    ProjectOpened: _OF_PROJECT,
    MilestoneVerified: _OF_PROJECT,
    ProjectCancelled: _OF_PROJECT,
    ProjectCompleted: ((Funds, "project_id"),),
}
