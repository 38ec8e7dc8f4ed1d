"""The read models, folded from the archive event by event.

The result depends on the events alone; among events of different subjects it does not depend on
their order. It can be thrown away and folded again.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from schemas.envelope import Event, Unreadable
from schemas.projects import IndicatorObserved
from services.notify.domain import commitments, entries, observations, pairings, parties, projects, sagas, tallies
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.commitments import CommitmentView
from services.notify.domain.entries import Entry
from services.notify.domain.observations import ObservationView
from services.notify.domain.pairings import PairingView
from services.notify.domain.parties import CountyView, PartnerView
from services.notify.domain.projects import ProjectView
from services.notify.domain.sagas import Saga
from services.notify.domain.tallies import PROGRAMME, Tally
from services.notify.domain.visibility import of_county, of_partner

T = TypeVar("T")
Key = tuple[type, str]
_Share = tuple[Mapping[str, int], str | None, str | None]
"""What a view adds to the figures of the programme, of a partner and of a county."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """How far the read models are; there is one such document."""

    id: str = "projection"
    position: int = 0
    time: datetime | None = None
    """When the event at `position` was archived; None before the first."""


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """An event that could not be folded; the read models lack what it says. `id` is the event's."""

    id: str
    position: int
    stream: str
    """Its source and subject."""
    number: int
    error: str


def keys(events: Iterable[ArchivedEvent]) -> set[Key]:
    """All states that folding these events may touch."""
    found: set[Key] = {(Tally, PROGRAMME)}
    for archived in events:
        try:
            event = archived.read()
        except Unreadable:
            continue
        if event is None:
            continue
        wanted: list[tuple[type, str | None]] = [
            (ProjectView, archived.project_id),
            (CommitmentView, archived.commitment_id),
            (PartnerView, archived.partner_id),
            (CountyView, archived.county_code),
            (Tally, of_partner(archived.partner_id)),
            (Tally, of_county(archived.county_code)),
            (PairingView, archived.pairing_id),
            (ObservationView, _observation(event)),
            (Entry, entries.entry_of(event)),
            (Entry, entries.reversal_of(event)),
            *((Saga, id) for id in sagas.facts(event)),
        ]
        found |= {(kind, id) for kind, id in wanted if id}
    return found


def _observation(event: Event) -> str | None:
    return observations.observation_of(event) if isinstance(event, IndicatorObserved) else None


def fold(events: Sequence[ArchivedEvent], states: Mapping[Key, Any]) -> tuple[Mapping[Key, Any], list[PassedOver]]:
    """The states that change, and the events that could not be folded.

    `states` has every key of `keys(events)`; None where there is no such state yet.
    """
    changed: dict[Key, Any] = {}
    passed_over: list[PassedOver] = []
    current = ChainMap(changed, dict(states))
    for archived in events:
        books = _Books(current)
        # One event that a later version wrote in a way nobody foresaw must not stop all that follow.
        try:
            event = archived.read()
            if event is not None:
                _fold(archived, event, books)
        except Exception as error:
            passed_over.append(_passed_over(archived, error))
        else:
            changed.update(books.changed)
    return changed, passed_over


def _passed_over(archived: ArchivedEvent, error: Exception) -> PassedOver:
    return PassedOver(
        id=archived.id,
        position=archived.position,
        stream=f"{archived.envelope['source']} {archived.subject}",
        number=archived.number,
        error=repr(error),
    )


class _Books:
    """States while one event is folded, and the tallies that follow from them."""

    def __init__(self, states: Mapping[Key, Any]) -> None:
        self._states = states
        self.changed: dict[Key, Any] = {}

    def get(self, kind: type[T], id: str) -> T:
        found = self.changed.get((kind, id), self._states[kind, id])
        return kind(id=id) if found is None else found  # type: ignore[call-arg]

    def put(self, state: Any) -> None:
        if state != self.get(type(state), state.id):
            self.changed[type(state), state.id] = state

    def put_project(self, view: ProjectView) -> None:
        before = self.get(ProjectView, view.id)
        if view != before:
            self._exchange(_of_project(before), _of_project(view))
            self.put(view)

    def put_commitment(self, view: CommitmentView) -> None:
        before = self.get(CommitmentView, view.id)
        if view != before:
            self._exchange(_of_commitment(before), _of_commitment(view))
            self.put(view)

    def _exchange(self, before: _Share, after: _Share) -> None:
        # Most events change nothing that counts, and each tally costs more than the view.
        if before != after:
            numbers, partner_id, county_code = before
            self._put_in({name: -number for name, number in numbers.items()}, partner_id, county_code)
            self._put_in(*after)

    def _put_in(self, numbers: Mapping[str, int], partner_id: str | None, county_code: str | None) -> None:
        programme = dict(numbers)
        for what, id in (("partners", of_partner(partner_id)), ("counties", of_county(county_code))):
            if id is not None:
                before = self.get(Tally, id)
                now = tallies.added(before, numbers)
                programme[what] = bool(now.numbers.get("projects")) - bool(before.numbers.get("projects"))
                self.put(now)
        self.put(tallies.added(self.get(Tally, PROGRAMME), programme))


# No Counter, to which a sum of nought is the same as none: that a currency was heard of counts too.
def _of_project(view: ProjectView) -> _Share:
    return dict(projects.contribution(view)), view.partner_id, view.county_code


def _of_commitment(view: CommitmentView) -> _Share:
    return dict(commitments.contribution(view)), view.partner_id, None


def _fold(archived: ArchivedEvent, event: Event, books: _Books) -> None:
    if archived.project_id:
        books.put_project(projects.after(books.get(ProjectView, archived.project_id), archived, event))
    if archived.commitment_id:
        books.put_commitment(commitments.after(books.get(CommitmentView, archived.commitment_id), archived, event))
    if archived.partner_id:
        books.put(parties.partner_after(books.get(PartnerView, archived.partner_id), archived, event))
    if archived.county_code:
        books.put(parties.county_after(books.get(CountyView, archived.county_code), archived, event))
    if archived.pairing_id:
        books.put(pairings.after(books.get(PairingView, archived.pairing_id), archived, event))
    if isinstance(event, IndicatorObserved):
        known = books.get(ObservationView, observations.observation_of(event))
        books.put(observations.after(known, archived, event))
    for id, fact in sagas.facts(event).items():
        books.put(sagas.after(books.get(Saga, id), fact, archived, event))
    if entry_id := entries.entry_of(event):
        _book(archived, event, books, entry_id)


def _book(archived: ArchivedEvent, event: Event, books: _Books, entry_id: str) -> None:
    before = books.get(Entry, entry_id)
    entry = entries.after(before, archived, event)
    books.put(entry)
    if reversal := entries.reversal_of(event):
        books.put(entries.opposite(books.get(Entry, reversal), entry, archived, event))
    moved = entries.moved(before, entry)
    if archived.project_id:
        view = books.get(ProjectView, archived.project_id)
        books.put_project(projects.booked(view, archived.data["currency"], moved))
    if archived.commitment_id:
        view_ = books.get(CommitmentView, archived.commitment_id)
        books.put_commitment(commitments.booked(view_, archived.pairing_id, moved))
