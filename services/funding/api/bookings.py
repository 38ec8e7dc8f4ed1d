"""What a bookkeeper books by hand."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, TypeVar

from fastapi import APIRouter
from pydantic import field_validator
from pydantic_core.core_schema import ValidationInfo
from starlette.responses import Response

from schemas.money import to_minor
from services.funding import domain
from services.funding.api.fields import Currency, Day, Reference, Words
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
    reference: Reference | None = None

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
Faults = Callable[[Mapping[str, Any]], Awaitable[dict[str, str]]]


async def _read(body: Body_[B], call: Call, faults: Faults) -> B:
    """The form.

    Raises:
        Invalid: with all its faults, also those that `faults` finds in the fields that are well in themselves.
    """
    try:
        return body.read()
    except Invalid as invalid:
        if "" in invalid.errors:
            raise
        raw = json.loads(call.sent)
        fields = raw.items() if isinstance(raw, dict) else ()
        given = {name: value for name, value in fields if f"/{name}" not in invalid.errors}
        for name in _DAYS & given.keys():
            given[name] = date.fromisoformat(given[name])
        raise Invalid({**await faults(given), **invalid.errors}) from invalid


_DAYS = {"spent_on", "on"}


async def _funds(tx: Tx, given: Mapping[str, Any]) -> Funds | None:
    return await tx.get(Funds, given["project_id"]) if "project_id" in given else None


async def _ends(tx: Tx, given: Mapping[str, Any]) -> tuple[Commitment | None, Account | None]:
    """The commitment that a transfer is from, and the account that it goes to."""
    commitment = await tx.get(Commitment, given["commitment_id"]) if "commitment_id" in given else None
    to = given.get("to_partner_id")
    return commitment, await tx.get(Account, domain.source_of(to).id) if to is not None else None


@router.post("/expenditures", status_code=201, response_model=EntryView)
async def spend(call: Bookkeeper, body: Unread[ExpenditureForm]) -> Response:
    async def work(tx: Tx) -> Decision[Entry]:
        async def faults(given: Mapping[str, Any]) -> dict[str, str]:
            return domain.expenditure_faults(given, await _funds(tx, given), today=tx.today)

        terms = (await _read(body, call, faults)).terms()
        funds = await _funds(tx, vars(terms))
        accounts = funds.accounts if funds else ()
        journal = await tx.journal(*accounts, domain.paid_of(terms.payee), on=terms.spent_on)
        first = await tx.with_reference(terms.reference)
        return domain.spend(terms, funds, first, journal=journal, today=tx.today)

    return await call.perform(work, created("/entries", EntryView.of), locks=_LOCKS)


@router.post("/transfers", status_code=201, response_model=EntryView)
async def transfer(call: Bookkeeper, body: Unread[TransferForm]) -> Response:
    async def work(tx: Tx) -> Decision[Entry]:
        async def faults(given: Mapping[str, Any]) -> dict[str, str]:
            return domain.transfer_faults(given, *await _ends(tx, given), today=tx.today)

        terms = (await _read(body, call, faults)).terms()
        commitment, receiver = await _ends(tx, vars(terms))
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
