"""Rows of a report: cut by the clock on the wall, days on which it changes included."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from acd.hours import Calendar
from nobat.figures.spans import Interval, Span, ceiling, offset, rows, written
from nobat.figures.stays import start_of

TEHRAN, BERLIN = ZoneInfo("Asia/Tehran"), ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def hours(span: Span, interval: Interval, zone: ZoneInfo, calendar: Calendar = Calendar.GREGORIAN) -> list[float]:
    cut = rows(span, interval, zone, calendar)
    spans = [cut.span_of(row) for row in range(len(cut))]
    assert spans[0].begin == span.begin
    assert spans[-1].end == span.end
    assert all(one.end == following.begin for one, following in pairwise(spans))
    return [(one.end - one.begin) / 3600 for one in spans]


def test_a_day_on_which_clocks_change_has_twenty_three_or_twenty_five_hours() -> None:
    assert hours(Span(at("2026-03-28"), at("2026-03-31")), Interval.DAY, BERLIN) == [24, 23, 24]
    assert hours(Span(at("2026-10-24"), at("2026-10-27")), Interval.DAY, BERLIN) == [24, 25, 24]
    assert len(hours(Span(at("2026-10-25"), at("2026-10-26")), Interval.HOUR, BERLIN)) == 25
    assert len(hours(Span(at("2026-03-29"), at("2026-03-30")), Interval.QUARTER, BERLIN)) == 23 * 4


def test_a_day_whose_midnight_is_skipped_begins_with_the_jump() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    span = Span(at("2026-03-28", beirut), at("2026-03-30", beirut))
    assert hours(span, Interval.DAY, beirut) == [24, 23]


def test_hours_begin_at_the_full_hour_of_the_wall() -> None:
    midnight = at("2026-11-22", TEHRAN)
    cut = rows(Span(midnight, midnight + 2 * 3600), Interval.HOUR, TEHRAN)
    assert [written(start, TEHRAN, Calendar.GREGORIAN) for start in cut.starts] == [
        "2026-11-22 00:00",
        "2026-11-22 01:00",
    ]
    assert midnight % 3600 == 1800


@pytest.mark.parametrize(
    ("calendar", "starts"),
    [
        (Calendar.GREGORIAN, ["2026-11-01", "2026-11-02", "2026-11-09"]),  # Monday
        (Calendar.JALALI, ["2026-11-01", "2026-11-07", "2026-11-14"]),  # Saturday
    ],
)
def test_weeks_begin_where_the_calendar_has_it(calendar: Calendar, starts: list[str]) -> None:
    cut = rows(Span(at("2026-11-01", TEHRAN), at("2026-11-15", TEHRAN)), Interval.WEEK, TEHRAN, calendar)
    assert [written(start, TEHRAN, Calendar.GREGORIAN)[:10] for start in cut.starts] == starts


def test_months_of_both_calendars() -> None:
    year = Span(at("2026-03-21", TEHRAN), at("2027-03-21", TEHRAN))  # 1 Farvardin 1405 to 30 Esfand 1405's end
    jalali = rows(year, Interval.MONTH, TEHRAN, Calendar.JALALI)
    assert [written(start, TEHRAN, Calendar.JALALI)[5:10] for start in jalali.starts] == [
        f"{month:02}-01" for month in range(1, 13)
    ]
    assert hours(year, Interval.MONTH, TEHRAN, Calendar.JALALI)[0] == 31 * 24
    gregorian = rows(Span(at("2026-12-30"), at("2027-02-02")), Interval.MONTH, BERLIN)
    assert [written(start, BERLIN, Calendar.GREGORIAN)[:10] for start in gregorian.starts] == [
        "2026-12-30",
        "2027-01-01",
        "2027-02-01",
    ]


def test_the_row_of_a_quarter_is_the_one_it_lies_in() -> None:
    span = Span(at("2026-10-24"), at("2026-10-27"))
    cut = rows(span, Interval.DAY, BERLIN)
    for start in range(span.begin, span.end, 900):
        row = cut.span_of(cut.of(start))
        assert row.begin <= start < row.end


def test_what_is_asked_for_is_widened_to_whole_quarters() -> None:
    assert (start_of(1801.5), ceiling(1801.5), start_of(1800), ceiling(1800)) == (1800, 2700, 1800, 1800)


NOWRUZ = {
    1398: "2019-03-21", 1399: "2020-03-20", 1400: "2021-03-21", 1401: "2022-03-21", 1402: "2023-03-21", 1403: "2024-03-20",
    1404: "2025-03-21", 1405: "2026-03-21", 1406: "2027-03-21", 1407: "2028-03-20", 1408: "2029-03-20", 1409: "2030-03-21",
}  # fmt: skip
LEAP = {1399, 1403, 1408}


@pytest.mark.parametrize("year", [year for year in NOWRUZ if year + 1 in NOWRUZ])
def test_a_persian_year_has_its_months(year: int) -> None:
    span = Span(at(NOWRUZ[year], TEHRAN), at(NOWRUZ[year + 1], TEHRAN))
    cut = rows(span, Interval.MONTH, TEHRAN, Calendar.JALALI)
    begins = [written(cut.span_of(row).begin, TEHRAN, Calendar.JALALI) for row in range(len(cut))]
    assert begins == [f"{year}-{month:02}-01 00:00" for month in range(1, 13)]
    days = [round((cut.span_of(row).end - cut.span_of(row).begin) / 86_400) for row in range(len(cut))]
    assert days == [31] * 6 + [30] * 5 + [30 if year in LEAP else 29]
    assert len(rows(span, Interval.DAY, TEHRAN, Calendar.JALALI)) == 365 + (year in LEAP)


def test_the_clock_by_which_a_row_is_written_is_told() -> None:
    assert offset(at("2026-11-22", TEHRAN), TEHRAN) == "UTC+03:30"
    assert offset(at("2021-06-01", TEHRAN), TEHRAN) == "UTC+04:30"  # when clocks were still set in Iran
    assert offset(at("2026-07-01", ZoneInfo("America/St_Johns")), ZoneInfo("America/St_Johns")) == "UTC-02:30"
    assert offset(0, ZoneInfo("UTC")) == "UTC+00:00"
