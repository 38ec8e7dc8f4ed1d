"""Why funding says no; the class name in kebab-case is the public `type`."""

from services.kit.decision import Conflict


class NotEnough(Conflict):
    """More money than there is; `available` and what it is `made_of` are in the problem."""


class NoMoneyBooked(Conflict):
    """For goods, services and training no money is booked, whatever they are worth."""


class ProjectIsCancelled(Conflict):
    pass


class ProjectIsCompleted(Conflict):
    pass


class ReferenceTaken(Conflict):
    """One paper, one entry; `entry_id` is the first."""


class AlreadyReversed(Conflict):
    """`entry_id` is the entry that did it."""


class NotReversible(Conflict):
    pass
