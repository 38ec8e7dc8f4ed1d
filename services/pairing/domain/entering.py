"""What a row of a counties file does to a county: its card, and the days on which it was listed."""

from datetime import date, datetime
from typing import Any, cast

from schemas.shapes import Text
from services.kit.decision import Decision
from services.pairing.domain.county import (
    Card,
    County,
    LivePairings,
    cut_below_live,
    delist_county,
    put_card,
    remember_listing,
)
from services.pairing.domain.intake.counties import FIRST_DAY, Entry


def enter_county(
    county: County | None, entry: Entry, *, source: str, now: datetime, by: str, live: LivePairings
) -> Decision[County]:
    """A new county, or the next version of a card; what the row leaves out stays as it is."""
    reason = entry.reason or f"loaded from {source}"
    saves: dict[tuple[type, str], Any] = {}
    events: list[Any] = []
    state = county
    if state is None or _card_differs(state, entry):
        card = state.card if state else None
        step = put_card(
            state,
            code=entry.code,
            name=_name(card, entry),
            province=entry.province,
            needs=entry.needs if entry.needs is not None else (card.needs if card else ()),
            indicators=card.indicators if card else (),
            valid_from=entry.valid_from or (card.valid_from if card else FIRST_DAY),
            reason=reason,
            now=now,
            by=by,
            live=live,
        )
        state = _take(step, saves, events)
    if start := _earlier_start(state, entry):
        step = remember_listing(state, start=start, delisted_on=entry.delisted_on, reason=reason, now=now, by=by)
        state = _take(step, saves, events)
    if entry.delisted_on and not _was_delisted_on(state, entry.delisted_on):
        state = _take(delist_county(state, on=entry.delisted_on, reason=reason, now=now, by=by), saves, events)
    return Decision(state, tuple(saves.values()), tuple(events))


def says_nothing_new(county: County, entry: Entry) -> bool:
    delisted = entry.delisted_on is None or _was_delisted_on(county, entry.delisted_on)
    return delisted and not _card_differs(county, entry) and _earlier_start(county, entry) is None


def objection(county: County, entry: Entry, live: LivePairings) -> tuple[str, str] | None:
    """Why a row cannot be entered: spells are dated and never overwritten, and what is paired keeps its slot."""
    if entry.needs is not None and (cut := cut_below_live(county, entry.needs, live)):
        return "limit-below-approved", "; ".join(cut.values())
    last = county.spells[-1]
    if entry.delisted_on is None or _was_delisted_on(county, entry.delisted_on):
        return None
    if entry.delisted_on < county.spells[0].start:
        # Before all that is known of it, so it contradicts nothing.
        return None
    if last.status == "delisted":
        return "delisted-otherwise", f"it is delisted from {last.start}, this says {entry.delisted_on}"
    if entry.delisted_on < last.start:
        return "spells-do-not-overlap", f"it is {last.status} from {last.start}, this says delisted {entry.delisted_on}"
    return None


def _earlier_start(county: County, entry: Entry) -> date | None:
    """From when it was listed before the first day that is known, if the row tells of that."""
    start = entry.valid_from or (FIRST_DAY if entry.delisted_on else None)
    return start if start and start < county.spells[0].start else None


def _name(card: Card | None, entry: Entry) -> Text:
    return cast(Text, {**card.name, **entry.name}) if card else entry.known_as


def _was_delisted_on(county: County, day: date) -> bool:
    """It may be on watch or listed again since."""
    return any((spell.status, spell.start) == ("delisted", day) for spell in county.spells)


def _card_differs(county: County, entry: Entry) -> bool:
    card = county.card
    return card.name != _name(card, entry) or (
        entry.needs is not None
        and {need.category: (need.slots, need.severity if need.is_stated else None) for need in card.needs}
        != {need.category: (need.slots, need.severity) for need in entry.needs}
    )


def _take(step: Decision[County], saves: dict[tuple[type, str], Any], events: list[Any]) -> County:
    for state in step.saves:
        saves[type(state), state.id] = state
    events.extend(step.events)
    return step.state
