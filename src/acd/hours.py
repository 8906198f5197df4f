"""When a queue is open: what was configured, and the instants that came of it.

``Hours`` is what people wrote: hours of the week, holidays, days with hours of their own. Which instants that makes depends on
time zones and calendars, which are outside (``nobat.timetables``); the floor gets a ``Timetable`` of plain instants.
"""

from bisect import bisect_right
from dataclasses import dataclass

from acd.words import Word

Minutes = tuple[int, int]
"""From … to, in minutes after midnight by the clock on the wall. ``to`` is larger, and past 1440 on the next day."""

Instants = tuple[float, float]


class Calendar(Word):
    """How a date is meant."""

    GREGORIAN = "gregorian"
    JALALI = "jalali"


@dataclass(frozen=True, slots=True)
class Day:
    """A date; ``year`` None: every year."""

    month: int
    day: int
    year: int | None = None
    calendar: Calendar = Calendar.GREGORIAN
    name: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """``weekly`` from Monday on, None: always open. A holiday is closed, an exception has the hours that it names.

    Hours belong to the day on which they begin: those that go on past midnight end as they would have, whatever the next day is.
    """

    weekly: tuple[tuple[Minutes, ...], ...] | None = None
    holidays: tuple[Day, ...] = ()
    exceptions: tuple[tuple[Day, tuple[Minutes, ...]], ...] = ()
    lists: tuple[str, ...] = ()  # names of lists of holidays that several queues keep

    @property
    def always(self) -> bool:
        """Whether there is nothing to look up."""
        return self == ALWAYS


ALWAYS = Hours()


@dataclass(frozen=True, slots=True)
class Timetable:
    """Instants from … to, in order and apart from each other; known up to ``until``, and open after that."""

    opens: tuple[Instants, ...]
    holidays: tuple[Instants, ...]
    until: float

    def is_open(self, now: float) -> bool:
        """Whether callers are taken at ``now``."""
        return now >= self.until or _within(self.opens, now)

    def is_holiday(self, now: float) -> bool:
        """Whether ``now`` is on a holiday."""
        return _within(self.holidays, now)

    def next_change(self, now: float) -> float | None:
        """When it opens or closes next; None when that is not known."""
        at = bisect_right(self.opens, now, key=lambda one: one[0])
        if at and now < self.opens[at - 1][1]:
            change = self.opens[at - 1][1]
        elif at < len(self.opens):
            change = self.opens[at][0]
        else:
            return None
        return change if change < self.until else None


def _within(spans: tuple[Instants, ...], now: float) -> bool:
    at = bisect_right(spans, now, key=lambda one: one[0])
    return at > 0 and now < spans[at - 1][1]
