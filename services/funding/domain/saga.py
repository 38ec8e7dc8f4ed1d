"""What becomes of a project's money: reserved or refused, released, returned.

Facts about one project come on several topics, so in any order: the approval (`pairing.approved`),
the plan (`project.opened`), verified milestones, the end. Each is kept in `Funds`, and then
`_advance` does what has become due:

    approved ─▶ reserved ─▶ a tranche is out for each verified milestone of the plan ─▶ returned
        └─▶ refused                                                          once cancelled

Withdrawing a commitment takes back what was reserved for a project that has not begun to get it.
What is refused or returned stays so, and says nothing more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal, cast

from schemas.envelope import Event
from schemas.funding import FundRefused, FundReserved, FundReturned, FundReversed, FundTrancheReleased
from schemas.money import to_amount, to_minor
from schemas.pairings import PairingApproved
from schemas.projects import MilestoneVerified, ProjectOpened
from schemas.shapes import Money
from services.funding.domain.commitment import Commitment, pledge, pledges_told, settle
from services.funding.domain.entries import IATI_TYPES
from services.funding.domain.funds import Funds
from services.funding.domain.ledger import Journal
from services.funding.domain.tranches import Share, tranche_amounts
from services.kit.decision import NOTHING, Decision, NotYet


def reserve_funds(
    funds: Funds, commitment: Commitment | None, approved: PairingApproved, *, journal: Journal
) -> Decision[Any]:
    """A pairing was approved: sets its share aside, or refuses it; nothing is booked for goods.

    Raises:
        NotYet: the commitment, or the terms under which its share was allocated, are not known yet.
    """
    if funds.support_kind is not None:
        return NOTHING
    funds = replace(funds, support_kind=approved.support_kind)
    if not funds.is_booked:
        return _kept(funds)
    if commitment is None or commitment.terms_version < (approved.commitment_version or 0):
        raise NotYet(approved.commitment_id)
    share = cast(Money, approved.allocated)
    funds = replace(funds, currency=share["currency"])
    amount = to_minor(share["amount"], funds.currency)
    if commitment.status == "withdrawn":
        funds, refusal = _refused(funds, amount, 0, "commitment-withdrawn")
        return _kept(funds, events=(refusal,))
    free = journal.balance(commitment.account, funds.currency)
    available = free + commitment.lapsed(funds.currency)
    if amount > available:
        funds, refusal = _refused(funds, amount, available, "not-enough")
        return _kept(funds, events=(refusal,))
    commitment = pledge(commitment, max(0, amount - free), funds.currency, journal)
    entry = journal.move(
        "reserved", amount, funds.currency, out_of=commitment.account, into=funds.reserved_account, **funds.about
    )
    funds = replace(funds, reserved=amount, reservation=entry.id)
    reserved = FundReserved(amount=share["amount"], currency=funds.currency, entry_id=entry.id, **funds.parties)
    return _advance(funds, commitment, journal, reserved)


def plan_tranches(
    funds: Funds, commitment: Commitment | None, opened: ProjectOpened, *, journal: Journal
) -> Decision[Any]:
    """A project was opened: its plan says which milestone releases which share.

    Raises:
        ValueError: the shares do not sum to 100 per cent.
    """
    if funds.shares:
        return NOTHING
    shares = tuple(
        Share(milestone_no=milestone["no"], per_cent=milestone["tranche_share"]) for milestone in opened.milestones
    )
    tranche_amounts(0, shares)
    funds = replace(funds, shares=shares, starts_on=date.fromisoformat(opened.starts_on))
    return _advance(funds, commitment, journal)


def release_tranche(
    funds: Funds, commitment: Commitment | None, verified: MilestoneVerified, *, journal: Journal
) -> Decision[Any]:
    """A milestone was verified: its tranche is released, once, as soon as it can be.

    Raises:
        ValueError: the project's plan has no such milestone.
    """
    no = verified.milestone_no
    if no in funds.verified or (funds.support_kind is not None and not funds.is_booked):
        return NOTHING
    if funds.shares and no not in {share.milestone_no for share in funds.shares}:
        raise ValueError(f"project {funds.id} has no milestone {no}")
    return _advance(replace(funds, verified=(*funds.verified, no)), commitment, journal)


def return_funds(funds: Funds, commitment: Commitment | None, *, journal: Journal) -> Decision[Any]:
    """A project was cancelled: what is not spent goes back to its commitment."""
    if funds.status != "running":
        return NOTHING
    return _advance(replace(funds, status="cancelled"), commitment, journal)


def complete_project(funds: Funds) -> Decision[Any]:
    """A project was completed; what was released can still be spent."""
    if funds.status != "running":
        return NOTHING
    return _kept(replace(funds, status="completed"))


def take_back(commitment: Commitment, projects: Sequence[Funds], *, journal: Journal) -> Decision[Any]:
    """A commitment was withdrawn: un-pledges what is not used, and takes `projects`' money back.

    A project keeps its money where a tranche is out, and one that is returned or refused has said
    so. One whose approval has not come yet is refused when it comes.
    """
    if commitment.status == "withdrawn":
        return NOTHING
    saves: list[Any] = []
    events: list[Event] = []
    for funds in projects:
        if funds.reservation is None or funds.refused or funds.returned or funds.tranches:
            continue
        amount = funds.reserved
        entry = journal.move(
            "reversed",
            amount,
            funds.currency,
            out_of=funds.reserved_account,
            into=commitment.account,
            iati_type=IATI_TYPES["reserved"],
            reverses=funds.reservation,
            **funds.about,
        )
        events.append(
            FundReversed(
                amount=to_amount(amount, funds.currency),
                currency=funds.currency,
                entry_id=entry.id,
                reverses=funds.reservation,
                **funds.parties,
            )
        )
        taken, refusal = _refused(replace(funds, reserved=0), amount, 0, "commitment-withdrawn")
        saves.append(taken.changed())
        events.append(refusal)
    settled = settle(replace(commitment, status="withdrawn"), journal)
    return Decision(settled, (settled, *saves, *journal.saves), (*events, *pledges_told(settled, journal)))


def _refused(
    funds: Funds, amount: int, available: int, reason: Literal["commitment-withdrawn", "not-enough"]
) -> tuple[Funds, Event]:
    return replace(funds, refused=True), FundRefused(
        amount=to_amount(amount, funds.currency),
        currency=funds.currency,
        reason=reason,
        available=to_amount(available, funds.currency),
        **funds.parties,
    )


def _advance(funds: Funds, commitment: Commitment | None, journal: Journal, *events: Event) -> Decision[Any]:
    """Does what the facts that have come allow."""
    if commitment is None or funds.reservation is None or funds.refused or funds.returned:
        return _kept(funds)
    done = list(events)
    amounts = tranche_amounts(funds.reserved, funds.shares) if funds.shares else {}
    for no in funds.verified:
        if no in amounts and no not in funds.tranches:
            funds, released = _released(funds, no, amounts[no], journal)
            done.append(released)
    if funds.status == "cancelled":
        funds, commitment, returned = _returned(funds, commitment, journal)
        done.append(returned)
    return _kept(funds, commitment, *journal.saves, events=(*done, *pledges_told(commitment, journal)))


def _released(funds: Funds, no: int, amount: int, journal: Journal) -> tuple[Funds, Event]:
    entry = journal.move(
        "tranche_released",
        amount,
        funds.currency,
        out_of=funds.reserved_account,
        into=funds.released_account,
        milestone_no=no,
        **funds.about,
    )
    event = FundTrancheReleased(
        amount=to_amount(amount, funds.currency),
        currency=funds.currency,
        entry_id=entry.id,
        milestone_no=no,
        **funds.parties,
    )
    return replace(funds, tranches=(*funds.tranches, no), released=funds.released + amount), event


def _returned(funds: Funds, commitment: Commitment, journal: Journal) -> tuple[Funds, Commitment, Event]:
    unreserved, refunded = funds.reserved - funds.released, funds.released - funds.spent
    entry = journal.book(
        "returned",
        (
            (funds.reserved_account, -unreserved, funds.currency),
            (funds.released_account, -refunded, funds.currency),
            (commitment.account, unreserved + refunded, funds.currency),
        ),
        **funds.about,
    )
    event = FundReturned(
        amount=to_amount(unreserved + refunded, funds.currency),
        currency=funds.currency,
        entry_id=entry.id,
        unreserved=to_amount(unreserved, funds.currency),
        refunded=to_amount(refunded, funds.currency),
        **funds.parties,
    )
    returned = replace(funds, returned=True, unreserved=unreserved, refunded=refunded)
    return returned, settle(commitment, journal), event


def _kept(funds: Funds, *saves: Any, events: Sequence[Event] = ()) -> Decision[Any]:
    kept = funds.changed()
    return Decision(kept, (kept, *saves), events)
