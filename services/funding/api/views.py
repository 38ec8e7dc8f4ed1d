"""What funding answers. Amounts are texts with all decimals; what is taken from an account has a minus."""

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel

from schemas.money import to_amount
from services.funding.domain import Account, Audit, Entry, EntryType, Funds, Seal
from services.kit.clock import rfc3339


def amounts(balances: Mapping[str, int]) -> dict[str, str]:
    """By currency."""
    return {currency: to_amount(minor, currency) for currency, minor in sorted(balances.items())}


class OwnerView(BaseModel):
    kind: str
    id: str


class AccountView(BaseModel):
    id: str
    owner: OwnerView
    holds: str
    balances: dict[str, str]

    @classmethod
    def of(cls, account: Account) -> "AccountView":
        owner = OwnerView(kind=account.owner.kind, id=account.owner.id)
        return cls(id=account.id, owner=owner, holds=account.holds, balances=amounts(account.balances))


class PostingView(BaseModel):
    account_id: str
    amount: str
    currency: str


class EntryView(BaseModel):
    id: str
    no: int
    type: EntryType
    iati_type: int
    booked_on: date
    recorded_at: str
    amount: str
    currency: str
    postings: list[PostingView]
    commitment_id: str
    partner_ids: list[str]
    project_id: str | None
    milestone_no: int | None
    payee: str | None
    reference: str | None
    reverses: str | None
    reason: str | None
    digest: str

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        postings = [
            PostingView(
                account_id=posting.account_id,
                amount=to_amount(posting.amount, posting.currency),
                currency=posting.currency,
            )
            for posting in entry.postings
        ]
        return cls(
            id=entry.id,
            no=entry.no,
            type=entry.type,
            iati_type=entry.iati_type,
            booked_on=entry.booked_on,
            recorded_at=rfc3339(entry.recorded_at),
            amount=to_amount(entry.amount, entry.currency),
            currency=entry.currency,
            postings=postings,
            commitment_id=entry.commitment_id,
            partner_ids=list(entry.partner_ids),
            project_id=entry.project_id,
            milestone_no=entry.milestone_no,
            payee=entry.payee,
            reference=entry.reference,
            reverses=entry.reverses,
            reason=entry.reason,
            digest=entry.digest,
        )


class _List(BaseModel):
    next_cursor: str | None
    total: int | None = None


class AccountList(_List):
    items: list[AccountView]


class EntryList(_List):
    items: list[EntryView]


class SealView(BaseModel):
    no: int
    previous: str
    seal: str
    entries: int
    until_no: int

    @classmethod
    def of(cls, seal: Seal) -> "SealView":
        return cls(
            no=seal.no,
            previous=seal.previous,
            seal=seal.seal,
            entries=seal.entries,
            until_no=seal.until_no,
        )


class SealList(_List):
    items: list[SealView]


class FundsView(BaseModel):
    currency: str
    reserved: str
    released: str
    spent: str
    returned: str
    unreserved: str
    refunded: str

    @classmethod
    def of(cls, funds: Funds) -> "FundsView":
        def amount(minor: int) -> str:
            return to_amount(minor, funds.currency)

        return cls(
            currency=funds.currency,
            reserved=amount(funds.reserved),
            released=amount(funds.released),
            spent=amount(funds.spent),
            returned=amount(funds.unreserved + funds.refunded),
            unreserved=amount(funds.unreserved),
            refunded=amount(funds.refunded),
        )


class TrialBalance(BaseModel):
    """By currency `debit` and `credit`, which are equal."""

    currencies: dict[str, dict[str, str]]

    @classmethod
    def of(cls, sums: Mapping[str, tuple[int, int]]) -> "TrialBalance":
        return cls(
            currencies={
                currency: {"debit": to_amount(above, currency), "credit": to_amount(below, currency)}
                for currency, (above, below) in sums.items()
            }
        )


class FaultView(BaseModel):
    kind: str
    id: str
    detail: str


class Verdict(BaseModel):
    """`sealed_until` is the number of the last entry that a sound seal is of."""

    ok: bool
    entries: int
    seals: int
    sealed_until: int
    faults: list[FaultView]

    @classmethod
    def of(cls, audit: Audit) -> "Verdict":
        return cls(
            ok=not audit.faults,
            entries=audit.entries,
            seals=audit.seals,
            sealed_until=audit.sealed_until,
            faults=[FaultView(kind=fault.kind, id=fault.id, detail=fault.detail) for fault in audit.faults],
        )
