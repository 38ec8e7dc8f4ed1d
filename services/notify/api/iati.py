"""`GET /exports/iati.xml`: IATI 2.03, activity by activity."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Query
from lxml import etree
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response, StreamingResponse

from services.kit.clock import rfc3339
from services.kit.decision import Invalid, NotFound
from services.kit.http import Call, allow
from services.notify.api.queries import ROLES, principals_of
from services.notify.domain import CommitmentView, CountyView, Entry, ObservationView, PartnerView, ProjectView, iati
from services.notify.domain.iati import Activity, Organisation, Result, Text, Transaction
from services.notify.store import Tx, Where, visible_to

router = APIRouter()

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XML = "application/xml"
_STAFF = ("coordinator", "monitor", "bookkeeper")


class IatiQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    partner: str | None = None


@router.get(
    "/exports/iati.xml",
    response_class=Response,
    responses={200: {"description": "IATI 2.03: commitments and projects as activities", "content": {_XML: {}}}},
)
async def export_iati(call: Annotated[Call, allow(*ROLES)], query: Annotated[IatiQuery, Query()]) -> Response:
    """The programme's activities, or one partner's; of those who see a part of it, that part's."""
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    if query.partner is not None and await tx.get(PartnerView, query.partner) is None:
        raise Invalid({"partner": f"there is no partner {query.partner}"})
    activities = _activities(call, query.partner)
    # An IATI document has one activity at least, so there is none of nothing.
    first = await anext(activities, None)
    if first is None:
        raise NotFound("There is nothing to export yet.")
    headers = {"content-disposition": 'attachment; filename="iati.xml"', "cache-control": "no-store"}
    return StreamingResponse(_document(call, first, activities), media_type=_XML, headers=headers)


async def _document(call: Call, first: Activity, others: AsyncGenerator[Activity, None]) -> AsyncIterator[bytes]:
    now = rfc3339(call.transactor.clock.now().astimezone(UTC))
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<iati-activities version="2.03" generated-datetime="{now}">\n'.encode()
    yield rendered(first)
    async with aclosing(others):
        async for activity in others:
            yield rendered(activity)
    yield b"</iati-activities>\n"


async def _activities(call: Call, partner_id: str | None) -> AsyncGenerator[Activity, None]:
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    only: Where = {"partner_id": partner_id} if partner_id else {}
    if call.caller.has("partner", *_STAFF):
        own: Where = {} if call.caller.has(*_STAFF) else {"partner_id": call.caller.partner_id}
        where = {"$and": [{"heard.terms": {"$exists": True}}, only, own]}
        async for commitment in tx.rows(CommitmentView, where):
            giver = await _partner(tx, commitment.partner_id)
            projects = await _projects(call, {"commitment_id": commitment.id})
            yield await _commitment(call, tx, commitment, giver, projects)
            for project in projects:
                yield await _project(call, tx, project, giver)
    else:
        async for project in tx.rows(ProjectView, _seen(call) | only):
            yield await _project(call, tx, project, await _partner(tx, project.partner_id))


async def _commitment(
    call: Call, tx: Tx, commitment: CommitmentView, giver: Organisation, projects: list[ProjectView]
) -> Activity:
    entries = await _entries(call, {"commitment_id": commitment.id})
    others: dict[str, Organisation] = {}
    for entry in entries:
        if entry.county_code:
            others[entry.county_code] = await _county(tx, entry.county_code)
        if entry.to_partner_id:
            others[entry.to_partner_id] = await _partner(tx, entry.to_partner_id)
    known = {entry.id: entry for entry in entries}
    return iati.commitment_activity(commitment, giver, projects, entries, known, others)


async def _project(call: Call, tx: Tx, project: ProjectView, giver: Organisation) -> Activity:
    county = await _county(tx, str(project.county_code))
    entries = await _entries(call, {"project_id": project.id})
    observations = await _reading(call).find(ObservationView, {"project_id": project.id})
    known = {entry.id: entry for entry in entries}
    return iati.project_activity(project, giver, county, entries, known, observations)


def _reading(call: Call) -> Tx:
    """A unit of its own for what belongs to one activity, so that nothing is kept for all of them."""
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    return tx


def _seen(call: Call) -> Where:
    return {"status": {"$ne": None}, "starts_on": {"$ne": None}} | visible_to(principals_of(call.caller))


async def _projects(call: Call, where: Where) -> list[ProjectView]:
    return await _reading(call).find(ProjectView, where | _seen(call))


async def _entries(call: Call, where: Where) -> list[Entry]:
    return await _reading(call).find(Entry, where | {"type": {"$ne": None}})


async def _partner(tx: Tx, id: str | None) -> Organisation:
    found = await tx.get(PartnerView, str(id)) or PartnerView(id=str(id))
    return iati.partner_organisation(found if found.name else _named(found))


def _named(partner: PartnerView) -> PartnerView:
    """Whose registration is not known yet has its id for a name."""
    return PartnerView(id=partner.id, name={"zh": partner.id}, kind=partner.kind)


async def _county(tx: Tx, code: str) -> Organisation:
    return iati.county_organisation(await tx.get(CountyView, code) or CountyView(id=code))


def rendered(activity: Activity) -> bytes:
    """An activity as XML; the elements are in the order that the schema wants."""
    top = etree.Element("iati-activity", {_LANG: "zh", "default-currency": "CNY", "humanitarian": "0"})
    _add(top, "iati-identifier").text = activity.identifier
    _organisation(top, "reporting-org", activity.reporting)
    _narrative(_add(top, "title"), activity.title)
    _narrative(_add(top, "description", type=1), activity.description)
    for role, organisation in activity.participating:
        _organisation(top, "participating-org", organisation, role=role)
    _add(top, "activity-status", code=activity.status)
    for type_, day in activity.dates:
        _add(top, "activity-date", type=type_, **{"iso-date": day.isoformat()})
    _add(top, "recipient-country", code="CN", percentage=100)
    if activity.place:
        _narrative(_add(_add(top, "location"), "name"), activity.place)
    _add(top, "sector", vocabulary=1, code=activity.sector, percentage=100)
    for transaction in activity.transactions:
        _transaction(top, transaction)
    for type_, identifier in activity.related:
        _add(top, "related-activity", ref=identifier, type=type_)
    for result in activity.results:
        _result(top, result)
    written: bytes = etree.tostring(top, encoding="UTF-8", pretty_print=True, xml_declaration=False)
    return written


def _transaction(top: Any, transaction: Transaction) -> None:
    element = _add(top, "transaction")
    day = transaction.on.isoformat()
    _add(element, "transaction-type", code=transaction.type)
    _add(element, "transaction-date", **{"iso-date": day})
    _add(element, "value", currency=transaction.currency, **{"value-date": day}).text = transaction.amount
    if transaction.description:
        _narrative(_add(element, "description"), transaction.description)
    if transaction.provider:
        activity = {"provider-activity-id": transaction.provider_activity} if transaction.provider_activity else {}
        _organisation(element, "provider-org", transaction.provider, **activity)
    if transaction.receiver:
        activity = {"receiver-activity-id": transaction.receiver_activity} if transaction.receiver_activity else {}
        _organisation(element, "receiver-org", transaction.receiver, **activity)


def _result(top: Any, result: Result) -> None:
    element = _add(top, "result", type=1, **{"aggregation-status": int(result.is_added_up)})
    _narrative(_add(element, "title"), {"zh": result.code})
    indicator = _add(element, "indicator", measure=result.measure, ascending=1)
    _narrative(_add(indicator, "title"), {"zh": result.code})
    _narrative(_add(indicator, "description"), result.description)
    if result.baseline is not None or result.baseline_comment:
        value = {} if result.baseline is None else {"value": result.baseline}
        _comment(_add(indicator, "baseline", year=result.baseline_year, **value), result.baseline_comment)
    for period in result.periods:
        within = _add(indicator, "period")
        _add(within, "period-start", **{"iso-date": period.start.isoformat()})
        _add(within, "period-end", **{"iso-date": period.end.isoformat()})
        value = {} if period.value is None else {"value": period.value}
        _comment(_add(within, "actual", **value), period.comment)


def _comment(element: Any, comment: Text | None) -> None:
    if comment:
        _narrative(_add(element, "comment"), comment)


def _organisation(parent: Any, name: str, organisation: Organisation, **attributes: Any) -> None:
    known = {"ref": organisation.ref, "type": organisation.type}
    _narrative(
        _add(parent, name, **{key: value for key, value in known.items() if value is not None}, **attributes),
        organisation.name,
    )


def _narrative(parent: Any, text: Text) -> None:
    _add(parent, "narrative").text = _readable(str(text.get("zh") or text.get("en") or ""))
    if text.get("zh") and text.get("en"):
        english = _add(parent, "narrative")
        english.set(_LANG, "en")
        english.text = _readable(str(text["en"]))


def _add(parent: Any, name: str, **attributes: Any) -> Any:
    return etree.SubElement(parent, name, {key: _readable(str(value)) for key, value in attributes.items()})


def _readable(text: str) -> str:
    """Without the control characters that XML has no way to write."""
    return "".join(
        character for character in text if character in "\t\n\r" or (character >= " " and character not in _NOT_XML)
    )


_NOT_XML = "\ufffe\uffff" + "".join(map(chr, range(0xD800, 0xE000)))
