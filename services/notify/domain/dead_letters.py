"""What a service could not take in, kept as it came, and what a person decided about it.

open ──replay──▶ replayed
  └───discard──▶ discarded
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.kit.decision import Conflict, Decision, Record

REPLAY_FOR = "jiedui-replay-for"
_ABOUT = "jiedui-"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """`topic`, `partition`, `offset`, `key`, `value` and `headers` are those of the record that failed."""

    id: str
    service: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    error_type: str
    error_message: str
    attempts: int
    first_failed_at: datetime
    status: str = "open"
    reason: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


def replay(letter: DeadLetter, *, reason: str, by: str, now: datetime) -> Decision[DeadLetter]:
    """Puts the record, bytes untouched, back on its topic, for the one service that could not take it.

    Raises:
        DeadLetterNotOpen: it was replayed or discarded before.
    """
    letter = _decided(letter, "replayed", reason, by, now)
    headers = letter.headers | {REPLAY_FOR: letter.service.encode()}
    return Decision(letter, saves=(letter,), records=(Record(letter.topic, letter.key, letter.value, headers),))


def discard(letter: DeadLetter, *, reason: str, by: str, now: datetime) -> Decision[DeadLetter]:
    """Says that the record is not needed.

    Raises:
        DeadLetterNotOpen: it was replayed or discarded before.
    """
    letter = _decided(letter, "discarded", reason, by, now)
    return Decision(letter, saves=(letter,))


def original_headers(headers: Mapping[str, bytes]) -> dict[str, bytes]:
    """A record's own headers, without those that tell of its failure or of an earlier replay."""
    return {name: value for name, value in headers.items() if not name.startswith(_ABOUT)}


def _decided(letter: DeadLetter, status: str, reason: str, by: str, now: datetime) -> DeadLetter:
    if letter.status != "open":
        raise DeadLetterNotOpen(f"This dead letter is {letter.status} already.")
    return replace(letter, status=status, reason=reason, decided_by=by, decided_at=now)


class DeadLetterNotOpen(Conflict):
    pass
