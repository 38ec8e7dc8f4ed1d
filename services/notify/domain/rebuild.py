"""Read models thrown away and folded again from the archive.

asked ──▶ emptying ──all are gone──▶ folding ──position `until`──▶ done

The archive, deliveries and filed reports stay as they are. Meanwhile the views' `as_of` says how far
the folding has come; nobody is told of anything again, and who is told of something new is told once
it is done.
"""

from dataclasses import dataclass, replace

from services.kit.decision import Decision
from services.notify.domain.projection import Projection
from services.notify.domain.subscriptions import Telling, walk_again


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """The last one; there is one such document. `until` is the newest position when it was asked for."""

    id: str = "rebuild"
    status: str = "done"
    until: int = 0
    suppressed_before: int = 0

    @property
    def is_under_way(self) -> bool:
        return self.status != "done"


def begin_rebuild(last: Rebuild, projection: Projection, telling: Telling) -> Decision[Rebuild]:
    """From now on nothing is folded before all is gone. One that is under way begins anew."""
    walk = walk_again(telling)
    # What was folded up to here has to be there again before it is done.
    until = max(projection.position, last.until if last.is_under_way else 0)
    begun = Rebuild(status="emptying", until=until, suppressed_before=telling.suppressed)
    return Decision(begun, saves=(begun, Projection(), *walk.saves))


def emptied(rebuild: Rebuild) -> Rebuild:
    return replace(rebuild, status="folding")


def folded_until(rebuild: Rebuild, position: int) -> Rebuild:
    """The rebuild once the read models have come to a position."""
    return replace(rebuild, status="done") if rebuild.status == "folding" and position >= rebuild.until else rebuild
