"""The rules of notify, each subject in a file of its own."""

from services.notify.domain.archive import ArchivedEvent, Positions, archive
from services.notify.domain.commitments import CommitmentView
from services.notify.domain.dead_letters import DeadLetter, DeadLetterNotOpen, discard, original_headers, replay
from services.notify.domain.entries import Entry
from services.notify.domain.feed import EventFilter, in_causal_order
from services.notify.domain.heartbeats import Pulse, beat, outboxes, rates
from services.notify.domain.observations import ObservationView
from services.notify.domain.pairings import PairingView
from services.notify.domain.parties import CountyView, PartnerView
from services.notify.domain.projection import PassedOver, Projection, fold, keys
from services.notify.domain.projects import ProjectView
from services.notify.domain.sagas import STUCK_AFTER, Saga, Wait, stuck
from services.notify.domain.tallies import PROGRAMME, Tally, figures, total
from services.notify.domain.visibility import Principals, of_county, of_partner, principals, sees, sees_county

__all__ = [
    "PROGRAMME",
    "STUCK_AFTER",
    "ArchivedEvent",
    "CommitmentView",
    "CountyView",
    "DeadLetter",
    "DeadLetterNotOpen",
    "Entry",
    "EventFilter",
    "ObservationView",
    "PairingView",
    "PartnerView",
    "PassedOver",
    "Positions",
    "Principals",
    "ProjectView",
    "Projection",
    "Pulse",
    "Saga",
    "Tally",
    "Wait",
    "archive",
    "beat",
    "discard",
    "figures",
    "fold",
    "in_causal_order",
    "keys",
    "of_county",
    "of_partner",
    "original_headers",
    "outboxes",
    "principals",
    "rates",
    "replay",
    "sees",
    "sees_county",
    "stuck",
    "total",
]
