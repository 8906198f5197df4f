"""What each figure of a report means. Pure: sums of intervals in, figures out. docs/reference/definitions.md has the formulas."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from acd.sla import Counts, ServiceLevels, service_levels
from nobat.figures.stays import COLUMN

_VISITS = (
    "answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost", "answered_in_target", "abandoned_in_target",
    "answer_wait_s",
)  # fmt: skip


def ratio(part: float, whole: float) -> float | None:
    """None where there is nothing to be a part of."""
    return part / whole if whole > 0 else None


@dataclass(slots=True)
class Talks:
    """Conversations: ``talk_s`` with the time on hold in it."""

    handled: int = 0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0

    def add(self, row: Mapping[str, Any]) -> None:
        self.handled += row["handled"]
        self.talk_s += row["talk_s"]
        self.hold_s += row["hold_s"]
        self.wrap_up_s += row["wrap_up_s"]

    @property
    def aht_s(self) -> float | None:
        """Average handle time: talk, hold and wrap-up of those handled."""
        return ratio(self.talk_s + self.wrap_up_s, self.handled)


@dataclass(slots=True)
class Told:
    """Waits that callers were told as a range, of those who were answered then."""

    number: int = 0
    within: int = 0
    error_s: float = 0.0

    def add(self, number: int, within: int, error_s: float) -> None:
        self.number += number
        self.within += within
        self.error_s += error_s

    @property
    def mae_s(self) -> float | None:
        """Mean absolute error: of the range's middle against the wait that followed."""
        return ratio(self.error_s, self.number)

    @property
    def inside(self) -> float | None:
        """The share of waits that fell into the range."""
        return ratio(self.within, self.number)


@dataclass(slots=True)
class QueueFigures:
    """A queue in a span. ``waiting`` are still in line: the equation offered = … + waiting holds at every moment."""

    counts: Counts = field(default_factory=Counts)
    talks: Talks = field(default_factory=Talks)
    waiting: int = 0
    told: Told = field(default_factory=Told)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take an interval in."""
        for name in _VISITS:
            setattr(self.counts, name, getattr(self.counts, name) + row[name])
        self.counts.longest_wait_s = max(self.counts.longest_wait_s, row["longest_wait_s"])
        self.talks.add(row)
        self.told.add(row["told"], row["told_inside"], row["told_error_s"])

    @property
    def offered(self) -> int:
        return self.counts.decided + self.waiting

    @property
    def levels(self) -> ServiceLevels:
        return service_levels(self.counts)

    @property
    def asa_s(self) -> float | None:
        return ratio(self.counts.answer_wait_s, self.counts.answered)

    @property
    def abandonment_rate(self) -> float | None:
        return ratio(self.counts.abandoned, self.offered)

    @property
    def answer_rate(self) -> float | None:
        return ratio(self.counts.answered, self.offered)


@dataclass(slots=True)
class AgentFigures:
    """An agent in a span; ``seconds`` in each state by its column. ``productive_s``: of the breaks, those that are work."""

    talks: Talks = field(default_factory=Talks)
    missed: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(COLUMN.values(), 0.0))
    productive_s: float = 0.0

    def add(self, row: Mapping[str, Any]) -> None:
        """Take an interval in."""
        self.talks.add(row)
        self.missed += row["missed"]
        self.productive_s += row["productive_s"]
        for name in self.seconds:
            self.seconds[name] += row[name]

    @property
    def signed_in_s(self) -> float:
        return sum(self.seconds.values())

    @property
    def occupancy(self) -> float | None:
        """Work of the time in which there could have been work; breaks are outside."""
        work = self.seconds["talking_s"] + self.seconds["working_s"]
        return ratio(work, work + self.seconds["idle_s"] + self.seconds["ringing_s"])


def total(figures: Iterable[QueueFigures]) -> QueueFigures:
    """Several rows as one: sums of sums, never a mean of means."""
    whole = QueueFigures()
    for one in figures:
        whole.counts.add(one.counts)
        whole.talks.handled += one.talks.handled
        whole.talks.talk_s += one.talks.talk_s
        whole.talks.hold_s += one.talks.hold_s
        whole.talks.wrap_up_s += one.talks.wrap_up_s
        whole.waiting += one.waiting
        whole.told.add(one.told.number, one.told.within, one.told.error_s)
    return whole
