"""Reasons in words, Chinese and English, out of one catalogue (`data/reasons.json`)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.pairing.domain.explanation import Different, Explanation, LevelPair, Step, UnservedNeed

LANGUAGES = ("zh", "en")
_CATALOGUE: Mapping[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "reasons.json").read_text(encoding="utf-8")
)
_SAID = tuple[str, dict[str, Any]]
_JOINT = {"zh": "，", "en": ", "}

Sentences = dict[str, list[str]]


def of_explanation(explanation: Explanation, commitment_id: str, county_code: str, *, named: bool) -> Sentences:
    """`named`: who would come instead is named; that is for those who decide."""
    return _in_both(list(_explained(explanation, commitment_id, county_code, named)), explanation.names)


def of_need(need: UnservedNeed, *, named: bool) -> Sentences:
    return _in_both(list(_unserved(need, named)), need.names)


def of_difference(different: Different) -> Sentences:
    key = f"because-{different.reason}"
    if different.level and f"{key}-level" in _CATALOGUE["sentences"]:
        return _in_both([(f"{key}-level", {"level": different.level})], {})
    return _in_both([(key, {})], {})


def _explained(explanation: Explanation, commitment_id: str, county_code: str, named: bool) -> Iterator[_SAID]:
    if explanation.rule_id:
        yield ("pin", {"rule": explanation.rule_id}) if named else ("pin-unnamed", {})
    changed = [pair for pair in explanation.levels if pair.with_ != pair.without]
    for pair in changed:
        yield "without", _figures(pair)
    if not changed:
        yield "lot", {}
    if explanation.instead:
        yield "instead", {"county": explanation.instead}
    else:
        yield "left-open", {}
    others = [step for step in explanation.steps if step.commitment_id != commitment_id]
    yield from _others(others, named)


def _unserved(need: UnservedNeed, named: bool) -> Iterator[_SAID]:
    about = {"county": need.county_code, "category": need.category, "band": need.band}
    if need.reason == "not-eligible":
        yield "not-eligible", about | {"day": need.as_of, "status": need.status or "none"}
        return
    if need.reason == "excluded":
        yield "excluded", about | {"bars": dict(need.counts)}
    elif need.reason == "outbid":
        key = "outbid" if need.levels or not need.is_detailed else "outbid-by-all"
        yield key, about | {"count": need.counts["allowed"]}
    else:
        yield "no-commitment", about
    for pair in need.levels:
        if pair.with_ != pair.without:
            yield "cost", _figures(pair)
    if named:
        yield from _others(need.steps, named)
    if (change := need.change) is None:
        return
    key = f"change-{change.kind}"
    if change.kind == "share":
        yield key, about
    elif named:
        yield key, about | {"partner": change.commitment_id, "rule": change.rule_id}
    else:
        yield f"{key}-unnamed", about


def _others(steps: Sequence[Step], named: bool) -> Iterator[_SAID]:
    if not named:
        if steps:
            yield "others", {"count": len(steps)}
        return
    for step in steps:
        key = "takes" if step.was is None else "leaves" if step.now is None else "moves"
        yield key, {"partner": step.commitment_id, "was": step.was, "now": step.now}


def _figures(pair: LevelPair) -> dict[str, Any]:
    return {"level": pair.level, "with": pair.with_, "without": pair.without}


def _in_both(said: Sequence[_SAID], names: Mapping[str, Mapping[str, str]]) -> Sentences:
    return {
        lang: [_CATALOGUE["sentences"][key][lang].format(**_worded(values, names, lang)) for key, values in said]
        for lang in LANGUAGES
    }


def _worded(values: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], lang: str) -> dict[str, Any]:
    return {name: _word(name, value, names, lang) for name, value in values.items()}


def _word(name: str, value: Any, names: Mapping[str, Mapping[str, str]], lang: str) -> Any:
    if name in ("county", "was", "now", "partner"):
        known = names.get(value) or {}
        return known.get(lang) or known.get("zh") or value
    if name == "bars":
        parts = _CATALOGUE["sentences"]
        return _JOINT[lang].join(parts[f"bar-{bar}"][lang].format(count=count) for bar, count in sorted(value.items()))
    listed = {"level": "levels", "category": "categories", "status": "statuses"}.get(name)
    return _CATALOGUE[listed][value][lang] if listed else value
