"""The tables that can be exported: whose rows a caller gets, by which filters, in which columns.

Filters are those of the list of the same name, and so is who may see what.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from schemas.money import to_minor
from schemas.shapes import Category
from services.kit.tokens import Caller
from services.notify.api.queries import ROLES, CountyCode, Day, OrderedEventQuery, principals_of
from services.notify.api.sheets import Amount, Cell
from services.notify.domain import (
    ArchivedEvent,
    CommitmentView,
    CountyView,
    Entry,
    ObservationView,
    PairingView,
    PartnerView,
    ProjectView,
)
from services.notify.store import Where, feed, visible_to

_STAFF = ("coordinator", "monitor", "bookkeeper")


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def asked(self, **columns: str) -> Where:
        """What was asked for, by the column that each parameter is about."""
        found = ((column, getattr(self, name)) for name, column in columns.items())
        return {column: value for column, value in found if value is not None}


class CountyQuery(Query):
    status: Literal["listed", "delisted", "watch"] | None = None
    province: Annotated[str | None, Field(pattern="^[0-9]{2}$")] = None
    as_of: Day | None = None


class CommitmentQuery(Query):
    partner: str | None = None
    status: Literal["open", "partly_paired", "fully_paired", "withdrawn", "expired"] | None = None
    category: Category | None = None
    reference: str | None = None


class PairingQuery(Query):
    round: str | None = None
    commitment: str | None = None
    partner: str | None = None
    county: CountyCode | None = None
    status: Literal["proposed", "approved", "rejected", "superseded", "revoked"] | None = None


class ProjectQuery(Query):
    category: Category | None = None
    county: CountyCode | None = None
    partner: str | None = None
    status: Literal["active", "suspended", "completed", "cancelled"] | None = None
    decision: Literal["open"] | None = None
    at_risk: bool | None = None
    due_before: Day | None = None
    milestone: Literal["pending", "reported", "returned", "verified"] | None = None


class ObservationQuery(Query):
    """`from` and `until` are about the last day of a period."""

    project: str | None = None
    indicator: str | None = None
    category: Category | None = None
    county: CountyCode | None = None
    partner: str | None = None
    since: Day | None = Field(None, alias="from")
    until: Day | None = None


class EntryQuery(Query):
    project: str | None = None
    commitment: str | None = None
    type: (
        Literal["pledged", "unpledged", "reserved", "tranche_released", "spent", "returned", "transferred", "reversed"]
        | None
    ) = None
    since: Day | None = Field(None, alias="from")
    until: Day | None = None


@dataclass(frozen=True)
class Table:
    """`row` gives the cells of one state in the order of `columns`, as things are on a day."""

    name: str
    kind: type
    query: type[BaseModel]
    where: Callable[[Any, Caller, date], Where]
    columns: tuple[str, ...]
    row: Callable[[Any, date], Sequence[Cell]]
    roles: tuple[str, ...] = ROLES
    by: str = "_id"


def _texts(text: Mapping[str, Any]) -> tuple[Cell, Cell]:
    return text.get("zh"), text.get("en")


def _json(value: Any) -> str | None:
    return orjson.dumps(value).decode() if value else None


def _between(since: date | None, until: date | None) -> Where:
    limits = {"$gte": since, "$lte": until}
    return {operator: day.isoformat() for operator, day in limits.items() if day}


def _own(caller: Caller, column: str, *all_: str) -> Where:
    return {} if caller.has(*_STAFF, *all_) else {column: caller.partner_id}


def _partners(_: Query, caller: Caller, __: date) -> Where:
    return {"heard.particulars": {"$exists": True}} | _own(caller, "_id", "officer")


def _partner(view: PartnerView, _: date) -> Sequence[Cell]:
    return view.id, *_texts(view.name), view.kind, view.credit_code, view.reference


def _counties(query: CountyQuery, _: Caller, today: date) -> Where:
    where: Where = {"heard.name": {"$exists": True}} | query.asked(province="province")
    if query.as_of or query.status:
        day = (query.as_of or today).isoformat()
        spell: Where = {"start": {"$lte": day}}
        if query.status:
            spell |= {"status": query.status, "$or": [{"until": None}, {"until": {"$gt": day}}]}
        where["spells"] = {"$elemMatch": spell}
    return where


def _county(view: CountyView, day: date) -> Sequence[Cell]:
    status = view.status_on(day)
    return view.id, view.id, *_texts(view.name), view.province, status, _json(view.needs)


def _commitments(query: CommitmentQuery, caller: Caller, _: date) -> Where:
    asked = query.asked(partner="partner_id", status="status", category="category", reference="reference")
    return {"$and": [{"heard.terms": {"$exists": True}}, asked, _own(caller, "partner_id")]}


def _commitment(view: CommitmentView, _: date) -> Sequence[Cell]:
    money = view.currency
    return (
        view.id, view.partner_id, view.category, *_texts(view.title), view.support.get("kind"),
        Amount(view.amount, money) if money else None, money, view.support.get("quantity"), view.support.get("unit"),
        view.projects_max, view.valid_from, view.valid_until, view.reference, view.status, view.paired_projects,
        Amount(view.paired_amount, money) if money else None, view.remaining_projects,
        Amount(view.remaining_amount, money) if money else None, view.submitted_at,
    )  # fmt: skip


def _pairings(query: PairingQuery, caller: Caller, _: date) -> Where:
    columns = {"round": "round_id", "commitment": "commitment_id", "partner": "partner_id", "county": "county_code"}
    asked = query.asked(**columns, status="status")
    return {"$and": [{"status": {"$ne": None}}, asked, visible_to(principals_of(caller))]}


def _pairing(view: PairingView, _: date) -> Sequence[Cell]:
    given = view.allocated
    return (
        view.id, view.round_id, view.commitment_id, view.partner_id, view.county_code, view.category,
        view.support_kind, _amount(given), given.get("currency"), given.get("quantity"), given.get("unit"), view.status,
        view.project_id, view.reason, view.approved_at,
    )  # fmt: skip


def _amount(given: Mapping[str, Any]) -> Amount | None:
    return Amount(to_minor(given["amount"], given["currency"]), given["currency"]) if "amount" in given else None


def _projects(query: ProjectQuery, caller: Caller, _: date) -> Where:
    asked = query.asked(category="category", county="county_code", partner="partner_id", status="status")
    if query.decision:
        asked["decision.reason"] = {"$exists": True}
    if query.at_risk is not None:
        asked["at_risk.0"] = {"$exists": query.at_risk}
    if query.due_before:
        late = {"due_on": {"$lt": query.due_before.isoformat()}, "status": {"$ne": "verified"}}
        asked["milestones"] = {"$elemMatch": late}
    if query.milestone:
        asked["milestones.status"] = query.milestone
    return {"$and": [{"status": {"$ne": None}}, asked, visible_to(principals_of(caller))]}


def _project(view: ProjectView, _: date) -> Sequence[Cell]:
    funds = view.funds
    sums = [funds.reserved, funds.released, funds.spent, funds.unreserved + funds.refunded] if funds else []
    return (
        view.id, view.pairing_id, view.commitment_id, view.partner_id, view.county_code, view.category,
        *_texts(view.title), view.status, (view.decision or {}).get("reason"), " ".join(view.at_risk), view.progress,
        view.starts_on, view.ended_on, len(view.milestones),
        sum(milestone.status == "verified" for milestone in view.milestones), funds.currency if funds else None,
        *([Amount(sum_, funds.currency) for sum_ in sums] if funds else [None] * 4),
    )  # fmt: skip


def _observations(query: ObservationQuery, caller: Caller, _: date) -> Where:
    columns = {"project": "project_id", "indicator": "indicator", "category": "category"}
    asked = query.asked(**columns, county="county_code", partner="partner_id")
    if limits := _between(query.since, query.until):
        asked["until_on"] = limits
    return {"$and": [asked, visible_to(principals_of(caller))]}


def _observation(view: ObservationView, _: date) -> Sequence[Cell]:
    ratio = view.value if isinstance(view.value, Mapping) else {}
    splits = [view.splits.get(name) for name in ("women", "aged_60_plus", "disabled", "children")]
    return (
        view.id, view.project_id, view.partner_id, view.county_code, view.category, view.indicator, view.kind,
        view.unit, None if ratio else view.value, ratio.get("numerator"), ratio.get("denominator"), view.from_on,
        view.until_on, *(_json(split) if isinstance(split, Mapping) else split for split in splits), view.occurred_at,
        view.observed_by, view.observed_at, view.version,
    )  # fmt: skip


def _entries(query: EntryQuery, caller: Caller, _: date) -> Where:
    asked = query.asked(project="project_id", commitment="commitment_id", type="type")
    if limits := _between(query.since, query.until):
        asked["booked_on"] = limits
    return {"$and": [{"type": {"$ne": None}}, asked, _own(caller, "partner_ids")]}


def _entry(entry: Entry, _: date) -> Sequence[Cell]:
    return (
        entry.id, entry.no, entry.type, entry.iati_type, entry.booked_on, entry.recorded_at,
        Amount(entry.amount, entry.currency) if entry.currency else None, entry.currency, " ".join(entry.partner_ids),
        entry.commitment_id, entry.project_id, entry.county_code, entry.category, entry.milestone_no, entry.payee,
        entry.to_partner_id, entry.reference, entry.reverses,
    )  # fmt: skip


def _events(query: OrderedEventQuery, caller: Caller, _: date) -> Where:
    where = feed(query.filter(), principals_of(caller))
    return where if query.after is None else {"$and": [{"position": {"$gt": query.after}}, where]}


def _event(event: ArchivedEvent, _: date) -> Sequence[Cell]:
    return (
        event.position, event.id, event.type, event.subject, event.time, event.recorded_at, event.envelope["source"],
        event.number, event.envelope["actor"], event.category, event.county_code, event.partner_id, event.project_id,
        event.pairing_id, event.commitment_id, event.correlationid, event.envelope["causationid"], _json(event.data),
    )  # fmt: skip


TABLES = (
    Table("partners", PartnerView, Query, _partners, ("id", "name_zh", "name_en", "kind", "credit_code", "reference"),
          _partner),
    Table("counties", CountyView, CountyQuery, _counties,
          ("id", "code", "name_zh", "name_en", "province", "status", "needs"), _county),
    Table("commitments", CommitmentView, CommitmentQuery, _commitments,
          ("id", "partner_id", "category", "title_zh", "title_en", "support_kind", "amount", "currency", "quantity",
           "unit", "projects_max", "valid_from", "valid_until", "reference", "status", "paired_projects",
           "paired_amount", "remaining_projects", "remaining_amount", "submitted_at"), _commitment,
          roles=("partner", *_STAFF)),
    Table("pairings", PairingView, PairingQuery, _pairings,
          ("id", "round_id", "commitment_id", "partner_id", "county_code", "category", "support_kind", "amount",
           "currency", "quantity", "unit", "status", "project_id", "reason", "approved_at"), _pairing),
    Table("projects", ProjectView, ProjectQuery, _projects,
          ("id", "pairing_id", "commitment_id", "partner_id", "county_code", "category", "title_zh", "title_en",
           "status", "decision", "at_risk", "progress", "starts_on", "ended_on", "milestones", "milestones_verified",
           "currency", "reserved", "released", "spent", "returned"), _project),
    Table("observations", ObservationView, ObservationQuery, _observations,
          ("id", "project_id", "partner_id", "county_code", "category", "indicator", "kind", "unit", "value",
           "numerator", "denominator", "from", "until", "women", "aged_60_plus", "disabled", "children", "occurred_at",
           "observed_by", "observed_at", "version"), _observation),
    Table("entries", Entry, EntryQuery, _entries,
          ("id", "no", "type", "iati_type", "booked_on", "recorded_at", "amount", "currency", "partner_ids",
           "commitment_id", "project_id", "county_code", "category", "milestone_no", "payee", "to_partner_id",
           "reference", "reverses"), _entry, roles=("partner", *_STAFF)),
    Table("events", ArchivedEvent, OrderedEventQuery, _events,
          ("position", "id", "type", "subject", "time", "recordedtime", "source", "sequence", "actor", "category",
           "county_code", "partner_id", "project_id", "pairing_id", "commitment_id", "correlationid", "causationid",
           "data"), _event, by="position"),
)  # fmt: skip
