"""Money: a tranche for each verified milestone, and balances that are the sums of their entries."""

from collections import Counter
from collections.abc import Iterator

from deploy.verify.cut import Cut


def verified_milestones_have_their_tranche(cut: Cut) -> Iterator[str]:
    """Once, in projects whose money is reserved and has not gone back."""
    reserved = _subjects(cut, "jiedui.fund.reserved")
    ended = _subjects(cut, "jiedui.fund.refused") | _subjects(cut, "jiedui.fund.returned")
    verified = Counter(_steps(cut, "jiedui.milestone.verified"))
    released = Counter(_steps(cut, "jiedui.fund.tranche_released"))
    settled = set(_steps(cut, "jiedui.milestone.verified", settled=True))
    for project, no in sorted(settled - released.keys()):
        if project in reserved - ended:
            yield f"funding: milestone {no} of project {project} is verified, and its tranche not released"
    for (project, no), times in sorted(released.items()):
        if times > 1:
            yield f"funding: the tranche of milestone {no} of project {project} went out {times} times"
        if (project, no) not in verified:
            yield f"funding: the tranche of milestone {no} of project {project} went out unverified"


def balances_are_the_sums_of_their_entries(cut: Cut) -> Iterator[str]:
    booked = Counter(
        {
            (row["_id"]["account"], row["_id"]["currency"]): row["sum"]
            for row in cut.aggregate("funding", "entries", [{"$unwind": "$postings"}, _BY_ACCOUNT])
        }
    )
    kept = Counter(
        {
            (account["_id"], currency): balance
            for account in cut.find("funding", "accounts", {}, "_id", "balances")
            for currency, balance in account["balances"].items()
        }
    )
    for account, currency in sorted(booked.keys() | kept.keys()):
        if booked[account, currency] != kept[account, currency]:
            yield (
                f"funding: account {account} has {kept[account, currency]} {currency} in minor units, "
                f"its entries sum to {booked[account, currency]}"
            )
    for row in cut.aggregate("funding", "entries", [{"$unwind": "$postings"}, _BY_CURRENCY]):
        if row["sum"]:
            yield f"funding: the entries in {row['_id']} sum to {row['sum']} and not to 0"


_BY_ACCOUNT = {
    "$group": {
        "_id": {"account": "$postings.account_id", "currency": "$postings.currency"},
        "sum": {"$sum": "$postings.amount"},
    }
}
_BY_CURRENCY = {"$group": {"_id": "$postings.currency", "sum": {"$sum": "$postings.amount"}}}


def _subjects(cut: Cut, type_: str) -> set[str]:
    return {event["subject"] for event in cut.find("notify", "events", {"type": type_}, "subject")}


def _steps(cut: Cut, type_: str, *, settled: bool = False) -> Iterator[tuple[str, int]]:
    where = {"type": type_} | ({"archived_at": {"$lt": cut.settled_by}} if settled else {})
    for event in cut.find("notify", "events", where, "subject", "envelope.data.milestone_no"):
        yield event["subject"], event["envelope"]["data"]["milestone_no"]
