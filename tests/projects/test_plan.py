"""The plans that projects open with."""

import json
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.shapes import CATEGORIES
from services.projects.domain import read_plans

TEXT = files("services.projects").joinpath("data/plans.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_plan_that_sums_to_the_whole_work_and_the_whole_money(category):
    plan = read_plans(TEXT)[category]
    milestones = plan.milestones_from(date(2026, 3, 4))
    assert [milestone.no for milestone in milestones] == list(range(1, len(milestones) + 1))
    assert sum(milestone.weight for milestone in milestones) == 100
    assert sum(milestone.tranche_share for milestone in milestones) == 100
    assert all(milestone.title["zh"] and milestone.title["en"] for milestone in milestones)
    assert all(indicator.actual is None for indicator in plan.indicators_at_start())


def test_every_kind_of_indicator_is_counted_somewhere():
    kinds = {indicator.kind for plan in read_plans(TEXT).values() for indicator in plan.indicators}
    assert kinds == {"flow", "cumulative", "level", "ratio", "yes-no"}


def test_every_baseline_and_target_says_where_it_is_from():
    for plan in json.loads(TEXT).values():
        assert all(indicator["source"] for indicator in plan["indicators"])


@given(st.integers(0, 400))
def test_due_days_are_counted_from_the_start(offset):
    start = date.fromordinal(date(2026, 1, 1).toordinal() + offset)
    for plan in read_plans(TEXT).values():
        for milestone, template in zip(plan.milestones_from(start), plan.milestones, strict=True):
            assert (milestone.due_on - start).days == template.due_days


def test_a_plan_that_could_not_be_worked_by_is_refused_by_name():
    def broken(change) -> str:
        raw = json.loads(TEXT)
        change(raw["education"])
        return json.dumps(raw)

    for change, said in (
        (lambda plan: plan["milestones"][0].update(weight=16), "weight"),
        (lambda plan: plan["milestones"][0].update(tranche_share=0), "tranche_share"),
        (lambda plan: plan["milestones"][0].update(due_days=9999), "due_days"),
        (lambda plan: plan["indicators"].append(plan["indicators"][0]), "twice"),
        (lambda plan: plan["indicators"][0].update(kind="sum"), "kind"),
        (lambda plan: plan["indicators"][0].update(kind="ratio"), "%"),
        (lambda plan: plan["indicators"][0].update(target=True), "target"),
    ):
        with pytest.raises(ValueError, match=f"education.*{said}"):
            read_plans(broken(change))
    with pytest.raises(ValueError, match="smart-travel"):
        read_plans("{}")
