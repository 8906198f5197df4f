"""What can be said to a caller or an agent, and how: ``say(Announcement(...), "fa")`` gives the prompts in order.

The sentences around numbers have the same order in both languages, so only numbers and clock times have a grammar of their own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from acd.forecast import Growth, Promise
from acd.speech import english, persian
from acd.speech.prompts import LARGEST, Message, Prompt, Word, as_ordinal, number, word

LONGEST_RANGE_S: Final = 5400.0
"""Beyond an hour and a half no end of the wait is told, only that it is long."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Where languages differ."""

    cardinal: Callable[[int], tuple[Prompt, ...]]
    clock: Callable[[int, int, Word | None], tuple[Prompt, ...]]
    called_between: Callable[[tuple[int, int, Word | None], tuple[int, int, Word | None]], tuple[Prompt, ...]]


GRAMMARS: Final = {
    "en": Grammar(english.cardinal, english.clock, english.called_between),
    "fa": Grammar(persian.cardinal, persian.clock, persian.called_between),
}


@dataclass(frozen=True, slots=True)
class Number:
    value: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the line, from 1."""

    place: int


@dataclass(frozen=True, slots=True)
class ExpectedWait:
    """Between ``low_s`` and ``high_s`` from now."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Duration:
    """Whole minutes; hours are told from sixty on."""

    minutes: int


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A local time. ``twelve``: twelve hours and a part of the day, else 0 to 23."""

    hour: int
    minute: int
    twelve: bool = True


@dataclass(frozen=True, slots=True)
class CalledBetween:
    """When somebody will be called back, by local times."""

    begin: ClockTime
    end: ClockTime


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """Read back digit by digit, in groups. Anything but digits and a leading plus is not said."""

    digits: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a waiting caller is told: the place, and if it is known the wait; why it grew comes before the longer wait."""

    place: int | None
    wait: ExpectedWait | None = None
    because: Growth | None = None

    @classmethod
    def of(cls, promise: Promise) -> "Announcement":
        return cls(promise.ahead + 1, ExpectedWait(promise.low_s, promise.high_s), promise.because)


Saying = Message | Number | Position | ExpectedWait | Duration | ClockTime | CalledBetween | PhoneNumber | Announcement

REASONS: Final = {
    Growth.FEWER_AGENTS: Message.LONGER_FEWER_AGENTS,
    Growth.URGENT_CALLERS: Message.LONGER_URGENT_CALLERS,
    Growth.LONGER_CALLS: Message.LONGER_LONG_CALLS,
}


def say(saying: Saying, language: str) -> tuple[Prompt, ...]:
    """The prompts for ``saying``. ``language`` is Asterisk's (``fa``, ``en_GB``); an unknown one has English grammar."""
    grammar = GRAMMARS.get(language.partition("_")[0], GRAMMARS["en"])
    match saying:
        case Message():
            return (word(saying),)
        case Number(value):
            return grammar.cardinal(_sayable(value))
        case Position(place):
            return _position(place, grammar)
        case ExpectedWait(low_s, high_s):
            return _wait(low_s, high_s, grammar)
        case Duration(minutes):
            return _duration(minutes, grammar)
        case ClockTime():
            return _clock(saying, grammar)
        case CalledBetween(begin, end):
            return grammar.called_between(_shown(begin), _shown(end))
        case PhoneNumber(digits):
            return _phone_number(digits)
        case Announcement(place, wait, because):
            reason = (word(REASONS[because]),) if because else ()
            position = _position(place, grammar) if place is not None else ()
            return (*position, *reason, *(_wait(wait.low_s, wait.high_s, grammar) if wait else ()))


def _sayable(value: int) -> int:
    if not 0 <= value <= LARGEST:
        raise ValueError(f"only numbers from 0 to {LARGEST} can be said, not {value}")
    return value


def _position(place: int, grammar: Grammar) -> tuple[Prompt, ...]:
    if place == 1:
        return (word(Message.YOU_ARE_NEXT),)
    if place < 1:
        raise ValueError(f"places in a line begin at 1, not {place}")
    return word(Word.YOU_ARE), *as_ordinal(grammar.cardinal(_sayable(place))), word(Word.IN_LINE)


def _wait(low_s: float, high_s: float, grammar: Grammar) -> tuple[Prompt, ...]:
    """Rounded outwards, so that no rounding breaks what was told: a later end is never said of an earlier one."""
    low, high = _rounded(low_s, math.floor), _rounded(high_s, math.ceil)
    if high <= 1:
        return (word(Message.WAIT_UNDER_A_MINUTE),)
    if high_s > LONGEST_RANGE_S:
        return _long_wait(low, grammar)
    if low == 0:
        said = (word(Word.LESS_THAN), *grammar.cardinal(high))
    elif low == high:
        said = (word(Word.ABOUT), *grammar.cardinal(high))
    else:
        said = (word(Word.BETWEEN), *grammar.cardinal(low), word(Word.RANGE_TO), *grammar.cardinal(high))
    return word(Word.WAIT_IS), *said, word(Word.MINUTES_END)


def _long_wait(low: int, grammar: Grammar) -> tuple[Prompt, ...]:
    if low >= 60:
        return (word(Message.WAIT_OVER_AN_HOUR),)
    if low < 2:
        return ()  # anything from now to hours: that is no news
    return word(Word.WAIT_IS), word(Word.MORE_THAN), *grammar.cardinal(low), word(Word.MINUTES_END)


def _rounded(seconds: float, towards: Callable[[float], int]) -> int:
    """Minutes; in steps of five from ten minutes on, of fifteen from an hour on: nobody believes *thirty-seven minutes*."""
    minutes = round(seconds / 60, 3)
    step = 1 if minutes <= 10 else 5 if minutes <= 60 else 15
    return towards(minutes / step) * step


def _duration(minutes: int, grammar: Grammar) -> tuple[Prompt, ...]:
    hours, rest = divmod(_sayable(minutes), 60)
    said: tuple[Prompt, ...] = ()
    if hours:
        said = (*grammar.cardinal(hours), word(Word.HOUR if hours == 1 else Word.HOURS))
    if rest or not hours:
        link = (word(Word.AND),) if said else ()
        said = (*said, *link, *grammar.cardinal(rest), word(Word.MINUTE if rest == 1 else Word.MINUTES))
    return said


def _clock(time: ClockTime, grammar: Grammar) -> tuple[Prompt, ...]:
    return grammar.clock(*_shown(time))


def _shown(time: ClockTime) -> tuple[int, int, Word | None]:
    """Hour, minute and part of the day as they are said."""
    if not (0 <= time.hour < 24 and 0 <= time.minute < 60):
        raise ValueError(f"{time.hour}:{time.minute} is no time of day")
    if not time.twelve:
        return time.hour, time.minute, None
    return time.hour % 12 or 12, time.minute, _part_of_day(time.hour)


def _part_of_day(hour: int) -> Word:
    for before, part in (
        (4, Word.SMALL_HOURS),
        (12, Word.MORNING),
        (13, Word.NOON),
        (17, Word.AFTERNOON),
        (20, Word.EVENING),
    ):
        if hour < before:
            return part
    return Word.NIGHT


def _phone_number(text: str) -> tuple[Prompt, ...]:
    digits = [character for character in text if character in "0123456789"]
    said = [word(Word.PLUS)] if text.startswith("+") else []
    for index, group in enumerate(_groups(digits)):
        if index:
            said.append(word(Word.PAUSE))
        said += [word(Word.DIGIT_ZERO) if digit == "0" else number(int(digit)) for digit in group]
    return tuple(said)


def _groups(digits: list[str]) -> list[list[str]]:
    """Threes, with two to four at the end; eleven digits as Iranian mobile numbers are spoken: 0912 345 67 89."""
    if len(digits) == 11:
        return [digits[:4], digits[4:7], digits[7:9], digits[9:]]
    groups = []
    while len(digits) > 4:
        groups.append(digits[:3])
        digits = digits[3:]
    return [*groups, digits] if digits else groups
