"""What the pictures of a report show: all queues together, hour by hour of a day, day by day of more. Pure."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from acd.hours import Calendar
from nobat.figures.report import QueueFigures, total
from nobat.figures.spans import Interval, Span
from nobat.mail.chart import Bar
from nobat.timetables import jalali


def of(
    parts: Iterable[tuple[str, Span, QueueFigures]], zone: ZoneInfo, every: Interval, calendar: Calendar
) -> list[Bar]:
    """One bar for each hour or day, in order."""
    by_begin: dict[int, list[QueueFigures]] = {}
    for _, span, figures in parts:
        by_begin.setdefault(span.begin, []).append(figures)
    bars = []
    for begin in sorted(by_begin):
        figures = total(by_begin[begin])
        counts = figures.counts
        other = counts.overflowed + counts.deferred + counts.lost
        label = _label(datetime.fromtimestamp(begin, zone), every, calendar)
        bars.append(Bar(label, counts.answered, counts.abandoned, other, figures.levels.primary))
    return bars


def _label(local: datetime, every: Interval, calendar: Calendar) -> str:
    """The hour of a day, or the day by the calendar of the report."""
    if every is Interval.DAY:
        return str(local.hour)
    return str(jalali(local.date())[2] if calendar is Calendar.JALALI else local.day)
