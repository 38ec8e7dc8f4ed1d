"""The rules of funding: the ledger, what becomes of a project's money, what a bookkeeper books."""

from services.funding.domain.audit import Audit, Fault
from services.funding.domain.commitment import Commitment, expire, follow_terms
from services.funding.domain.funds import Funds, funds_of
from services.funding.domain.ledger import (
    Account,
    Books,
    Day,
    Entry,
    EntryType,
    Journal,
    Ledger,
    Posting,
    accounts_of,
    day_id,
    paid_of,
    source_of,
)
from services.funding.domain.payments import Expenditure, Transfer, reverse, spend, transfer
from services.funding.domain.saga import (
    complete_project,
    plan_tranches,
    release_tranche,
    reserve_funds,
    return_funds,
    take_back,
)

__all__ = [
    "Account",
    "Audit",
    "Books",
    "Commitment",
    "Day",
    "Entry",
    "EntryType",
    "Expenditure",
    "Fault",
    "Funds",
    "Journal",
    "Ledger",
    "Posting",
    "Transfer",
    "accounts_of",
    "complete_project",
    "day_id",
    "expire",
    "follow_terms",
    "funds_of",
    "paid_of",
    "plan_tranches",
    "release_tranche",
    "reserve_funds",
    "return_funds",
    "reverse",
    "source_of",
    "spend",
    "take_back",
    "transfer",
]
