"""How one PBX's link is, as a value, and the counters that it moves.

``Health`` is what ``/readyz`` and the metrics show. ``Observer`` is the seam to the metrics: ``ami`` counts into it and knows
nothing of Prometheus. All labels come from closed sets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

SUPPORTED_FROM = (22, 1)
SUPPORTED_BELOW = (22, 11)
MENDED_IN = (22, 10, 1)


class HealthState(StrEnum):
    """Only ``READY`` routes calls."""

    CONNECTING = "connecting"
    DOWN = "down"
    LOGIN_REFUSED = "login_refused"
    STARTING = "starting"  # logged in, Asterisk is not fully booted
    WRONG_SYSTEM_NAME = "wrong_system_name"
    MISSING_CONTEXTS = "missing_contexts"
    MISSING_RIGHTS = "missing_rights"
    DANGEROUS = "dangerous"  # what the AMI may not call it may: live_dangerously is on
    SYNCING = "syncing"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Health:
    """``since`` is when this state and reason began, by the clock that the link was given."""

    state: HealthState
    reason: str
    since: float
    asterisk_version: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.state is HealthState.READY


WARNINGS = ("unsupported_asterisk", "known_holes", "no_boot_event")
"""All that ``Health.warnings`` can hold."""


class Observer(Protocol):
    """Who counts. Called on the event loop, so it must be quick, and it must not raise."""

    def events(self, counts: Mapping[str, int]) -> None:
        """Events by name, as many as came in one read."""

    def quarantined(self, reason: str) -> None:
        """A message that was not believed."""

    def action(self, action: str, result: str, seconds: float) -> None:
        """An action is through, one way or another."""

    def health(self, health: Health) -> None:
        """The health has changed."""


class NobodyObserves:
    """The observer of tests and tools."""

    def events(self, counts: Mapping[str, int]) -> None:
        """Not counted."""

    def quarantined(self, reason: str) -> None:
        """Not counted."""

    def action(self, action: str, result: str, seconds: float) -> None:
        """Not counted."""

    def health(self, health: Health) -> None:
        """Not shown."""


def version_warnings(version: str) -> tuple[str, ...]:
    """``unsupported_asterisk`` outside 22.1 <= version < 22.11: older ones lack event filters, newer ones break spying.
    ``known_holes`` below 22.10.1, the release that mended a null pointer of the manager and rights of ARI among others."""
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    found = (int(numbers[1]), int(numbers[2]), int(numbers[3] or 0)) if numbers else (0, 0, 0)
    fits = () if SUPPORTED_FROM <= found[:2] < SUPPORTED_BELOW else ("unsupported_asterisk",)
    return fits if found >= MENDED_IN else (*fits, "known_holes")
