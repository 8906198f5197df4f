"""Measures the sounds that callers will hear: is every prompt there, how long and how loud is it, and does anything clip.

Looks at the 8 kHz files as Asterisk plays them, ours and a site's own alike. Called by ``nobat prompts check``.
"""

import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nobat.prompts.build import FOLDER
from nobat.prompts.sound import Sound, from_raw
from nobat.prompts.texts import LANGUAGES, Text, texts

QUIETEST_DB, LOUDEST_DB = -30.0, -16.0
CLIPS_DB = -0.1
SHORTEST_S, LONGEST_S = 0.1, 20.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One prompt: seconds, speech level and peak in dB of full scale, and what is wrong with it, in words."""

    language: str
    name: str
    seconds: float | None = None
    level_db: float | None = None
    peak_db: float | None = None
    wrong: str = ""


def measure(folder: Path, languages: Iterable[str] = tuple(LANGUAGES)) -> Iterator[Measured]:
    """Each prompt of each language, in the order of the texts."""
    for language in languages:
        for text in texts(language).values():
            yield _measured(folder / language / FOLDER, language, text)


def _measured(folder: Path, language: str, text: Text) -> Measured:
    path = folder / f"{text.name}.wav"
    if not path.exists():
        others = sorted(one.name for one in folder.glob(f"{text.name}.*"))
        return Measured(language, text.name, wrong="" if others else "missing")
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                return Measured(language, text.name, wrong="not mono of 16 bits")
            sound = from_raw(file.readframes(file.getnframes()), file.getframerate())
    except (wave.Error, EOFError) as error:
        return Measured(language, text.name, wrong=f"unreadable: {error}")
    return Measured(language, text.name, sound.seconds, sound.level_db(), sound.peak_db(), _wrong(sound, text))


def _wrong(sound: Sound, text: Text) -> str:
    if text.pause_s:
        return "" if sound.seconds > 0 else "empty"
    level, peak = sound.level_db(), sound.peak_db()
    if peak > CLIPS_DB:
        return f"clips: its peak is at {peak:.1f} dB"
    if not QUIETEST_DB <= level <= LOUDEST_DB:
        return f"{'too quiet' if level < QUIETEST_DB else 'too loud'}: {level:.1f} dB"
    if not SHORTEST_S <= sound.seconds <= LONGEST_S:
        return f"{sound.seconds:.2f} s long"
    return ""
