"""English: *one hundred and twenty-three*; *ten oh five in the morning*. Used by ``acd.speech.sayings`` alone."""

from acd.speech.prompts import Prompt, Word, number, word


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
    if minute == 0:
        minutes: tuple[Prompt, ...] = (word(Word.O_CLOCK),)
    elif minute < 10:
        minutes = (word(Word.DIGIT_ZERO), number(minute))
    else:
        minutes = cardinal(minute)
    day = (word(part_of_day),) if part_of_day else ()
    return (word(Word.AT), *cardinal(hour), *minutes, *day)
