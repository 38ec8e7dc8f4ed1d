"""What is wrong with a field or a row, in Chinese. Rules and forms say it in English; who asks for Chinese gets it from
data/chinese.json, whose keys are the English sentences, with `{}` where a value stands."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

CATALOGUE: Mapping[str, str] = json.loads((Path(__file__).parent / "data" / "chinese.json").read_text(encoding="utf-8"))
# The longest first: `{} is a {}.` fits more than it means.
_TEMPLATES = sorted(
    ((key.split("{}"), said) for key, said in CATALOGUE.items() if "{}" in key),
    key=lambda template: -sum(map(len, template[0])),
)


def chinese(sentence: str) -> str:
    """The sentence in Chinese; as it is where nobody has translated it."""
    if sentence in CATALOGUE:
        return CATALOGUE[sentence]
    first, separator, rest = sentence.partition("; ")
    if separator and first in CATALOGUE:
        return f"{CATALOGUE[first]}；{chinese(rest)}"
    for parts, said in _TEMPLATES:
        values = _between(parts, sentence)
        if values is not None:
            return said.format(*(CATALOGUE.get(value, value) for value in values))
    return f"{chinese(first)}；{chinese(rest)}" if separator else sentence


def _between(parts: Sequence[str], sentence: str) -> list[str] | None:
    """What stands in `sentence` between the parts of a template; None if it is another's."""
    first, *inner, last = parts
    end = len(sentence) - len(last)
    if not (sentence.startswith(first) and sentence.endswith(last) and end >= len(first)):
        return None
    values, at = [], len(first)
    for part in inner:
        found = sentence.find(part, at, end)
        if found < 0:
            return None
        values.append(sentence[at:found])
        at = found + len(part)
    values.append(sentence[at:end])
    # Two sentences are no value.
    return None if any("; " in value for value in values) else values
