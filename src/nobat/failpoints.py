"""Arms a failpoint in a real process: at the named place it kills itself as SIGKILL from outside would.

``nobat.app`` arms what the settings name. They refuse it unless it is allowed as well, so that nothing but a test can mean it.
"""

import os
import signal

import structlog

from ami import failpoints

log = structlog.get_logger(__name__)


def arm(failpoint: str) -> None:
    """``place``, ``place:times`` or ``place/Kind:times``; empty: nothing."""
    if failpoint:
        place, _, times = failpoint.partition(":")
        log.critical("this process will kill itself: a failpoint is armed", failpoint=failpoint)
        failpoints.arm(place, int(times or 1), _die)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
