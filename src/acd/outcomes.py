"""How a visit to a queue ends. A closed set: it is a metric label."""

from collections.abc import Sequence
from typing import Protocol

from acd.words import Word


class Outcome(Word):
    """Decided once. *Deferred* took a callback; *lost* was ended by a fault of ours or of the PBX."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    OVERFLOWED = "overflowed"
    DEFERRED = "deferred"
    LOST = "lost"


class Stay(Protocol):
    """A stay in a line, live or read back."""

    @property
    def entered_at(self) -> float: ...

    @property
    def outcome(self) -> Outcome | None: ...


def waiting_since(stays: Sequence[Stay]) -> float:
    """When the last wait began: with the last stay, or with the first of those from which limits have led there."""
    since = stays[-1].entered_at
    for earlier in reversed(stays[:-1]):
        if earlier.outcome is not Outcome.OVERFLOWED:
            break
        since = earlier.entered_at
    return since
