"""The generated schemas let through what a later version may add, and refuse what cannot be."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from schemas import jsonschema
from schemas.catalogue import EVENTS
from schemas.jsonschema import schema_of

SAMPLES = Path(jsonschema.__file__).parent / "samples"


def accepts(type_: str, data: object) -> bool:
    return jsonschema_rs.validator_for(schema_of(EVENTS[type_]), validate_formats=True).is_valid(data)


def sample_of(type_: str, *path: str | int, value: Any) -> dict[str, Any]:
    """The data of a sample with one value put in its place."""
    data: Any = json.loads((SAMPLES / f"{type_}.v1.json").read_text(encoding="utf-8"))["data"]
    changed = copy.deepcopy(data)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize("type_", sorted(EVENTS))
def test_a_schema_is_a_valid_schema_of_its_draft(type_: str) -> None:
    schema = schema_of(EVENTS[type_])
    jsonschema_rs.Draft202012Validator(schema)
    assert jsonschema_rs.meta.is_valid(schema)
    assert (schema["$id"], schema["x-major"]) == (f"/schemas/json/{type_}.json", 1)
    assert schema["description"]


@pytest.mark.parametrize("type_", sorted(EVENTS))
def test_an_unknown_field_is_let_through(type_: str) -> None:
    assert accepts(type_, sample_of(type_, "a_field_of_tomorrow", value={"any": ["thing"]}))


@pytest.mark.parametrize("type_", sorted(EVENTS))
def test_each_required_field_is_missed(type_: str) -> None:
    data = sample_of(type_, "a_field_of_tomorrow", value=1)
    for name in schema_of(EVENTS[type_])["required"]:
        assert not accepts(type_, {key: value for key, value in data.items() if key != name}), name


@pytest.mark.parametrize("type_", sorted(EVENTS))
def test_a_null_is_no_value_of_any_field(type_: str) -> None:
    for name in schema_of(EVENTS[type_])["properties"]:
        assert not accepts(type_, sample_of(type_, name, value=None)), name


@pytest.mark.parametrize(
    ("type_", "path", "value"),
    [
        *(("fund.spent", ("amount",), bad) for bad in ("abc", "-1", "1e2", "NaN", "1.005", "", " 1", "１", 100, 1.5)),
        *(("fund.spent", ("amount",), bad) for bad in ("9" * 16, "1.", ".5", "1\n")),
        *(("fund.spent", ("currency",), bad) for bad in ("cny", "RMB¥", "")),
        *(
            ("fund.spent", ("spent_on",), bad)
            for bad in ("2026-02-30", "2026-2-3", "30/04/2026", "2026-04-30T00:00Z", 1)
        ),
        ("fund.spent", ("project_id",), ""),
        ("fund.spent", ("project_id",), "x" * 256),
        ("fund.refused", ("reason",), "because"),
        ("fund.tranche_released", ("milestone_no",), 0),
        ("fund.tranche_released", ("milestone_no",), 1.5),
        ("fund.tranche_released", ("milestone_no",), "1"),
        ("fund.tranche_released", ("milestone_no",), 2**53),
        ("ledger.sealed", ("seal",), "A" * 64),
        ("county.listed", ("county_code",), "52052"),
        ("county.listed", ("province",), "贵州"),
        ("county.card_updated", ("needs", 0, "severity"), 1.01),
        ("county.card_updated", ("needs", 0, "band"), 6),
        ("commitment.submitted", ("category",), "poetry"),
        ("commitment.submitted", ("title",), {"en": "no Chinese"}),
        ("commitment.submitted", ("projects_max",), 0),
        ("commitment.submitted", ("support",), {"kind": "money"}),
        ("commitment.submitted", ("support",), {"kind": "goods", "amount": "1.00", "currency": "CNY"}),
        ("commitment.submitted", ("submitted_at",), "2026-03-02"),
        ("commitment.submitted", ("submitted_at",), "2026-02-30T00:00:00Z"),
        ("commitment.submitted", ("prefers", "counties"), ["all"]),
        ("pairing.approved", ("allocated",), {"amount": "1.00"}),
        ("pairing.approved", ("allocated",), {"quantity": 1.5, "unit": "台"}),
        ("project.opened", ("milestones",), []),
        ("project.opened", ("milestones", 0, "weight"), 0),
        ("project.opened", ("indicators", 0, "kind"), "guess"),
        ("milestone.reported", ("reopened",), "no"),
        ("milestone.verified", ("progress",), 101),
        ("indicator.observed", ("value",), 0.5),
        ("indicator.observed", ("value",), {"numerator": 1}),
        ("indicator.observed", ("kind",), "yes-no"),
        ("indicator.observed", ("period",), {"from": "2026-06-01", "until": "2026-06-30"}),
        ("indicator.observed", ("splits", "women"), "many"),
        ("round.completed", ("seed",), 2**63),
        ("round.completed", ("objective", 0, "level"), "luck"),
    ],
)
def test_an_impossible_value_is_refused(type_: str, path: tuple[str | int, ...], value: Any) -> None:
    assert not accepts(f"jiedui.{type_}", sample_of(f"jiedui.{type_}", *path, value=value))


@pytest.mark.parametrize(
    ("type_", "path", "value"),
    [
        ("fund.spent", ("amount",), "0.00"),
        ("fund.spent", ("amount",), "9" * 15 + ".99"),
        ("commitment.submitted", ("support",), {"kind": "goods", "quantity": 0, "unit": "台"}),
        ("pairing.approved", ("allocated",), {"quantity": 7, "unit": "台"}),
        ("project.opened", ("indicators", 0, "baseline"), None),
        ("indicator.observed", ("splits",), {"women": 3}),
    ],
)
def test_what_can_be_is_let_through(type_: str, path: tuple[str | int, ...], value: Any) -> None:
    assert accepts(f"jiedui.{type_}", sample_of(f"jiedui.{type_}", *path, value=value))


def test_data_that_is_no_object_is_refused() -> None:
    assert not any(accepts("jiedui.fund.spent", data) for data in (None, [], "{}", 1))
