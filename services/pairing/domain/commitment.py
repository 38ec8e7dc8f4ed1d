"""What partners promise, and how it is shared out.

A commitment is counted in projects and in units: minor units of its currency for money and
purchases, whole quantities for goods, services and training. The next share is what is open in
units ÷ what is open in projects, rounded up: 100.00 in three is 33.34, 33.33, 33.33.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from schemas.money import to_amount
from schemas.shapes import BOOKED_KINDS, Category, SupportKind, Text

CommitmentStatus = Literal["open", "partly_paired", "fully_paired", "withdrawn", "expired"]


@dataclass(frozen=True, kw_only=True)
class Value:
    minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Valuation:
    """What `author` says that goods are worth on this basis."""

    author: str
    basis: str
    value: Value


@dataclass(frozen=True, kw_only=True)
class Support:
    """`measure` is the currency or the unit in which `units` count; `value` is what goods are worth, if stated.

    Of several valuations the one on `basis` is the value that totals count; no two have the same basis.
    """

    kind: SupportKind
    units: int
    measure: str
    value: Value | None
    valuations: tuple[Valuation, ...] = ()
    basis: str | None = None

    @property
    def is_booked(self) -> bool:
        """Whether funding books it."""
        return self.kind in BOOKED_KINDS


@dataclass(frozen=True, kw_only=True)
class Places:
    """A county is meant if either list has it."""

    provinces: tuple[str, ...]
    counties: tuple[str, ...]

    def mean(self, county_code: str, province: str) -> bool:
        return county_code in self.counties or province in self.provinces

    def within(self, other: "Places") -> bool:
        """Whether the other means all that these mean."""
        return set(self.provinces) <= set(other.provinces) and not self.beyond(other)

    def beyond(self, other: "Places") -> list[str]:
        """The counties that these name and the other does not mean."""
        return [code for code in self.counties if not other.mean(code, code[:2])]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the partner says; both days belong to the time in which it may be paired."""

    category: Category
    title: Text
    support: Support
    projects_max: int
    valid_from: date
    valid_until: date
    prefers: Places | None
    excludes: Places | None
    only: Places | None
    reference: str | None

    def bars(self, county_code: str, province: str) -> bool:
        """Whether the partner does not want this county."""
        if self.excludes and self.excludes.mean(county_code, province):
            return True
        return self.only is not None and not self.only.mean(county_code, province)

    def preference(self, county_code: str, province: str) -> int:
        """2: the county is preferred, 1: its province, 0: neither."""
        if self.prefers is None:
            return 0
        return 2 if county_code in self.prefers.counties else int(province in self.prefers.provinces)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A pairing that is approved and not revoked."""

    pairing_id: str
    county_code: str


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """`paired_units`: allocated to standing pairings, and of revoked ones what did not come back.

    `terms_version` is the version in which the terms were last published.
    """

    id: str
    version: int
    partner_id: str
    terms: Terms
    status: CommitmentStatus
    standing: tuple[Standing, ...]
    paired_units: int
    open_projects: int
    open_units: int
    submitted_at: datetime
    terms_version: int = 1

    @property
    def is_over(self) -> bool:
        return self.status in ("withdrawn", "expired")

    @property
    def open_shares(self) -> int:
        """How many projects can still be had from it: no share is of nothing.

        Units may be below zero for a moment, when money was transferred that an approval had taken.
        """
        return max(0, min(self.open_projects, self.open_units))

    def is_valid_on(self, day: date) -> bool:
        return not self.is_over and self.terms.valid_from <= day <= self.terms.valid_until

    def is_paired_with(self, county_code: str) -> bool:
        return any(standing.county_code == county_code for standing in self.standing)

    def next_shares(self) -> Iterator[int]:
        """The shares that are open, in units, in their order."""
        units = self.open_units
        for projects in range(self.open_projects, self.open_projects - self.open_shares, -1):
            share = -(-units // projects)
            yield share
            units -= share


def changed(commitment: Commitment, **changes: Any) -> Commitment:
    """With its next version, and the status that its figures give."""
    after = replace(commitment, version=commitment.version + 1, **changes)
    if after.is_over:
        return after
    if after.open_projects == 0:
        return replace(after, status="fully_paired")
    return replace(after, status="partly_paired" if after.standing else "open")


def take_share(commitment: Commitment, standing: Standing, units: int) -> Commitment:
    return changed(
        commitment,
        standing=(*commitment.standing, standing),
        paired_units=commitment.paired_units + units,
        open_projects=commitment.open_projects - 1,
        open_units=commitment.open_units - units,
    )


def end_standing(commitment: Commitment, pairing_id: str) -> Commitment:
    """A pairing no longer stands; what was allocated to it is still out."""
    left = tuple(one for one in commitment.standing if one.pairing_id != pairing_id)
    return changed(commitment, standing=left)


def give_back(commitment: Commitment, units: int) -> Commitment:
    """What came back of a revoked pairing can be shared out again, unless nothing came or the commitment is over."""
    if units == 0 or commitment.is_over:
        return changed(commitment, paired_units=commitment.paired_units - units)
    return changed(
        commitment,
        paired_units=commitment.paired_units - units,
        open_projects=commitment.open_projects + 1,
        open_units=commitment.open_units + units,
    )


def transfer_out(commitment: Commitment, minor: int) -> Commitment:
    """Money that went to a foundation is promised anew by the foundation."""
    return commitment if commitment.is_over else changed(commitment, open_units=commitment.open_units - minor)


def transfer_back(commitment: Commitment, minor: int) -> Commitment:
    """The transfer was undone."""
    return commitment if commitment.is_over else changed(commitment, open_units=commitment.open_units + minor)


def measured(support: Support, units: int) -> dict[str, Any]:
    """Units as money or as a quantity, as events and answers have them."""
    if support.is_booked:
        return {"amount": to_amount(units, support.measure), "currency": support.measure}
    return {"quantity": units, "unit": support.measure}


def support_wire(support: Support) -> dict[str, Any]:
    """What is given, as events and answers have it."""
    wire = {"kind": support.kind} | measured(support, support.units)
    if support.value is not None:
        wire["value"] = _money(support.value)
    if support.valuations:
        wire["basis"] = support.basis
        wire["valuations"] = [
            {"author": one.author, "basis": one.basis} | _money(one.value) for one in support.valuations
        ]
    return wire


def _money(value: Value) -> dict[str, str]:
    return {"amount": to_amount(value.minor, value.currency), "currency": value.currency}


def places_wire(places: Places | None) -> dict[str, list[str]] | None:
    """Places as events and answers have them: only the lists that name any."""
    if places is None:
        return None
    both = {"provinces": list(places.provinces), "counties": list(places.counties)}
    return {name: codes for name, codes in both.items() if codes}


def rfc3339(moment: datetime) -> str:
    """An instant as events and answers have it, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
