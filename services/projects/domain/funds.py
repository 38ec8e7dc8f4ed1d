"""The money shown on a project: what funding booked for it, entry by entry."""

from dataclasses import dataclass, replace
from typing import Literal

from schemas.funding import FundReserved, FundReturned, FundReversed, FundSpent, FundTrancheReleased
from schemas.money import to_minor
from services.kit.decision import Decision, NotYet
from services.projects.domain.project import Project
from services.projects.domain.refusals import NotItsMoney

Booked = FundReserved | FundTrancheReleased | FundSpent | FundReturned
Part = Literal["reserved", "released", "spent", "returned"]
_PARTS: dict[type[Booked], Part] = {
    FundReserved: "reserved",
    FundTrancheReleased: "released",
    FundSpent: "spent",
    FundReturned: "returned",
}


@dataclass(frozen=True, kw_only=True)
class FundEntry:
    """A ledger entry that counts in one part of a project's money; `minor` is below zero for a reversal."""

    id: str
    project_id: str
    part: Part
    minor: int


def book(project: Project, known: FundEntry | None, booked: Booked) -> Decision[Project]:
    """Shows an entry on the project, once.

    Raises:
        NotItsMoney
    """
    minor = to_minor(booked.amount, booked.currency)
    entry = FundEntry(id=booked.entry_id, project_id=project.id, part=_PARTS[type(booked)], minor=minor)
    return _show(project, known, entry, booked.currency)


def reverse(
    project: Project, known: FundEntry | None, original: FundEntry | None, reversal: FundReversed
) -> Decision[Project]:
    """Takes an entry off the part that it counted in, once.

    Raises:
        NotItsMoney
        NotYet: what is reversed has not come (it may be a dead letter, to be played again).
    """
    if original is None:
        raise NotYet(project.id)
    entry = FundEntry(id=reversal.entry_id, project_id=project.id, part=original.part, minor=-original.minor)
    return _show(project, known, entry, reversal.currency)


def _show(project: Project, known: FundEntry | None, entry: FundEntry, currency: str) -> Decision[Project]:
    if known:
        return Decision(project)
    if project.funds is None or project.funds.currency != currency:
        raise NotItsMoney(f"Entry {entry.id} is in {currency}; {project.id} has no money in it.")
    funds = replace(project.funds, **{entry.part: getattr(project.funds, entry.part) + entry.minor})
    shown = project.changed(funds=funds)
    return Decision(shown, (shown, entry))
