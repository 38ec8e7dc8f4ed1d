"""Where the money went. Published by funding."""

from dataclasses import dataclass
from typing import Literal

from schemas.envelope import Event, event
from schemas.shapes import Amount, Category, CountyCode, Currency, Day, Id, Ordinal, Sha256, Whole
from schemas.topics import FUNDING


@dataclass(frozen=True, kw_only=True)
class _Fund(Event):
    amount: Amount
    currency: Currency
    commitment_id: Id
    partner_id: Id
    category: Category


@dataclass(frozen=True, kw_only=True)
class _ProjectFund(_Fund):
    project_id: Id
    pairing_id: Id
    county_code: CountyCode


@event("jiedui.fund.pledged", topic=FUNDING, subject="commitment_id")
class FundPledged(_Fund):
    """What a commitment's terms promise, or more of it, is booked."""

    entry_id: Id


@event("jiedui.fund.unpledged", topic=FUNDING, subject="commitment_id")
class FundUnpledged(_Fund):
    """What is promised no longer, and was not used, is booked back."""

    entry_id: Id


@event("jiedui.fund.reserved", topic=FUNDING, subject="project_id")
class FundReserved(_ProjectFund):
    """The project's share of the commitment is set aside for it."""

    entry_id: Id


@event("jiedui.fund.refused", topic=FUNDING, subject="project_id")
class FundRefused(_ProjectFund):
    """The share is not set aside; `available` is what the commitment still has."""

    reason: Literal["commitment-withdrawn", "not-enough"]
    available: Amount


@event("jiedui.fund.tranche_released", topic=FUNDING, subject="project_id")
class FundTrancheReleased(_ProjectFund):
    """A verified milestone's part of the reserved money is handed over."""

    entry_id: Id
    milestone_no: Ordinal


@event("jiedui.fund.spent", topic=FUNDING, subject="project_id")
class FundSpent(_ProjectFund):
    """The county paid `payee` from what was released."""

    entry_id: Id
    payee: str
    spent_on: Day
    reference: str | None = None


@event("jiedui.fund.returned", topic=FUNDING, subject="project_id")
class FundReturned(_ProjectFund):
    """A cancelled project's money: not released (`unreserved`) and not spent (`refunded`); `amount` is their sum."""

    entry_id: Id
    unreserved: Amount
    refunded: Amount


@event("jiedui.fund.reversed", topic=FUNDING, subject="project_id")
class FundReversed(_Fund):
    """An entry was undone by its opposite; `reverses` is the entry, `entry_id` the opposite.

    A transfer belongs to no project; there the subject is the commitment.
    """

    project_id: Id | None = None
    pairing_id: Id | None = None
    county_code: CountyCode | None = None
    entry_id: Id
    reverses: Id

    @property
    def subject(self) -> str:
        return self.project_id or self.commitment_id


@event("jiedui.fund.transferred", topic=FUNDING, subject="commitment_id")
class FundTransferred(_Fund):
    """A partner's money went to a foundation, which promises it again."""

    entry_id: Id
    to_partner_id: Id
    on: Day
    reference: str | None = None


@event("jiedui.ledger.sealed", topic=FUNDING, subject="ledger")
class LedgerSealed(Event):
    """A hash over the last seal and all `entries` since, up to number `until_no`."""

    ledger: Literal["ledger"] = "ledger"
    seal: Sha256
    entries: Whole
    until_no: Whole
