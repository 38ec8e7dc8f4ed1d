"""Rounds, rules and pairings: who helps whom. Published by pairing."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from schemas.envelope import Event, event
from schemas.shapes import (
    Category,
    CountyCode,
    Day,
    Fragment,
    Id,
    Int64,
    Money,
    ObjectiveLevel,
    Ordinal,
    PerCent,
    Quantity,
    Sha256,
    SupportKind,
    Text,
    Whole,
)
from schemas.topics import PAIRINGS


@event("jiedui.round.completed", topic=PAIRINGS, subject="round_id")
class RoundCompleted(Event):
    """A round found its proposal."""

    round_id: Id
    id: Id
    status: Literal["completed"]
    as_of: Day
    seed: Int64
    progress: PerCent
    snapshot_sha256: Sha256
    pairings: Whole
    counties_reached: Whole
    needs_served: Whole
    needs_unserved: Whole
    objective: list[ObjectiveLevel]
    solve_ms: Annotated[float, Fragment(minimum=0)]


@event("jiedui.round.failed", topic=PAIRINGS, subject="round_id")
class RoundFailed(Event):
    """A round could not end; nothing was proposed."""

    round_id: Id
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Rule(Event):
    rule_id: Id
    kind: Literal["pin", "ban"]
    county_code: CountyCode
    commitment_id: Id | None = None
    partner_id: Id | None = None
    category: Category | None = None
    reason: str


@event("jiedui.rule.added", topic=PAIRINGS, subject="rule_id")
class RuleAdded(_Rule):
    """From the next round on, this pair must (`pin`) or must not (`ban`) be."""


@event("jiedui.rule.removed", topic=PAIRINGS, subject="rule_id")
class RuleRemoved(_Rule):
    """The rule no longer holds."""


@dataclass(frozen=True, kw_only=True)
class _Pairing(Event):
    pairing_id: Id
    round_id: Id
    commitment_id: Id
    partner_id: Id
    county_code: CountyCode
    category: Category
    allocated: Money | Quantity
    support_kind: SupportKind
    project_id: Id | None = None


@event("jiedui.pairing.proposed", topic=PAIRINGS, subject="pairing_id")
class PairingProposed(_Pairing):
    """A round proposes it; a coordinator decides."""


@event("jiedui.pairing.approved", topic=PAIRINGS, subject="pairing_id")
class PairingApproved(_Pairing):
    """It stands: `project_id` opens and its money is reserved. `title` is the commitment's.

    `commitment_version` is the `version` in the commitment's last published terms, under which it
    was allocated: whoever knows only older ones waits for them.
    """

    project_id: Id = field()  # required here, in spite of the base's default
    title: Text
    commitment_version: Ordinal | None = None


@event("jiedui.pairing.rejected", topic=PAIRINGS, subject="pairing_id")
class PairingRejected(_Pairing):
    """A coordinator said no, or its commitment is gone."""

    reason: str


@event("jiedui.pairing.superseded", topic=PAIRINGS, subject="pairing_id")
class PairingSuperseded(_Pairing):
    """A newer round, or a change of the commitment, took its place."""

    reason: str


@event("jiedui.pairing.revoked", topic=PAIRINGS, subject="pairing_id")
class PairingRevoked(_Pairing):
    """An approved one that no longer stands."""

    project_id: Id = field()  # required here, in spite of the base's default
    reason: str
