"""What partners promise. Published by pairing."""

from dataclasses import dataclass
from typing import Annotated, Literal

from schemas.envelope import Event, event
from schemas.shapes import Category, Day, Fragment, Id, Instant, Ordinal, Places, Support, Text
from schemas.topics import COMMITMENTS

CommitmentStatus = Literal["open", "partly_paired", "fully_paired", "withdrawn", "expired"]

_AMOUNT = {"properties": {"kind": {"enum": ["money", "purchase"]}}, "required": ["amount", "currency"]}
_QUANTITY = {"properties": {"kind": {"enum": ["goods", "service", "training"]}}, "required": ["quantity", "unit"]}


@dataclass(frozen=True, kw_only=True)
class _Commitment(Event):
    commitment_id: Id
    partner_id: Id
    category: Category


@dataclass(frozen=True, kw_only=True)
class _Terms(_Commitment):
    id: Id
    status: CommitmentStatus
    title: Text
    support: Annotated[Support, Fragment(oneOf=[_AMOUNT, _QUANTITY])]
    projects_max: Ordinal
    valid_from: Day
    valid_until: Day
    prefers: Places | None = None
    excludes: Places | None = None
    only: Places | None = None
    reference: str | None = None
    pairings: list[Id]
    version: Ordinal
    submitted_at: Instant


@event("jiedui.commitment.submitted", topic=COMMITMENTS, subject="commitment_id")
class CommitmentSubmitted(_Terms):
    """A partner promised help."""


@event("jiedui.commitment.amended", topic=COMMITMENTS, subject="commitment_id")
class CommitmentAmended(_Terms):
    """The terms changed; the event carries all of them as they are now."""


@event("jiedui.commitment.withdrawn", topic=COMMITMENTS, subject="commitment_id")
class CommitmentWithdrawn(_Commitment):
    """What was not paired is taken back, and of what was: the pairings in `takes_back`."""

    reason: str
    takes_back: list[Id]


@event("jiedui.commitment.expired", topic=COMMITMENTS, subject="commitment_id")
class CommitmentExpired(_Commitment):
    """Its `valid_until` has passed; what was not paired is over."""
