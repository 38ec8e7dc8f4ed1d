"""What funding knows of a project: its money, and the facts about it that have come."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from schemas.pairings import PairingApproved
from schemas.projects import ProjectOpened
from schemas.shapes import BOOKED_KINDS, Category, SupportKind
from services.funding.domain.accounts import Account, accounts_of, released_of, reserved_of
from services.funding.domain.tranches import Share


@dataclass(frozen=True, kw_only=True)
class Funds:
    """One project's money in minor units, and the facts about it that have come.

    `reserved`, `released`, `spent` are net of reversals; `unreserved` and `refunded` are what was
    returned. `support_kind` is None before the approval, `shares` empty before the plan.
    """

    id: str
    pairing_id: str
    commitment_id: str
    partner_id: str
    county_code: str
    category: Category
    status: Literal["running", "completed", "cancelled"] = "running"
    support_kind: SupportKind | None = None
    currency: str = ""
    reservation: str | None = None
    refused: bool = False
    returned: bool = False
    starts_on: date | None = None
    shares: tuple[Share, ...] = ()
    verified: tuple[int, ...] = ()
    tranches: tuple[int, ...] = ()
    reserved: int = 0
    released: int = 0
    spent: int = 0
    unreserved: int = 0
    refunded: int = 0
    version: int = 0

    def changed(self, **changes: Any) -> "Funds":
        """With some fields changed, as the next version."""
        return replace(self, version=self.version + 1, **changes)

    @property
    def is_booked(self) -> bool:
        """Whether it is known to be about money."""
        return self.support_kind in BOOKED_KINDS

    @property
    def reserved_account(self) -> Account:
        return reserved_of(self.id, self.partner_id)

    @property
    def released_account(self) -> Account:
        return released_of(self.id, self.partner_id)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """All that its money comes through."""
        commitments = accounts_of(self.commitment_id, self.partner_id)
        return *commitments, self.reserved_account, self.released_account

    @property
    def parties(self) -> dict[str, Any]:
        """Whom and what an event about its money speaks of."""
        return {
            "project_id": self.id,
            "pairing_id": self.pairing_id,
            "commitment_id": self.commitment_id,
            "partner_id": self.partner_id,
            "county_code": self.county_code,
            "category": self.category,
        }

    @property
    def about(self) -> dict[str, Any]:
        """The fields of its entries."""
        return {"project_id": self.id, "commitment_id": self.commitment_id, "partner_ids": (self.partner_id,)}


def funds_of(event: PairingApproved | ProjectOpened) -> Funds:
    """The funds of a project of which nothing was known yet."""
    return Funds(
        id=event.project_id,
        pairing_id=event.pairing_id,
        commitment_id=event.commitment_id,
        partner_id=event.partner_id,
        county_code=event.county_code,
        category=event.category,
    )
