"""The rules of projects, by subject: the plan, the project's life, milestones, indicators, money, history."""

from services.projects.domain.funds import FundEntry, book, reverse
from services.projects.domain.history import HistoryEntry
from services.projects.domain.indicators import Claim, Observation, Period, claim_faults, observe
from services.projects.domain.life import (
    cancel_project,
    cancel_revoked,
    complete_project,
    delist_county,
    open_project,
    relist_county,
    resume_project,
    suspend_project,
)
from services.projects.domain.milestones import (
    Report,
    check_second_person,
    report_faults,
    report_milestone,
    reschedule_milestone,
    return_milestone,
    verify_milestone,
)
from services.projects.domain.plan import Plan, read_plans
from services.projects.domain.project import RUNNING, County, Funds, Indicator, Milestone, OpenDecision, Project
from services.projects.domain.refusals import (
    MilestoneNotReported,
    MilestonesUnverified,
    NoSuchMilestone,
    NotItsMoney,
    ProjectEnded,
    ProjectIsSuspended,
    ProjectNotSuspended,
    ReporterCannotVerify,
)

__all__ = [
    "RUNNING",
    "Claim",
    "County",
    "FundEntry",
    "Funds",
    "HistoryEntry",
    "Indicator",
    "Milestone",
    "MilestoneNotReported",
    "MilestonesUnverified",
    "NoSuchMilestone",
    "NotItsMoney",
    "Observation",
    "OpenDecision",
    "Period",
    "Plan",
    "Project",
    "ProjectEnded",
    "ProjectIsSuspended",
    "ProjectNotSuspended",
    "Report",
    "ReporterCannotVerify",
    "book",
    "cancel_project",
    "cancel_revoked",
    "check_second_person",
    "claim_faults",
    "complete_project",
    "delist_county",
    "observe",
    "open_project",
    "read_plans",
    "relist_county",
    "report_faults",
    "report_milestone",
    "reschedule_milestone",
    "resume_project",
    "return_milestone",
    "reverse",
    "suspend_project",
    "verify_milestone",
]
