"""Spans of time as people count them: quarters of an hour, hours, days, weeks, months, by the clock on some wall. Pure.

A day on which clocks change has 23 or 25 hours here, and its hours are the hours that passed. Weeks begin on Saturday in the Jalali
calendar and on Monday in the Gregorian one; Jalali months are Persian ones.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from acd.hours import Calendar
from acd.sla import INTERVAL_S
from nobat.timetables import begins, jalali, of_jalali

_HOUR_S = 3600
_SATURDAY = 5


class Interval(Enum):
    """How long one row of a report is. ``TOTAL``: the whole span is one row."""

    QUARTER = "15m"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Span:
    """[``begin``, ``end``) in seconds since the epoch, whole quarters of an hour."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a span: row i is [``starts[i]``, ``starts[i + 1]``), the last ends with the span."""

    span: Span
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, start: int) -> int:
        """The row in which the quarter that begins at ``start`` lies."""
        return bisect_right(self.starts, start) - 1

    def span_of(self, row: int) -> Span:
        end = self.starts[row + 1] if row + 1 < len(self.starts) else self.span.end
        return Span(self.starts[row], end)


def rows(span: Span, interval: Interval, zone: ZoneInfo, calendar: Calendar = Calendar.GREGORIAN) -> Rows:
    """``span`` cut where intervals begin by the clock of ``zone``."""
    if interval is Interval.TOTAL or span.begin >= span.end:
        return Rows(span, (span.begin,))
    if interval in (Interval.QUARTER, Interval.HOUR):
        return Rows(span, tuple(_by_the_hand(span, interval, zone)))
    starts = [span.begin]
    day = datetime.fromtimestamp(span.begin, zone).date()
    while True:
        day = _following(day, interval, calendar)
        start = midnight(day, zone)
        if start >= span.end:
            return Rows(span, tuple(starts))
        if start > starts[-1]:
            starts.append(start)


def midnight(day: date, zone: ZoneInfo) -> int:
    """When ``day`` begins in ``zone``: where clocks skip midnight, with the jump. Rounded up to a quarter of an hour."""
    return -(-int(begins(zone, day)) // INTERVAL_S) * INTERVAL_S


def _by_the_hand(span: Span, interval: Interval, zone: ZoneInfo) -> Iterator[int]:
    """Quarters are the same everywhere; hours begin at the full hour of the wall clock, half an hour off in Tehran."""
    yield span.begin
    for start in range(span.begin + INTERVAL_S, span.end, INTERVAL_S):
        if interval is Interval.QUARTER or _minutes(start, zone) == 0:
            yield start


def _minutes(at: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(at, zone).minute


def first_day(day: date, interval: Interval, calendar: Calendar) -> date:
    """The first day of the day, week or month in which ``day`` lies."""
    if interval is Interval.DAY:
        return day
    if interval is Interval.WEEK:
        first = _SATURDAY if calendar is Calendar.JALALI else 0
        return day - timedelta(days=(day.weekday() - first) % 7)
    if calendar is Calendar.JALALI:
        year, month, _ = jalali(day)
        return of_jalali(year, month, 1)
    return day.replace(day=1)


def _following(day: date, interval: Interval, calendar: Calendar) -> date:
    """The first day of the interval after the one in which ``day`` lies."""
    longest = {Interval.DAY: 1, Interval.WEEK: 7}.get(interval, 32)
    return first_day(first_day(day, interval, calendar) + timedelta(days=longest), interval, calendar)


def written(at: int, zone: ZoneInfo, calendar: Calendar) -> str:
    """A moment as a report shows it: the date in its calendar, the time of the wall clock."""
    local = datetime.fromtimestamp(at, zone)
    day = local.date()
    year, month, number = jalali(day) if calendar is Calendar.JALALI else (day.year, day.month, day.day)
    return f"{year:04}-{month:02}-{number:02} {local:%H:%M}"


def offset(at: int, zone: ZoneInfo) -> str:
    """How far the wall clock is ahead of UTC: two zones in one report, and an hour that comes twice, are told apart by it."""
    return f"UTC{datetime.fromtimestamp(at, zone).isoformat()[19:]}"


def ceiling(at: float) -> int:
    """The end of the quarter in which ``at`` lies, or ``at`` where one ends."""
    return int(-(-at // INTERVAL_S)) * INTERVAL_S
