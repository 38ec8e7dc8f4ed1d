"""Why projects says no; the class name in kebab-case is the public `type`."""

from services.kit.decision import Conflict, NotAllowed, NotFound


class NoSuchMilestone(NotFound):
    pass


class ReporterCannotVerify(NotAllowed):
    """Two persons: whoever reported a milestone cannot verify it, whatever roles they hold."""


class MilestoneNotReported(Conflict):
    pass


class MilestonesUnverified(Conflict):
    pass


class ProjectIsSuspended(Conflict):
    pass


class ProjectNotSuspended(Conflict):
    pass


class ProjectEnded(Conflict):
    pass


class NotItsMoney(Conflict):
    """A ledger entry that cannot be this project's: it has no money, or another currency."""


class PeriodsOverlap(Conflict):
    """Of a flow, days that two periods share would be counted twice."""


class ConflictIsResolved(Conflict):
    pass
