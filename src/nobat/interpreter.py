"""How the service has Python run: a loop that calls live on, with threads for databases and pages beside it.

``nobat serve`` calls the first at its start and the second when callers are being served; benchmarks of the loop take both.
"""

import gc
import sys

SWITCH_S = 0.0005
"""How long another thread may keep the interpreter when the loop wants it: Python's own 5 ms are a whole hand-off."""

_COLLECT_AFTER = (20_000, 20, 100)


def begin() -> None:
    """No collection while libraries are loaded: all of that stays."""
    sys.setswitchinterval(SWITCH_S)
    gc.disable()


def calm() -> None:
    """Let the collector in. What is there now stays for good and need not be looked through again: a full collection would hold
    every call for tens of milliseconds.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()
