"""What funding knows of a commitment, and the pledge that follows from it.

The pledge is what its terms say while it is open, and nothing once it is withdrawn or expired, but
never less than what is used of it: reserved for projects or passed on. `settle` books what lacks or
is too much, whatever came first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from schemas.commitments import CommitmentAmended, CommitmentSubmitted
from schemas.envelope import Event
from schemas.funding import FundPledged, FundUnpledged
from schemas.money import to_amount, to_minor
from schemas.shapes import BOOKED_KINDS, Category
from services.funding.domain.accounts import Account, accounts_of, pledged_of, source_of
from services.funding.domain.ledger import Journal
from services.kit.decision import NOTHING, Decision

Status = Literal["open", "withdrawn", "expired"]


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """`amount` is what its terms promise, 0 where nothing is booked; `pledged` is net of what was un-pledged."""

    id: str
    partner_id: str
    category: Category
    status: Status
    currency: str
    amount: int
    terms_version: int
    pledged: Mapping[str, int] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """Where its pledge is until it is used."""
        return pledged_of(self.id, self.partner_id)

    @property
    def accounts(self) -> tuple[Account, ...]:
        return accounts_of(self.id, self.partner_id)

    def lapsed(self, currency: str) -> int:
        """What ended with its time, and can still be claimed for a pairing that was approved before."""
        if self.status != "expired" or currency != self.currency:
            return 0
        # Cut below what is used of it, it has more pledged than it promises.
        return max(0, self.amount - self.pledged.get(currency, 0))


def follow_terms(
    commitment: Commitment | None, terms: CommitmentSubmitted | CommitmentAmended, *, journal: Journal
) -> Decision[Any]:
    """A commitment was submitted or amended: pledges it, or more or less of it.

    Older terms than those known, and terms of what is withdrawn, change nothing.
    """
    if commitment and (commitment.status == "withdrawn" or terms.version <= commitment.terms_version):
        return NOTHING
    support = terms.support
    booked = support["kind"] in BOOKED_KINDS
    followed = Commitment(
        id=terms.commitment_id,
        partner_id=terms.partner_id,
        category=terms.category,
        status=_STATUS.get(terms.status, "open"),
        currency=support["currency"] if booked else "",
        amount=to_minor(support["amount"], support["currency"]) if booked else 0,
        terms_version=terms.version,
        pledged=commitment.pledged if commitment else {},
    )
    settled = settle(followed, journal)
    return Decision(settled, (settled, *journal.saves), pledges_told(settled, journal))


def expire(commitment: Commitment, *, journal: Journal) -> Decision[Any]:
    """Its time is over: un-pledges what is not used."""
    if commitment.status != "open":
        return NOTHING
    settled = settle(replace(commitment, status="expired"), journal)
    return Decision(settled, (settled, *journal.saves), pledges_told(settled, journal))


def settle(commitment: Commitment, journal: Journal) -> Commitment:
    """Pledges what lacks, un-pledges what is too much and not used."""
    promised = {commitment.currency: commitment.amount} if commitment.status == "open" and commitment.amount else {}
    settled = commitment
    for currency in sorted({*promised, *commitment.pledged}):
        change = promised.get(currency, 0) - commitment.pledged.get(currency, 0)
        settled = pledge(settled, max(change, -journal.balance(commitment.account, currency)), currency, journal)
    return settled


def pledge(commitment: Commitment, change: int, currency: str, journal: Journal) -> Commitment:
    """Books that so much more (below zero: less) is pledged."""
    if change == 0:
        return commitment
    source = source_of(commitment.partner_id)
    about: dict[str, Any] = {"commitment_id": commitment.id, "partner_ids": (commitment.partner_id,)}
    if change > 0:
        journal.move("pledged", change, currency, out_of=source, into=commitment.account, **about)
    else:
        journal.move("unpledged", -change, currency, out_of=commitment.account, into=source, **about)
    pledged = {**commitment.pledged, currency: commitment.pledged.get(currency, 0) + change}
    return replace(commitment, pledged=pledged)


def pledges_told(commitment: Commitment, journal: Journal) -> tuple[Event, ...]:
    """An event for each pledge of this commitment in the journal, so that readers can show the whole ledger."""
    told = {"pledged": FundPledged, "unpledged": FundUnpledged}
    return tuple(
        told[entry.type](
            amount=to_amount(entry.amount, entry.currency),
            currency=entry.currency,
            entry_id=entry.id,
            commitment_id=commitment.id,
            partner_id=commitment.partner_id,
            category=commitment.category,
        )
        for entry in journal.entries
        if entry.type in told
    )


_STATUS: Mapping[str, Status] = {"withdrawn": "withdrawn", "expired": "expired"}
