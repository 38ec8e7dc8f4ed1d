"""A frozen snapshot read for its reasons: who may not go where, and why."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """What keeps a commitment from a county: `already-paired`, `excludes`, `only`, or a `ban` by `rule`."""

    kind: str
    rule: str | None = None


class Frozen:
    """`snapshot` as `freezing.freeze` makes it."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self.as_of: str = snapshot["as_of"]
        self.commitments: dict[str, Mapping[str, Any]] = {one["id"]: one for one in snapshot["commitments"]}
        self.needs: dict[tuple[str, str], Mapping[str, Any]] = {
            (need["county"], need["category"]): need for need in snapshot["needs"]
        }
        self.waiting = [one["category"] for one in snapshot["waiting"]]
        self.lost: dict[tuple[str, str], str] = {
            (one["commitment"], one["county"]): one["why"] for one in snapshot["lost"]
        }
        self.pins: dict[tuple[str, str], str] = {
            (pair["commitment"], pair["county"]): pair["rule"] for pair in snapshot["pairs"] if pair["pinned"]
        }
        self.of_category: dict[str, list[str]] = {}
        for one in snapshot["commitments"]:
            self.of_category.setdefault(one["category"], []).append(one["id"])
        self._bans: dict[tuple[str, str | None], list[str]] = {}
        for ban in snapshot["bans"]:
            named = ban["commitment"] or ban["partner"]
            self._bans.setdefault((ban["county"], named), []).append(ban["rule"])

    def is_unserved(self, key: tuple[str, str]) -> bool:
        """Whether a need has slots and no live pairing; whether it gets a new one is not in the snapshot."""
        need = self.needs[key]
        return bool(need["slots"] and not need["live"])

    def bars(self, id: str, county: str, province: str) -> list[Bar]:
        """All that is between a commitment and a county; nothing: the pair is allowed."""
        commitment = self.commitments[id]
        found = []
        if county in commitment["paired"]:
            found.append(Bar("already-paired"))
        if _means(commitment.get("excludes"), county, province):
            found.append(Bar("excludes"))
        if "only" in commitment and not _means(commitment["only"], county, province):
            found.append(Bar("only"))
        for named in (id, commitment["partner"]):
            found += [Bar("ban", rule) for rule in self._bans.get((county, named), ())]
        return found

    def tallies(self, category: str, provinces: Mapping[str, str]) -> dict[str, Counter[str]]:
        """For each of these counties, given with their provinces: what bars how many commitments of the category,
        each counted by the first of its bars, or as `allowed`.

        Most commitments say nothing of most counties: only where one does the two are looked at together.
        """
        of = self.of_category.get(category, ())
        usual = {id: "only" if "only" in self.commitments[id] else "allowed" for id in of}
        found = {county: Counter(usual.values()) for county in provinces}
        in_province: dict[str, list[str]] = {}
        for county, province in provinces.items():
            in_province.setdefault(province, []).append(county)
        banned: dict[str | None, list[str]] = {}
        for county, named in self._bans:
            banned.setdefault(named, []).append(county)
        for id in of:
            spoken_of = {*banned.get(id, ()), *banned.get(self.commitments[id]["partner"], ())}
            for county in spoken_of.union(_named(self.commitments[id], in_province)):
                if county in provinces:
                    bars = self.bars(id, county, provinces[county])
                    found[county][usual[id]] -= 1
                    found[county][bars[0].kind if bars else "allowed"] += 1
        return {county: +counts for county, counts in found.items()}

    def preference(self, id: str, county: str, province: str) -> int:
        prefers = self.commitments[id].get("prefers") or {}
        return 2 if county in prefers.get("counties", ()) else int(province in prefers.get("provinces", ()))


def _named(commitment: Mapping[str, Any], in_province: Mapping[str, list[str]]) -> Iterator[str]:
    """The counties that it is paired with, excludes, or is limited to."""
    yield from commitment["paired"]
    for name in ("excludes", "only"):
        places = commitment.get(name) or {}
        yield from places.get("counties", ())
        for province in places.get("provinces", ()):
            yield from in_province.get(province, ())


def _means(places: Mapping[str, Any] | None, county: str, province: str) -> bool:
    return bool(places) and (county in places.get("counties", ()) or province in places.get("provinces", ()))  # type: ignore[union-attr]
