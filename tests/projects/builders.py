"""Projects as rules see them, without a database."""

from datetime import UTC, date, datetime
from typing import Any

from schemas.pairings import PairingApproved
from services.kit.decision import Decision
from services.projects import domain
from services.projects.domain import Milestone, Plan, Project
from services.projects.domain.plan import IndicatorTemplate, MilestoneTemplate

NOW = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
STARTS_ON = date(2026, 3, 4)

PLAN = Plan(
    milestones=tuple(
        MilestoneTemplate(
            title={"zh": f"步骤{no}", "en": f"Step {no}"}, weight=weight, tranche_share=share, due_days=30 * no
        )
        for no, (weight, share) in enumerate([(20, 30), (50, 40), (30, 30)], start=1)
    ),
    indicators=tuple(
        IndicatorTemplate(code=code, kind=kind, unit=unit, baseline=None, target=None)
        for code, kind, unit in (
            ("parcels_shipped", "flow", "parcels"),
            ("villages_with_fibre", "cumulative", "villages"),
            ("download_mbps", "level", "Mb/s"),
            ("fibre_village_share", "ratio", "%"),
            ("booking_online", "yes-no", "yes-no"),
            ("trainees", "flow", "people"),
        )
    ),
)


def approved(**fields: Any) -> PairingApproved:
    """An approval of 1,000.00 CNY in county 520326."""
    told: dict[str, Any] = {
        "pairing_id": "pairing-1",
        "round_id": "round-1",
        "commitment_id": "commitment-1",
        "partner_id": "partner-1",
        "county_code": "520326",
        "category": "coverage",
        "allocated": {"amount": "1000.00", "currency": "CNY"},
        "support_kind": "money",
        "project_id": "project-1",
        "title": {"zh": "村村通光纤", "en": "Fibre to every village"},
    }
    return PairingApproved(**told | fields)


def a_project(**fields: Any) -> Project:
    """A project that just opened."""
    opened = domain.open_project(
        None, approved(**fields), PLAN, None, who="coordinator", approved_at=NOW, starts_on=STARTS_ON, now=NOW
    )
    return opened.state


def tell(
    project: Project, no: int, told: domain.Report, *, who: str = "officer", now: datetime = NOW
) -> Decision[Milestone]:
    """A report that names no evidence, where nothing is in conflict."""
    return domain.report_milestone(project, no, told, evidence={}, conflicts=(), who=who, now=now)


def reported(project: Project, no: int, who: str = "officer") -> Project:
    return project_of(tell(project, no, domain.Report(occurred_at=NOW), who=who))


def verified(project: Project, no: int) -> Project:
    return project_of(domain.verify_milestone(reported(project, no), no, None, who="coordinator", now=NOW))


def project_of(decision: Any) -> Project:
    """The project that a decision keeps."""
    (project,) = (state for state in decision.saves if isinstance(state, Project))
    return project
