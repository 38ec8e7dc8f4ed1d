"""Who gives and who receives, as notify knows them."""

from dataclasses import dataclass, field
from typing import Any

from schemas import counties, partners
from schemas.envelope import Event
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.heard import unless_later


@dataclass(frozen=True, kw_only=True)
class PartnerView:
    id: str
    name: dict[str, Any] = field(default_factory=dict)
    kind: str | None = None
    heard: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CountyView:
    """`id` is the county's code."""

    id: str
    name: dict[str, Any] = field(default_factory=dict)
    province: str | None = None
    status: str | None = None
    needs: tuple[dict[str, Any], ...] = ()
    heard: dict[str, int] = field(default_factory=dict)


def partner_after(view: PartnerView, archived: ArchivedEvent, event: Event) -> PartnerView:
    """The view once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case partners.PartnerRegistered() | partners.PartnerAmended():
            return unless_later(view, archived, "particulars", name=dict(event.name), kind=event.kind)
    return view


def county_after(view: CountyView, archived: ArchivedEvent, event: Event) -> CountyView:
    """The view once `event` has happened; unchanged by events that say nothing of it."""
    match event:
        case counties.CountyListed():
            view = _named(view, archived, event)
            return unless_later(view, archived, "status", status="listed")
        case counties.CountyCardUpdated():
            view = _named(view, archived, event)
            return unless_later(view, archived, "card", needs=tuple(dict(need) for need in event.needs))
        case counties.CountyDelisted():
            return unless_later(view, archived, "status", status="delisted")
        case counties.CountyRelisted():
            return unless_later(view, archived, "status", status="listed")
        case counties.CountyRelapseRiskDetected():
            return unless_later(view, archived, "status", status="watch")
    return view


def _named(
    view: CountyView, archived: ArchivedEvent, event: counties.CountyListed | counties.CountyCardUpdated
) -> CountyView:
    return unless_later(view, archived, "name", name=dict(event.name), province=event.province)
