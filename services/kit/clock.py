"""The time, as the programs see it: UTC instants in whole milliseconds, days in Asia/Shanghai."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_OFFSET = re.compile(r"^(-?\d+)([dhms])$")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def offset(text: object) -> timedelta:
    """`20d`, `-3h`, `90s` as a timedelta; for rehearsing what happens later.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(text, timedelta):
        return text
    found = _OFFSET.match(str(text))
    if not found:
        raise ValueError("give a whole number and d, h, m or s, such as 20d")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})


class Clock:
    """Now, shifted by `JIEDUI_CLOCK_OFFSET`."""

    def __init__(self, shift: timedelta = timedelta()) -> None:
        self._shift = shift

    def now(self) -> datetime:
        """MongoDB keeps milliseconds, so an instant must not have more, or it would change when it is read back."""
        moment = datetime.now(UTC) + self._shift
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def today(self) -> date:
        return day_of(self.now())


def day_of(moment: datetime) -> date:
    """The day in Asia/Shanghai on which an instant falls."""
    return moment.astimezone(SHANGHAI).date()


def rfc3339(moment: datetime) -> str:
    """`2020-10-26T03:04:05.678Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Back from RFC 3339, to the millisecond.

    Raises:
        ValueError: not an instant with its offset from UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC, such as Z or +08:00")
    moment = moment.astimezone(UTC)
    finer = moment.microsecond % 1000
    return moment - timedelta(microseconds=finer) if finer else moment
