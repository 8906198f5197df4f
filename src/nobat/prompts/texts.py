"""What each prompt says, in each language. Read from the files beside this module.

An entry is ``name = "text"``. ``say`` is given where the synthesiser would read the text wrongly, in its own phonemes between
``[[`` and ``]]``. Persian is written with the short vowels that the synthesiser needs; people are shown it without them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"en": "English", "fa": "Persian"}

SHORT_VOWELS = dict.fromkeys(map(ord, "\u064e\u064f\u0650\u0651\u0652"))
"""Fatha, damma, kasra, shadda, sukun. Not tanwin: people write that one."""


@dataclass(frozen=True, slots=True)
class Text:
    """One prompt in one language."""

    name: str
    section: str
    written: str  # for people
    spoken: str  # for the synthesiser; empty for a pause
    pause_s: float = 0.0


@cache
def texts(language: str) -> Mapping[str, Text]:
    """All prompts of ``language`` by their names, in the order of its file."""
    with (Path(__file__).parent / f"{language}.toml").open("rb") as file:
        sections = tomllib.load(file)
    return {
        name: _text(name, section, entry) for section, entries in sections.items() for name, entry in entries.items()
    }


def _text(name: str, section: str, entry: str | dict[str, Any]) -> Text:
    if isinstance(entry, str):
        return Text(name, section, entry.translate(SHORT_VOWELS), entry)
    if "silence" in entry:
        return Text(name, section, entry["text"], "", float(entry["silence"]))
    return Text(name, section, entry["text"].translate(SHORT_VOWELS), entry["say"])
