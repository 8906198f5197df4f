"""Which report is due. Pure: the moment is an argument, and what was sent is known elsewhere."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from acd.hours import Calendar
from nobat.figures import spans
from nobat.figures.spans import Interval, Span
from nobat.timetables import shown_first


@dataclass(frozen=True, slots=True)
class Due:
    """The report of ``span`` is to be sent at ``at``, seconds since the epoch."""

    span: Span
    at: float


def last_due(every: Interval, clock: str, zone: ZoneInfo, calendar: Calendar, now: float) -> Due:
    """The newest report whose time has come: of the last whole day, week or month.

    Where clocks are set forward past ``clock``, the time comes with that jump.
    """
    hours, _, minutes = clock.partition(":")
    first = spans.first_day(datetime.fromtimestamp(now, zone).date(), every, calendar)
    while (at := shown_first(zone, first, int(hours) * 60 + int(minutes))) > now:
        first = _before(first, every, calendar)
    return Due(Span(spans.midnight(_before(first, every, calendar), zone), spans.midnight(first, zone)), at)


def _before(first: date, every: Interval, calendar: Calendar) -> date:
    return spans.first_day(first - timedelta(days=1), every, calendar)
