"""The core as machine code: the modules that every call passes through, compiled by mypyc. Run by ``tools.setup``, in ``.venv``.

    .venv/bin/python tools/compiled.py .venv/compiled

What is written there is a package ``acd`` that stands before the one in ``src`` and takes from it whatever is not compiled. It
steps aside by itself when a source is newer, and unless ``NOBAT_CORE=compiled`` is set: then all is as if it were not there. The
service does not set it: its journal makes events by Python's constructors, which compiled classes do not have.
"""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from tools.native import rewritten  # noqa: E402

SOURCE = CHECKOUT / "src/acd"
MODULES = (
    "agents", "announcing", "calling", "calls", "decisions", "directory", "events", "ewt", "floor", "forecast", "ids", "joining",
    "overflow", "pbxs", "queues", "rejoining", "returning", "routing", "shift", "skills", "sla", "statuses", "strategies", "talks",
    "telephony", "turn", "visits", "wrapup",
)  # fmt: skip
"""What a call passes through. Anything else of ``acd`` stays Python: it would gain nothing that somebody waits for."""

ENTRANCE = '''\
"""The compiled core, written by tools/compiled.py: taken if NOBAT_CORE=compiled is set and no source is newer."""

import os

_SOURCE = {source!r}


def _is_current() -> bool:
    built = os.stat(__file__).st_mtime_ns
    with os.scandir(_SOURCE) as files:
        return all(one.stat().st_mtime_ns <= built for one in files if one.name.endswith(".py"))


if os.environ.get("NOBAT_CORE") == "compiled" and _is_current():
    __path__.append(_SOURCE)
else:
    __path__[:] = [_SOURCE]
'''


def build(target: Path) -> None:
    """Compile into ``target``, which is replaced when all is done."""
    from mypyc.build import mypycify
    from setuptools import setup

    work = target.with_name(f"{target.name}-build")
    shutil.rmtree(work, ignore_errors=True)
    newest = write_sources(work / "src/acd")
    (work / "mypy.ini").write_text("[mypy]\nstrict = True\nmypy_path = src\n")
    os.chdir(work)
    os.environ["MYPYPATH"] = "src"
    files = [f"src/acd/{module}.py" for module in MODULES]
    extensions = mypycify([*files, "--config-file=mypy.ini"], opt_level="3", debug_level="0", group_name="acd")
    setup(name="acd", packages=[], ext_modules=extensions, script_args=["--quiet", "build_ext", "--build-lib", "made"])
    entrance = work / "made/acd/__init__.py"
    entrance.write_text(ENTRANCE.format(source=str(SOURCE)))
    os.utime(entrance, ns=(newest, newest))  # a source that was saved while this was being made is newer
    shutil.rmtree(target, ignore_errors=True)
    (work / "made").rename(target)
    shutil.rmtree(work)
    # The file sorts before that of the editable installation, so the compiled package is found first.
    Path(sysconfig.get_path("purelib"), "0_nobat_compiled.pth").write_text(f"{target}\n")


def write_sources(package: Path) -> int:
    """Copy the sources, rewritten where they are to be compiled; returns the time of the newest, in nanoseconds."""
    newest = 0
    for source in SOURCE.rglob("*.py"):
        copy = package / source.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        newest = max(newest, source.stat().st_mtime_ns)
        text = source.read_text()
        is_compiled = source.parent == SOURCE and source.stem in MODULES
        copy.write_text(rewritten(text) if is_compiled else text)
    return newest


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())
