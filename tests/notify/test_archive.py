"""Positions, and the columns beside an archived event."""

from schemas import funding, partners
from services.notify.domain import Positions, archive, in_causal_order
from tests.notify import builders as b


def test_positions_count_from_one_without_gaps() -> None:
    positions, seen = Positions(), []
    for n in range(1, 4):
        decision = archive(
            b.envelope(b.submitted(), number=n), positions, time=b.START, recorded_at=b.START, now=b.START
        )
        positions = decision.saves[0]
        seen.append(decision.state.position)
    assert seen == [1, 2, 3]
    assert positions == Positions(newest=3, archived_at=b.START)


def test_an_event_is_kept_as_it_came_with_what_it_is_filtered_by() -> None:
    raw = b.envelope(b.reserved(), traceparent="00-8f27de236632187c3194dc1862090e45-609bd02e964a24ba-01", later="field")
    event = b.archived(raw)
    assert event.envelope == raw
    assert (event.type, event.subject) == (funding.FundReserved.TYPE, "project-1")
    assert (event.category, event.county_code, event.partner_id) == ("coverage", "520326", "partner-1")
    assert (event.project_id, event.pairing_id, event.commitment_id) == ("project-1", "pairing-1", "commitment-1")
    assert event.trace_id == "8f27de236632187c3194dc1862090e45"


def test_an_event_of_an_unknown_type_is_kept_whatever_its_data_are() -> None:
    raw = b.envelope(b.registered()) | {
        "type": "jiedui.partner.renamed",
        "data": {"partner_id": ["odd"], "county_code": 5},
    }
    event = b.archived(raw | {"traceparent": "nonsense"})
    assert event.read() is None
    assert (event.partner_id, event.county_code, event.trace_id) == (None, None, None)


def test_a_known_type_is_read_as_its_class() -> None:
    assert b.archived(b.registered()).read() == partners.PartnerRegistered(
        partner_id="partner-1", name={"zh": "某企业"}, kind="enterprise"
    )


def test_a_story_tells_causes_before_effects_and_else_goes_by_time() -> None:
    approval = b.envelope(b.approved(), at=b.START)
    reservation = b.envelope(b.reserved(), at=b.START, cause=approval["id"])
    opening = b.envelope(b.opened(), at=b.START, cause=approval["id"])
    # The effects were archived first, and their clock is behind.
    early = b.START.replace(second=0)
    events = [b.archived(reservation, 1, early), b.archived(opening, 2, early), b.archived(approval, 3, b.START)]
    assert [event.position for event in in_causal_order(events)] == [3, 1, 2]


def test_a_story_whose_events_name_each_other_as_causes_still_has_all_of_them() -> None:
    one = b.envelope(b.approved(), cause="two") | {"id": "one"}
    two = b.envelope(b.opened(), cause="one") | {"id": "two"}
    assert len(in_causal_order([b.archived(one, 1), b.archived(two, 2)])) == 2
