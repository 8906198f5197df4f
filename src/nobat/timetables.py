"""From the hours that people write to instants: time zones, days on which clocks are set, and the Jalali calendar.

A queue opens when the clock on the wall shows its opening time for the first time, and closes when it shows the closing time for
the last; where clocks are set forward past either, it happens at that jump. ``nobat.catalogue`` asks at each change and again
every hour.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from persiantools.jdatetime import JalaliDate

from acd.hours import Calendar, Day, Hours, Instants, Minutes, Timetable

DAYS_AHEAD = 35
_BEFORE = 2  # days: hours that began before may go on
_ALL_DAY: tuple[Minutes, ...] = ((0, 24 * 60),)


def timetable(hours: Hours, timezone: str, now: float, days_ahead: int = DAYS_AHEAD) -> Timetable | None:
    """The coming weeks; None for a queue that is always open. A zone that this machine does not know counts as UTC."""
    if hours.always:
        return None
    zone = _zone(timezone)
    first = datetime.fromtimestamp(now, zone).date() - timedelta(days=_BEFORE)
    opens: list[Instants] = []
    holidays: list[Instants] = []
    for number in range(_BEFORE + days_ahead):
        day = first + timedelta(days=number)
        opens.extend((shown_first(zone, day, start), _shown_last(zone, day, end)) for start, end in _spans(hours, day))
        if any(falls_on(holiday, day) for holiday in hours.holidays):
            holidays.append((shown_first(zone, day, 0), shown_first(zone, day, 24 * 60)))
    until = shown_first(zone, first + timedelta(days=_BEFORE + days_ahead), 0)
    return Timetable(_joined(opens), _joined(holidays), until)


def begins(zone: tzinfo, day: date) -> float:
    """When ``day`` begins by the clock on the wall."""
    return shown_first(zone, day, 0)


def jalali(day: date) -> tuple[int, int, int]:
    """Year, month and day of the Jalali calendar."""
    found = JalaliDate(day)  # type: ignore[no-untyped-call] # its overloads have no types
    return found.year, found.month, found.day


def of_jalali(year: int, month: int, day: int) -> date:
    """The Gregorian date of a Jalali one."""
    found: date = JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
    return found


def falls_on(day: Day, gregorian: date) -> bool:
    """Whether a configured day is this date."""
    if day.calendar is Calendar.JALALI:
        year, month, number = jalali(gregorian)
    else:
        year, month, number = gregorian.year, gregorian.month, gregorian.day
    return (day.month, day.day) == (month, number) and day.year in (None, year)


def exists(day: Day) -> bool:
    """Whether there is such a date, in some year at least."""
    if day.calendar is Calendar.JALALI:
        return bool(JalaliDate.check_date(day.year if day.year is not None else 1403, day.month, day.day))
    try:
        date(day.year if day.year is not None else 2024, day.month, day.day)
    except ValueError:
        return False
    return True


def _spans(hours: Hours, day: date) -> tuple[Minutes, ...]:
    for exception, spans in hours.exceptions:
        if falls_on(exception, day):
            return spans
    if any(falls_on(holiday, day) for holiday in hours.holidays):
        return ()
    return hours.weekly[day.weekday()] if hours.weekly is not None else _ALL_DAY


def _wall(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def shown_first(zone: tzinfo, day: date, minutes: int) -> float:
    """When the clock first shows so many minutes after midnight on ``day``; or the jump that leaves that out."""
    return _instant(zone, _wall(day, minutes))


def _shown_last(zone: tzinfo, day: date, minutes: int) -> float:
    return _instant(zone, _wall(day, minutes).replace(fold=1))


def _instant(zone: tzinfo, wall: datetime) -> float:
    """When the clock shows ``wall``, by its fold the first or the last time; or the jump that leaves it out."""
    at = wall.replace(tzinfo=zone).timestamp()
    if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == wall.replace(fold=0):
        return at
    before, after = sorted(int(wall.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return float(after)


def _joined(spans: Iterable[Instants]) -> tuple[Instants, ...]:
    """In order, without those that are empty, and as one what touches."""
    joined: list[Instants] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
