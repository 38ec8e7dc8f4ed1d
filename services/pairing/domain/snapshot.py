"""A frozen snapshot as arrays, checked: what the matching reads, and nothing else does."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

HIGHEST_BAND = 5


class PinsDoNotFit(ValueError):
    """More pairs are pinned than a commitment has open shares, or a need has open slots."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Everything sorted by ids, so that the input's order is forgotten. `severity` is in thousandths."""

    seed: int
    commitments: list[str]
    open: Ints
    counties: list[str]
    county_live: Ints
    need_county: Ints
    slots: Ints
    live: Ints
    band: Ints
    severity: Ints
    pair_commitment: Ints
    pair_need: Ints
    preference: Ints
    kept: Mask
    pinned: Mask


def read_snapshot(snapshot: Mapping[str, Any]) -> Instance:
    """Checks a snapshot (`matching.solve` says what is in it) and turns it into arrays.

    Raises:
        ValueError: it is no sound snapshot; the message says where, in one line.
        PinsDoNotFit: there are more pins than open shares or slots.
    """
    if not isinstance(snapshot, Mapping):
        raise ValueError("a snapshot is a JSON object")
    seed: Any = snapshot.get("seed")
    if not _is_whole(seed):
        raise ValueError(f"seed: {seed!r} is not a whole number")
    commitments = _rows(snapshot, "commitments", key=("id",))
    needs = _rows(snapshot, "needs", key=("county", "category"))
    # A commitment has one category, so that county alone tells its pairs apart.
    pairs = _rows(snapshot, "pairs", key=("commitment", "county"))

    ids = _column(commitments, "commitments", "id", _is_name)
    county_of = _column(needs, "needs", "county", _is_name)
    category_of = _column(needs, "needs", "category", _is_name)
    counties = sorted(set(county_of))
    county_index = {code: index for index, code in enumerate(counties)}
    need_county = np.array([county_index[code] for code in county_of], dtype=np.int64)
    live = _ints(needs, "needs", "live", _is_count)

    commitment_index = {id: index for index, id in enumerate(ids)}
    need_index = {key: index for index, key in enumerate(zip(county_of, category_of, strict=True))}
    wanted = zip(
        _column(pairs, "pairs", "commitment", _is_name),
        _column(pairs, "pairs", "county", _is_name),
        _column(pairs, "pairs", "category", _is_name),
        strict=True,
    )
    ends = np.empty((2, len(pairs)), dtype=np.int64)
    for no, (commitment, county, category) in enumerate(wanted):
        try:
            ends[:, no] = commitment_index[commitment], need_index[county, category]
        except KeyError as missing:
            raise ValueError(
                f"pairs: {commitment} with {county} ({category}) names {missing}, which is not there"
            ) from None

    instance = Instance(
        seed=seed,
        commitments=ids,
        open=_ints(commitments, "commitments", "open", _is_count),
        counties=counties,
        county_live=np.bincount(need_county, weights=live, minlength=len(counties)).astype(np.int64),
        need_county=need_county,
        slots=_ints(needs, "needs", "slots", _is_count),
        live=live,
        band=_ints(needs, "needs", "band", _is_band),
        severity=np.array(
            [round(share * 1000) for share in _column(needs, "needs", "severity", _is_share)], dtype=np.int64
        ),
        pair_commitment=ends[0],
        pair_need=ends[1],
        preference=_ints(pairs, "pairs", "preference", _is_preference),
        kept=np.array(_column(pairs, "pairs", "kept", _is_flag), dtype=bool),
        pinned=np.array(_column(pairs, "pairs", "pinned", _is_flag), dtype=bool),
    )
    _check_pins(instance)
    return instance


def _check_pins(instance: Instance) -> None:
    """Pins fit together if each commitment has the shares and each need the slots."""
    for commitment, pins in Counter(instance.pair_commitment[instance.pinned].tolist()).items():
        if pins > instance.open[commitment]:
            raise PinsDoNotFit(
                f"{pins} pairs of commitment {instance.commitments[commitment]} are pinned, "
                f"and it has {instance.open[commitment]} open shares"
            )
    for need, pins in Counter(instance.pair_need[instance.pinned].tolist()).items():
        open_slots = max(0, int(instance.slots[need] - instance.live[need]))
        if pins > open_slots:
            raise PinsDoNotFit(
                f"{pins} pairs are pinned to one need of county {instance.counties[instance.need_county[need]]}, "
                f"and it has {open_slots} open slots"
            )


def _rows(snapshot: Mapping[str, Any], where: str, *, key: tuple[str, ...]) -> list[Mapping[str, Any]]:
    rows = snapshot.get(where)
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{where}: a list of objects is wanted")
    rows = sorted(rows, key=lambda row: [str(row.get(name)) for name in key])
    keys = [tuple(row.get(name) for name in key) for row in rows]
    for one, next_one in pairwise(keys):
        if one == next_one:
            raise ValueError(f"{where}: {' with '.join(map(str, one))} stands there twice")
    return rows


def _column(rows: list[Mapping[str, Any]], where: str, name: str, fits: Callable[[Any], bool]) -> list[Any]:
    values = [row.get(name) for row in rows]
    for row, value in zip(rows, values, strict=True):
        if not fits(value):
            raise ValueError(f"{where}: {name} cannot be {value!r} in {dict(row)!r}")
    return values


def _ints(rows: list[Mapping[str, Any]], where: str, name: str, fits: Callable[[Any], bool]) -> NDArray[np.int64]:
    return np.array(_column(rows, where, name, fits), dtype=np.int64)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    # The bound keeps sums of capacities within 64 bits.
    return _is_whole(value) and 0 <= value < 2**31


def _is_band(value: Any) -> bool:
    return _is_whole(value) and 1 <= value <= HIGHEST_BAND


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_preference(value: Any) -> bool:
    return _is_whole(value) and 0 <= value <= 2


def _is_flag(value: Any) -> bool:
    """True and false, or 1 and 0."""
    return isinstance(value, int) and value in (0, 1)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
