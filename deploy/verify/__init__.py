"""Whether the four databases fit together. One function a promise; each lists what does not hold, in words."""

from collections.abc import Callable, Iterator
from datetime import datetime

from deploy.verify.archive import positions_have_no_gaps, sent_events_are_archived
from deploy.verify.cut import Cut, cut
from deploy.verify.sagas import approved_pairings_have_their_money, approved_pairings_have_their_project

PROMISES: tuple[Callable[[Cut], Iterator[str]], ...] = (
    positions_have_no_gaps,
    sent_events_are_archived,
    approved_pairings_have_their_project,
    approved_pairings_have_their_money,
)


def verify(uri: str, now: datetime) -> list[str]:
    """All faults, as of one moment for all databases. Raises PyMongoError when they cannot be read."""
    with cut(uri, now) as moment:
        return [fault for promise in PROMISES for fault in promise(moment)]
