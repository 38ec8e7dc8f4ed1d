"""The rules of notify, each subject in a file of its own."""

from services.notify.domain.archive import ArchivedEvent, Positions, archive
from services.notify.domain.commitments import CommitmentView
from services.notify.domain.dead_letters import DeadLetter, DeadLetterNotOpen, discard, original_headers, replay
from services.notify.domain.deliveries import (
    LEASE,
    TRIES,
    WARN_FROM_TRY,
    AlreadyInInbox,
    Delivery,
    Digest,
    Errand,
    InboxItem,
    Message,
    Outcome,
    SubscriptionOff,
)
from services.notify.domain.entries import Entry
from services.notify.domain.feed import EventFilter, in_causal_order
from services.notify.domain.heartbeats import Pulse, beat, outboxes, rates, workers
from services.notify.domain.observations import ObservationView
from services.notify.domain.pairings import PairingView
from services.notify.domain.parties import CountyView, PartnerView
from services.notify.domain.projection import PassedOver, Projection, fold, keys
from services.notify.domain.projects import ProjectView
from services.notify.domain.sagas import STUCK_AFTER, Saga, Wait, stuck
from services.notify.domain.subscriptions import (
    NothingToRotate,
    Person,
    Secret,
    Subscription,
    Telling,
    Wanted,
    walk_again,
)
from services.notify.domain.tallies import PROGRAMME, Tally, figures, total
from services.notify.domain.visibility import Principals, of_county, of_partner, principals, sees, sees_county

__all__ = [
    "LEASE",
    "PROGRAMME",
    "STUCK_AFTER",
    "TRIES",
    "WARN_FROM_TRY",
    "AlreadyInInbox",
    "ArchivedEvent",
    "CommitmentView",
    "CountyView",
    "DeadLetter",
    "DeadLetterNotOpen",
    "Delivery",
    "Digest",
    "Entry",
    "Errand",
    "EventFilter",
    "InboxItem",
    "Message",
    "NothingToRotate",
    "ObservationView",
    "Outcome",
    "PairingView",
    "PartnerView",
    "PassedOver",
    "Person",
    "Positions",
    "Principals",
    "ProjectView",
    "Projection",
    "Pulse",
    "Saga",
    "Secret",
    "Subscription",
    "SubscriptionOff",
    "Tally",
    "Telling",
    "Wait",
    "Wanted",
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
    "walk_again",
    "workers",
]
