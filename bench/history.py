"""A made-up programme in full, as events. At factor 1 it has 77 projects in 42 counties and 10,000 events.

Everything grows with the factor, partners and counties too, so that a project and a county are of the same size
in a small programme and in a large one.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from bench.events import LIFE, sample
from services.kit.clock import rfc3339
from services.kit.ids import new_id
from services.notify.domain import ArchivedEvent, Positions, archive

PARTNERS, COUNTIES, PROJECTS = 38, 42, 77
YEAR = timedelta(days=365)
START = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = ("coverage", "produce-sales", "education", "ecommerce-training", "smart-travel")
_OPENING = ("pairing.approved", "project.opened", "fund.reserved")
# So many observations that the whole has about 10,000 events.
_LIFE = LIFE | {"indicator.observed": 78}
EVENTS = PARTNERS + COUNTIES + PROJECTS * (1 + len(_OPENING) + sum(_LIFE.values()))


def county(no: int) -> str:
    return f"{100_000 + no}"


def project(no: int) -> str:
    return f"project-{no:05}"


def history(factor: int) -> Iterator[ArchivedEvent]:
    """`factor` × `EVENTS` archived events over a year; the projects' lie mixed, since they go on at once."""
    positions, total = Positions(), factor * EVENTS
    for no, raw in enumerate(_envelopes(factor)):
        at = START + YEAR * no / total
        when = rfc3339(at)
        raw |= {"id": new_id(), "correlationid": f"command-{no}", "time": when, "recordedtime": when}
        event = archive(raw, positions, time=at, recorded_at=at, now=at).state
        positions = Positions(newest=event.position, archived_at=at)
        yield event


def _envelopes(factor: int) -> Iterator[dict[str, Any]]:
    chance = Random(1)
    for no in range(factor * PARTNERS):
        yield _like("partner.registered", f"partner-{no:05}", 1, partner_id=f"partner-{no:05}")
    for no in range(factor * COUNTIES):
        yield _like("county.listed", county(no), 1, county_code=county(no))
    lives = [_Life(no, factor, chance) for no in range(factor * PROJECTS)]
    for step in range(1 + len(_OPENING) + sum(_LIFE.values())):
        for life in lives:
            yield life.event(step)


class _Life:
    """What happens to one commitment of one project."""

    def __init__(self, no: int, factor: int, chance: Random) -> None:
        self._of_commitment = {
            "commitment_id": f"commitment-{no:05}",
            "partner_id": f"partner-{no % (factor * PARTNERS):05}",
            "category": CATEGORIES[no % len(CATEGORIES)],
        }
        self._of_project = self._of_commitment | {
            "pairing_id": f"pairing-{no:05}",
            "project_id": project(no),
            "county_code": county(no % (factor * COUNTIES)),
        }
        life = [type_ for type_, times in _LIFE.items() for _ in range(times)]
        chance.shuffle(life)
        self._types = [*_OPENING, *life]
        self._numbers: dict[tuple[str, str], int] = {}

    def event(self, step: int) -> dict[str, Any]:
        if step == 0:
            id = self._of_commitment["commitment_id"]
            return _like("commitment.submitted", id, 1, id=id, projects_max=1, **self._of_commitment)
        type_, ids = self._types[step - 1], self._of_project
        more: dict[str, Any] = {}
        if type_.startswith("fund."):
            more["entry_id"] = f"{ids['project_id']}-{step}"
        if type_ == "indicator.observed":
            more["on"] = (date(2026, 1, 1) + timedelta(days=step)).isoformat()
        if type_.startswith("milestone."):
            more["milestone_no"] = step % 3 + 1
        subject = ids["pairing_id" if type_ == "pairing.approved" else "project_id"]
        return _like(type_, subject, self._next(sample(type_)["source"], subject), **ids, **more)

    def _next(self, source: str, subject: str) -> int:
        self._numbers[source, subject] = number = self._numbers.get((source, subject), 0) + 1
        return number


def _like(type_: str, subject: str, number: int, **data: Any) -> dict[str, Any]:
    """An event as in the samples, about something of its own."""
    raw = sample(type_)
    return raw | {"subject": subject, "sequence": f"{number:010}", "data": raw["data"] | data}
