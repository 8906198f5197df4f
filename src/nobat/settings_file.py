"""Reads the settings file and says what is wrong with it: file, line, key, reason, in one message.

Called by the command line before anything else. TOML's own parser does not tell where a value stands, so a mistake found
by validation is looked up again in the text by ``_line_of``.
"""

import json
import os
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from nobat.settings import DatabaseSettings, Settings

ENV_CONFIG = "NOBAT_CONFIG"
_TABLE = re.compile(r"^\s*\[(\[)?\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""^\s*["']?([A-Za-z0-9_-]+)["']?\s*[.=]""")

Where = tuple[int | str, ...]


class SettingsError(Exception):
    """The settings are wrong; the message is for the operator and complete."""


def load_settings(path: Path | None = None) -> Settings:
    """Settings from ``path``, else from the file that ``NOBAT_CONFIG`` names, else from the environment alone."""
    if path is None and os.environ.get(ENV_CONFIG):
        path = Path(os.environ[ENV_CONFIG])
    text = _read(path) if path is not None else ""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {_sentence(str(error))}") from None
    if misspelt := _unknown_variables():
        raise SettingsError("\n".join(f"environment: {name}: unknown key" for name in misspelt))
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = [_explain(path, text, values, tuple(one["loc"]), one["msg"]) for one in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    except ValueError as error:  # an environment variable that should hold JSON and does not
        raise SettingsError(f"environment: {error}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from None


def _explain(path: Path | None, text: str, values: dict[str, object], where: Where, message: str) -> str:
    key = ".".join(str(part) for part in where) or "settings"
    reason = _sentence(message.removeprefix("Value error, ").replace("Extra inputs are not permitted", "unknown key"))
    variable = f"NOBAT_{'__'.join(str(part) for part in where).upper()}"
    from_environment = any(
        variable.startswith(name.upper()) for name in os.environ if name.upper().startswith("NOBAT_")
    )
    if path is not None and where and where[0] in values and not from_environment:
        return f"{path}, line {_line_of(text, where)}: {key}: {reason}"
    return f"environment ({variable}): {key}: {reason}"


def _unknown_variables() -> list[str]:
    """Variables that look like settings and are none; those without two underscores may be meant for other programs."""
    known = {name.upper() for name in Settings.model_fields}
    named = [name for name in os.environ if name.startswith("NOBAT_") and "__" in name]
    return [name for name in named if name.removeprefix("NOBAT_").partition("__")[0] not in known]


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:]


def _line_of(text: str, where: Where) -> int:
    """The line of the longest part of ``where`` that stands in the file: a key, else its table; 1 if neither."""
    best, best_depth = 1, 0
    table: Where = ()
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            name = header[2].replace('"', "")
            table = tuple(name.split("."))
            if header[1]:
                seen[name] = seen.get(name, -1) + 1
                if where == table:  # the list as a whole: its first table
                    return number
                table = (*table, seen[name])
            place = table
        elif key := _KEY.match(line):
            place = (*table, key[1])
        else:
            continue
        if len(place) > best_depth and where[: len(place)] == place:
            best, best_depth = number, len(place)
    return best


def render(settings: Settings) -> str:
    """The settings in force as TOML, secrets hidden."""
    lines: list[str] = []
    for name, section in settings:
        if isinstance(section, tuple):
            for one in section:
                lines += [f"[[{name}]]", *_table_lines(one), ""]
        else:
            lines += [f"[{name}]", *_table_lines(section), ""]
    return "\n".join(lines).rstrip()


def _table_lines(section: BaseModel) -> list[str]:
    shown = section.model_dump()
    if isinstance(section, DatabaseSettings):
        shown["url"] = section.shown_url
    return [f"{key} = {_toml(value)}" for key, value in shown.items() if value is not None]


def _toml(value: object) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(str(value), ensure_ascii=False)
