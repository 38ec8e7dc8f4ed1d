"""What the rules of pairing refuse. The class name in kebab-case is the refusal's public `type`."""

from services.kit.decision import Conflict, Invalid


class CreditCodeTaken(Conflict):
    """Another partner has this credit code."""


class CountyNotEligible(Conflict):
    """The county is neither listed nor on watch on that day."""


class AlreadyDelisted(Conflict):
    pass


class AlreadyListed(Conflict):
    pass


class SpellsDoNotOverlap(Conflict):
    """A spell would begin before the one that it follows."""


class CommitmentOver(Conflict):
    """The commitment is withdrawn or expired."""


class TermsFixedByPairings(Conflict):
    """What was paired was paired on these terms."""


class LimitBelowApproved(Conflict):
    """Less would be promised, or there would be room for less, than is paired already."""


class NothingToTakeBack(Conflict):
    """All is paired, and each of its projects has begun."""


class PairingNotProposed(Conflict):
    pass


class PairingNotApproved(Conflict):
    pass


class TermsHaveChanged(Conflict):
    """The pairing was proposed on terms that its commitment no longer has."""


class AlreadyPaired(Conflict):
    """A pairing of this commitment with this county stands."""


class NoOpenSlot(Conflict):
    """The need has all the projects that it has room for."""


class NoOpenShare(Conflict):
    """The commitment has not enough left."""


class CancelTheProject(Conflict):
    """The pairing has become a project: that is what can be ended."""


class RoundIsRunning(Conflict):
    """One round runs at a time."""


class RoundNotRunning(Conflict):
    pass


class RoundIsSettled(Conflict):
    """Its plan is found and is being told."""


class RoundNotCompleted(Conflict):
    pass


class RoundNotNewest(Conflict):
    """A later round has taken its place."""


class RuleExists(Conflict):
    """The same rule holds already."""


class RulesContradict(Conflict):
    """A pin and a ban mean the same pair."""


class PinCannotHold(Conflict):
    """No round could propose this pair."""


class FileUnreadable(Invalid):
    """A file that was handed in cannot be read at all."""

    def __init__(self, detail: str) -> None:
        super().__init__({"/file": detail}, detail)


class ImportNotCompleted(Conflict):
    """The import still runs, was refused, was a dry run, or is undone already."""
