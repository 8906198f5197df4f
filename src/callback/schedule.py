"""Callbacks at a chosen time: from a window on somebody's clock to two instants; and hours in which nobody is called.

A window is kept as people chose it (local date and times, and a zone), so that new rules of a zone move it; its instants are worked
out when it is promised, and again by each start of the service (``nobat.callback_windows``). Clocks are set twice a year: a time
that a day does not have becomes the first instant after the gap, a time that it has twice the first of the two. Begin and end are
one instant each, whatever the clock shows how often, so a customer is due once (``callback.promising`` puts him into the line
then, and ends what is not kept within the window).

Zones come in as ``tzinfo``: this module knows arithmetic only. ``nobat`` finds the zone and hands over the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

STEP_S = 1
LONGEST_S = 24 * 3600.0
FURTHEST_DAYS = 90


@dataclass(frozen=True, slots=True)
class Window:
    """From ``begin`` to ``end`` on the clocks of one place; an end that is not after the begin is on the next day."""

    day: date
    begin: time
    end: time


@dataclass(frozen=True, slots=True)
class Instants:
    """Seconds since the epoch. ``due_from`` is before ``due_until``, always."""

    due_from: float
    due_until: float


def instants(window: Window, zone: tzinfo) -> Instants:
    """When a window is. One that lies in a gap as a whole begins behind it and is as long as it was meant to be."""
    begin = datetime.combine(window.day, window.begin)
    end = datetime.combine(window.day, window.end)
    if end <= begin:
        end += timedelta(days=1)
    due_from, due_until = first_instant(begin, zone), first_instant(end, zone)
    if due_until <= due_from:
        due_until = due_from + (end - begin).total_seconds()
    return Instants(due_from, due_until)


def written(window: Window) -> str:
    """As it is kept: ``2026-11-25 10:00 11:00``."""
    return f"{window.day.isoformat()} {window.begin:%H:%M} {window.end:%H:%M}"


def read(text: str) -> Window:
    """What ``written`` has made."""
    day, begin, end = text.split()
    return Window(date.fromisoformat(day), time.fromisoformat(begin), time.fromisoformat(end))


def first_instant(local: datetime, zone: tzinfo) -> float:
    """The first instant at which the clocks of ``zone`` show ``local`` or, where they skip it, something later."""
    wanted = local.replace(tzinfo=None, fold=0)
    instant = wanted.replace(tzinfo=zone).timestamp()
    if _shown(instant, zone) == wanted:
        return instant
    return _after_gap(wanted, zone)


def _after_gap(wanted: datetime, zone: tzinfo) -> float:
    """The clocks jump over ``wanted``: find the jump, between an instant that shows less and one that shows more."""
    by_rules = [wanted.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)]
    before, after = min(by_rules), max(by_rules)  # read by the rules after and before the jump
    while after - before > STEP_S:
        middle = (before + after) // 2
        if _shown(middle, zone) < wanted:
            before = middle
        else:
            after = middle
    return after


def _shown(instant: float, zone: tzinfo) -> datetime:
    """What the clocks of ``zone`` show."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone).replace(tzinfo=None)


def may_be_promised(found: Instants, now: float) -> bool:
    """Whether a window is not over, not longer than a day and not too far away."""
    too_long = found.due_until - found.due_from > LONGEST_S + 2 * 3600
    too_far = found.due_from > now + FURTHEST_DAYS * 86_400
    return not (too_long or too_far or found.due_until <= now)


# ---------------------------------------------------------------- hours in which nobody is called


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the day, on the number's own clocks, between which it is not called; equal ones: never quiet."""

    begin: int = 21 * 60
    end: int = 9 * 60

    @classmethod
    def between(cls, begin: str, end: str) -> "Quiet":
        """From two times as they are written: ``21:00``."""
        return cls(*(int(text[:2]) * 60 + int(text[3:]) for text in (begin, end)))

    def holds(self, minute: int) -> bool:
        """Whether that minute of the day is one of them."""
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def is_quiet(at: float, zones: Sequence[tzinfo], quiet: Quiet) -> bool:
    """Whether ``at`` lies in the quiet hours somewhere where the number may be."""
    return any(quiet.holds(_minute_of_day(at, zone)) for zone in zones)


def may_be_called_at(at: float, zones: Sequence[tzinfo], quiet: Quiet) -> float | None:
    """``at``, or the first quarter of an hour afterwards at which it is quiet in none of ``zones``; None within two days."""
    if not is_quiet(at, zones, quiet):
        return at
    quarter = at - at % 900
    for number in range(1, 2 * 96 + 1):
        if not is_quiet(quarter + 900 * number, zones, quiet):
            return quarter + 900 * number
    return None


def _minute_of_day(at: float, zone: tzinfo) -> int:
    shown = _shown(at, zone)
    return 60 * shown.hour + shown.minute
