"""How the service has Python run: a loop that calls live on, with threads for databases and pages beside it.

``nobat serve`` calls the first at its start and the second when callers are being served; benchmarks of the loop take both.
"""

import gc
import os
import sys

SWITCH_S = 0.0005
"""How long another thread may keep the interpreter when the loop wants it: Python's own 5 ms are a whole hand-off."""

_COLLECT_AFTER = (20_000, 20, 100)


def begin() -> None:
    """No collection while libraries are loaded, for all of that stays; and none of what libraries load, or look for, unasked."""
    sys.setswitchinterval(SWITCH_S)
    gc.disable()
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # structlog's tracebacks in colour, which no log of ours has
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # sought in the files of every package that is installed


def calm() -> None:
    """Let the collector in. What is there now stays for good and need not be looked through again: a full collection would hold
    every call for tens of milliseconds.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()
