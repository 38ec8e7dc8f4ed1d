"""What a bookkeeper books by hand: expenditures, transfers to a foundation, and reversals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.envelope import Event
from schemas.funding import FundReversed, FundSpent, FundTransferred
from schemas.money import to_amount
from services.funding.domain.accounts import Account, paid_of, source_of
from services.funding.domain.commitment import Commitment, pledges_told, settle
from services.funding.domain.entries import Entry
from services.funding.domain.faults import expenditure_faults, transfer_faults
from services.funding.domain.funds import Funds
from services.funding.domain.ledger import Journal
from services.funding.domain.refusals import (
    AlreadyReversed,
    NoMoneyBooked,
    NotEnough,
    NotReversible,
    ProjectIsCancelled,
    ProjectIsCompleted,
    ReferenceTaken,
)
from services.kit.decision import Decision, Invalid


@dataclass(frozen=True, kw_only=True)
class Expenditure:
    """What a county paid to `payee` from what was released to its project. `amount` is in minor units."""

    project_id: str
    amount: int
    currency: str
    payee: str
    spent_on: date
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What a partner passed on to a foundation, which promises it again. `amount` is in minor units."""

    commitment_id: str
    amount: int
    currency: str
    to_partner_id: str
    on: date
    reference: str | None = None


def spend(
    expenditure: Expenditure, funds: Funds | None, first: Entry | None, *, journal: Journal, today: date
) -> Decision[Entry]:
    """Books an expenditure; `first` is the entry that has its reference already.

    Raises:
        Invalid: no such project, another currency, a day before it began or after today.
        ReferenceTaken
        NoMoneyBooked
        ProjectIsCancelled
        NotEnough: over what is released and not spent, on that day or a later one.
    """
    faults = expenditure_faults(vars(expenditure), funds, today=today)
    if faults or funds is None:
        raise Invalid(faults)
    _refuse_taken(expenditure.reference, first)
    if funds.support_kind is not None and not funds.is_booked:
        raise NoMoneyBooked(f"Project {funds.id} is helped with {funds.support_kind}, so no money is booked for it.")
    _refuse_cancelled(funds, expenditure.currency)
    available = journal.free(funds.released_account, expenditure.currency, expenditure.spent_on)
    if expenditure.amount > available:
        raise _not_enough(available, expenditure.currency, (funds,), expenditure.spent_on)
    entry = journal.move(
        "spent",
        expenditure.amount,
        expenditure.currency,
        out_of=funds.released_account,
        into=paid_of(expenditure.payee),
        on=expenditure.spent_on,
        payee=expenditure.payee,
        reference=expenditure.reference,
        **funds.about,
    )
    event = FundSpent(
        amount=to_amount(expenditure.amount, expenditure.currency),
        currency=expenditure.currency,
        entry_id=entry.id,
        payee=expenditure.payee,
        spent_on=expenditure.spent_on.isoformat(),
        reference=expenditure.reference,
        **funds.parties,
    )
    spent = funds.changed(spent=funds.spent + expenditure.amount)
    return Decision(entry, (spent, *journal.saves), (event,))


def transfer(
    order: Transfer,
    commitment: Commitment | None,
    receiver: Account | None,
    projects: Sequence[Funds],
    first: Entry | None,
    *,
    journal: Journal,
    today: date,
) -> Decision[Entry]:
    """Books a transfer from a commitment that is not used; `projects` are all that have money of it.

    Raises:
        Invalid: no such commitment or receiver, another currency, a day after today.
        ReferenceTaken
        NoMoneyBooked
        NotEnough: over what is pledged and not used, on that day or a later one.
    """
    faults = transfer_faults(vars(order), commitment, receiver, today=today)
    if faults or commitment is None:
        raise Invalid(faults)
    _refuse_taken(order.reference, first)
    if not commitment.currency:
        raise NoMoneyBooked(f"Commitment {commitment.id} promises no money.")
    available = journal.free(commitment.account, order.currency, order.on)
    if order.amount > available:
        raise _not_enough(available, order.currency, projects, order.on)
    entry = journal.move(
        "transferred",
        order.amount,
        order.currency,
        out_of=commitment.account,
        into=source_of(order.to_partner_id),
        on=order.on,
        commitment_id=commitment.id,
        partner_ids=(commitment.partner_id, order.to_partner_id),
        reference=order.reference,
    )
    event = FundTransferred(
        amount=to_amount(order.amount, order.currency),
        currency=order.currency,
        commitment_id=commitment.id,
        partner_id=commitment.partner_id,
        category=commitment.category,
        entry_id=entry.id,
        to_partner_id=order.to_partner_id,
        on=order.on.isoformat(),
        reference=order.reference,
    )
    return Decision(entry, (commitment, *journal.saves), (event,))


def reverse(
    entry: Entry,
    earlier: Entry | None,
    reason: str,
    *,
    funds: Funds | None,
    commitment: Commitment,
    journal: Journal,
) -> Decision[Entry]:
    """Undoes an expenditure, a tranche or a transfer by its opposite; `earlier` is the entry that did so already.

    Raises:
        AlreadyReversed
        NotReversible: the entry follows from what was decided elsewhere, and is undone there.
        ProjectIsCancelled
        ProjectIsCompleted
        NotEnough: a tranche of which too much is spent.
    """
    if earlier is not None:
        raise AlreadyReversed(f"Entry {earlier.id} reverses it already.", entry_id=earlier.id)
    if entry.type not in _PARTS:
        raise NotReversible(f"An entry of type {entry.type} follows from a decision: {_INSTEAD[entry.type]}.")
    if funds is not None:
        _refuse_cancelled(funds, entry.currency)
        _refuse_lost_tranche(entry, funds, journal)
    opposite = journal.book(
        "reversed",
        ((journal.account(posting.account_id), -posting.amount, posting.currency) for posting in entry.postings),
        iati_type=entry.iati_type,
        reverses=entry.id,
        reason=reason,
        commitment_id=entry.commitment_id,
        partner_ids=entry.partner_ids,
        project_id=entry.project_id,
        milestone_no=entry.milestone_no,
        payee=entry.payee,
    )
    if funds is None:
        changed: Any = settle(commitment, journal)
        pledges = pledges_told(changed, journal)
    else:
        part, pledges = _PARTS[entry.type], ()
        changed = funds.changed(**{part: getattr(funds, part) - entry.amount})
    told = _reversed(entry, opposite, funds, commitment)
    return Decision(opposite, (changed, *journal.saves), (told, *pledges))


# What each type that can be reversed counts in; a transfer in nothing of a project.
_PARTS = {"spent": "spent", "tranche_released": "released", "transferred": ""}
_INSTEAD = {
    "pledged": "amend or withdraw the commitment",
    "unpledged": "amend the commitment, or submit it anew",
    "reserved": "cancel the project",
    "returned": "the project is cancelled, and its share is matched again",
    "reversed": "book again what was reversed",
}


def _reversed(entry: Entry, opposite: Entry, funds: Funds | None, commitment: Commitment) -> Event:
    of_commitment = {
        "commitment_id": commitment.id,
        "partner_id": commitment.partner_id,
        "category": commitment.category,
    }
    return FundReversed(
        amount=to_amount(entry.amount, entry.currency),
        currency=entry.currency,
        entry_id=opposite.id,
        reverses=entry.id,
        **(funds.parties if funds else of_commitment),
    )


def _refuse_taken(reference: str | None, first: Entry | None) -> None:
    if first is not None:
        raise ReferenceTaken(f"Entry {first.id} has the reference {reference}.", entry_id=first.id)


def _refuse_cancelled(funds: Funds, currency: str) -> None:
    if funds.status == "cancelled":
        raise ProjectIsCancelled(
            f"Project {funds.id} is cancelled; what was not spent has gone back.", **_money(0, currency, (funds,))
        )


def _refuse_lost_tranche(entry: Entry, funds: Funds, journal: Journal) -> None:
    """A tranche is released once, so one that is taken back must still find a way: back by a cancellation."""
    if entry.type != "tranche_released":
        return
    available = journal.balance(funds.released_account, entry.currency)
    if funds.status == "completed":
        raise ProjectIsCompleted(
            f"Project {funds.id} is completed; its tranches stay out.", **_money(available, entry.currency, (funds,))
        )
    if entry.amount > available:
        raise _not_enough(available, entry.currency, (funds,))


def _not_enough(available: int, currency: str, projects: Sequence[Funds], on: date | None = None) -> NotEnough:
    """`on` is the day it was to be booked for; what is there now may not have been then, or be used since."""
    day = f" on {on}" if on else ""
    return NotEnough(
        f"{to_amount(available, currency)} {currency} are available{day}, no more.",
        **_money(available, currency, projects),
    )


def _money(available: int, currency: str, projects: Sequence[Funds]) -> dict[str, Any]:
    """What a refusal for money tells besides its reason."""
    of_currency = [funds for funds in projects if funds.currency == currency]
    parts = {
        "reserved": sum(funds.reserved for funds in of_currency),
        "released": sum(funds.released for funds in of_currency),
        "spent": sum(funds.spent for funds in of_currency),
        "returned": sum(funds.unreserved + funds.refunded for funds in of_currency),
    }
    made_of = {part: to_amount(minor, currency) for part, minor in parts.items()}
    return {"available": to_amount(available, currency), "made_of": made_of}
