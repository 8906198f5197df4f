"""Which report is due."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from acd.hours import Calendar
from nobat.figures.spans import Interval, written
from nobat.mail.schedule import last_due

TEHRAN, BERLIN = ZoneInfo("Asia/Tehran"), ZoneInfo("Europe/Berlin")


def due(every: Interval, now: str, zone: ZoneInfo = TEHRAN, calendar: Calendar = Calendar.GREGORIAN) -> tuple[str, str]:
    found = last_due(every, "07:00", zone, calendar, datetime.fromisoformat(now).replace(tzinfo=zone).timestamp())
    first, end = (written(at, zone, calendar) for at in (found.span.begin, found.span.end))
    assert first.endswith("00:00")
    assert end.endswith("00:00")
    return first[:10], end[:10]


@pytest.mark.parametrize(
    ("every", "now", "calendar", "span"),
    [
        (Interval.DAY, "2026-11-22T06:59:59", Calendar.GREGORIAN, ("2026-11-20", "2026-11-21")),
        (Interval.DAY, "2026-11-22T07:00:00", Calendar.GREGORIAN, ("2026-11-21", "2026-11-22")),
        (Interval.WEEK, "2026-11-22T12:00:00", Calendar.GREGORIAN, ("2026-11-09", "2026-11-16")),  # Monday to Monday
        (Interval.WEEK, "2026-11-22T12:00:00", Calendar.JALALI, ("1405-08-23", "1405-08-30")),  # Saturday to Saturday
        (Interval.WEEK, "2026-11-21T06:00:00", Calendar.JALALI, ("1405-08-16", "1405-08-23")),
        (Interval.MONTH, "2026-12-01T07:30:00", Calendar.GREGORIAN, ("2026-11-01", "2026-12-01")),
        (Interval.MONTH, "2026-11-22T07:30:00", Calendar.JALALI, ("1405-08-01", "1405-09-01")),
        (Interval.MONTH, "2026-03-21T08:00:00", Calendar.JALALI, ("1404-12-01", "1405-01-01")),
    ],
)
def test_the_newest_whole_one(every: Interval, now: str, calendar: Calendar, span: tuple[str, str]) -> None:
    assert due(every, now, TEHRAN, calendar) == span


def test_a_day_on_which_clocks_are_set_is_whole() -> None:
    now = datetime(2026, 3, 30, 8, tzinfo=BERLIN).timestamp()
    found = last_due(Interval.DAY, "02:30", BERLIN, Calendar.GREGORIAN, now)
    assert found.span.end - found.span.begin == 23 * 3600


def test_a_time_that_is_left_out_comes_with_the_jump() -> None:
    jump = datetime(2026, 3, 29, 3, tzinfo=BERLIN).timestamp()
    before = last_due(Interval.DAY, "02:30", BERLIN, Calendar.GREGORIAN, jump - 1)
    after = last_due(Interval.DAY, "02:30", BERLIN, Calendar.GREGORIAN, jump)
    assert (after.at, after.span.begin) == (jump, before.span.end)
