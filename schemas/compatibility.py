"""What in a changed schema would keep somebody from reading an event.

Events are kept for ever and readers of several versions run side by side, so both directions count:
today's reader must take every old event, and an older reader every new one. What is left is small
on purpose: an object may gain a field that may be left out, and words may change. Anything else is
a new major version, on a new topic.

`released.json` keeps the schemas that somebody may already read; `python -m schemas.compatibility`
moves it on with a release, and refuses to where that would break a reader.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from schemas.catalogue import EVENTS
from schemas.jsonschema import Schema, schema_of

RELEASED = Path(__file__).with_name("released.json")

_WORDS = frozenset({"$schema", "$id", "title", "description"})
_LOWER_BOUNDS = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER_BOUNDS = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})


def breaks(old: Schema, new: Schema) -> list[str]:
    """Each break between two schemas of one event type, as `<JSON pointer>: <what>`; none = compatible."""
    raised = new["x-major"] > old["x-major"]
    if raised != (new["x-topic"] != old["x-topic"]):
        return [f": a new major version needs a new topic, and a new topic a new major version ({new['x-topic']})"]
    return [] if raised else [f"{at}: {what}" for at, what in _compare(old, new, "")]


def since_release() -> list[str]:
    """Each break of the event classes, as they are now, with what was released."""
    released = json.loads(RELEASED.read_text(encoding="utf-8"))
    return [f"{type_}{broken}" for type_, old in released.items() for broken in _breaks_of_type(type_, old)]


def _breaks_of_type(type_: str, old: Schema) -> list[str]:
    return breaks(old, schema_of(EVENTS[type_])) if type_ in EVENTS else [": the event type is gone"]


def _compare(old: Schema, new: Schema, at: str) -> Iterator[tuple[str, str]]:
    for keyword in sorted((old.keys() | new.keys()) - _WORDS):
        before, after = old.get(keyword), new.get(keyword)
        if before == after:
            continue
        if keyword == "properties":
            yield from _compare_fields(before or {}, after or {}, at)
        elif keyword == "required":
            yield from _compare_required(set(before or ()), set(after or ()), at)
        elif keyword == "enum" and before and after:
            yield from _compare_enums(before, after, at)
        elif keyword in ("items", "additionalProperties") and isinstance(before, dict) and isinstance(after, dict):
            yield from _compare(before, after, f"{at}/*")
        elif keyword == "anyOf" and before and after and len(before) == len(after):
            for arm_before, arm_after in zip(before, after, strict=True):
                yield from _compare(arm_before, arm_after, at)
        else:
            yield at, _said_of(keyword, before, after)


def _compare_fields(old: dict[str, Schema], new: dict[str, Schema], at: str) -> Iterator[tuple[str, str]]:
    for name in old:
        if name in new:
            yield from _compare(old[name], new[name], f"{at}/{name}")
        else:
            yield f"{at}/{name}", "field removed"


def _compare_required(old: set[str], new: set[str], at: str) -> Iterator[tuple[str, str]]:
    for name in sorted(new - old):
        yield f"{at}/{name}", "field made required: old events lack it"
    for name in sorted(old - new):
        yield f"{at}/{name}", "field no longer required: older readers count on it"


def _compare_enums(old: list[str], new: list[str], at: str) -> Iterator[tuple[str, str]]:
    if gone := [value for value in old if value not in new]:
        yield at, f"enum narrowed by {gone}: old events have it"
    if come := [value for value in new if value not in old]:
        yield at, f"enum widened by {come}: older readers refuse it"


def _said_of(keyword: str, before: object, after: object) -> str:
    change = f"{keyword} {before!r} became {after!r}"
    if keyword in ("type", "anyOf"):
        return f"retyped: {change}"
    if before is None or after is None:
        tightened = before is None
    elif keyword in _LOWER_BOUNDS | _UPPER_BOUNDS:
        tightened = (cast(float, after) > cast(float, before)) == (keyword in _LOWER_BOUNDS)
    else:
        return f"rule changed: {change}"
    return f"bound tightened: {change}" if tightened else f"bound loosened, which older readers refuse: {change}"


def release() -> list[str]:
    """Takes the classes as they are now for released, unless something breaks; answers the breaks."""
    broken = since_release() if RELEASED.exists() else []
    if not broken:
        text = json.dumps(
            {type_: schema_of(cls) for type_, cls in sorted(EVENTS.items())}, ensure_ascii=False, indent=1
        )
        RELEASED.write_text(text + "\n", encoding="utf-8")
    return broken


if __name__ == "__main__":
    sys.exit("\n".join(release()) or 0)
