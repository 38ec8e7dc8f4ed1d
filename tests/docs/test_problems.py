"""Whatever `type` a problem can have, docs/problems.md explains it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import services
from services.kit.decision import Conflict, NotAllowed, NotYet, Refused
from services.kit.problems import status_of
from services.projects.domain.refusals import NotItsMoney

ROOT = Path(__file__).parents[2]
KINDS = {Conflict, NotAllowed}
OF_EVENTS = {NotYet, NotItsMoney}


def explained() -> dict[str, str]:
    """The status of each name."""
    rows = [line.split("|") for line in (ROOT / "docs/problems.md").read_text("utf-8").splitlines()]
    cells = [(row[1], row[2].strip()) for row in rows if len(row) > 3]
    return {name: status for names, status in cells for name in re.findall(r"`([a-z-]+)`", names)}


def refusals() -> dict[str, str]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.startswith("services.kit.") or ".domain" in module.name:
            importlib.import_module(module.name)
    found = {kind for kind in _below(Refused) if kind.__module__.startswith("services.")} - KINDS - OF_EVENTS
    return {rule: str(status_of(kind.__new__(kind))) for kind in found for rule in [kind.__new__(kind).rule]}


def named_in_the_kit() -> set[str]:
    texts = [path.read_text("utf-8") for path in (ROOT / "services/kit").glob("*.py")]
    return set(re.findall(r'problem\(\s*\d{3}, "([a-z-]+)"', "\n".join(texts))) | {"method-not-allowed", "http"}


def _below(kind: type[Refused]) -> Iterator[type[Refused]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _below(sub)


def test_each_refusal_is_explained_with_its_status_and_nothing_else_is() -> None:
    known = explained()
    others = named_in_the_kit()
    assert {name: known.get(name) for name in refusals()} == refusals()
    assert others <= known.keys()
    assert known.keys() - refusals().keys() - others == set()
