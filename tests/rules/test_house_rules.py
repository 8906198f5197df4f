"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PURE = ("acd", "callback", "whisper")
PURE_MAY_IMPORT = {
    "array", "bisect", "collections", "contextlib", "dataclasses", "enum", "fractions", "functools", "hashlib", "heapq",
    "itertools", "math", "operator", "types", "typing", *PURE,
}  # fmt: skip
BESIDES = {
    "callback/plans.py": {"phonenumbers"},  # data and expressions: docs/decisions/0020
    "callback/schedule.py": {"datetime"},  # arithmetic of zones; the zone is an argument
}


def tracked() -> list[Path]:
    """Every file of the project; those not added yet included."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def modules(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((SRC / package).rglob("*.py"))]


def imports(source: str) -> set[str]:
    """The top-level names that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def test_the_pure_packages_import_nothing_that_reaches_outside() -> None:
    for path in modules(*PURE):
        besides = BESIDES.get(path.relative_to(SRC).as_posix(), set())
        strange = imports(path.read_text()) - PURE_MAY_IMPORT - besides
        assert not strange, f"{path.relative_to(ROOT)} imports {sorted(strange)}"


def test_the_rule_finds_what_it_is_for() -> None:
    planted = "from acd.ids import CallId\nimport asyncio\n\ndef f():\n    from random import choice\n"
    assert imports(planted) - PURE_MAY_IMPORT == {"asyncio", "random"}


@pytest.mark.parametrize(("library", "home"), [("panoramisk", "ami/link.py"), ("sqlalchemy", "nobat/storage/"),
                                               ("prometheus_client", "nobat/metrics"),
                                               ("cryptography", "nobat/recording/cipher.py")])  # fmt: skip
def test_each_library_has_one_home(library: str, home: str) -> None:
    users = [path.relative_to(SRC).as_posix() for path in modules("acd", "ami", "callback", "whisper", "nobat")
             if library in imports(path.read_text())]  # fmt: skip
    assert users, f"nobody imports {library}: is the rule out of date?"
    assert all(user.startswith(home) for user in users), users


def test_data_from_outside_is_never_asserted() -> None:
    """``assert`` vanishes under -O and turns bad input into a traceback."""
    for path in modules("acd", "ami", "callback", "whisper", "nobat"):
        lines = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
        assert not lines, f"{path.relative_to(ROOT)}: assert in lines {lines}"


def test_every_module_says_what_it_is() -> None:
    for path in modules("acd", "ami", "callback", "whisper", "nobat"):
        text = path.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)} has no docstring"


def test_no_file_grows_past_one_idea() -> None:
    long = {
        path.name: len(path.read_text().splitlines()) for path in modules("acd", "ami", "callback", "whisper", "nobat")
    }
    assert {name: lines for name, lines in long.items() if lines > 450} == {}


def test_no_secret_and_no_package_host_is_in_the_project() -> None:
    banned = re.compile(r"deb\.debian" + r"\.org|pypi" + r"\.org|registry\.npmjs|BEGIN [A-Z ]*PRIVATE KEY")
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found = banned.search(text)
        assert found is None, f"{path.relative_to(ROOT)}: {found and found[0]}"
