"""What a bookkeeper books by hand."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar

import orjson
from fastapi import APIRouter
from pydantic import field_validator
from pydantic_core.core_schema import ValidationInfo
from starlette.responses import Response

from schemas.money import to_minor
from services.funding import domain
from services.funding.api.fields import Currency, Day, Words
from services.funding.api.views import EntryView
from services.funding.domain import Account, Commitment, Entry, Expenditure, Funds, Transfer
from services.funding.store import Tx
from services.kit.decision import Decision, Invalid
from services.kit.forms import Body_
from services.kit.http import Call, Form, Unread, allow, created

router = APIRouter()

Bookkeeper = Annotated[Call, allow("bookkeeper")]
# Whoever books takes the next number, so waiting in line costs less than being aborted.
_LOCKS = ("ledger",)
_SHOWN = frozenset(EntryView.model_fields)


class _Booking(Form):
    currency: Currency
    amount: str
    reference: Words | None = None

    @field_validator("amount")
    @classmethod
    def _more_than_nothing(cls, amount: str, info: ValidationInfo) -> str:
        # Where the currency is wrong, the amount is still held against the shape that all amounts have.
        if to_minor(amount, info.data.get("currency", "CNY")) == 0:
            raise ValueError("give more than 0")
        return amount


class ExpenditureForm(_Booking):
    READ_ONLY: ClassVar = _SHOWN - {"amount", "currency", "reference", "project_id", "payee"}
    project_id: str
    payee: Words
    spent_on: Day

    def terms(self) -> Expenditure:
        return Expenditure(
            project_id=self.project_id,
            amount=to_minor(self.amount, self.currency),
            currency=self.currency,
            payee=self.payee,
            spent_on=self.spent_on,
            reference=self.reference,
        )


class TransferForm(_Booking):
    READ_ONLY: ClassVar = _SHOWN - {"amount", "currency", "reference", "commitment_id"}
    commitment_id: str
    to_partner_id: str
    on: Day

    def terms(self) -> Transfer:
        return Transfer(
            commitment_id=self.commitment_id,
            amount=to_minor(self.amount, self.currency),
            currency=self.currency,
            to_partner_id=self.to_partner_id,
            on=self.on,
            reference=self.reference,
        )


class ReversalForm(Form):
    reason: Words


B = TypeVar("B", bound=_Booking)

# A partner is known by its account.
_NAMED: Mapping[str, tuple[type[Any], Callable[[str], str]]] = {
    "project_id": (Funds, str),
    "commitment_id": (Commitment, str),
    "to_partner_id": (Account, lambda id: domain.source_of(id).id),
}


async def _read(body: Body_[B], call: Call, tx: Tx) -> B:
    """The form.

    Raises:
        Invalid: with all its faults, also the ids that are not there.
    """
    try:
        return body.read()
    except Invalid as invalid:
        raise Invalid({**await _unknown(tx, orjson.loads(call.sent)), **invalid.errors}) from invalid


async def _unknown(tx: Tx, raw: Any) -> dict[str, str]:
    faults = {}
    for name, (kind, key) in _NAMED.items():
        id = raw.get(name) if isinstance(raw, dict) else None
        if isinstance(id, str) and not await tx.get(kind, key(id)):
            faults[f"/{name}"] = f"There is none of id {id}."
    return faults


@router.post("/expenditures", status_code=201, response_model=EntryView)
async def spend(call: Bookkeeper, body: Unread[ExpenditureForm]) -> Response:
    async def work(tx: Tx) -> Decision[Entry]:
        terms = (await _read(body, call, tx)).terms()
        funds = await tx.get(Funds, terms.project_id)
        accounts = funds.accounts if funds else ()
        journal = await tx.journal(*accounts, domain.paid_of(terms.payee), on=terms.spent_on)
        first = await tx.with_reference(terms.reference)
        return domain.spend(terms, funds, first, journal=journal, today=tx.today)

    return await call.perform(work, created("/entries", EntryView.of), locks=_LOCKS)


@router.post("/transfers", status_code=201, response_model=EntryView)
async def transfer(call: Bookkeeper, body: Unread[TransferForm]) -> Response:
    async def work(tx: Tx) -> Decision[Entry]:
        terms = (await _read(body, call, tx)).terms()
        commitment = await tx.get(Commitment, terms.commitment_id)
        receiver = await tx.get(Account, domain.source_of(terms.to_partner_id).id)
        accounts = commitment.accounts if commitment else ()
        journal = await tx.journal(*accounts, domain.source_of(terms.to_partner_id), on=terms.on)
        first = await tx.with_reference(terms.reference)
        projects = await tx.projects_of(terms.commitment_id)
        return domain.transfer(terms, commitment, receiver, projects, first, journal=journal, today=tx.today)

    return await call.perform(work, created("/entries", EntryView.of), locks=_LOCKS)


@router.post("/entries/{id}/reverse", status_code=201, response_model=EntryView)
async def reverse(id: str, call: Bookkeeper, body: Unread[ReversalForm]) -> Response:
    async def work(tx: Tx) -> Decision[Entry]:
        entry = await tx.need(Entry, id)
        reason = body.read().reason
        commitment = await tx.need(Commitment, entry.commitment_id)
        funds = await tx.get(Funds, entry.project_id) if entry.project_id else None
        accounts = await tx.get_many(Account, (posting.account_id for posting in entry.postings))
        journal = await tx.journal(*accounts.values(), *commitment.accounts)
        earlier = await tx.reversal_of(id)
        return domain.reverse(entry, earlier, reason, funds=funds, commitment=commitment, journal=journal)

    return await call.perform(work, created("/entries", EntryView.of), locks=_LOCKS)
