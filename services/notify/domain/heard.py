"""Of two events about the same aspect of a thing, the one with the higher number stands.

Events of one subject come in order, but one that was a dead letter and is played again comes late.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast

from services.notify.domain.archive import ArchivedEvent


class Hearing(Protocol):
    """A view that remembers, by aspect, the number of the event that last spoke of it."""

    @property
    def heard(self) -> Mapping[str, int]: ...


V = TypeVar("V", bound=Hearing)


def unless_later(view: V, archived: ArchivedEvent, aspect: str, **changes: Any) -> V:
    """`changes`, unless a later event has already spoken of this aspect."""
    if view.heard.get(aspect, 0) >= archived.number:
        return view
    heard = {**view.heard, aspect: archived.number}
    return cast(V, replace(cast(Any, view), heard=heard, **changes))
