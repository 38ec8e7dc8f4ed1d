"""The rules of funding: the ledger, what becomes of a project's money, what a bookkeeper books."""

from services.funding.domain.accounts import Account, Day, accounts_about, accounts_of, day_id, paid_of, source_of
from services.funding.domain.audit import Audit, Fault
from services.funding.domain.commitment import Commitment, expire, follow_terms
from services.funding.domain.entries import Entry, EntryType, Posting
from services.funding.domain.faults import expenditure_faults, transfer_faults
from services.funding.domain.funds import Funds, funds_of
from services.funding.domain.ledger import Books, Journal, Ledger
from services.funding.domain.payments import Expenditure, Transfer, reverse, spend, transfer
from services.funding.domain.saga import (
    complete_project,
    plan_tranches,
    release_tranche,
    reserve_funds,
    return_funds,
    take_back,
)
from services.funding.domain.seals import Chain, Seal, seal_entries
from services.funding.domain.statement import Movement, Statement, statement_of

__all__ = [
    "Account",
    "Audit",
    "Books",
    "Chain",
    "Commitment",
    "Day",
    "Entry",
    "EntryType",
    "Expenditure",
    "Fault",
    "Funds",
    "Journal",
    "Ledger",
    "Movement",
    "Posting",
    "Seal",
    "Statement",
    "Transfer",
    "accounts_about",
    "accounts_of",
    "complete_project",
    "day_id",
    "expenditure_faults",
    "expire",
    "follow_terms",
    "funds_of",
    "paid_of",
    "plan_tranches",
    "release_tranche",
    "reserve_funds",
    "return_funds",
    "reverse",
    "seal_entries",
    "source_of",
    "spend",
    "statement_of",
    "take_back",
    "transfer",
    "transfer_faults",
]
