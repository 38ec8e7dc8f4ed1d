"""Why a round proposes a pair, why a need got nothing, and what has changed since the last round.

The figures are exact: each answers one question ("and if not?") by one shortest residual path.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from services.pairing.domain.county import ELIGIBLE
from services.pairing.domain.explanation import (
    Different,
    Explanation,
    LevelPair,
    SmallestChange,
    Step,
    UnservedNeed,
    Why,
)
from services.pairing.domain.frozen import Frozen
from services.pairing.domain.network import LEVELS
from services.pairing.domain.residual import Change, Move, Residual


class Reasons:
    """Of one round: its snapshot, and its pairs as `residual` has them."""

    def __init__(self, round_id: str, frozen: Frozen, residual: Residual, objective: Sequence[int]) -> None:
        self._round_id = round_id
        self._frozen = frozen
        self._residual = residual
        self._values = objective
        instance = self._instance = residual.model.instance
        self._commitment_no = {id: no for no, id in enumerate(instance.commitments)}
        self._county_of = [instance.counties[at] for at in instance.need_county.tolist()]
        # Needs stand in the instance in the order of county and category.
        self._need_no = {key: no for no, key in enumerate(sorted(frozen.needs))}
        ends = zip(instance.pair_commitment.tolist(), instance.pair_need.tolist(), strict=True)
        self._pair_no = {(instance.commitments[i], self._county_of[j]): (no, i, j) for no, (i, j) in enumerate(ends)}
        self._chosen = {pair for pair, (no, _, _) in self._pair_no.items() if residual.chosen[no]}

    def explain(self, commitment_id: str, county_code: str) -> Explanation:
        """Why this pair of the round's is one."""
        pair, commitment, need = self._pair_no[commitment_id, county_code]
        change = self._residual.without(commitment, need, pair)
        rule = self._frozen.pins.get((commitment_id, county_code))
        own = next(move for move in change.moves if move.commitment == commitment)
        return Explanation(
            id=Explanation.key(self._round_id, commitment_id, county_code),
            round_id=self._round_id,
            decided_by="pin" if rule else decisive(change) or "lot",
            levels=self._levels(change, served=False),
            instead=None if own.now is None else self._county_of[own.now],
            steps=tuple(self._step(move) for move in change.moves),
            rule_id=rule,
            names={},
        )

    def unserved(self) -> Iterator[UnservedNeed]:
        """All needs with open slots that got nothing, in their order; without what takes long to find."""
        frozen = self._frozen
        served = {(county, frozen.commitments[id]["category"]) for id, county in self._chosen}
        waiting = Counter(frozen.waiting)
        left = [key for key in sorted(frozen.needs) if frozen.is_unserved(key) and key not in served]
        provinces: dict[str, dict[str, str]] = {}
        for county, category in left:
            provinces.setdefault(category, {})[county] = frozen.needs[county, category]["province"]
        tallies = {category: frozen.tallies(category, those) for category, those in provinces.items()}
        for county, category in left:
            need, counts = frozen.needs[county, category], tallies[category][county]
            if waiting[category]:
                counts["dates"] = waiting[category]
            yield UnservedNeed(
                id=UnservedNeed.key(self._round_id, county, category),
                round_id=self._round_id,
                county_code=county,
                category=category,
                band=need["band"],
                open_slots=need["slots"],
                status=need["status"],
                as_of=frozen.as_of,
                reason=_why(need["status"], counts),
                since=frozen.as_of,
                counts=dict(counts),
                is_detailed=False,
                change=None,
                levels=(),
                steps=(),
                names={},
            )

    def shortfall(self, county_code: str, category: str) -> tuple[SmallestChange, Change | None]:
        """The smallest change that would serve an unserved need of an eligible county; and what serving it
        with what there is would cost (None: nobody can).
        """
        need = self._need_no[county_code, category]
        return self._smallest_change(need, county_code, category), self._residual.forced(need)

    def levels_if_served(self, change: Change | None) -> tuple[LevelPair, ...]:
        return self._levels(change, served=True) if change else ()

    def steps_of(self, change: Change | None) -> tuple[Step, ...]:
        return tuple(self._step(move) for move in change.moves) if change else ()

    def difference(self, *, levels: bool) -> Iterator[Different]:
        """What this round proposes otherwise than the last. `levels`: also say which level decided."""
        before = {pair for pair in self._pair_no if self._instance.kept[self._pair_no[pair][0]]} | set(
            self._frozen.lost
        )
        gone: dict[str, list[str]] = {}
        for id, county in sorted(before - self._chosen):
            gone.setdefault(id, []).append(county)
        for id, county in sorted(self._chosen - before):
            was = gone[id].pop(0) if gone.get(id) else None
            if was is None:
                reason = "pinned" if (id, county) in self._frozen.pins else "best"
                yield Different(
                    kind="added",
                    commitment_id=id,
                    county_code=county,
                    was=None,
                    reason=reason,
                    level=self.explain(id, county).decided_by if levels else None,
                )
            else:
                reason, level = self._why_gone(id, was, levels)
                yield Different(kind="moved", commitment_id=id, county_code=county, was=was, reason=reason, level=level)
        for id, left in gone.items():
            for county in left:
                reason, level = self._why_gone(id, county, levels)
                yield Different(
                    kind="dropped", commitment_id=id, county_code=county, was=None, reason=reason, level=level
                )

    def _why_gone(self, id: str, county: str, levels: bool) -> tuple[str, str | None]:
        if why := self._frozen.lost.get((id, county)):
            return why, None
        _, commitment, need = self._pair_no[id, county]
        no = self._pair_no[id, county][0]
        change = levels and self._residual.with_pair(
            commitment, need, preference=int(self._instance.preference[no]), kept=bool(self._instance.kept[no])
        )
        return "outbid", (decisive(change) or "lot") if change else None

    def _smallest_change(self, need: int, county: str, category: str) -> SmallestChange:
        frozen, residual = self._frozen, self._residual
        province = frozen.needs[county, category]["province"]
        barred = {}
        for id in frozen.of_category.get(category, ()):
            bars = frozen.bars(id, county, province)
            if len(bars) == 1 and bars[0].kind != "already-paired":
                barred[self._commitment_no[id]] = bars[0]
        for no in residual.best_of(need, barred):
            id, bar = self._instance.commitments[no], barred[no]
            change = residual.with_pair(
                no, need, preference=frozen.preference(id, county, province), kept=(id, county) in frozen.lost
            )
            if change and change.is_better:
                kind = "lift-ban" if bar.kind == "ban" else "lift-exclusion"
                return SmallestChange(kind=kind, commitment_id=id, rule_id=bar.rule, bar=None if bar.rule else bar.kind)
            # They come in the order of what they cost, and a wish weighs on lower levels only.
            if change and change.gain[:3] < (0, 0, 0):
                break
        # One more slot can serve nobody: the need has open ones.
        return SmallestChange(kind="share")

    def _levels(self, change: Change, *, served: bool) -> tuple[LevelPair, ...]:
        pairs = zip(LEVELS, self._values, change.gain, strict=False)
        return tuple(
            LevelPair(level=name, with_=value + gain, without=value)
            if served
            else LevelPair(level=name, with_=value, without=value + gain)
            for name, value, gain in pairs
        )

    def _step(self, move: Move) -> Step:
        return Step(
            commitment_id=self._instance.commitments[move.commitment],
            was=None if move.was is None else self._county_of[move.was],
            now=None if move.now is None else self._county_of[move.now],
        )


def decisive(change: Change) -> str | None:
    """The first level that a change is felt in; None: only the lot."""
    return next((name for name, gain in zip(LEVELS, change.gain, strict=False) if gain), None)


def _why(status: str | None, counts: Counter[str]) -> Why:
    if status not in ELIGIBLE:
        return "not-eligible"
    if not counts:
        return "no-commitment"
    return "outbid" if counts["allowed"] else "excluded"
