"""Each library of the service shell has one place where it is imported; everything else speaks to that place.

The three that the import linter knows too are in ``test_house_rules``.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src"

# library -> where it may be imported
PLACES = {
    "alembic": ("nobat/storage/",),
    "fastapi": ("nobat/api/",),
    "uvicorn": ("nobat/web.py", "nobat/http_protocol.py"),
    "typer": ("nobat/cli.py", "nobat/audit_cli.py", "nobat/prompts_cli.py", "nobat/token_cli.py"),
    "argon2": ("nobat/pins.py",),
    "persiantools": ("nobat/timetables.py",),
    "phonenumbers": ("callback/plans.py",),
    "yaml": ("nobat/declaration.py",),
    "pydantic_settings": ("nobat/settings.py",),
    "opentelemetry": ("nobat/tracing.py",),
}


def imports(tree: ast.Module) -> Iterator[str]:
    """The top-level names of everything imported, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("library", PLACES)
def test_a_library_is_imported_in_its_place_alone(library: str) -> None:
    users = [
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if library in set(imports(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    assert users, f"{library} is not used any more: take it out here"
    strangers = [user for user in users if not user.startswith(PLACES[library])]
    assert strangers == []
