"""English: *one hundred and twenty-three*; *ten oh five in the morning*. Used by ``acd.speech.sayings`` alone."""

from acd.speech.prompts import Message, Prompt, Word, number, word

Time = tuple[int, int, Word | None]
"""Hour, minute and part of the day."""


def cardinal(value: int) -> tuple[Prompt, ...]:
    """The words of ``value``, with *and* before the tens and ones, as in British English."""
    thousands, rest = divmod(value, 1000)
    if not thousands:
        return _below_thousand(value)
    said = (*_below_thousand(thousands), number(1000))
    if not rest:
        return said
    link = (word(Word.AND),) if rest < 100 else ()
    return (*said, *link, *_below_thousand(rest))


def _below_thousand(value: int) -> tuple[Prompt, ...]:
    hundreds, rest = value - value % 100, value % 100
    if not hundreds:
        return _below_hundred(value)
    return (number(hundreds), word(Word.AND), *_below_hundred(rest)) if rest else (number(hundreds),)


def _below_hundred(value: int) -> tuple[Prompt, ...]:
    if value <= 20 or value % 10 == 0:
        return (number(value),)
    return number(value - value % 10), number(value % 10)


def clock(hour: int, minute: int, part_of_day: Word | None) -> tuple[Prompt, ...]:
    """*At ten twenty in the morning*; without a part of the day *at fourteen twenty*."""
    return (word(Word.AT), *_time(hour, minute), *_day(part_of_day))


def called_between(begin: Time, end: Time) -> tuple[Prompt, ...]:
    """*We will call you between ten twenty and ten thirty-five in the morning*: the part of the day once, if it is one."""
    first = () if begin[2] is end[2] else _day(begin[2])
    between = (word(Word.BETWEEN), *_time(*begin[:2]), *first, word(Word.RANGE_TO), *_time(*end[:2]), *_day(end[2]))
    return (word(Message.CALLBACK_WILL_CALL), *between)


def _time(hour: int, minute: int) -> tuple[Prompt, ...]:
    if minute == 0:
        return (*cardinal(hour), word(Word.O_CLOCK))
    if minute < 10:
        return (*cardinal(hour), word(Word.DIGIT_ZERO), number(minute))
    return (*cardinal(hour), *cardinal(minute))


def _day(part_of_day: Word | None) -> tuple[Prompt, ...]:
    return (word(part_of_day),) if part_of_day else ()
