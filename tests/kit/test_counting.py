"""Killed ten times at random, a consumer has each event's effect once and is back at once."""

import os

import pytest

from tests.kit.counting import KILLS, Outcome, run

EVENTS = int(os.environ.get("JIEDUI_TEST_COUNT", "30000"))


@pytest.fixture(scope="module")
async def counted(kafka: str, mongodb: str, seed: int) -> Outcome:
    return await run(EVENTS, kafka, mongodb, seed)


@pytest.mark.timeout(600)
def test_each_event_is_counted_once_whatever_is_killed(counted: Outcome) -> None:
    assert (counted.inbox, counted.counted, counted.sent_on) == (EVENTS, EVENTS, EVENTS)
    assert counted.gaps == []


def test_a_killed_consumer_has_its_partitions_back_within_two_seconds(counted: Outcome) -> None:
    assert len(counted.there_s) == KILLS + 1
    assert max(counted.there_s) < 2, counted.there_s


def test_what_a_killed_consumer_had_open_does_not_hold_up_the_next(counted: Outcome) -> None:
    # MongoDB by itself gives up what is open after 16 s.
    assert max(counted.taken_s) < 8, counted.taken_s
