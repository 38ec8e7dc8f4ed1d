"""Live figures from heartbeats; unknown is not nought."""

from datetime import timedelta
from typing import Any

import pytest

from services.notify.domain import Pulse, beat, outboxes, rates
from tests.notify.builders import START


def pulse(at_s: float = 0.0, **other: Any) -> Pulse:
    fields: dict[str, Any] = {
        "id": "funding-0",
        "service": "funding",
        "at": START + timedelta(seconds=at_s),
        "outbox_depth": 3,
        "outbox_oldest_age_s": 1.5,
        "applied": 0,
        "sent": 0,
    }
    return Pulse(**fields | other)


def test_a_steady_worker_shows_its_rate_after_some_minutes() -> None:
    found: Pulse | None = None
    for second in range(300):
        found = beat(found, pulse(second, applied=second * 5, sent=second))
    assert found is not None
    assert found.applied_per_minute == pytest.approx(300, rel=0.02)
    assert found.sent_per_minute == pytest.approx(60, rel=0.02)


def test_a_heartbeat_that_comes_twice_or_late_changes_nothing() -> None:
    first = beat(pulse(0), pulse(1, applied=10))
    assert beat(first, pulse(1, applied=10)) == first
    assert beat(first, pulse(0.5, applied=4)) == first


def test_a_worker_that_was_started_again_counts_from_nought_and_never_below() -> None:
    found = beat(pulse(0, applied=1000), pulse(1, applied=3))
    assert found.applied_per_minute > 0


def test_an_outbox_whose_worker_is_silent_for_over_five_seconds_is_unknown() -> None:
    def at(seconds: float) -> list[dict[str, Any]]:
        return outboxes([pulse(0)], ("funding", "pairing"), START + timedelta(seconds=seconds))

    known = {"service": "funding", "depth": 3, "oldest_age_s": 1.5}
    unknown = {"depth": None, "oldest_age_s": None}
    assert at(5) == [known, {"service": "pairing"} | unknown]
    assert at(5.1) == [{"service": "funding"} | unknown, {"service": "pairing"} | unknown]


def test_of_two_workers_the_later_word_on_the_outbox_counts_and_their_rates_add_up() -> None:
    pulses = [pulse(0, sent_per_minute=2.0), pulse(1, id="funding-1", outbox_depth=9, sent_per_minute=3.0)]
    now = START + timedelta(seconds=2)
    assert outboxes(pulses, ("funding",), now)[0]["depth"] == 9
    assert rates(pulses, ("funding",), now)[0]["sent_per_minute"] == 5.0
    assert rates([], ("funding",), now)[0]["sent_per_minute"] is None
