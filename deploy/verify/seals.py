"""The ledger's seals are those that were published, and follow on each other."""

import json
from collections.abc import Iterator

from deploy.verify.cut import Cut, Document
from schemas.funding import LedgerSealed
from services.funding.domain.seals import FIRST

_SEALED = ("seal", "entries", "until_no")


def seals_are_those_archived(cut: Cut) -> Iterator[str]:
    """Who changes an entry can make all seals anew; the archive, which is another service's, keeps the old ones."""
    archived = _by_place(
        event["envelope"]["data"]
        for event in cut.find("notify", "events", {"type": LedgerSealed.TYPE}, "position", "envelope.data")
    )
    rows = {"key": LedgerSealed.ledger.encode(), **cut.unsettled_rows}
    kept = _by_place(cut.find("funding", "seals", {}, "no", "previous", *_SEALED))
    under_way = {json.loads(row["value"])["data"]["seal"] for row in cut.find("funding", "outbox", rows, "value")}
    for until_no, sealed in archived.items():
        if until_no not in kept:
            yield f"funding: the seal {sealed['seal']} up to entry {until_no}, which is archived, is not there"
        elif any(kept[until_no][name] != sealed[name] for name in _SEALED):
            yield f"funding: the seal {kept[until_no]['seal']} up to entry {until_no} is archived as {sealed['seal']}"
    no, previous = 0, FIRST
    for until_no, seal in kept.items():
        no += 1
        if until_no not in archived and seal["seal"] not in under_way:
            yield f"funding: the seal {seal['seal']} up to entry {until_no} is not archived"
        if (seal["no"], seal["previous"]) != (no, previous):
            yield f"funding: the seal {seal['seal']} up to entry {until_no} does not follow on the one before it"
        no, previous = seal["no"], seal["seal"]


def _by_place(seals: Iterator[Document]) -> dict[int, Document]:
    """By the number of the last entry that each is of, in that order."""
    return {seal["until_no"]: seal for seal in sorted(seals, key=lambda seal: seal["until_no"])}
