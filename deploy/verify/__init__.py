"""Whether the four databases and the topics fit together. One function a promise; each lists what does not hold."""

from collections.abc import Callable, Iterator
from datetime import datetime

from deploy.verify.archive import positions_have_no_gaps, sent_events_are_archived
from deploy.verify.cut import Cut, cut
from deploy.verify.inboxes import archived_events_are_taken_in
from deploy.verify.money import balances_are_the_sums_of_their_entries, verified_milestones_have_their_tranche
from deploy.verify.outboxes import rows_are_marked_under_a_lease
from deploy.verify.rounds import rounds_are_proved_best
from deploy.verify.sagas import approved_pairings_have_their_money, approved_pairings_have_their_project
from deploy.verify.seals import seals_are_those_archived
from deploy.verify.streams import numbers_have_no_gaps, states_have_their_events
from deploy.verify.topics import published_events_are_archived, read_topics, sent_events_are_published

PROMISES: tuple[Callable[[Cut], Iterator[str]], ...] = (
    positions_have_no_gaps,
    numbers_have_no_gaps,
    states_have_their_events,
    rows_are_marked_under_a_lease,
    sent_events_are_published,
    sent_events_are_archived,
    published_events_are_archived,
    archived_events_are_taken_in,
    rounds_are_proved_best,
    approved_pairings_have_their_project,
    approved_pairings_have_their_money,
    verified_milestones_have_their_tranche,
    balances_are_the_sums_of_their_entries,
    seals_are_those_archived,
)


def verify(uri: str, bootstrap: str, now: datetime) -> list[str]:
    """All faults, as of one moment for all databases.

    Raises PyMongoError or KafkaError when they cannot be read.
    """
    with cut(uri, now, lambda: read_topics(bootstrap)) as moment:
        return [fault for promise in PROMISES for fault in promise(moment)]
