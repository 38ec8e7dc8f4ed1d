"""Each kind of break is refused, on a schema like the real ones; additions are not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import compatibility
from schemas.catalogue import EVENTS
from schemas.compatibility import breaks, release, since_release
from schemas.jsonschema import Schema, schema_of

OLD: Schema = {
    "title": "jiedui.fund.spent",
    "x-major": 1,
    "x-topic": "jiedui.funding.v1",
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": "^[0-9]+$"},
        "category": {"type": "string", "enum": ["coverage", "education"]},
        "no": {"type": "integer", "minimum": 1, "maximum": 9},
        "reference": {"type": "string"},
        "on": {"type": "string", "format": "date"},
        "plan": {
            "type": "array",
            "items": {"type": "object", "properties": {"weight": {"type": "integer"}}, "required": ["weight"]},
        },
        "value": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "boolean"}]},
    },
    "required": ["amount", "category", "no"],
}


def changed(change: Callable[[Any, Any], object]) -> Schema:
    new = copy.deepcopy(OLD)
    change(new, new["properties"])
    return new


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda new, fields: fields.pop("amount"), "/amount: field removed"),
        (lambda new, fields: fields.pop("reference"), "/reference: field removed"),
        (lambda new, fields: fields["plan"]["items"]["properties"].pop("weight"), "/plan/*/weight: field removed"),
        (lambda new, fields: new["required"].append("reference"), "/reference: field made required"),
        (lambda new, fields: new["required"].append("a_new_one"), "/a_new_one: field made required"),
        (lambda new, fields: new["required"].remove("no"), "/no: field no longer required"),
        (lambda new, fields: new.pop("required"), "/no: field no longer required"),
        (lambda new, fields: fields["no"].update(type="string"), "/no: retyped"),
        (lambda new, fields: fields.update(value={"type": "number"}), "/value: retyped"),
        (lambda new, fields: fields["value"]["anyOf"].pop(), "/value: retyped"),
        (lambda new, fields: fields["value"]["anyOf"][0].update(minimum=1), "/value: bound tightened"),
        (lambda new, fields: fields["category"]["enum"].pop(), "/category: enum narrowed"),
        (lambda new, fields: fields["category"]["enum"].append("travel"), "/category: enum widened"),
        (lambda new, fields: fields["category"].pop("enum"), "/category: bound loosened"),
        (lambda new, fields: fields["reference"].update(enum=["a"]), "/reference: bound tightened"),
        (lambda new, fields: fields["no"].update(minimum=2), "/no: bound tightened"),
        (lambda new, fields: fields["no"].update(maximum=8), "/no: bound tightened"),
        (lambda new, fields: fields["no"].update(minimum=0), "/no: bound loosened"),
        (lambda new, fields: fields["no"].pop("maximum"), "/no: bound loosened"),
        (lambda new, fields: fields["reference"].update(maxLength=9), "/reference: bound tightened"),
        (lambda new, fields: fields["amount"].update(pattern="^[0-9]{3}$"), "/amount: rule changed"),
        (lambda new, fields: fields["on"].update(format="date-time"), "/on: rule changed"),
        (lambda new, fields: fields["plan"].update(items={"type": "string"}), "/plan/*: retyped"),
        (lambda new, fields: new.update(additionalProperties=False), ": bound tightened"),
        (lambda new, fields: new.update(oneOf=[{"required": ["on"]}]), ": bound tightened"),
        (lambda new, fields: new.update({"x-topic": "jiedui.money.v1"}), ": a new major version needs a new topic"),
        (lambda new, fields: new.update({"x-major": 2}), ": a new major version needs a new topic"),
    ],
)
def test_a_break_is_refused_and_its_place_named(change: Callable[[Any, Any], object], said: str) -> None:
    found = breaks(OLD, changed(change))
    assert any(line.startswith(said) for line in found), found


@pytest.mark.parametrize(
    "change",
    [
        lambda new, fields: fields.update(payee={"type": "string", "minLength": 1}),
        lambda new, fields: fields["plan"]["items"]["properties"].update(title={"type": "string"}),
        lambda new, fields: new.update(title="other words", description="more words"),
        lambda new, fields: fields["amount"].update(description="in whole yuan"),
        lambda new, fields: new["required"].reverse(),
        lambda new, fields: new.update({"x-major": 2, "x-topic": "jiedui.funding.v2"}, type="array"),
    ],
)
def test_an_addition_is_let_through(change: Callable[[Any, Any], object]) -> None:
    assert breaks(OLD, changed(change)) == []


def test_what_was_released_can_still_be_read_and_written() -> None:
    assert since_release() == []


def test_a_type_that_was_released_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(EVENTS, "jiedui.fund.spent")
    assert since_release() == ["jiedui.fund.spent: the event type is gone"]


def test_a_break_is_not_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "released.json"
    monkeypatch.setattr(compatibility, "RELEASED", kept)
    assert release() == []
    assert json.loads(kept.read_text("utf-8")) == {type_: schema_of(cls) for type_, cls in EVENTS.items()}
    before = kept.read_text("utf-8").replace('"payee"', '"paid_to"')
    kept.write_text(before, "utf-8")
    assert "jiedui.fund.spent/paid_to: field removed" in release()
    assert kept.read_text("utf-8") == before


def test_no_schema_breaks_with_itself() -> None:
    assert not any(breaks(schema_of(cls), schema_of(cls)) for cls in EVENTS.values())
