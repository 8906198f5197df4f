"""What the compiler is given is the core and nothing else: the same lines, the same values, the same day."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.compiled import MODULES, SOURCE, write_sources
from tools.native import rewritten

ROOT = Path(__file__).parents[3]

SAMPLE = '''"""A module."""

from dataclasses import dataclass, field

from acd.record import record

_UP, _DOWN = str.upper, str.lower
SIZE = 200
TABLE: dict[str, int] = {
    "a": 1,
}


@record
class Fact:
    """A fact."""

    at: float
    words: "tuple[Later, ...]" = ()


@dataclass(slots=True)
class Later:
    """Holds what has come."""

    seen: dict[str, "Fact"] = field(default_factory=dict)
    number: int = 3
'''


def test_values_are_made_and_compared_as_before() -> None:
    made: dict[str, type] = {}
    exec(compile(rewritten(SAMPLE), "sample", "exec"), made)
    fact, later = made["Fact"], made["Later"]
    assert fact(1.0) == fact(at=1.0, words=()) != fact(2.0)
    assert hash(fact(1.0)) == hash(fact(1.0))
    assert repr(fact(1.0)) == "Fact(at=1.0, words=())"
    first, second = later(), later({"a": fact(1.0)}, 4)
    assert (first.seen, first.number, second.number) == ({}, 3, 4)
    assert first.seen is not later().seen


def test_constants_are_final_and_numbers_can_be_set() -> None:
    lines = rewritten(SAMPLE).split("\n")
    assert "_UP: Final = str.upper; _DOWN: Final = str.lower" in lines
    assert "SIZE = 200" in lines
    assert "TABLE: Final[dict[str, int]] = {" in lines


def test_a_class_with_nothing_below_it_to_write_on_is_refused() -> None:
    with pytest.raises(ValueError, match="Fact"):
        rewritten('"""A module."""\n@record\nclass Fact:\n    at: float\nX = 1\n')


@pytest.mark.parametrize("module", MODULES)
def test_everything_stays_on_its_line(module: str) -> None:
    source = (SOURCE / f"{module}.py").read_text()
    assert functions(rewritten(source)) == functions(source)


def functions(source: str) -> list[tuple[str, int, str]]:
    """Every function that people have written, with its line."""
    found = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef) and one.name != "__init__"]
    return [(one.name, one.lineno, ast.dump(one)) for one in found]


def day_digest(*paths: Path, core: str = "") -> list[str]:
    """Where the core came from, and the digest of the day that it made."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, ROOT])), "NOBAT_CORE": core}
    command = [sys.executable, "-m", "tests.support.day_digest"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_every_form_of_the_core_makes_the_same_day(tmp_path: Path) -> None:
    """The source, what the compiler is given, and what it made of it, where it was asked to."""
    write_sources(tmp_path / "acd")
    plain = day_digest(ROOT / "src", core="python")
    given = day_digest(tmp_path, ROOT / "src", core="python")
    made = day_digest(ROOT / ".venv/compiled", ROOT / "src", core="compiled")
    assert plain[0] != given[0]
    assert plain[1] == given[1] == made[1]
