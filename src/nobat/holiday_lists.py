"""Lists of holidays that are written once, in the settings, and named by the queues that keep them.

``nobat.settings`` reads them, ``nobat.catalogue`` puts their days into a queue's hours before the timetable is worked out.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field, model_validator

from acd.hours import Calendar, Day, Hours
from nobat.settings_base import Section
from nobat.timetables import exists

HolidayLists = Mapping[str, tuple[Day, ...]]

_DATE = re.compile(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}")


class HolidayListSettings(Section):
    """Holidays that several queues keep: a queue names the list in `hours.lists`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    """What queues call it."""

    jalali: tuple[str, ...] = ()
    """Dates of the Jalali calendar: `01-01` comes every year, `1405-03-14` once."""

    gregorian: tuple[str, ...] = ()
    """Dates of the Gregorian calendar, likewise."""

    @model_validator(mode="after")
    def _there_are_such_dates(self) -> Self:
        for calendar, dates in ((Calendar.JALALI, self.jalali), (Calendar.GREGORIAN, self.gregorian)):
            for one in dates:
                if not _DATE.fullmatch(one) or not exists(_day(one, calendar)):
                    raise ValueError(f"there is no {calendar.value} date {one[:10]!r}")
        return self

    def days(self) -> tuple[Day, ...]:
        """As a queue's own holidays are kept."""
        return (
            *(_day(one, Calendar.JALALI) for one in self.jalali),
            *(_day(one, Calendar.GREGORIAN) for one in self.gregorian),
        )


def _day(date: str, calendar: Calendar) -> Day:
    *year, month, day = (int(part) for part in date.split("-"))
    return Day(month, day, year[0] if year else None, calendar)


def kept(hours: Hours, lists: HolidayLists) -> Hours:
    """``hours`` with the days of the lists that they name. A list that nobody has written has none."""
    days = tuple(day for name in hours.lists for day in lists.get(name, ()))
    return replace(hours, holidays=(*hours.holidays, *days)) if days else hours
