"""What a picture of a report shows: all queues together, hour by hour of a day, day by day of more. Pure."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from nobat.figures.report import QueueFigures, total
from nobat.figures.spans import Interval, Span
from nobat.mail.chart import Bar


def of(parts: Iterable[tuple[str, Span, QueueFigures]], zone: ZoneInfo, every: Interval) -> list[Bar]:
    """One bar for each hour or day, in order."""
    by_begin: dict[int, list[QueueFigures]] = {}
    for _, span, figures in parts:
        by_begin.setdefault(span.begin, []).append(figures)
    bars = []
    for begin in sorted(by_begin):
        counts = total(by_begin[begin]).counts
        local = datetime.fromtimestamp(begin, zone)
        label = str(local.hour) if every is Interval.DAY else str(local.day)
        other = counts.overflowed + counts.deferred + counts.lost
        bars.append(Bar(label, counts.answered, counts.abandoned, other))
    return bars
