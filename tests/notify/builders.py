"""Events as notify archives them, without Kafka or a database."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import commitments, counties, funding, pairings, partners, projects
from schemas.envelope import Envelope, Event, dataschema_of, source_of
from services.notify.domain import ArchivedEvent, Positions, archive, fold, keys

START = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
_SOURCES = {
    "jiedui.projects.v1": "projects",
    "jiedui.funding.v1": "funding",
}


def envelope(
    event: Event, *, number: int = 1, at: datetime = START, cause: str = "command", **other: Any
) -> dict[str, Any]:
    """The JSON of an event; `number` is its sequence. `other` replaces attributes."""
    when = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = Envelope(
        id=f"{event.TYPE}/{event.subject}/{number}",
        source=source_of(_SOURCES.get(event.TOPIC, "pairing")),
        type=event.TYPE,
        subject=event.subject,
        time=when,
        recordedtime=when,
        dataschema=dataschema_of(type(event)),
        sequence=number,
        actor="somebody",
        correlationid="command",
        causationid=cause,
        traceparent=None,
        data=event.data(),
    ).to_dict()
    return attributes | other


def archived(event: Event | dict[str, Any], position: int = 1, at: datetime = START, **other: Any) -> ArchivedEvent:
    """An event at a position of the archive."""
    raw = event if isinstance(event, dict) else envelope(event, at=at, **other)
    return archive(raw, Positions(newest=position - 1), time=at, recorded_at=at, now=at).state


class Log:
    """Numbers events as their services would, a second apart, and archives them in the order of being told."""

    def __init__(self) -> None:
        self.events: list[ArchivedEvent] = []
        self._numbers: Counter[tuple[str, str]] = Counter()

    def add(self, *events: Event) -> "Log":
        for event in events:
            stream = (event.TOPIC, event.subject)
            self._numbers[stream] += 1
            position = len(self.events) + 1
            at = START + timedelta(seconds=position)
            self.events.append(archived(envelope(event, number=self._numbers[stream], at=at), position, at))
        return self


def folded(
    events: list[ArchivedEvent], states: dict[tuple[type, str], Any] | None = None
) -> dict[tuple[type, str], Any]:
    """The read models after these events; fails where one is passed over."""
    states = states or {}
    changed, passed_over = fold(events, dict.fromkeys(keys(events)) | states)
    assert passed_over == []
    return states | dict(changed)


def ids(n: int = 1) -> dict[str, Any]:
    """The ids that the events of the `n`th pairing carry; the second is in a county of its own."""
    return {
        "pairing_id": f"pairing-{n}",
        "commitment_id": "commitment-1",
        "partner_id": "partner-1",
        "county_code": "520327" if n == 2 else "520326",
        "category": "coverage",
    }


def submitted(**other: Any) -> commitments.CommitmentSubmitted:
    """3 projects for 3,000.00 CNY."""
    return commitments.CommitmentSubmitted(**_terms() | other)


def amended(**other: Any) -> commitments.CommitmentAmended:
    return commitments.CommitmentAmended(**_terms() | other)


def _terms() -> dict[str, Any]:
    return {
        "id": "commitment-1",
        "commitment_id": "commitment-1",
        "partner_id": "partner-1",
        "category": "coverage",
        "status": "open",
        "title": {"zh": "村村通光纤"},
        "support": {"kind": "money", "amount": "3000.00", "currency": "CNY"},
        "projects_max": 3,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "pairings": [],
        "version": 1,
        "submitted_at": "2026-03-04T01:00:00.000Z",
    }


def withdrawn(*takes_back: str) -> commitments.CommitmentWithdrawn:
    return commitments.CommitmentWithdrawn(
        commitment_id="commitment-1",
        partner_id="partner-1",
        category="coverage",
        reason="no longer possible",
        takes_back=list(takes_back),
    )


def expired() -> commitments.CommitmentExpired:
    return commitments.CommitmentExpired(commitment_id="commitment-1", partner_id="partner-1", category="coverage")


def approved(n: int = 1, amount: str | None = "1000.00", **other: Any) -> pairings.PairingApproved:
    """`amount` None: goods."""
    money = {"allocated": {"amount": amount, "currency": "CNY"}, "support_kind": "money"}
    goods = {"allocated": {"quantity": 5, "unit": "sets"}, "support_kind": "goods"}
    fields = ids(n) | (money if amount else goods) | {"project_id": f"project-{n}", "round_id": "round-1"}
    return pairings.PairingApproved(**fields | {"title": {"zh": "村村通光纤"}} | other)


def proposed(n: int = 1) -> pairings.PairingProposed:
    money = {"amount": "1000.00", "currency": "CNY"}
    return pairings.PairingProposed(**ids(n), round_id="round-1", allocated=money, support_kind="money")


def revoked(n: int = 1) -> pairings.PairingRevoked:
    return pairings.PairingRevoked(
        **ids(n),
        project_id=f"project-{n}",
        round_id="round-1",
        allocated={"amount": "1000.00", "currency": "CNY"},
        support_kind="money",
        reason="refused",
    )


def opened(n: int = 1, **other: Any) -> projects.ProjectOpened:
    """Three milestones: weights 20, 50, 30; tranches 30, 40, 30."""
    plan = [(20, 30), (50, 40), (30, 30)]
    fields = ids(n) | {
        "project_id": f"project-{n}",
        "title": {"zh": "村村通光纤"},
        "starts_on": "2026-03-04",
        "milestones": [
            {"no": no, "title": {"zh": f"步骤{no}"}, "weight": weight, "tranche_share": share, "due_on": "2026-06-30"}
            for no, (weight, share) in enumerate(plan, start=1)
        ],
        "indicators": [],
    }
    return projects.ProjectOpened(**fields | other)


def reported(n: int = 1, no: int = 1, *, reopened: bool = False) -> projects.MilestoneReported:
    return projects.MilestoneReported(
        **of_project(n), milestone_no=no, occurred_at="2026-03-05T01:00:00.000Z", evidence=[], reopened=reopened
    )


def verified(n: int = 1, no: int = 1) -> projects.MilestoneVerified:
    return projects.MilestoneVerified(
        **of_project(n),
        milestone_no=no,
        occurred_at="2026-03-06T01:00:00.000Z",
        weight=20,
        tranche_share=30,
        progress=20,
    )


def cancelled(n: int = 1) -> projects.ProjectCancelled:
    return projects.ProjectCancelled(**of_project(n), reason="over")


def observed(month: str) -> projects.IndicatorObserved:
    return projects.IndicatorObserved(
        **of_project(),
        indicator="trainees",
        kind="flow",
        unit="people",
        value=12.0,
        period={"from": f"{month}-01", "until": f"{month}-28"},
        occurred_at="2026-05-01T01:00:00.000Z",
    )


def of_project(n: int = 1) -> dict[str, Any]:
    return ids(n) | {"project_id": f"project-{n}"}


def pledged(amount: str = "3000.00") -> funding.FundPledged:
    fields = {name: ids()[name] for name in ("commitment_id", "partner_id", "category")}
    return funding.FundPledged(amount=amount, currency="CNY", entry_id="pledged-1", **fields)


def reserved(n: int = 1, amount: str = "1000.00") -> funding.FundReserved:
    return funding.FundReserved(**_fund(n, amount), entry_id=f"reserved-{n}")


def refused(n: int = 1, reason: Any = "commitment-withdrawn") -> funding.FundRefused:
    return funding.FundRefused(**_fund(n, "1000.00"), reason=reason, available="0.00")


def released(n: int = 1, no: int = 1, amount: str = "300.00") -> funding.FundTrancheReleased:
    return funding.FundTrancheReleased(**_fund(n, amount), entry_id=f"released-{n}-{no}", milestone_no=no)


def spent(n: int = 1, amount: str = "100.00", **other: Any) -> funding.FundSpent:
    fields = _fund(n, amount) | {"entry_id": f"spent-{n}", "payee": "a payee", "spent_on": "2026-03-07"}
    return funding.FundSpent(**fields | other)


def returned(n: int = 1, unreserved: str = "1000.00", refunded: str = "0.00") -> funding.FundReturned:
    return funding.FundReturned(
        **_fund(n, unreserved), entry_id=f"returned-{n}", unreserved=unreserved, refunded=refunded
    )


def reversed_(n: int, entry_id: str, amount: str) -> funding.FundReversed:
    return funding.FundReversed(**_fund(n, amount), entry_id=f"reversal-of-{entry_id}", reverses=entry_id)


def transferred(amount: str = "500.00") -> funding.FundTransferred:
    return funding.FundTransferred(
        amount=amount,
        currency="CNY",
        commitment_id="commitment-1",
        partner_id="partner-1",
        category="coverage",
        entry_id="transfer-1",
        to_partner_id="foundation",
        on="2026-03-08",
    )


def _fund(n: int, amount: str) -> dict[str, Any]:
    return of_project(n) | {"amount": amount, "currency": "CNY"}


def listed(code: str = "520326") -> counties.CountyListed:
    return counties.CountyListed(county_code=code, name={"zh": "务川"}, province=code[:2], on="2014-12-31")


def registered(partner_id: str = "partner-1", **other: Any) -> partners.PartnerRegistered:
    fields = {"partner_id": partner_id, "name": {"zh": "某企业"}, "kind": "enterprise"}
    return partners.PartnerRegistered(**fields | other)
