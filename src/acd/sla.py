"""Service-level arithmetic: counts of visits, the five named service levels, and the ledger that keeps them per queue.

The formulas are those of docs/reference/definitions.md. A visit belongs to the
interval of its *entry*; its outcome is decided once.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from acd.outcomes import Outcome
from acd.record import record

INTERVAL_S = 900
RECENT_S = 3600.0
KEPT_S = 50 * 3600
"""Longer than any local day, the one on which clocks go back included."""

_OUTCOMES = tuple(Outcome)
_SHORT = 0x40
_PIECE = 512


@dataclass(slots=True)
class Counts:
    """Visits by outcome. Durations are sums of seconds; ``_in_target`` counts those decided within the promise."""

    answered: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    overflowed: int = 0
    deferred: int = 0
    lost: int = 0
    answered_in_target: int = 0
    abandoned_in_target: int = 0
    answer_wait_s: float = 0.0
    longest_wait_s: float = 0.0

    @property
    def decided(self) -> int:
        return self.answered + self.abandoned + self.overflowed + self.deferred + self.lost

    def add(self, other: "Counts") -> None:
        """Take another span's counts into this one."""
        for name in ("answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.answered_in_target += other.answered_in_target
        self.abandoned_in_target += other.abandoned_in_target
        self.answer_wait_s += other.answer_wait_s
        self.longest_wait_s = max(self.longest_wait_s, other.longest_wait_s)

    def count(self, visit: "DecidedVisit", target_s: float) -> None:
        """Take one decided visit in."""
        setattr(self, visit.outcome, getattr(self, visit.outcome) + 1)
        waited_s = visit.waited_s
        self.longest_wait_s = max(self.longest_wait_s, waited_s)
        in_target = waited_s <= target_s
        if visit.outcome is Outcome.ANSWERED:
            self.answered_in_target += in_target
            self.answer_wait_s += waited_s
        elif visit.outcome is Outcome.ABANDONED:
            self.abandoned_in_target += in_target
            self.short_abandoned += visit.short


@record
class DecidedVisit:
    """A visit with its outcome. ``short``: abandoned within the queue's short limit; ``segment`` and ``skills`` as in its event."""

    entered_at: float
    decided_at: float
    outcome: Outcome
    short: bool = False
    segment: str | None = None
    skills: tuple[str, ...] = ()

    @property
    def waited_s(self) -> float:
        return max(0.0, self.decided_at - self.entered_at)


@record
class ServiceLevels:
    """The primary figure and its variants, each a ratio, or None where nothing counts."""

    primary: float | None
    answered_only: float | None
    early_abandon_good: float | None
    strict: float | None
    short_excluded: float | None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def service_levels(counts: Counts, late_waiting: int = 0) -> ServiceLevels:
    """All five definitions. ``late_waiting`` are callers still waiting past the target: a live figure counts them as missed."""
    in_target, answered, abandoned = counts.answered_in_target, counts.answered, counts.abandoned
    late_abandoned = abandoned - counts.abandoned_in_target
    whole = answered + abandoned + late_waiting
    return ServiceLevels(
        primary=_ratio(in_target, answered + late_abandoned + late_waiting),
        answered_only=_ratio(in_target, answered),
        early_abandon_good=_ratio(in_target + counts.abandoned_in_target, whole),
        strict=_ratio(in_target, whole),
        short_excluded=_ratio(in_target, whole - counts.short_abandoned),
    )


_Words = tuple[str | None, tuple[str, ...]]


@dataclass(slots=True)
class PackedVisits:
    """Visits with their targets, in order of decision: 33 bytes each, for a busy queue has a hundred thousand an hour."""

    entered_at: "array[float]" = field(default_factory=lambda: array("d"))
    decided_at: "array[float]" = field(default_factory=lambda: array("d"))
    target_s: "array[float]" = field(default_factory=lambda: array("d"))
    outcome: "array[int]" = field(default_factory=lambda: array("B"))
    words: list[_Words] = field(default_factory=list)
    known: dict[_Words, _Words] = field(default_factory=dict)  # each pair of segment and skills is there once
    begin: int = 0  # those before are forgotten

    def add(self, visit: DecidedVisit, target_s: float) -> None:
        """The newest."""
        self.entered_at.append(visit.entered_at)
        self.decided_at.append(visit.decided_at)
        self.target_s.append(target_s)
        self.outcome.append(_OUTCOMES.index(visit.outcome) | (_SHORT if visit.short else 0))
        words = visit.segment, visit.skills
        self.words.append(self.known.setdefault(words, words))

    def forget_before(self, decided_at: float) -> None:
        """Let go of the oldest; the room is given back some at a time."""
        while self.begin < len(self.decided_at) and self.decided_at[self.begin] < decided_at:
            self.begin += 1
        if self.begin >= _PIECE and 2 * self.begin >= len(self.decided_at):
            del self.entered_at[: self.begin], self.decided_at[: self.begin], self.target_s[: self.begin]
            del self.outcome[: self.begin], self.words[: self.begin]
            self.begin = 0

    def since(self, entered_at: float) -> Iterator[tuple[DecidedVisit, float]]:
        """Those that entered then or later."""
        for index in range(self.begin, len(self.decided_at)):
            if self.entered_at[index] >= entered_at:
                yield self._one(index)

    def after(self, decided_at: float) -> Iterator[tuple[DecidedVisit, float]]:
        """Those that were decided later than that, the newest first. Some are told late: of a call found after a restart."""
        for index in range(len(self.decided_at) - 1, self.begin - 1, -1):
            if self.decided_at[index] > decided_at:
                yield self._one(index)
            elif self.decided_at[index] <= decided_at - INTERVAL_S:
                return

    def _one(self, index: int) -> tuple[DecidedVisit, float]:
        said = self.outcome[index]
        outcome, short = _OUTCOMES[said & ~_SHORT], said >= _SHORT
        visit = DecidedVisit(self.entered_at[index], self.decided_at[index], outcome, short, *self.words[index])
        return visit, self.target_s[index]


@dataclass(slots=True)
class Ledger:
    """A queue's decided visits: counts per 15 minutes of entry, and the last hour's visits one by one."""

    intervals: dict[int, Counts] = field(default_factory=dict)
    recent: PackedVisits = field(default_factory=PackedVisits)

    def record(self, visit: DecidedVisit, target_s: float) -> None:
        """Count a visit whose outcome has just been decided, against the promise of that moment."""
        start = int(visit.entered_at // INTERVAL_S) * INTERVAL_S
        if start not in self.intervals:
            self.intervals[start] = Counts()
            self._forget_before(start - KEPT_S)
        self.intervals[start].count(visit, target_s)
        self.recent.add(visit, target_s)
        self.recent.forget_before(visit.decided_at - RECENT_S)

    def since(self, start: float) -> Counts:
        """Counts of the visits entered at or after ``start``; exact for any of the last hour and for any interval's start."""
        total = Counts()
        if start % INTERVAL_S == 0:
            for begin, counts in self.intervals.items():
                if begin >= start:
                    total.add(counts)
            return total
        for visit, target_s in self.recent.since(start):
            total.count(visit, target_s)
        return total

    def decided_after(self, moment: float) -> list[tuple[DecidedVisit, float]]:
        """Visits of the last hour that were decided after ``moment``, each with the promise that it was counted against."""
        return list(self.recent.after(moment))

    def _forget_before(self, start: float) -> None:
        """Drop intervals that no window asks for any more."""
        for begin in [begin for begin in self.intervals if begin < start]:
            del self.intervals[begin]
