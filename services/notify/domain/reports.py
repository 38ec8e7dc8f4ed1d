"""Filed reports: what happened in a period, as it was known at one position of the archive.

A row stands in a report by the day, in Shanghai, on which it happened:

- money by the day that was booked: of an expenditure and a transfer the one that was given;
- a county's status by the day from which it holds;
- a value of an indicator by the last day of its period, or by the day of the observation where that
  came first; there is one row a period, with the value that was known;
- everything else by when it happened.

The document is canonical JSON (sorted names, no white space, UTF-8), kept as it was filed. Filed again
it is another report; the two are compared row by row.
"""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from schemas.envelope import Event, Unreadable
from schemas.money import to_amount, to_minor
from schemas.projects import IndicatorObserved
from services.kit.decision import Decision, Invalid
from services.notify.domain import observations
from services.notify.domain.archive import ArchivedEvent
from services.notify.domain.observations import ObservationView

_SHANGHAI = timezone(timedelta(hours=8))
_ABOUT = ("category", "county_code", "partner_id", "project_id", "pairing_id", "commitment_id")
_DETAILS = ("amount", "currency", "milestone_no", "payee", "reason", "reference", "reverses", "unreserved", "refunded")
_DAY_GIVEN = ("spent_on", "on")


@dataclass(frozen=True, kw_only=True)
class Report:
    """`known_at` is the newest position that it knows of; `sha256` is of the document."""

    id: str
    from_on: date
    until_on: date
    lang: str
    known_at: int
    sha256: str
    filed_by: str
    filed_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReportDocument:
    """A report's document, packed; `id` is the report's."""

    id: str
    packed: bytes

    @property
    def document(self) -> bytes:
        return zlib.decompress(self.packed)


@cache
def _words() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((files("services.notify") / "data/report.json").read_text("utf-8"))
    return found


def reported_types() -> tuple[str, ...]:
    """The types of events that reports tell of."""
    return tuple(_words()["types"])


def check_period(since: date, until: date, today: date) -> None:
    """
    Raises:
        Invalid: it ends before it begins, or after today.
    """
    faults = {}
    if until > today:
        faults["/until"] = f"Today is {today}; nobody knows yet what happens after it."
    if since > until:
        faults["/from"] = "A period cannot end before it begins."
    if faults:
        raise Invalid(faults)


class Draft:
    """Takes in events in the order of the archive, and writes the document."""

    def __init__(self, since: date, until: date, lang: str) -> None:
        self._since = since
        self._until = until
        self._lang = lang
        self._rows: dict[str, dict[str, Any]] = {}
        self._observed: dict[str, tuple[ObservationView, date]] = {}

    def add(self, archived: ArchivedEvent) -> None:
        try:
            event = archived.read()
        except Unreadable:
            return
        if isinstance(event, IndicatorObserved):
            return self._observe(archived, event)
        if event is None or archived.type not in _words()["types"]:
            return
        day = _day_of(archived, event)
        if self._since <= day <= self._until:
            # An entry of the ledger is known by its own id, which every export has as well.
            id = getattr(event, "entry_id", archived.id)
            self._rows[id] = self._row(id, archived, day) | _some(archived.data, _DETAILS)

    def document(self, known_at: int) -> bytes:
        for view, day in self._observed.values():
            if self._since <= day <= self._until:
                self._rows[view.id] = self._value(view, day)
        rows = sorted(self._rows.values(), key=lambda row: (row["day"], row["id"]))
        title = _words()["title"][self._lang].format(since=self._since, until=self._until)
        return _canonical(
            {
                "title": title,
                "from": self._since.isoformat(),
                "until": self._until.isoformat(),
                "lang": self._lang,
                "known_at": known_at,
                "figures": _figures(rows),
                "indicators": self._totals(),
                "rows": rows,
            }
        )

    def _observe(self, archived: ArchivedEvent, event: IndicatorObserved) -> None:
        id = observations.observation_of(event)
        day = min(observations.days_of(event)[1], _happened(archived))
        known, first = self._observed.get(id, (ObservationView(id=id), day))
        self._observed[id] = observations.after(known, archived, event), min(first, day)

    def _row(self, id: str, archived: ArchivedEvent, day: date) -> dict[str, Any]:
        what = _words()["types"][archived.type][self._lang]
        return {"id": id, "day": day.isoformat(), "type": archived.type, "what": what} | _some(archived.data, _ABOUT)

    def _value(self, view: ObservationView, day: date) -> dict[str, Any]:
        type_ = IndicatorObserved.TYPE
        row = {"id": view.id, "day": day.isoformat(), "type": type_, "what": _words()["types"][type_][self._lang]}
        names = ("category", "county_code", "partner_id", "project_id", "indicator", "kind", "unit", "value", "splits")
        period = {"from": view.from_on.isoformat(), "until": view.until_on.isoformat()}
        return row | {name: getattr(view, name) for name in names} | {"period": period}

    def _totals(self) -> list[dict[str, Any]]:
        groups: dict[tuple[str, str, str], list[ObservationView]] = {}
        for view, _ in self._observed.values():
            groups.setdefault((view.indicator, view.kind, view.unit), []).append(view)
        found = []
        for (indicator, kind, unit), views in sorted(groups.items()):
            days = {"since": self._since, "until": self._until}
            come_to = asdict(observations.total(views, (), indicator=indicator, kind=kind, unit=unit, **days))
            if come_to["total"] is not None:
                found.append({name: come_to[name] for name in ("indicator", "kind", "unit", "total", "carried")})
        return found


def file_report(
    document: bytes, *, id: str, since: date, until: date, lang: str, known_at: int, by: str, now: datetime
) -> Decision[Report]:
    """Keeps a document for ever."""
    report = Report(
        id=id,
        from_on=since,
        until_on=until,
        lang=lang,
        known_at=known_at,
        sha256=sha256(document).hexdigest(),
        filed_by=by,
        filed_at=now,
    )
    return Decision(report, saves=(report, ReportDocument(id=id, packed=zlib.compress(document))))


def difference(was: bytes, now: bytes) -> list[dict[str, Any]]:
    """The rows that differ between two documents, by day and id; words do not count, only what they say."""
    before, after = _by_id(was), _by_id(now)
    found = []
    for id in sorted({*before, *after}, key=lambda id: ((after.get(id) or before[id])["day"], id)):
        old, new = before.get(id), after.get(id)
        if old is None or new is None:
            found.append({"kind": "removed" if new is None else "added", "id": id, "was": old, "now": new})
        elif {**old, "what": None} != {**new, "what": None}:
            found.append({"kind": "changed", "id": id, "was": old, "now": new})
    return found


def _by_id(document: bytes) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(document)["rows"]}


def _day_of(archived: ArchivedEvent, event: Event) -> date:
    given = next((day for name in _DAY_GIVEN if (day := getattr(event, name, None))), None)
    return date.fromisoformat(given) if given else _happened(archived)


def _happened(archived: ArchivedEvent) -> date:
    return archived.time.astimezone(_SHANGHAI).date()


def _some(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: data[name] for name in names if name in data}


def _figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many rows of each type there are, and what the rows of money sum to."""
    money: dict[str, Counter[str]] = {}
    for row in rows:
        if "amount" in row:
            sums = money.setdefault(row["currency"], Counter())
            sums[row["type"]] += to_minor(row["amount"], row["currency"])
    return {
        "rows": dict(Counter(row["type"] for row in rows)),
        "money": {
            currency: {type_: to_amount(sum_, currency) for type_, sum_ in sums.items()}
            for currency, sums in money.items()
        },
    }


def _canonical(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
