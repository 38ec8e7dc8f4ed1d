"""What becomes of a dead letter: replayed or discarded, once, with a reason."""

from dataclasses import replace

import pytest

from services.kit.clock import rfc3339
from services.kit.records import REPLAY_FOR, RawRecord
from services.notify.domain import DeadLetter, DeadLetterNotOpen, discard, original_headers, replay
from tests.notify.builders import START
from tests.notify.conftest import Newsroom

LETTER = DeadLetter(
    id="funding-0-7",
    service="funding",
    topic="jiedui.projects.v1",
    partition=2,
    offset=41,
    key=b"project-1",
    value=b"\xff not JSON",
    headers={"content-type": b"application/cloudevents+json"},
    error_type="unreadable",
    error_message="not JSON",
    attempts=1,
    first_failed_at=START,
)


def test_a_replay_puts_the_same_bytes_back_for_the_one_service() -> None:
    decision = replay(LETTER, reason="mended", by="monitor", now=START)
    (record,) = decision.records
    assert (record.topic, record.key, record.value) == (LETTER.topic, LETTER.key, LETTER.value)
    assert record.headers == LETTER.headers | {"jiedui-replay-for": b"funding"}
    assert (decision.state.status, decision.state.reason, decision.state.decided_by) == (
        "replayed",
        "mended",
        "monitor",
    )


def test_a_discarded_one_goes_nowhere() -> None:
    decision = discard(LETTER, reason="a test", by="monitor", now=START)
    assert decision.records == ()
    assert decision.state.status == "discarded"


@pytest.mark.parametrize("first", [replay, discard])
@pytest.mark.parametrize("then", [replay, discard])
def test_what_was_decided_is_decided_once(first: object, then: object) -> None:
    decided = first(LETTER, reason="r", by="m", now=START).state  # type: ignore[operator]
    with pytest.raises(DeadLetterNotOpen):
        then(decided, reason="r", by="m", now=START)  # type: ignore[operator]


def test_the_headers_that_tell_of_the_failure_are_not_the_records_own() -> None:
    headers = {"traceparent": b"00-..", "jiedui-topic": b"t", "jiedui-replay-for": b"funding"}
    assert original_headers(headers) == {"traceparent": b"00-.."}


async def test_a_replay_that_failed_again_is_kept_though_it_names_another_service(newsroom: Newsroom) -> None:
    about = {"service": "projects", "topic": "jiedui.funding.v1", "partition": "2", "offset": "41", "attempts": "3"}
    about |= {"error-type": "unreadable", "error-message": "not JSON", "first-failed-at": rfc3339(START)}
    headers = {f"jiedui-{name}": text.encode() for name, text in about.items()} | {REPLAY_FOR: b"projects"}
    again = RawRecord("jiedui.dlq.projects.v1", 0, 1, b"key", b"not JSON", headers, 0)
    await newsroom.inbox.take([again, replace(again, topic="jiedui.funding.v1", offset=42)])
    (kept,) = await newsroom.context.reading().find(DeadLetter, {})
    assert (kept.service, kept.value, kept.status) == ("projects", b"not JSON", "open")
    assert await newsroom.context.database.outbox.count_documents({}) == 0, "the record itself is for projects alone"
