"""What partners promise. Published by pairing."""

from dataclasses import dataclass
from typing import Annotated

from schemas.envelope import Event, event
from schemas.shapes import Category, Day, Fragment, Id, Instant, Places, Support, Text
from schemas.topics import COMMITMENTS


@dataclass(frozen=True, kw_only=True)
class _Commitment(Event):
    commitment_id: Id
    partner_id: Id
    category: Category


@dataclass(frozen=True, kw_only=True)
class _Terms(_Commitment):
    id: Id
    status: str
    title: Text
    support: Support
    projects_max: Annotated[int, Fragment(minimum=1)]
    valid_from: Day
    valid_until: Day
    prefers: Places | None = None
    excludes: Places | None = None
    only: Places | None = None
    reference: str | None = None
    pairings: list[Id]
    version: Annotated[int, Fragment(minimum=1)]
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
