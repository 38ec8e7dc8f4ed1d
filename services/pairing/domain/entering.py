"""What a row of a counties file does to a county: its card, and the days on which it was listed."""

from datetime import datetime
from typing import Any

from services.kit.decision import Decision
from services.pairing.domain.county import County, LivePairings, cut_below_live, delist_county, put_card
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
            name=entry.name,
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
    if entry.delisted_on and state.spells[-1].status != "delisted":
        state = _take(delist_county(state, on=entry.delisted_on, reason=reason, now=now, by=by), saves, events)
    return Decision(state, tuple(saves.values()), tuple(events))


def says_nothing_new(county: County, entry: Entry) -> bool:
    last = county.spells[-1]
    delisted = entry.delisted_on is None or (last.status, last.start) == ("delisted", entry.delisted_on)
    return delisted and not _card_differs(county, entry)


def objection(county: County, entry: Entry, live: LivePairings) -> tuple[str, str] | None:
    """Why a row cannot be entered: spells are dated and never overwritten, and what is paired keeps its slot."""
    if entry.needs is not None and (why := cut_below_live(county, entry.needs, live)):
        return "limit-below-approved", why
    last = county.spells[-1]
    if entry.delisted_on is None:
        return None
    if last.status == "delisted" and last.start != entry.delisted_on:
        return "delisted-otherwise", f"it is delisted from {last.start}, this says {entry.delisted_on}"
    if last.status != "delisted" and entry.delisted_on < last.start:
        return "spells-do-not-overlap", f"it is {last.status} from {last.start}, this says delisted {entry.delisted_on}"
    return None


def _card_differs(county: County, entry: Entry) -> bool:
    card = county.card
    return card.name != entry.name or (
        entry.needs is not None
        and {need.category: (need.slots, need.severity if need.is_stated else None) for need in card.needs}
        != {need.category: (need.slots, need.severity) for need in entry.needs}
    )


def _take(step: Decision[County], saves: dict[tuple[type, str], Any], events: list[Any]) -> County:
    for state in step.saves:
        saves[type(state), state.id] = state
    events.extend(step.events)
    return step.state
