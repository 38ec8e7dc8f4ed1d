"""Who sees which event, by the table of roles."""

import pytest

from services.notify.domain import principals, sees
from services.notify.domain.visibility import audience
from tests.notify import builders as b

PARTNER = principals({"partner"}, "partner-1", ())
OTHER_PARTNER = principals({"partner"}, "partner-2", ())
OFFICER = principals({"officer"}, None, {"520326", "520327"})
OTHER_OFFICER = principals({"officer"}, None, {"530927"})
STAFF = [principals({role}, None, ()) for role in ("coordinator", "monitor", "bookkeeper")]

OWN = {"partner_id": "partner-1", "county_code": "520326", "pairing_id": "pairing-1"}


@pytest.mark.parametrize(
    "type_",
    [
        "jiedui.round.completed",
        "jiedui.rule.added",
        "jiedui.pairing.proposed",
        "jiedui.ledger.sealed",
        "jiedui.fund.spent",
        "jiedui.unheard.of",
    ],
)
def test_coordinators_monitors_and_bookkeepers_see_everything(type_: str) -> None:
    assert all(sees(staff, audience(type_, {})) for staff in STAFF)


@pytest.mark.parametrize("type_", ["jiedui.milestone.reported", "jiedui.fund.spent", "jiedui.project.opened"])
def test_partners_see_their_own_and_officers_their_counties(type_: str) -> None:
    whom = audience(type_, OWN)
    assert sees(PARTNER, whom)
    assert sees(OFFICER, whom)
    assert not sees(OTHER_PARTNER, whom)
    assert not sees(OTHER_OFFICER, whom)


@pytest.mark.parametrize("type_", ["jiedui.county.listed", "jiedui.county.delisted", "jiedui.county.card_updated"])
def test_everyone_sees_what_happens_to_counties(type_: str) -> None:
    whom = audience(type_, {"county_code": "530927"})
    assert all(sees(who, whom) for who in (PARTNER, OTHER_PARTNER, OFFICER, OTHER_OFFICER))


@pytest.mark.parametrize("what", ["proposed", "rejected", "superseded", "thought_of"])
def test_a_pairing_is_told_from_its_approval_on(what: str) -> None:
    assert not sees(PARTNER, audience(f"jiedui.pairing.{what}", OWN))
    assert not sees(OFFICER, audience(f"jiedui.pairing.{what}", OWN))


@pytest.mark.parametrize("what", ["approved", "revoked"])
def test_an_approved_pairing_is_told_to_its_partner_and_its_county(what: str) -> None:
    whom = audience(f"jiedui.pairing.{what}", OWN)
    assert sees(PARTNER, whom)
    assert sees(OFFICER, whom)
    assert not sees(OTHER_PARTNER, whom)


@pytest.mark.parametrize("type_", ["jiedui.rule.added", "jiedui.rule.removed", "jiedui.round.completed"])
def test_rules_and_rounds_are_the_coordinators_business(type_: str) -> None:
    assert not sees(PARTNER, audience(type_, OWN))
    assert not sees(OFFICER, audience(type_, OWN))


def test_a_commitment_is_shown_to_its_partner_and_no_officer() -> None:
    whom = b.archived(b.submitted()).audience
    assert sees(PARTNER, whom)
    assert not sees(OFFICER, whom)
    assert not sees(OFFICER, audience("jiedui.commitment.submitted", OWN))


def test_what_names_nobody_is_shown_to_no_partner_and_no_officer() -> None:
    assert audience("jiedui.ledger.sealed", {"ledger": "ledger"}) == ()
    assert audience("jiedui.fund.spent", {"partner_id": 7, "county_code": None}) == ()


def test_claims_count_only_with_their_role() -> None:
    whom = audience("jiedui.fund.spent", {"partner_id": "partner-1"})
    assert not sees(principals({"officer"}, "partner-1", {"520326"}), whom)
    assert sees(principals({"officer", "partner"}, "partner-1", ()), whom)
    assert not sees(principals(set(), "partner-1", ()), whom)
    assert not sees(principals({"partner"}, None, ()), whom)
