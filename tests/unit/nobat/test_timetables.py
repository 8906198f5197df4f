"""Hours against the slowest model there is: the clock on the wall, looked at in every minute of a year."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from acd.hours import Calendar, Day, Hours
from nobat.holiday_lists import HolidayListSettings, kept
from nobat.limit_json import hours_json, hours_of
from nobat.timetables import exists, falls_on, timetable

YEAR = 2025
START = datetime(YEAR, 1, 1, tzinfo=UTC).timestamp()
MINUTES = 366 * 24 * 60
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tehran", "Australia/Lord_Howe", "UTC")


@cache
def walls(zone: str) -> list[datetime]:
    """What the clock on the wall shows, minute by minute, from some days before the year on."""
    place = ZoneInfo(zone)
    return [datetime.fromtimestamp(START + 60 * at, place).replace(tzinfo=None, fold=0) for at in range(-4320, MINUTES)]


@cache
def shown(zone: str) -> tuple[dict[datetime, int], dict[datetime, int]]:
    """For each time that the clock shows: the first and the last minute at which it does."""
    first: dict[datetime, int] = {}
    last: dict[datetime, int] = {}
    for at, wall in enumerate(walls(zone)):
        first.setdefault(wall, at)
        last[wall] = at
    return first, last


def _minute(times: dict[datetime, int], wall: datetime) -> int:
    """At a jump past ``wall``, the first minute after it."""
    while wall not in times:
        wall += timedelta(minutes=1)
    return times[wall]


def slow_model(hours: Hours, zone: str) -> list[bool]:
    """Open or not, for every minute."""
    first, last = shown(zone)
    is_open = [False] * len(walls(zone))
    for number in range(-1, 365):
        day = date(YEAR, 1, 1) + timedelta(days=number)
        midnight = datetime.combine(day, time())
        for start, end in _spans(hours, day):
            opens = _minute(first, midnight + timedelta(minutes=start))
            closes_wall = midnight + timedelta(minutes=end)
            closes = _minute(last if closes_wall in last else first, closes_wall)
            is_open[opens:closes] = [True] * max(0, closes - opens)
    return is_open


def _spans(hours: Hours, day: date) -> tuple[tuple[int, int], ...]:
    """Said again, apart from the code under test."""
    named = [spans for exception, spans in hours.exceptions if _is(exception, day)]
    if named:
        return named[0]
    if any(_is(holiday, day) for holiday in hours.holidays):
        return ()
    return ((0, 1440),) if hours.weekly is None else hours.weekly[day.weekday()]


def _is(one: Day, day: date) -> bool:
    if one.calendar is Calendar.JALALI:
        jalali = JalaliDate(day)
        return (one.month, one.day) == (jalali.month, jalali.day) and one.year in (None, jalali.year)
    return (one.month, one.day) == (day.month, day.day) and one.year in (None, day.year)


spans = st.tuples(st.integers(0, 95), st.integers(1, 96)).map(lambda one: (15 * one[0], 15 * (one[0] + one[1])))
days = st.one_of(
    st.dates(date(YEAR, 1, 1), date(YEAR, 12, 31)).map(lambda one: Day(one.month, one.day, one.year)),
    st.dates(date(YEAR, 1, 1), date(YEAR, 12, 31)).map(lambda one: Day(one.month, one.day)),
    st.tuples(st.integers(1, 12), st.integers(1, 29)).map(lambda one: Day(*one, calendar=Calendar.JALALI)),
)
hours_of_a_site = st.builds(
    Hours,
    st.none() | st.tuples(*[st.lists(spans, max_size=3).map(tuple)] * 7),
    st.lists(days, max_size=8).map(tuple),
    st.lists(st.tuples(days, st.lists(spans, max_size=2).map(tuple)), max_size=4).map(tuple),
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(hours_of_a_site, st.sampled_from(ZONES))
def test_every_minute_of_a_year_is_as_the_clock_on_the_wall_says(hours: Hours, zone: str) -> None:
    made = timetable(hours, zone, START, days_ahead=362)
    if made is None:
        assert hours == Hours()
        return
    expected = slow_model(hours, zone)[4320:]
    for at in range(2 * 1440, 360 * 1440):
        assert made.is_open(START + 60 * at) == expected[at], walls(zone)[at + 4320]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(hours_of_a_site, st.sampled_from(ZONES))
def test_the_next_change_is_where_open_turns_into_closed_or_back(hours: Hours, zone: str) -> None:
    made = timetable(hours, zone, START)
    now = START
    while made is not None and (change := made.next_change(now)) is not None:
        assert change > now
        assert made.is_open(change) is not made.is_open(change - 1)
        assert all(made.is_open(now + part * (change - now) / 7) == made.is_open(now) for part in range(7))
        now = change


@settings(max_examples=50, deadline=None, derandomize=True)
@given(hours_of_a_site)
def test_hours_survive_being_written_down(hours: Hours) -> None:
    again = hours_of(hours_json(hours))
    assert timetable(again, "Europe/Berlin", START) == timetable(hours, "Europe/Berlin", START)


def _berlin(*when: int) -> float:
    return datetime(*when, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()  # type: ignore[arg-type, misc]


def test_the_night_on_which_clocks_go_forward() -> None:
    made = timetable(Hours((((120, 240), (150, 160)),) * 7), "Europe/Berlin", _berlin(2026, 3, 28))
    assert made is not None
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()  # 02:00 becomes 03:00
    assert not made.is_open(jump - 1)
    assert made.is_open(jump)
    assert made.next_change(jump) == jump + 3600


def test_the_night_on_which_clocks_go_back() -> None:
    made = timetable(Hours((((150, 165),),) * 7), "Europe/Berlin", _berlin(2026, 10, 24))
    assert made is not None
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()  # 02:30, and an hour later 02:30 again
    assert made.is_open(first)
    assert made.next_change(first) == first + 3600 + 900


def test_hours_go_on_past_midnight_into_a_holiday() -> None:
    hours = Hours((((22 * 60, 30 * 60),),) * 7, holidays=(Day(12, 25),))
    made = timetable(hours, "Europe/Berlin", _berlin(2026, 12, 24, 12))
    assert made is not None
    assert made.is_open(_berlin(2026, 12, 25, 5))
    assert not made.is_open(_berlin(2026, 12, 25, 6))
    assert not made.is_open(_berlin(2026, 12, 25, 23))
    assert made.is_holiday(_berlin(2026, 12, 25, 23))
    assert not made.is_holiday(_berlin(2026, 12, 26, 0))


@pytest.mark.parametrize(
    ("jalali", "gregorian"),
    [((1404, 1, 1), date(2025, 3, 21)), ((1403, 12, 30), date(2025, 3, 20)), ((1405, 1, 1), date(2026, 3, 21)),
     ((1405, 7, 30), date(2026, 10, 22)), ((1399, 12, 30), date(2021, 3, 20)), ((1408, 12, 30), date(2030, 3, 20))],
)  # fmt: skip
def test_jalali_dates_are_those_of_the_calendar(jalali: tuple[int, int, int], gregorian: date) -> None:
    year, month, day = jalali
    assert falls_on(Day(month, day, year, Calendar.JALALI), gregorian)
    assert falls_on(Day(month, day, None, Calendar.JALALI), gregorian)
    assert not falls_on(Day(month, day, year, Calendar.JALALI), gregorian + timedelta(days=1))


def test_dates_that_never_come_are_known() -> None:
    assert exists(Day(12, 30, 1403, Calendar.JALALI))
    assert not exists(Day(12, 30, 1404, Calendar.JALALI))
    assert exists(Day(12, 30, None, Calendar.JALALI))
    assert not exists(Day(7, 31, None, Calendar.JALALI))
    assert exists(Day(2, 29))
    assert not exists(Day(2, 29, 2026))


def test_a_list_of_holidays_in_both_calendars() -> None:
    written = HolidayListSettings(name="iran", jalali=("01-01", "1405-06-12"), gregorian=("12-25",))
    lists = {"iran": written.days()}
    hours = Hours(holidays=(Day(5, 1),), lists=("iran", "nobody has written this"))
    whole = kept(hours, lists)
    noons = [(2026, 3, 21), (2026, 9, 3), (2026, 12, 25), (2026, 5, 1), (2026, 9, 4)]
    found = [
        timetable(whole, "UTC", datetime(*noon, 12, tzinfo=UTC).timestamp()).is_holiday(  # type: ignore[union-attr]
            datetime(*noon, 12, tzinfo=UTC).timestamp()
        )
        for noon in noons
    ]
    assert found == [True, True, True, True, False]
    assert hours_of(hours_json(hours)) == hours
    assert kept(Hours(), lists) == Hours()


@pytest.mark.parametrize(
    "dates", [{"jalali": ("1404-12-30",)}, {"gregorian": ("02-30",)}, {"gregorian": ("tomorrow",)}]
)
def test_a_list_of_holidays_has_only_dates_that_come(dates: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="there is no"):
        HolidayListSettings(name="odd", **dates)  # type: ignore[arg-type]
