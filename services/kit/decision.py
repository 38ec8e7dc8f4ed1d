"""What a rule answers: a decision, or a refusal by name.

    Refused
    ├── Invalid      the fields are wrong                 HTTP 422
    ├── NotFound     what is named is not there           HTTP 404
    ├── NotAllowed   not by this person                   HTTP 403
    ├── Conflict     the state says no                    HTTP 409
    └── NotYet       an event that came too early         parked by the consumer

A service subclasses these (`class CountyNotEligible(Conflict)`); the class name in kebab-case is
the refusal's public name (`county-not-eligible`). Pure: rules import this file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from schemas.envelope import Event

State = TypeVar("State")


@dataclass(frozen=True)
class Record:
    """A Kafka record that goes out as it is: a dead letter, or one that is played again."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


@dataclass(frozen=True)
class Decision(Generic[State]):
    """`state` is the answer; `saves` are the states to keep; `events` happened because of it.

    The state that an event's subject names must be among `saves`: its document counts the
    subject's events.
    """

    state: State
    saves: Sequence[Any] = ()
    events: Sequence[Event] = ()
    deletes: Sequence[Any] = ()
    records: Sequence[Record] = ()


NOTHING: Decision[None] = Decision(None)


class Refused(Exception):
    """Base of all refusals. `detail` is written for the one who asked; `extra` goes into the problem."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra

    @property
    def rule(self) -> str:
        """The refusal's public name, in kebab-case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()


class Invalid(Refused):
    """Fields are wrong: `errors` maps JSON pointers to what is wrong there, all at once."""

    def __init__(self, errors: Mapping[str, str], detail: str = "Some fields are wrong; see errors.") -> None:
        super().__init__(detail)
        self.errors = dict(errors)


class NotFound(Refused):
    pass


class NotAllowed(Refused):
    pass


class Conflict(Refused):
    pass


class NotYet(Refused):
    """The event speaks of something unknown so far; `about` is its id."""

    def __init__(self, about: str) -> None:
        super().__init__(f"{about} is not known here yet")
        self.about = about
