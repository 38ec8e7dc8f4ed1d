"""A statement of one account: what it opened with, what was booked, what it closes with; each currency by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.funding.domain.accounts import Account


class Movement(NamedTuple):
    """One posting on the account, in minor units."""

    entry_id: str
    booked_on: str
    type: str
    reference: str | None
    amount: int
    currency: str


class Line(NamedTuple):
    """A movement, and the balance in its currency after it."""

    movement: Movement
    balance: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Both ends are by currency, in minor units; `opening` plus the lines' amounts is `closing`."""

    account_id: str
    from_: date | None
    until: date | None
    opening: Mapping[str, int]
    lines: list[Line]
    closing: Mapping[str, int]


def statement_of(
    account: Account,
    opening: Mapping[str, int],
    movements: Iterable[Movement],
    *,
    from_: date | None,
    until: date | None,
) -> Statement:
    """A statement over movements in the order in which they count: by day, then by number."""
    balances = {currency: opening.get(currency, 0) for currency in sorted({*account.balances, *opening})}
    first = dict(balances)
    lines = []
    for movement in movements:
        balances[movement.currency] = balance = balances.get(movement.currency, 0) + movement.amount
        lines.append(Line(movement, balance))
    return Statement(account_id=account.id, from_=from_, until=until, opening=first, lines=lines, closing=balances)
