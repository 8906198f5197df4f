"""What a report says of callbacks. Pure. A callback belongs to the interval in which it was promised.

promised = reached + hung_up + gave_up + cancelled + expired + rang_again + refused + open, always; requested are those and the ones
that could not be written down, whose callers waited on.
"""

from collections import Counter
from dataclasses import dataclass, field

from acd.callback_events import CallbackEnd
from acd.callback_policy import AttemptResult
from nobat.figures.report import ratio

OPEN = "open"
ENDS = tuple(end.value for end in CallbackEnd if end is not CallbackEnd.NOT_KEPT)
RESULTS = tuple(result.value for result in AttemptResult)


@dataclass(slots=True)
class CallbackFigures:
    """``ends`` by the reason (``open``: not over), ``attempts`` by the result. The wait counts from the original entry to the
    conversation; ``with_window``: reached and promised between two times, ``late``: after the second.
    """

    ends: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    reached_wait_s: float = 0.0
    longest_wait_s: float = 0.0
    with_window: int = 0
    late: int = 0
    late_by_s: float = 0.0

    @property
    def requested(self) -> int:
        return self.ends.total()

    @property
    def promised(self) -> int:
        return self.requested - self.ends[CallbackEnd.NOT_KEPT]

    @property
    def tried(self) -> int:
        return self.attempts.total()

    @property
    def wait_s(self) -> float | None:
        """The mean wait of those who were reached."""
        return ratio(self.reached_wait_s, self.ends[CallbackEnd.REACHED])

    @property
    def late_s(self) -> float | None:
        """By how much those who were late were so, on average."""
        return ratio(self.late_by_s, self.late)

    def add(self, other: "CallbackFigures") -> None:
        """Take another span's, or another queue's, into these."""
        self.ends += other.ends
        self.attempts += other.attempts
        self.reached_wait_s += other.reached_wait_s
        self.longest_wait_s = max(self.longest_wait_s, other.longest_wait_s)
        self.with_window += other.with_window
        self.late += other.late
        self.late_by_s += other.late_by_s
