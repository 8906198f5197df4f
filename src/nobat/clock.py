"""The one place that reads a clock.

``now()`` is wall-clock time that never jumps: it is read from the wall once and goes on with the monotonic clock, so a step of
the system's time (NTP, daylight saving set by hand) makes no wait negative and fires no timer early. ``follow()``, called now
and then, lets it drift back to the wall at a bounded rate.
"""

import time

MAX_SLEW_S = 0.05
"""How far one ``follow()`` may move the clock."""


class Clock:
    """Seconds since the epoch, continuous."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()  # noqa: TID251

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._offset + time.monotonic()

    def follow(self) -> float:
        """Close in on the system's clock by at most ``MAX_SLEW_S``; the remaining difference in seconds."""
        difference = time.time() - self.now()  # noqa: TID251
        self._offset += max(-MAX_SLEW_S, min(MAX_SLEW_S, difference))
        return difference
