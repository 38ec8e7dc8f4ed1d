"""Only the leader of the relays marks rows of the outbox as sent."""

from collections.abc import Iterator

from deploy.verify.cut import Cut
from schemas.topics import SERVICES


def rows_are_marked_under_a_lease(cut: Cut) -> Iterator[str]:
    for service in SERVICES:
        newest = max((lease["fence"] for lease in cut.find(service, "leases", {"_id": "relay"}, "fence")), default=0)
        granted = {"fence": {"$gte": 1, "$lte": newest}}
        for row in cut.find(service, "outbox", {"sent": True, "$nor": [granted]}):
            yield f"{service}: event {row['_id']} was marked as sent by a relay without its lease"
