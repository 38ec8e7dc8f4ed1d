"""The rules of deliveries, by made-up histories: at most one recorded success, tries that end, digests of a day."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import LEASE, TRIES, Delivery, Outcome, Secret, Subscription
from services.notify.domain.deliveries import claim, delivery_id, digest_due, pause, record
from services.notify.domain.subscriptions import OLD_SECRET_SIGNS, rotate
from tests.notify import builders as b

SUBSCRIPTION = Subscription(
    id="s", owner="somebody", channel="webhook", target="https://example.org/", lang="zh", zone="Asia/Shanghai",
    secrets=(Secret(value="first"),), unsubscribe_token="t", since_position=0, created_at=b.START,
)  # fmt: skip
DELIVERY = Delivery(
    id=delivery_id("s", "e"), subscription_id="s", owner="somebody", channel="webhook", receiver="example.org:443",
    created_at=b.START, next_at=b.START, event_id="e", position=1, body=b"{}",
)  # fmt: skip

STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "delivered", "failed", "unknown"]), st.integers(0, 5), st.integers(0, 300))
)


@given(STEPS)
def test_whatever_workers_do_and_in_whichever_order_one_success_is_recorded_at_most(
    steps: list[tuple[str, int, int]],
) -> None:
    delivery, now, leases = DELIVERY, b.START, list[str]()
    for what, which, seconds in steps:
        now += timedelta(seconds=seconds)
        if what == "claim":
            if delivery.status == "waiting" and delivery.next_at is not None and delivery.next_at <= now:
                leases.append(f"lease-{len(leases)}")
                delivery = claim(delivery, SUBSCRIPTION, leases[-1], now)
        elif leases:
            before = delivery
            # A worker that slept for long may still come with its outcome.
            delivery = record(delivery, leases[which % len(leases)], Outcome(status=what), now)
            assert not (before.status == "delivered" and delivery.status != "delivered")
    words = [attempt.status for attempt in delivery.attempts]
    assert words.count("delivered") <= 1
    assert ("delivered" in words) == (delivery.status == "delivered")
    assert len(words) == len(leases)


def test_twenty_tries_take_three_days_and_the_first_pauses_are_short() -> None:
    delivery, now, tried = DELIVERY, b.START, list[datetime]()
    while delivery.status == "waiting":
        assert delivery.next_at is not None
        now = delivery.next_at
        tried.append(now)
        delivery = claim(delivery, SUBSCRIPTION, f"lease-{len(tried)}", now)
        delivery = record(delivery, f"lease-{len(tried)}", Outcome(status="failed", detail="no"), now)
    assert (delivery.status, len(tried)) == ("failed", TRIES)
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(tried)]
    for seconds, about in zip(pauses, (5, 15, 60), strict=False):
        assert 0.9 * about <= seconds <= 1.1 * about
    assert all(after > 0.8 * before for before, after in pairwise(pauses))
    assert timedelta(days=2.7) < tried[-1] - tried[0] < timedelta(days=3.3)


@given(st.text(min_size=1), st.integers(1, TRIES - 1))
def test_what_failed_together_does_not_come_back_together(id: str, tries: int) -> None:
    shares = {pause(f"{id}{n}", tries) for n in range(20)}
    assert len(shares) > 10


def test_a_claimed_delivery_is_out_of_the_queue_for_longer_than_a_try_lasts() -> None:
    claimed = claim(DELIVERY, SUBSCRIPTION, "lease", b.START)
    assert claimed.next_at == b.START + LEASE
    assert [attempt.status for attempt in claimed.attempts] == ["unknown"]


def test_off_and_deleted_are_obeyed_when_it_is_to_be_sent() -> None:
    assert claim(DELIVERY, replace(SUBSCRIPTION, active=False), "lease", b.START).status == "skipped"
    assert claim(DELIVERY, None, "lease", b.START).status == "skipped"


ZONES = st.sampled_from(["Asia/Shanghai", "Europe/London", "America/St_Johns", "Pacific/Kiritimati", "Asia/Kolkata"])
MOMENTS = st.integers(0, 366 * 24 * 60).map(lambda minutes: b.START + timedelta(minutes=minutes))


@given(MOMENTS, ZONES)
def test_a_digest_is_due_at_the_next_8_in_the_morning_where_its_reader_is(now: datetime, zone: str) -> None:
    due = digest_due(now, zone)
    local = due.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute) == (8, 0)
    # A day has 25 hours when summer time ends.
    assert timedelta() < due - now <= timedelta(hours=25)
    assert digest_due(due - timedelta(microseconds=1), zone) == due


def test_rotated_twice_in_a_day_all_three_secrets_sign_each_as_long_as_it_was_promised() -> None:
    hour = timedelta(hours=1)
    subscription = rotate(SUBSCRIPTION, "second", b.START).state
    subscription = rotate(subscription, "third", b.START + hour).state
    assert subscription.signing(b.START + hour) == ("third", "second", "first")
    assert subscription.signing(b.START + OLD_SECRET_SIGNS) == ("third", "second")
    assert subscription.signing(b.START + OLD_SECRET_SIGNS + hour) == ("third",)
