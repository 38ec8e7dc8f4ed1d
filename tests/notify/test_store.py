"""The filters of the database say the same as the rules that the stream goes by."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pymongo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kit import mongo
from services.notify.domain import ArchivedEvent, EventFilter, principals, sees
from services.notify.store import feed
from tests.notify import builders as b

TYPES = [
    "jiedui.county.listed", "jiedui.pairing.proposed", "jiedui.pairing.approved", "jiedui.round.completed",
    "jiedui.rule.added", "jiedui.commitment.submitted", "jiedui.fund.spent", "jiedui.unheard.of",
]  # fmt: skip
PARTNERS = ["partner-1", "partner-2", None]
COUNTIES = ["520326", "530927", None]


def an_archive() -> list[ArchivedEvent]:
    """Each type with each partner and each county, an hour apart."""
    found = []
    for n, (type_, partner, county) in enumerate(product(TYPES, PARTNERS, COUNTIES), start=1):
        data = {"partner_id": partner, "county_code": county, "category": "coverage" if n % 2 else "education"}
        raw = b.envelope(b.registered(), number=n) | {
            "id": str(n), "type": type_, "data": {name: value for name, value in data.items() if value}
        }  # fmt: skip
        found.append(b.archived(raw, n, b.START + timedelta(hours=n)))
    return found


EVENTS = an_archive()


@pytest.fixture(scope="module")
def collection(mongodb: str) -> Iterator[Any]:
    with pymongo.MongoClient[dict[str, Any]](mongodb, tz_aware=True) as client:
        found = client.notify_filters.events
        found.insert_many([mongo.to_document(event) for event in EVENTS])
        yield found
        client.drop_database("notify_filters")


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(values))


MOMENTS = st.one_of(st.none(), st.integers(min_value=0, max_value=80).map(lambda n: b.START + timedelta(hours=n)))
FILTERS = st.builds(
    EventFilter,
    type=maybe(*TYPES),
    category=maybe("coverage", "education"),
    county_code=maybe("520326", "530927", "999999"),
    partner_id=maybe("partner-1", "partner-2"),
    subject=maybe("partner-1", "another"),
    since=MOMENTS,
    until=MOMENTS,
)
CALLERS = st.builds(
    principals,
    st.sets(st.sampled_from(["partner", "officer", "coordinator", "monitor", "nobody"])),
    maybe("partner-1", "partner-2", "partner-3"),
    st.sets(st.sampled_from(["520326", "530927"])),
)


@settings(deadline=None)
@given(FILTERS, CALLERS)
def test_the_database_finds_what_the_stream_lets_through(
    collection: Any, filter_: EventFilter, who: frozenset[str] | None
) -> None:
    found = {document["_id"] for document in collection.find(feed(filter_, who))}
    assert found == {event.id for event in EVENTS if filter_.matches(event) and sees(who, event.audience)}
