"""Each approved pairing has become what it should in the other services."""

from collections.abc import Iterator

from deploy.verify.cut import Cut, Document

BOOKED = ("money", "purchase")


def approved_pairings_have_their_project(cut: Cut) -> Iterator[str]:
    pairing_of = {pairing["project_id"]: pairing["_id"] for pairing in _approved(cut)}
    for project in cut.missing("projects", "projects", pairing_of):
        yield f"projects: project {project} of the approved pairing {pairing_of[project]} is not there"


def approved_pairings_have_their_money(cut: Cut) -> Iterator[str]:
    """Reserved or refused, where there is money."""
    booked = [pairing for pairing in _approved(cut) if pairing["support_kind"] in BOOKED]
    wanted = [pairing["project_id"] for pairing in booked]
    answered = {"_id": {"$in": wanted}, "$or": [{"reservation": {"$ne": None}}, {"refused": True}]}
    found = {funds["_id"] for funds in cut.find("funding", "funds", answered)}
    for pairing in booked:
        if pairing["project_id"] not in found:
            yield f"funding: the approved pairing {pairing['_id']} is neither reserved nor refused"


def _approved(cut: Cut) -> Iterator[Document]:
    settled = {"status": "approved", "approved_at": {"$lt": cut.settled_by}}
    return cut.find("pairing", "pairings", settled, "project_id", "support_kind")
