"""A programme's files as request bodies.

Five files make a directory a programme: `programme.json`, `partners.csv`, `counties.csv`,
`needs.csv`, `commitments.csv`. Their dates are numbers of days from the day of loading, so that
nothing in them is ever late.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

Body = dict[str, Any]
_Row = dict[str, str]
_T = TypeVar("_T")


class Unusable(ValueError):
    """A file is missing or wrong; the message is one line and names it."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A commitment and, by its reference, the partner that makes it."""

    partner: str
    body: Body


@dataclass(frozen=True, kw_only=True)
class Programme:
    """Bodies of `POST /partners` and `POST /commitments` by reference, of `PUT /counties/{code}/card` by code."""

    name: str
    seed: int
    partners: dict[str, Body]
    cards: dict[str, Body]
    commitments: dict[str, Offer]


def read(directory: Path, day: date) -> Programme:
    """The programme as loaded on `day`.

    Raises:
        Unusable: a file is missing or wrong.
    """
    settings = _settings(directory / "programme.json")
    needs: dict[str, list[Body]] = {}
    for code, need in _rows(directory / "needs.csv", _need):
        needs.setdefault(code, []).append(need)

    def card(row: _Row) -> tuple[str, Body] | None:
        if row["takes_part"] != "yes":
            return None
        return row["code"], {
            "name": {"zh": row["name_zh"], "en": row["name_en"]},
            "province": row["code"][:2],
            "needs": needs.get(row["code"], []),
            "valid_from": (day + timedelta(days=settings["cards_valid_from_day"])).isoformat(),
            "reason": settings["card_reason"],
        }

    return Programme(
        name=settings["name"],
        seed=settings["seed"],
        partners=dict(_rows(directory / "partners.csv", _partner)),
        cards=dict(filter(None, _rows(directory / "counties.csv", card))),
        commitments=dict(_rows(directory / "commitments.csv", lambda row: _offer(row, day))),
    )


def _settings(path: Path) -> Body:
    try:
        settings: Body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unusable(f"{path} is missing: name a directory that is laid out as deploy/example is") from None
    except ValueError as error:
        raise Unusable(f"{path} is not JSON: {error}") from error
    missing = {"name", "seed", "cards_valid_from_day", "card_reason"} - set(settings)
    if missing:
        raise Unusable(f"{path} lacks {', '.join(sorted(missing))}")
    return settings


def _rows(path: Path, parse: Callable[[_Row], _T]) -> list[_T]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            found = []
            for row in reader:
                try:
                    found.append(parse(row))
                except KeyError as error:
                    raise Unusable(f"{path} has no column {error}") from error
                except (ValueError, TypeError, AttributeError) as error:
                    raise Unusable(f"{path}, line {reader.line_num}: {error}") from error
    except FileNotFoundError:
        raise Unusable(f"{path} is missing") from None
    except csv.Error as error:
        raise Unusable(f"{path}: {error}") from error
    if not found:
        raise Unusable(f"{path} has no rows")
    return found


def _partner(row: _Row) -> tuple[str, Body]:
    name = {"zh": row["name_zh"], "en": row["name_en"]}
    return row["reference"], {"name": name, "kind": row["kind"], "reference": row["reference"]}


def _need(row: _Row) -> tuple[str, Body]:
    need = {"category": row["category"], "slots": int(row["slots"]), "severity": float(row["severity"])}
    return row["county_code"], need


def _offer(row: _Row, day: date) -> tuple[str, Offer]:
    body: Body = {
        "category": row["category"],
        "title": {"zh": row["title_zh"], "en": row["title_en"]},
        "support": _support(row),
        "projects_max": int(row["projects_max"]),
        "valid_from": (day + timedelta(days=int(row["valid_from_day"]))).isoformat(),
        "valid_until": (day + timedelta(days=int(row["valid_until_day"]))).isoformat(),
        "reference": row["reference"],
    }
    for places in ("only", "prefers"):
        lists = {kind: row[f"{places}_{kind}"].split() for kind in ("provinces", "counties")}
        if any(lists.values()):
            body[places] = {kind: codes for kind, codes in lists.items() if codes}
    return row["reference"], Offer(partner=row["partner"], body=body)


def _support(row: _Row) -> Body:
    if row["amount_cny"]:
        return {"kind": row["kind"], "amount": row["amount_cny"], "currency": "CNY"}
    support: Body = {"kind": row["kind"], "quantity": int(row["quantity"]), "unit": row["unit"]}
    if row["value_cny"]:
        support["value"] = {"amount": row["value_cny"], "currency": "CNY"}
    return support
