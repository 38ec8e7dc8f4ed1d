"""A worker that stands still by its own fault ends; one that waits for others does not."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from services.kit.consumer import ConsumerState
from services.kit.health import Status
from services.kit.outbox import RelayState

ENDLESS = """
import time
from services.kit import health
health.ENDS_AFTER_S, health._STUCK_S = 2, 0.5
status = health.Status()
{before}
health.end_when_stuck(status)
time.sleep({sleep})
"""


def status(*, database: float = 0, kafka: float = 0, **more: Any) -> Status:
    """One that was well until so many seconds ago."""
    now = time.monotonic()
    well = {"consumer": ConsumerState(last_poll=now), "relay": RelayState()}
    return Status(**well | more, _database_at=now - database, _kafka_at=now - kafka)


def test_a_worker_that_is_well_does_not_stand_still() -> None:
    assert status().stands_still() == status().faults() == []


@pytest.mark.parametrize(
    ("stuck", "named"),
    [
        (lambda now: {"consumer": ConsumerState(last_poll=now - 60)}, "the consumer does not poll"),
        (lambda now: {"consumer": ConsumerState(last_poll=now, failing_since=1)}, "the consumer has failed"),
        (lambda now: {"relay": RelayState(waiting_since=now - 60)}, "the relay waits"),
        (lambda now: {"_turned_at": now - 60}, "the event loop hangs"),
    ],
)
def test_each_part_that_does_not_move_is_named(stuck: Callable[[float], dict[str, Any]], named: str) -> None:
    (found,) = status(**stuck(time.monotonic())).stands_still()
    assert found.startswith(named)


@pytest.mark.parametrize("away", [{"database": 60}, {"kafka": 60}])
def test_what_waits_for_a_database_or_a_broker_is_not_ready_and_does_not_stand_still(away: dict[str, float]) -> None:
    waits = status(**away, consumer=ConsumerState(last_poll=1, failing_since=1), relay=RelayState(waiting_since=1))
    assert waits.faults() != []
    assert waits.stands_still() == []


def test_heartbeats_that_are_not_taken_by_a_broker_that_answers_are_our_fault() -> None:
    waits = status(kafka=60)
    waits.broker_answered()
    assert waits.stands_still() == ["no heartbeat is taken"]


@pytest.mark.parametrize(
    ("before", "sleep", "code"), [("", 60, 1), ("status.waits_for = 'kafka'", 5, 0)], ids=["hangs", "waits"]
)
def test_a_process_whose_loop_hangs_ends_and_one_that_waits_does_not(before: str, sleep: int, code: int) -> None:
    command = [sys.executable, "-c", ENDLESS.format(before=before, sleep=sleep)]
    assert subprocess.run(command, timeout=60).returncode == code
