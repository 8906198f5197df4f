"""Persian: «صد و بیست و سه»; «صبح ساعتِ ده و پنج دقیقه». Used by ``acd.speech.sayings`` alone.

Every part is joined by «و», one thousand is «هزار» without a one before it, and what is counted stays singular (the texts of
``minutes`` and ``minute`` are the same).
"""

from acd.speech.prompts import Prompt, Word, number, word


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
    minutes = (word(Word.AND), *cardinal(minute), word(Word.MINUTES)) if minute else (word(Word.O_CLOCK),)
    return (*day, word(Word.AT), *cardinal(hour), *minutes)
