"""The file that ``nobat apply`` reads: queues and agents as they shall be. YAML or TOML; docs/guides/apply.md describes it.

A file is checked as a whole before anything is done, with the very models that the REST interface uses; every mistake is named
with file, entry and field.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from acd.ids import AgentId, QueueId
from acd.strategies import STRATEGIES
from nobat.api.agent_models import AgentIn
from nobat.api.queue_models import QueueIn

STDIN = Path("-")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class DeclarationError(Exception):
    """The file is wrong; the message is for the operator and complete."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What shall be."""

    queues: dict[QueueId, QueueIn]
    agents: dict[AgentId, AgentIn]
    opt_outs: frozenset[str] | None = None  # numbers in E.164; None: the file is not about them


def read_declaration(path: Path) -> Declaration:
    """What a file says, or standard input where it is called ``-`` (YAML). Raises ``DeclarationError``."""
    content = _parse(path)
    unknown = content.keys() - {"queues", "agents", "opt_outs"}
    if unknown:
        raise DeclarationError(
            f"{path}: unknown key {sorted(map(str, unknown))[0]!r}; there are queues, agents, opt_outs"
        )
    mistakes: list[str] = []
    queues = {QueueId(one.id): one for one in _entries(path, content, "queues", QueueIn, mistakes)}
    agents = {AgentId(one.id): one for one in _entries(path, content, "agents", AgentIn, mistakes)}
    mistakes += [
        f"{path}: queue {one.id}: {why}" for one in queues.values() for why in _queue_mistakes(one, queues.values())
    ]
    opt_outs = _opt_outs(path, content, mistakes)
    if mistakes:
        raise DeclarationError("\n".join(mistakes))
    return Declaration(queues, agents, opt_outs)


def _opt_outs(path: Path, content: dict[str, Any], mistakes: list[str]) -> frozenset[str] | None:
    """Numbers are written with their country code here, for no setting may change whose they are."""
    if "opt_outs" not in content:
        return None
    raw = content["opt_outs"] or []
    if not isinstance(raw, list):
        mistakes.append(f"{path}: opt_outs: must be a list")
        return frozenset()
    mistakes += [
        f'{path}: opt_outs: entry {place + 1}: must be a number in quotes, like "+989121234567"'
        for place, number in enumerate(raw)
        if not (isinstance(number, str) and _E164.fullmatch(number))
    ]
    return frozenset(number for number in raw if isinstance(number, str))


def _parse(path: Path) -> dict[str, Any]:
    try:
        # Standard input by its descriptor: /dev/stdin of a container is root's, and its program is not.
        text = sys.stdin.buffer.read().decode() if path == STDIN else path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise DeclarationError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path}: {error}") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise DeclarationError(f"{path}{where}: {getattr(error, 'problem', None) or error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DeclarationError(f"{path}: must have the keys queues and agents")
    return content


def _entries(path: Path, content: dict[str, Any], kind: str, model: type[Any], mistakes: list[str]) -> list[Any]:
    raw = content.get(kind) or []
    if not isinstance(raw, list):
        mistakes.append(f"{path}: {kind}: must be a list")
        return []
    found: list[Any] = []
    seen: set[str] = set()
    for index, entry in enumerate(raw):
        name = entry.get("id", f"number {index + 1}") if isinstance(entry, dict) else f"number {index + 1}"
        try:
            one = model.model_validate(entry)
        except ValidationError as error:
            mistakes += [f"{path}: {kind[:-1]} {name}: {_field(part)}" for part in error.errors()]
            continue
        if one.id in seen:
            mistakes.append(f"{path}: {kind[:-1]} {name}: is there twice")
        seen.add(one.id)
        found.append(one)
    return found


def _field(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "entry"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Extra inputs are not permitted", "unknown field")
    hint = " (put it in quotes)" if error["type"] == "string_type" and isinstance(error["input"], int | float) else ""
    return f"{name}: {message[:1].lower()}{message[1:]}{hint}"


def _queue_mistakes(queue: QueueIn, queues: Iterable[QueueIn]) -> list[str]:
    """What a model alone cannot see."""
    mistakes = []
    if queue.strategy not in STRATEGIES:
        mistakes.append(f"strategy: there is no {queue.strategy!r}; known are {', '.join(sorted(STRATEGIES))}")
    if any(other.number == queue.number and other.id < queue.id for other in queues):
        mistakes.append(f"number: {queue.number} is another queue's too")
    return mistakes
