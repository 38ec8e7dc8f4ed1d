"""The programme's figures, kept by adding and taking away what each project and commitment contributes.

A tally belongs to the programme, to one partner or to one county. When a view changes, what it
contributed before is taken out of its tallies and what it contributes now is put in. So a tally is
at every moment the sum over the rows that it can be drilled down to.

Figures are named `projects`, `category:coverage`, `status:active`, `milestone:pending`,
`funds:CNY:promised` and so on; funds are in minor units. Only the programme's tally has `partners`
and `counties`: those that have a project which is not cancelled.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.money import to_amount
from schemas.shapes import CATEGORIES

PROGRAMME = "programme"
PROJECT_STATUSES = ("active", "suspended", "completed", "cancelled")
MILESTONE_STATUSES = ("pending", "reported", "returned", "verified")
FUNDS = ("promised", "committed", "handed_over", "used")


@dataclass(frozen=True, kw_only=True)
class Tally:
    id: str
    numbers: dict[str, int] = field(default_factory=dict)


def added(tally: Tally, change: Mapping[str, int]) -> Tally:
    numbers = Counter(tally.numbers)
    numbers.update(change)
    # A currency stays once it was heard of: "0.00" is an answer, no line at all is a question.
    kept = {name: number for name, number in sorted(numbers.items()) if number or name.startswith("funds:")}
    return replace(tally, numbers=kept)


def total(contributions: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The figures of some rows."""
    numbers: Counter[str] = Counter()
    for contribution in contributions:
        numbers.update(contribution)
    return dict(numbers)


def figures(numbers: Mapping[str, int]) -> dict[str, Any]:
    """As the API answers them: `projects`, `projects_by_category`, `projects_by_status`, `milestones`, `funds`."""
    funds: dict[str, dict[str, str]] = {}
    for name, number in numbers.items():
        if name.startswith("funds:"):
            _, currency, what = name.split(":")
            sums = funds.setdefault(currency, dict.fromkeys(FUNDS, to_amount(0, currency)))
            sums[what] = to_amount(number, currency)
    return {
        "projects": numbers.get("projects", 0),
        "projects_by_category": {name: numbers.get(f"category:{name}", 0) for name in CATEGORIES},
        "projects_by_status": {name: numbers.get(f"status:{name}", 0) for name in PROJECT_STATUSES},
        "milestones": {name: numbers.get(f"milestone:{name}", 0) for name in MILESTONE_STATUSES},
        "funds": funds,
    }
