"""The programme as IATI 2.03 activities: each commitment is one of its giver's, each project is one.

The giver's activity has what is pledged (12), committed (2) and disbursed (3). The project's has what
came in (1, naming the giver's activity) and what the county spent (4). So no activity has both the
handing over and the spending of a yuan, and who adds 3 and 4 of one counts none twice. What is taken
back is a negative of the same type. A transfer to a foundation is a disbursement to it, said to be
passed on.

An organisation is known by its unified social credit code (`CN-USCI-…`); one without such a code,
and each county, by `CN-JIEDUI-` and its id in the programme. An activity's identifier is the ref of
its reporting organisation, the giver, and `-C-` or `-P-` with the id of the commitment or project.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.money import to_amount
from services.notify.domain.commitments import CommitmentView
from services.notify.domain.entries import Entry
from services.notify.domain.observations import ObservationView
from services.notify.domain.parties import CountyView, PartnerView
from services.notify.domain.projects import ProjectView

PLEDGE, COMMITMENT, DISBURSEMENT, EXPENDITURE, INCOMING = 12, 2, 3, 4, 1
PIPELINE, IMPLEMENTATION, CLOSED, CANCELLED, SUSPENDED = 1, 2, 4, 5, 6
PLANNED_START, ACTUAL_START, PLANNED_END, ACTUAL_END = 1, 2, 3, 4
FUNDING, IMPLEMENTING = 1, 4
PARENT, CHILD = 1, 2
UNIT, PER_CENT, QUALITATIVE = 1, 2, 5
_FIRM, _FOUNDATION, _NGO, _LOCAL_GOVERNMENT = 70, 60, 22, 11

# OECD DAC purpose codes of five digits; none of them is withdrawn.
SECTORS = {
    "coverage": 22040,
    "produce-sales": 31191,
    "education": 11120,
    "ecommerce-training": 11330,
    "smart-travel": 33210,
}

Text = Mapping[str, Any]


@dataclass(frozen=True)
class Organisation:
    """`ref` is None for a payee, of whom only the name is known."""

    ref: str | None
    type: int | None
    name: Text


@dataclass(frozen=True, kw_only=True)
class Transaction:
    type: int
    on: date
    amount: str
    currency: str
    description: Text | None = None
    provider: Organisation | None = None
    provider_activity: str | None = None
    receiver: Organisation | None = None
    receiver_activity: str | None = None


@dataclass(frozen=True, kw_only=True)
class Period:
    start: date
    end: date
    value: str | None
    comment: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """One indicator. `baseline` and values are None where it is qualitative; then the comment says it."""

    code: str
    measure: int
    is_added_up: bool
    description: Text
    baseline_year: int
    baseline: str | None
    baseline_comment: Text | None
    periods: tuple[Period, ...]


@dataclass(frozen=True, kw_only=True)
class Activity:
    identifier: str
    reporting: Organisation
    title: Text
    description: Text
    participating: tuple[tuple[int, Organisation], ...]
    status: int
    dates: tuple[tuple[int, date], ...]
    place: Text | None
    sector: int
    transactions: tuple[Transaction, ...]
    related: tuple[tuple[int, str], ...]
    results: tuple[Result, ...] = ()


def partner_organisation(partner: PartnerView) -> Organisation:
    """A partner as an organisation."""
    ref = f"CN-USCI-{partner.credit_code}" if partner.credit_code else f"CN-JIEDUI-{partner.id}"
    if partner.kind == "enterprise":
        return Organisation(ref, _FIRM, partner.name)
    is_foundation = any(word in str(partner.name).lower() for word in ("基金会", "foundation"))
    return Organisation(ref, _FOUNDATION if is_foundation else _NGO, partner.name)


def county_organisation(county: CountyView) -> Organisation:
    """A county's government."""
    return Organisation(f"CN-JIEDUI-{county.id}", _LOCAL_GOVERNMENT, county.name or {"zh": county.id})


def commitment_identifier(giver: Organisation, commitment_id: str) -> str:
    return f"{giver.ref}-C-{commitment_id}"


def project_identifier(giver: Organisation, project_id: str) -> str:
    return f"{giver.ref}-P-{project_id}"


def commitment_activity(
    commitment: CommitmentView,
    giver: Organisation,
    projects: Sequence[ProjectView],
    entries: Iterable[Entry],
    known: Mapping[str, Entry],
    others: Mapping[str, Organisation],
) -> Activity:
    """A giver's activity. `known` are its entries by id; `others` the counties and partners that it names, by id."""
    status, dates = _life_of_commitment(commitment, projects)
    transactions = [
        transaction
        for entry in entries
        for transaction in _given(entry, known.get(entry.reverses or ""), giver, others)
    ]
    return Activity(
        identifier=commitment_identifier(giver, commitment.id),
        reporting=giver,
        title=commitment.title,
        description=_pledge_in_words(commitment),
        participating=((FUNDING, giver),),
        status=status,
        dates=dates,
        place=None,
        sector=SECTORS[str(commitment.category)],
        transactions=tuple(transactions),
        related=tuple((CHILD, project_identifier(giver, project.id)) for project in projects),
    )


def project_activity(
    project: ProjectView,
    giver: Organisation,
    county: Organisation,
    entries: Iterable[Entry],
    known: Mapping[str, Entry],
    observations: Sequence[ObservationView],
) -> Activity:
    """A project's activity; `known` are its entries by id."""
    parent = commitment_identifier(giver, str(project.commitment_id))
    transactions = [
        transaction
        for entry in entries
        for transaction in _received(entry, known.get(entry.reverses or ""), giver, parent, county)
    ]
    return Activity(
        identifier=project_identifier(giver, project.id),
        reporting=giver,
        title=project.title,
        description=_steps_in_words(project),
        participating=((FUNDING, giver), (IMPLEMENTING, county)),
        status=_PROJECT_STATUS[str(project.status)],
        dates=_life_of_project(project),
        place=county.name,
        sector=SECTORS[str(project.category)],
        transactions=tuple(transactions),
        related=((PARENT, parent),),
        results=tuple(_results(project, observations)),
    )


_PROJECT_STATUS = {
    "active": IMPLEMENTATION,
    "suspended": SUSPENDED,
    "completed": CLOSED,
    "cancelled": CANCELLED,
}


def _life_of_commitment(
    commitment: CommitmentView, projects: Sequence[ProjectView]
) -> tuple[int, tuple[tuple[int, date], ...]]:
    assert commitment.valid_from is not None
    assert commitment.valid_until is not None
    dates = [(PLANNED_START, commitment.valid_from), (PLANNED_END, commitment.valid_until)]
    starts = [project.starts_on for project in projects if project.starts_on]
    if starts:
        dates.append((ACTUAL_START, min(starts)))
    goes_on = any(project.status in ("active", "suspended") for project in projects)
    if not commitment.over or goes_on:
        return (IMPLEMENTATION if starts else PIPELINE), tuple(sorted(dates))
    ends = [*(project.ended_on for project in projects if project.ended_on), commitment.ended_on]
    dates.append((ACTUAL_END, max((day for day in [*starts, *ends] if day), default=commitment.valid_from)))
    served = any(project.status == "completed" for project in projects)
    return (CLOSED if served or commitment.ended == "expired" else CANCELLED), tuple(sorted(dates))


def _life_of_project(project: ProjectView) -> tuple[tuple[int, date], ...]:
    assert project.starts_on is not None
    start = project.starts_on
    due = [milestone.due_on for milestone in project.milestones if milestone.due_on]
    dates = [(PLANNED_START, start), (ACTUAL_START, start), (PLANNED_END, max([start, *due]))]
    if project.ended_on and project.status in ("completed", "cancelled"):
        dates.append((ACTUAL_END, max(start, project.ended_on)))
    return tuple(sorted(dates))


def _given(
    entry: Entry, reversed_: Entry | None, giver: Organisation, others: Mapping[str, Organisation]
) -> list[Transaction]:
    """What an entry is in the giver's activity."""
    of, sign = (reversed_, -1) if reversed_ else (entry, 1)
    on = entry.booked_on
    county = others.get(of.county_code or "")
    project = project_identifier(giver, of.project_id) if of.project_id else None
    to_county = {"receiver": county, "receiver_activity": project}
    match of.type:
        case "pledged":
            return [_transaction(PLEDGE, on, sign * of.amount, of, provider=giver)]
        case "unpledged":
            return [_transaction(PLEDGE, on, -sign * of.amount, of, provider=giver)]
        case "reserved":
            return [_transaction(COMMITMENT, on, sign * of.amount, of, provider=giver, **to_county)]
        case "tranche_released":
            return [_transaction(DISBURSEMENT, on, sign * of.amount, of, provider=giver, **to_county)]
        case "transferred":
            receiver = others.get(of.to_partner_id or "")
            passed_on = {"zh": "转交，由接收方另行承诺", "en": "Passed on; promised again by who received it"}
            return [
                _transaction(
                    DISBURSEMENT, on, sign * of.amount, of, provider=giver, receiver=receiver, description=passed_on
                )
            ]
        case "returned":
            refunded = of.sums.get("refunded", 0)
            back = of.sums.get("unreserved", 0) + refunded
            parts = [(COMMITMENT, back), (DISBURSEMENT, refunded)]
            return [_transaction(type_, on, -part, of, provider=giver, **to_county) for type_, part in parts if part]
    return []


def _received(
    entry: Entry, reversed_: Entry | None, giver: Organisation, parent: str, county: Organisation
) -> list[Transaction]:
    """What an entry is in the project's activity."""
    of, sign = (reversed_, -1) if reversed_ else (entry, 1)
    on = entry.booked_on
    came_in = {"provider": giver, "provider_activity": parent, "receiver": county}
    match of.type:
        case "tranche_released":
            return [_transaction(INCOMING, on, sign * of.amount, of, **came_in)]
        case "returned" if of.sums.get("refunded"):
            return [_transaction(INCOMING, on, -of.sums["refunded"], of, **came_in)]
        case "spent":
            payee = Organisation(None, None, {"zh": of.payee or ""}) if of.payee else None
            return [_transaction(EXPENDITURE, on, sign * of.amount, of, provider=county, receiver=payee)]
    return []


def _transaction(type_: int, on: date | None, minor: int, entry: Entry, **others: Any) -> Transaction:
    assert on is not None
    currency = str(entry.currency)
    return Transaction(type=type_, on=on, amount=to_amount(minor, currency), currency=currency, **others)


def _results(project: ProjectView, observations: Sequence[ObservationView]) -> Iterable[Result]:
    assert project.starts_on is not None
    planned = {plan["code"]: plan for plan in project.indicators}
    observed: dict[str, list[ObservationView]] = {}
    for one in observations:
        observed.setdefault(one.indicator, []).append(one)
    for code in sorted({*planned, *observed}):
        told = sorted(observed.get(code, ()), key=lambda one: (one.until_on, one.from_on))
        kind = planned[code]["kind"] if code in planned else told[0].kind
        unit = planned[code]["unit"] if code in planned else told[0].unit
        baseline = planned.get(code, {}).get("baseline")
        value, comment = _value(baseline)
        yield Result(
            code=code,
            measure=QUALITATIVE if kind == "yes-no" else PER_CENT if kind == "ratio" or unit == "%" else UNIT,
            is_added_up=kind == "flow",
            description={"zh": f"{_KINDS[kind][0]}，单位：{unit}", "en": f"{_KINDS[kind][1]}, in {unit}"},
            baseline_year=project.starts_on.year,
            baseline=value,
            baseline_comment=comment,
            periods=tuple(_period(one) for one in told),
        )


_KINDS = {
    "flow": ("各期相加", "periods add up"),
    "cumulative": ("累计值，以最近一期为准", "a running total, the latest counts"),
    "level": ("时点值", "a level"),
    "ratio": ("百分比", "a share"),
    "yes-no": ("是否", "yes or no"),
}


def _period(one: ObservationView) -> Period:
    value, comment = _value(one.value)
    return Period(start=one.from_on, end=one.until_on, value=value, comment=comment)


def _value(value: Any) -> tuple[str | None, Text | None]:
    """As IATI has it: a number, or words."""
    if value is None:
        return None, None
    if isinstance(value, bool):
        return None, {"zh": "是", "en": "yes"} if value else {"zh": "否", "en": "no"}
    if isinstance(value, Mapping):
        part, whole = _plain(value["numerator"]), _plain(value["denominator"])
        share = _plain(round(100 * value["numerator"] / value["denominator"], 6)) if value["denominator"] else None
        return share, {"zh": f"{whole} 中的 {part}", "en": f"{part} of {whole}"}
    return _plain(value), None


def _plain(number: float) -> str:
    """Without exponent: XML Schema's decimal has none."""
    text = f"{number:.6f}".rstrip("0").rstrip(".")
    return text or "0"


def _pledge_in_words(commitment: CommitmentView) -> Text:
    support = commitment.support
    if commitment.currency:
        given = f"{to_amount(commitment.amount, commitment.currency)} {commitment.currency}"
    else:
        given = f"{support.get('quantity')} {support.get('unit')}"
    most = commitment.projects_max
    return {"zh": f"承诺 {given}，最多 {most} 个项目。", "en": f"A promise of {given} for at most {most} projects."}


def _steps_in_words(project: ProjectView) -> Text:
    zh = "、".join(str(milestone.title.get("zh", milestone.no)) for milestone in project.milestones)
    en = "; ".join(str(milestone.title.get("en") or milestone.title.get("zh")) for milestone in project.milestones)
    return {"zh": f"步骤：{zh}。", "en": f"Steps: {en}."}
