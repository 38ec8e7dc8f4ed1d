"""Events as pairing and projects publish them, with as little said as possible."""

from typing import Any

from schemas.commitments import CommitmentAmended, CommitmentExpired, CommitmentSubmitted, CommitmentWithdrawn
from schemas.money import to_amount
from schemas.pairings import PairingApproved
from schemas.partners import PartnerRegistered
from schemas.projects import MilestoneVerified, ProjectCancelled, ProjectCompleted, ProjectOpened

_AT = "2026-03-04T04:00:00.000Z"
_COMMITMENT = {"partner_id": "partner", "category": "coverage"}


def registered(partner_id: str = "partner") -> PartnerRegistered:
    return PartnerRegistered(partner_id=partner_id, name={"zh": "帮扶单位"}, kind="enterprise")


def submitted(fen: int = 0, id: str = "c", **changes: Any) -> CommitmentSubmitted:
    return CommitmentSubmitted(**_terms(fen, id) | changes)


def amended(fen: int = 0, id: str = "c", version: int = 2, **changes: Any) -> CommitmentAmended:
    return CommitmentAmended(**_terms(fen, id) | {"version": version} | changes)


def _terms(fen: int, id: str) -> dict[str, Any]:
    return _COMMITMENT | {
        "id": id,
        "commitment_id": id,
        "status": "open",
        "title": {"zh": "村村通光纤"},
        "support": {"kind": "money", "amount": to_amount(fen, "CNY"), "currency": "CNY"},
        "projects_max": 3,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "pairings": [],
        "version": 1,
        "submitted_at": _AT,
    }


GOODS = {"kind": "goods", "quantity": 40, "unit": "台", "value": {"amount": "100000.00", "currency": "CNY"}}


def withdrawn(*takes_back: str, id: str = "c") -> CommitmentWithdrawn:
    return CommitmentWithdrawn(**_COMMITMENT, commitment_id=id, reason="资金调整", takes_back=list(takes_back))


def expired(id: str = "c") -> CommitmentExpired:
    return CommitmentExpired(**_COMMITMENT, commitment_id=id)


def _pair(pairing: str, commitment: str) -> dict[str, Any]:
    """Pairing `p1` opens project `project-p1`."""
    return _COMMITMENT | {
        "project_id": f"project-{pairing}",
        "pairing_id": pairing,
        "commitment_id": commitment,
        "county_code": "520326",
    }


def approved(fen: int = 0, pairing: str = "p", commitment: str = "c", **changes: Any) -> PairingApproved:
    fields = _pair(pairing, commitment) | {
        "round_id": "round",
        "allocated": {"amount": to_amount(fen, "CNY"), "currency": "CNY"},
        "support_kind": "money",
        "title": {"zh": "村村通光纤"},
    }
    return PairingApproved(**fields | changes)


def opened(*shares: int, pairing: str = "p", commitment: str = "c", starts_on: str = "2026-03-04") -> ProjectOpened:
    milestones = [
        {"no": no, "title": {"zh": f"第{no}步"}, "weight": share, "due_on": "2026-09-30", "tranche_share": share}
        for no, share in enumerate(shares or (30, 40, 30), start=1)
    ]
    return ProjectOpened(
        **_pair(pairing, commitment),
        title={"zh": "村村通光纤"},
        starts_on=starts_on,
        milestones=milestones,
        indicators=[],
    )


def verified(no: int, pairing: str = "p", commitment: str = "c") -> MilestoneVerified:
    return MilestoneVerified(
        **_pair(pairing, commitment), milestone_no=no, occurred_at=_AT, weight=30, tranche_share=30, progress=30
    )


def cancelled(pairing: str = "p", commitment: str = "c") -> ProjectCancelled:
    return ProjectCancelled(**_pair(pairing, commitment), reason="县里另有安排")


def completed(pairing: str = "p", commitment: str = "c") -> ProjectCompleted:
    return ProjectCompleted(**_pair(pairing, commitment))
