"""Persian: «صد و بیست و سه»; «صبح ساعتِ ده و پنج دقیقه». Used by ``acd.speech.sayings`` alone.

Every part is joined by «و», one thousand is «هزار» without a one before it, and what is counted stays singular (the texts of
``minutes`` and ``minute`` are the same).
"""

from acd.speech.prompts import Message, Prompt, Word, number, word

Time = tuple[int, int, Word | None]
"""Hour, minute and part of the day."""


def cardinal(value: int) -> tuple[Prompt, ...]:
    """The words of ``value``."""
    if value == 0:
        return (number(0),)
    thousands, rest = divmod(value, 1000)
    parts = [_thousands(thousands)] if thousands else []
    parts += [(number(part),) for part in _parts(rest)]
    return _joined(parts)


def _thousands(count: int) -> tuple[Prompt, ...]:
    return (*cardinal(count), number(1000)) if count > 1 else (number(1000),)


def _parts(value: int) -> list[int]:
    """Hundreds, tens and ones, those that are not zero; up to twenty is one word."""
    below_hundred = value % 100
    ones = below_hundred % 10 if below_hundred > 20 else 0
    return [part for part in (value - below_hundred, below_hundred - ones, ones) if part]


def _joined(parts: list[tuple[Prompt, ...]]) -> tuple[Prompt, ...]:
    said = parts[0]
    for part in parts[1:]:
        said = (*said, word(Word.AND), *part)
    return said


def clock(hour: int, minute: int, part_of_day: Word | None) -> tuple[Prompt, ...]:
    """The part of the day stands first: at the end it would have to be tied to whatever comes before it."""
    day = (word(part_of_day),) if part_of_day else ()
    return (*day, *_time(hour, minute))


def called_between(begin: Time, end: Time) -> tuple[Prompt, ...]:
    """«صبح، بینِ ساعتِ ده و بیست دقیقه تا ساعتِ ده و سی و پنج دقیقه، با شما تماس می‌گیریم»: the verb comes last."""
    before = (word(begin[2]),) if begin[2] else ()
    other = (word(end[2]),) if end[2] and end[2] is not begin[2] else ()
    between = (word(Word.BETWEEN), *_time(*begin[:2]), word(Word.RANGE_TO), *other, *_time(*end[:2]))
    return (*before, *between, word(Message.CALLBACK_WILL_CALL))


def _time(hour: int, minute: int) -> tuple[Prompt, ...]:
    minutes = (word(Word.AND), *cardinal(minute), word(Word.MINUTES)) if minute else (word(Word.O_CLOCK),)
    return (word(Word.AT), *cardinal(hour), *minutes)
