"""Writes docs/reference from the code: ``python -m nobat.reference``. A test checks that what is committed is current."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nobat.api.application import bare_api
from nobat.metrics import descriptions
from nobat.prompts.texts import LANGUAGES, texts
from nobat.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
_GENERATED = "<!-- Written by `make docs` from the code; change it there. -->\n\n"


def documents() -> dict[str, str]:
    """Each generated file by its name."""
    return {
        "settings.md": _GENERATED + _settings(),
        "metrics.md": _GENERATED + _metrics(),
        "prompts.md": _GENERATED + _prompts(),
        "openapi.json": json.dumps(_openapi(), indent=2, ensure_ascii=False) + "\n",
    }


def _openapi() -> dict[str, Any]:
    document = bare_api().openapi()
    document["info"]["version"] = "1"  # the interface's; the program's is told by the running service
    return document


def _settings() -> str:
    parts = [
        "# Settings",
        "The service reads one TOML file (`--config` or `NOBAT_CONFIG`) and the environment, which wins. "
        "A key of a table is a variable with two underscores: `[database] url` is `NOBAT_DATABASE__URL`. Unknown keys "
        "and wrong values stop the start with file, line and reason. `nobat config show` prints what is in force.",
    ]
    for name, field in Settings.model_fields.items():
        section = _section(field)
        head = f"`[[{name}]]`" if section is not field.annotation else f"`[{name}]`"
        parts += [f"## {head}", (section.__doc__ or "").strip()]
        rows = [_setting(key, one) for key, one in section.model_fields.items()]
        parts.append("\n".join(["| key | default | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _section(field: FieldInfo) -> type[BaseModel]:
    """The table's model; ``[[pbx]]`` is a tuple of them."""
    annotation: Any = field.annotation
    inner: type[BaseModel] = annotation.__args__[0] if hasattr(annotation, "__args__") else annotation
    return inner


def _setting(key: str, field: FieldInfo) -> str:
    if field.is_required():
        default = "required"
    else:
        value = field.get_default(call_default_factory=True)
        default = "none" if value is None else f"`{json.dumps(value)}`"
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{key}` | {default} | {meaning} |"


def _metrics() -> str:
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels) or '–'} | {one.text} |"
        for one in descriptions()
    ]
    head = (
        "# Metrics\n\n`GET /metrics`, on the REST interface's address or on one of its own (`[metrics]`). Labels come from fixed "
        "sets only: queues, agent states, PBXs, outcomes, causes; never a caller, never an agent.\n\n"
    )
    return head + "\n".join(["| name | kind | labels | meaning |", "|---|---|---|---|", *rows]) + "\n"


_PROMPT_SECTIONS = {
    "waiting": "While waiting",
    "limits": "Limits and times",
    "agents": "For agents",
    "words": "Parts of sentences",
    "numbers": "Numbers",
    "ordinals": "Places in the line",
}


def _prompts() -> str:
    parts = [
        "# Prompts",
        "Every prompt by its name, which is also the name of its sound file: `<language>/nobat/<name>.wav` in Asterisk's folder of "
        "sounds. How to replace them by recordings: [guide](../guides/prompts.md).",
    ]
    for section, title in _PROMPT_SECTIONS.items():
        names = [text.name for text in texts("en").values() if text.section == section]
        rows = [f"| `{name}` | " + " | ".join(texts(one)[name].written for one in LANGUAGES) + " |" for name in names]
        head = [f"| name | {' | '.join(LANGUAGES.values())} |", "|---" * (1 + len(LANGUAGES)) + "|"]
        parts += [f"## {title}", "\n".join([*head, *rows])]
    return "\n\n".join(parts) + "\n"


def main(folder: Path = FOLDER) -> None:
    """Write all files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
