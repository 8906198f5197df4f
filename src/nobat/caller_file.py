"""``nobat callers import FILE.csv``: known callers from a table. The whole file is checked before anything is written.

Header: ``number,name,segment,priority,skills,language,preferred_agent``, in any order; only ``number`` must be there. Skills are
``name=level`` with semicolons between. Rows go in by parts, so that a running service is not kept from its database; an import
that was broken off is simply run again.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from acd.directory import CallerProfile, Numbering
from acd.errors import Invalid
from nobat.api.caller_models import CallerIn
from nobat.directory import key_of
from nobat.storage import callers as stored
from nobat.storage.database import Database

COLUMNS = ("number", "name", "segment", "priority", "skills", "language", "preferred_agent")
AT_ONCE = 5_000

Entry = tuple[str, CallerProfile]


class CallerFileError(Exception):
    """The file is wrong; the message names every line that is."""


def read_callers(path: Path, numbering: Numbering) -> list[Entry]:
    """All callers of the file by normalised number. Raises ``CallerFileError``."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, reader.fieldnames)
            return _read(path, reader, numbering)
    except OSError as error:
        raise CallerFileError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CallerFileError(f"{path}: is not UTF-8 text") from None
    except csv.Error as error:
        raise CallerFileError(f"{path}: {error}") from None


def _check_header(path: Path, names: Iterable[str] | None) -> None:
    given = list(names or ())
    strange = [name for name in given if name not in COLUMNS]
    if strange or "number" not in given or len(set(given)) < len(given):
        raise CallerFileError(f"{path}: line 1: the header must be of {','.join(COLUMNS)}, with number among them")


def _read(path: Path, reader: "csv.DictReader[str]", numbering: Numbering) -> list[Entry]:
    entries: list[Entry] = []
    lines: dict[str, int] = {}
    mistakes: list[str] = []
    for row in reader:
        line = reader.line_num
        try:
            key, profile = _entry(row, numbering)
        except ValueError as error:
            mistakes.append(f"{path}: line {line}: {error}")
            continue
        if key in lines:
            mistakes.append(f"{path}: line {line}: number: is the same as in line {lines[key]}")
        lines.setdefault(key, line)
        entries.append((key, profile))
    if mistakes:
        raise CallerFileError("\n".join(mistakes))
    return entries


def _entry(row: dict[Any, Any], numbering: Numbering) -> Entry:
    """One line. Raises ``ValueError`` with what is wrong."""
    if None in row or None in row.values():
        raise ValueError("has another number of fields than the header")
    text = {name: value.strip() for name, value in row.items() if value.strip()}
    try:
        key = key_of(text.pop("number", ""), numbering)
    except Invalid as error:
        raise ValueError(f"number: {error.message}") from None
    body: dict[str, Any] = dict(text)
    if "priority" in text:
        body["priority"] = _whole("priority", text["priority"])
    if "skills" in text:
        body["skills"] = _skills(text["skills"])
    try:
        return key, CallerIn.model_validate(body).profile()
    except ValidationError as error:
        first = error.errors()[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        raise ValueError(f"{first['loc'][0]}: {message[:1].lower()}{message[1:]}") from None


def _skills(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, level in (_skill(part.strip()) for part in text.split(";") if part.strip()):
        if name in found:
            raise ValueError(f"skills: {name!r} is named twice")
        found[name] = level
    return found


def _skill(part: str) -> tuple[str, int]:
    name, sign, level = part.partition("=")
    if not sign:
        raise ValueError(f"skills: {part!r} is not name=level")
    return name.strip(), _whole("skills", level)


def _whole(field: str, text: str) -> int:
    try:
        if "_" not in text:  # Python's own way to group digits
            return int(text)
    except ValueError:
        pass
    raise ValueError(f"{field}: {text.strip()[:20]!r} is no whole number")


async def write_callers(database: Database, entries: list[Entry], progress: Callable[[int], None]) -> None:
    """Enter all of them; ``progress`` hears how many are in. Raises ``StorageUnavailable``."""
    for start in range(0, len(entries), AT_ONCE):
        await stored.put(database, entries[start : start + AT_ONCE])
        progress(min(start + AT_ONCE, len(entries)))
