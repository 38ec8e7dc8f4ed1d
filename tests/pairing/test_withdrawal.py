"""Withdrawals and what other services say afterwards, on a real database, through the API and the inbox."""

from typing import Any

import pytest

from schemas.funding import (
    FundRefused,
    FundReserved,
    FundReturned,
    FundReversed,
    FundTrancheReleased,
    FundTransferred,
)
from schemas.projects import ProjectCancelled, ProjectCompleted, ProjectOpened
from tests.pairing.conftest import Desk, Json

WHOLE = "4200000.00"


def about(pairing: Json) -> Json:
    names = ("commitment_id", "partner_id", "county_code", "category", "project_id")
    return {name: pairing[name] for name in names} | {"pairing_id": pairing["id"]}


def fund(pairing: Json, amount: str = WHOLE) -> Json:
    return about(pairing) | {"amount": amount, "currency": "CNY"}


def reserved(pairing: Json) -> FundReserved:
    return FundReserved(**fund(pairing), entry_id="e1")


def refused(pairing: Json) -> FundRefused:
    return FundRefused(**fund(pairing), reason="commitment-withdrawn", available="0.00")


def returned(pairing: Json, amount: str) -> FundReturned:
    return FundReturned(**fund(pairing, amount), entry_id="e2", unreserved=amount, refunded="0.00")


def opened(pairing: Json) -> ProjectOpened:
    milestone = {"no": 1, "title": {"zh": "开工"}, "weight": 100, "due_on": "2026-06-30", "tranche_share": 100}
    return ProjectOpened(
        **about(pairing), title={"zh": "光纤"}, starts_on="2026-01-01", milestones=[milestone], indicators=[]
    )


def cancelled(pairing: Json) -> ProjectCancelled:
    return ProjectCancelled(**about(pairing), reason="the road is gone")


async def withdraw(desk: Desk, commitment: Json) -> Any:
    return await desk.send("POST", f"/commitments/{commitment['id']}/withdraw", {"reason": "no budget"})


async def test_a_withdrawal_waits_for_funding_where_there_is_money(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    answer = (await withdraw(desk, commitment)).json()
    assert (answer["status"], answer["remaining"]["projects"]) == ("withdrawn", 0)
    assert answer["remaining"]["amount"]["amount"] == "0.00"
    event = (await desk.published(commitment["id"]))[-1]
    assert (event.envelope.type, event.data.takes_back) == ("jiedui.commitment.withdrawn", [pairing["id"]])
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "approved"

    await desk.hear(reserved(pairing))
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "approved"
    for _ in range(2):
        await desk.hear(refused(pairing))
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "revoked"
    await desk.hear(cancelled(pairing))
    assert await desk.types(pairing["id"]) == ["pairing.proposed", "pairing.approved", "pairing.revoked"]
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["paired"]["projects"], shown["paired"]["amount"]["amount"]) == (0, "0.00")
    assert shown["remaining"]["projects"] == 0
    assert (await desk.get("/counties/520324"))["needs"][0]["open_slots"] == 1


async def test_a_withdrawal_that_a_tranche_has_overtaken_keeps_the_pairing(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    assert (await withdraw(desk, commitment)).status_code == 200
    await desk.hear(FundTrancheReleased(**fund(pairing, "10.00"), entry_id="e3", milestone_no=1))
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "approved"
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["paired"]["projects"], shown["paired"]["amount"]["amount"]) == (1, WHOLE)


async def test_nothing_is_left_to_take_back_once_all_has_begun(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    await desk.hear(reserved(pairing))
    answer = await withdraw(desk, commitment)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-to-take-back")
    assert answer.json()["projects"] == [pairing["project_id"]]
    assert (await desk.get(f"/commitments/{commitment['id']}"))["status"] == "fully_paired"


async def test_without_money_an_unopened_pairing_is_revoked_at_once(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved(support=desk.goods())
    assert pairing["allocated"] == {"quantity": 10, "unit": "台"}
    answer = (await withdraw(desk, commitment)).json()
    assert (answer["status"], answer["pairings"], answer["remaining"]["amount"]) == ("withdrawn", [], None)
    assert (await desk.published(commitment["id"]))[-1].data.takes_back == []
    assert (await desk.types(pairing["id"]))[-1] == "pairing.revoked"
    assert (await desk.get("/counties/520324"))["needs"][0]["open_slots"] == 1
    for event in (opened(pairing), cancelled(pairing)):
        await desk.hear(event)
    assert (await desk.types(pairing["id"])).count("pairing.revoked") == 1


async def test_without_money_an_opened_pairing_has_begun(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved(support=desk.goods())
    await desk.hear(opened(pairing))
    assert (await withdraw(desk, commitment)).status_code == 409


async def test_a_withdrawal_ends_the_proposals(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment()
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    await withdraw(desk, commitment)
    assert (await desk.get(f"/pairings/{pairing['id']}"))["status"] == "rejected"
    again = await withdraw(desk, commitment)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/commitment-over")


@pytest.mark.parametrize("first", ["project", "money"])
async def test_a_cancelled_project_gives_back_what_was_not_spent_in_either_order(desk: Desk, first: str) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    await desk.hear(reserved(pairing))
    facts = [cancelled(pairing), returned(pairing, "4000000.00")]
    for event in facts if first == "project" else facts[::-1]:
        await desk.hear(event)
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert shown["remaining"] == {
        "projects": 1,
        "amount": {"amount": "4000000.00", "currency": "CNY"},
        "quantity": None,
    }
    assert (shown["paired"]["projects"], shown["paired"]["amount"]["amount"]) == (0, "200000.00")
    assert shown["status"] == "open"
    await desk.round()
    (again,) = await desk.proposed(commitment)
    assert again["allocated"]["amount"] == "4000000.00"


async def test_a_cancelled_project_that_spent_all_gives_no_share_back(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    for event in (reserved(pairing), cancelled(pairing), returned(pairing, "0.00")):
        await desk.hear(event)
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["remaining"]["projects"], shown["paired"]["amount"]["amount"]) == (0, WHOLE)


async def test_a_refused_reservation_gives_the_share_back_once(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    for _ in range(2):
        await desk.hear(FundRefused(**fund(pairing), reason="not-enough", available="1.00"))
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["status"], shown["remaining"]["amount"]["amount"]) == ("open", WHOLE)


async def test_an_approval_can_be_revoked_until_its_project_is_known(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved(support=desk.goods())
    revoked = await desk.post(f"/pairings/{pairing['id']}/revoke", {"reason": "by mistake"})
    assert revoked["status"] == "revoked"
    assert (await desk.get(f"/commitments/{commitment['id']}"))["remaining"]["projects"] == 1
    await desk.round()
    (again,) = await desk.proposed(commitment)
    again = await desk.post(f"/pairings/{again['id']}/approve")
    await desk.hear(opened(again))
    answer = await desk.send("POST", f"/pairings/{again['id']}/revoke", {"reason": "too late"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/cancel-the-project")
    assert answer.json()["project_id"] == again["project_id"]


async def test_a_completed_project_frees_its_slot_and_still_stands(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    await desk.hear(ProjectCompleted(**about(pairing)))
    assert (await desk.get("/counties/520324"))["needs"][0]["open_slots"] == 1
    assert (await desk.get(f"/commitments/{commitment['id']}"))["paired"]["projects"] == 1
    other = await desk.commitment(projects_max=1)
    await desk.round()
    assert len(await desk.proposed(other)) == 1


async def test_what_is_heard_before_its_pairing_waits_for_it(desk: Desk) -> None:
    await desk.county()
    commitment, pairing = await desk.approved()
    unknown = pairing | {"id": "not-yet", "project_id": "p-not-yet"}
    await desk.hear(reserved(unknown))
    assert await desk.database.early.count_documents({"about": "not-yet"}) == 1
    assert commitment["status"] == "open"


async def test_a_transfer_lowers_what_is_left_and_later_shares(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment(projects_max=2)
    transfer = FundTransferred(
        commitment_id=commitment["id"],
        partner_id=commitment["partner_id"],
        category="coverage",
        amount="200000.00",
        currency="CNY",
        entry_id="e9",
        to_partner_id="foundation",
        on="2026-01-01",
    )
    await desk.hear(transfer)
    shown = await desk.get(f"/commitments/{commitment['id']}")
    assert (shown["remaining"]["projects"], shown["remaining"]["amount"]["amount"]) == (2, "4000000.00")
    await desk.round()
    (pairing,) = await desk.proposed(commitment)
    assert pairing["allocated"]["amount"] == "2000000.00"


async def test_a_transfer_that_is_undone_can_be_paired_again(desk: Desk) -> None:
    await desk.county()
    commitment = await desk.commitment(projects_max=1)
    about_it = {name: commitment[name] for name in ("partner_id", "category")} | {"commitment_id": commitment["id"]}
    booked = about_it | {"amount": "200000.00", "currency": "CNY"}
    await desk.hear(FundTransferred(**booked, entry_id="e9", to_partner_id="foundation", on="2026-01-01"))
    await desk.hear(FundReversed(**booked, entry_id="e10", reverses="e9"))
    assert (await desk.get(f"/commitments/{commitment['id']}"))["remaining"]["amount"]["amount"] == WHOLE


async def test_an_approval_names_the_version_of_the_terms_that_were_published_last(desk: Desk) -> None:
    await desk.county("520324")
    await desk.county("520326")
    commitment = await desk.commitment()
    path = f"/commitments/{commitment['id']}"
    assert (await desk.send("PATCH", path, {"projects_max": 2}, if_match=1)).status_code == 200
    await desk.round()
    for pairing in await desk.proposed(commitment):
        await desk.post(f"/pairings/{pairing['id']}/approve")
        assert (await desk.published(pairing["id"]))[-1].data.commitment_version == 2
