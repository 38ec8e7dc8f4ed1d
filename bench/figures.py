"""What a figure is: a goal, the sides that were measured in turn, and the ratio of their medians."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.side import Measured


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side's value in each repeat; `cpu_us` is the median of its processor time for one, where it was taken."""

    name: str
    version: str
    unit: str
    values: Sequence[float]
    cpu_us: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """`ours` against `peer`, both in the same unit: the ratio of ours to the peer's must be `least` or `most`.

    Without a peer the value itself is held against the limit.
    """

    ours: Side
    peer: Side | None
    least: float | None = None
    most: float | None = None

    @property
    def value(self) -> float:
        """The ratio of the medians."""
        return self.ours.median / self.peer.median if self.peer else self.ours.median

    @property
    def reached(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`notes` say what the numbers do not; `profile` is where our side's profile lies if a goal was missed."""

    no: str
    title: str
    goals: Sequence[Goal]
    beside: Sequence[Side] = ()
    notes: Sequence[str] = ()
    profile: Mapping[str, str] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        return all(goal.reached for goal in self.goals)


async def alternating(
    sides: Mapping[str, Callable[[], Awaitable[Measured]]], repeats: int, say: Callable[[str], None]
) -> dict[str, list[Measured]]:
    """Each side once a repeat, in turn, so that what the machine does meanwhile hits all of them."""
    found: dict[str, list[Measured]] = {name: [] for name in sides}
    for repeat in range(1, repeats + 1):
        for name, measure in sides.items():
            measured = await measure()
            found[name].append(measured)
            say(f"{repeat}/{repeats} {name}: {measured.rate:,.0f}/s, {measured.cpu_us:,.1f} us of processor time each")
    return found


def rates(name: str, version: str, unit: str, measured: Sequence[Measured]) -> Side:
    """A side whose values are things a second."""
    return Side(
        name=name,
        version=version,
        unit=unit,
        values=[one.rate for one in measured],
        cpu_us=statistics.median(one.cpu_us for one in measured),
    )
