"""Fills a folder with prompts as Asterisk looks for them: ``<folder>/<language>/nobat/<name>.wav``.

A sound there that we did not make is the site's own recording (``wav_file`` tells): it is never overwritten, and ours of that
name is taken away, so that Asterisk cannot choose it instead, whatever format the recording has. Running it again makes only
what is missing or has another text now.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from nobat.prompts.sound import LEVEL_DB, PEAK_DB
from nobat.prompts.synthesis import RECIPE, PromptError, need_programs, synthesise
from nobat.prompts.texts import LANGUAGES, Text, texts
from nobat.prompts.wav_file import encode, recipe_of

FOLDER = "nobat"
RATES = {".wav": 8000, ".wav16": 16000}
"""Asterisk's names for the two: it takes the one that is nearest to what the caller's phone speaks."""


@dataclass(slots=True)
class Report:
    """What a run did, by file names relative to the folder."""

    made: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    site: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file that should be there."""

    text: Text
    language: str
    rate: int

    @property
    def recipe(self) -> str:
        """Changes when the sound would."""
        parts = (RECIPE, LEVEL_DB, PEAK_DB, self.language, self.rate, self.text.spoken, self.text.pause_s)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def build(to: Path, languages: Iterable[str] = tuple(LANGUAGES), *, wideband: bool = False) -> Report:
    """Make what is missing under ``to``. PromptError says what does not work."""
    need_programs()
    suffixes = tuple(RATES) if wideband else (".wav",)
    report = Report()
    for language in languages:
        if language not in LANGUAGES:
            raise PromptError(f"there are no texts in {language!r}, only in {', '.join(LANGUAGES)}")
        try:
            _bring(to / language / FOLDER, language, suffixes, report)
        except OSError as error:
            raise PromptError(str(error)) from error
    return report


def key() -> str:
    """Changes when any sound or name would: names a whole set in a cache."""
    wanted = [Wanted(text, language, RATES[".wav"]) for language in LANGUAGES for text in texts(language).values()]
    return hashlib.sha256("".join(one.text.name + one.recipe for one in wanted).encode()).hexdigest()[:12]


def _bring(folder: Path, language: str, suffixes: tuple[str, ...], report: Report) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = {path.name: recipe_of(path) for path in folder.iterdir() if path.is_file()}
    site = {Path(name).stem: name for name, recipe in found.items() if recipe is None and not name.startswith(".")}
    wanted = dict(_wanted(language, suffixes, site))
    stale = [name for name, recipe in found.items() if recipe is not None and name not in wanted]
    for name in stale:
        (folder / name).unlink()
    missing = {name: one for name, one in wanted.items() if found.get(name) != one.recipe}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: _make(folder / name, wanted[name]), missing))

    def relative(names: Iterable[str]) -> list[str]:
        return [f"{language}/{FOLDER}/{name}" for name in names]

    report.made += relative(missing)
    report.current += relative(name for name in wanted if name not in missing)
    report.site += relative(site[stem] for stem in texts(language) if stem in site)
    report.removed += relative(stale)


def _wanted(language: str, suffixes: tuple[str, ...], site: Iterable[str]) -> Iterator[tuple[str, Wanted]]:
    for text in texts(language).values():
        if text.name not in site:
            yield from ((text.name + suffix, Wanted(text, language, RATES[suffix])) for suffix in suffixes)


def _make(path: Path, one: Wanted) -> None:
    """Whole or not at all: Asterisk may be playing it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(encode(synthesise(one.text, one.language, one.rate), one.recipe))
    fresh.replace(path)
