"""Who gives and who receives, as notify knows them."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta, timezone
from typing import Any

from schemas import counties, partners
from schemas.envelope import Event
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later

_SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, kw_only=True)
class PartnerView:
    id: str
    name: dict[str, Any] = field(default_factory=dict)
    kind: str | None = None
    credit_code: str | None = None
    reference: str | None = None
    heard: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Spell:
    """A time in one status: from `start`, up to but without `until`. `number` is that of the event that began it."""

    number: int
    status: str
    start: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class CountyView:
    """`id` is the county's code."""

    id: str
    name: dict[str, Any] = field(default_factory=dict)
    province: str | None = None
    status: str | None = None
    spells: tuple[Spell, ...] = ()
    needs: tuple[dict[str, Any], ...] = ()
    heard: dict[str, int] = field(default_factory=dict)

    def status_on(self, day: date) -> str | None:
        """None: on that day it is not in the programme yet."""
        for spell in reversed(self.spells):
            if spell.start <= day and (spell.until is None or day < spell.until):
                return spell.status
        return None


def partner_after(view: PartnerView, archived: ArchivedEvent, event: Event) -> PartnerView:
    """The view once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case partners.PartnerRegistered() | partners.PartnerAmended():
            return unless_later(
                view,
                archived,
                "particulars",
                name=dict(event.name),
                kind=event.kind,
                credit_code=event.credit_code,
                reference=event.reference,
            )
    return view


def county_after(view: CountyView, archived: ArchivedEvent, event: Event) -> CountyView:
    """The view once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case counties.CountyListed():
            view = _named(view, archived, event)
            return _in_status(view, archived, "listed", date.fromisoformat(event.on))
        case counties.CountyCardUpdated():
            view = _named(view, archived, event)
            return unless_later(view, archived, "card", needs=tuple(dict(need) for need in event.needs))
        case counties.CountyDelisted():
            return _in_status(view, archived, "delisted", date.fromisoformat(event.on))
        case counties.CountyRelisted():
            return _in_status(view, archived, "listed", date.fromisoformat(event.on))
        case counties.CountyRelapseRiskDetected():
            return _in_status(view, archived, "watch", archived.time.astimezone(_SHANGHAI).date())
    return view


def _in_status(view: CountyView, archived: ArchivedEvent, status: str, start: date) -> CountyView:
    begun = [*view.spells, Spell(number=archived.number, status=status, start=start)]
    begun.sort(key=lambda spell: spell.number)
    ends = [spell.start for spell in begun[1:]]
    spells = tuple(replace(spell, until=until) for spell, until in zip(begun, [*ends, None], strict=True))
    return unless_later(replace(view, spells=spells), archived, "status", status=status)


def _named(
    view: CountyView, archived: ArchivedEvent, event: counties.CountyListed | counties.CountyCardUpdated
) -> CountyView:
    return unless_later(view, archived, "name", name=dict(event.name), province=event.province)
