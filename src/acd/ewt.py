"""How long a caller will wait: three estimators, compared all the time with what came true.

* *last_served*: the wait of the caller who was served last (LES; Ibrahim and Whitt, "Real-time delay estimation", 2009).
* *head_of_line*: how long the one at the head has waited by now (HOL, ibid.).
* *state*: callers ahead, agents at work who can serve *this* caller, how long they take and how fast callers give up:
  the sum over i = 0 … ahead of 1 / (n·μ + i·θ) (QLr, ibid.), with n, μ and θ as measured. Where handling times are less
  scattered than exponential ones, n·μ is the sum over the agents of 1 / (what remains, given how long each has talked).

Pure: numbers in, numbers out. ``acd.forecast`` feeds it from the floor. All times are seconds.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from math import sqrt

from acd.record import record
from acd.words import Word

KEPT = 500
"""Handling times that are remembered: the last few hours of a queue of ten."""

MEMORY = 0.02
"""Weight of the newest error in the running figures: about the last fifty callers count."""

Z80 = 1.2816
"""Standard normal quantile of 90 %: the range from 10 % to 90 % holds four callers of five."""


class Estimator(Word):
    """A closed set: it is a metric label."""

    LAST_SERVED = "last_served"
    HEAD_OF_LINE = "head_of_line"
    STATE = "state"


@record
class Forecast:
    """An expected wait from now on, as a mean and as a range that holds four of five."""

    mean_s: float
    low_s: float
    high_s: float


@dataclass(slots=True)
class Services:
    """Handling times: conversation and wrap-up, from connection to free again."""

    total_s: float = 0.0
    squares: float = 0.0
    order: deque[float] = field(default_factory=deque)
    sorted: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """One more; the oldest beyond ``KEPT`` is forgotten."""
        self.order.append(seconds)
        insort(self.sorted, seconds)
        self.total_s += seconds
        self.squares += seconds * seconds
        if len(self.order) > KEPT:
            oldest = self.order.popleft()
            del self.sorted[bisect_right(self.sorted, oldest) - 1]
            self.total_s -= oldest
            self.squares -= oldest * oldest

    @property
    def mean_s(self) -> float | None:
        return self.total_s / len(self.order) if self.order else None

    @property
    def is_regular(self) -> bool:
        """Whether the time talked so far says something of the time that remains: scattered clearly less than exponential."""
        n = len(self.order)
        if n < 30:
            return False
        mean = self.total_s / n
        return self.squares / n - mean * mean < 0.5 * mean * mean

    def remaining_s(self, elapsed_s: float) -> float:
        """Mean of what remains of a handling that has lasted ``elapsed_s``."""
        longer = self.sorted[bisect_right(self.sorted, elapsed_s) :]
        if len(longer) < 3:
            return max(1.0, 0.1 * (self.mean_s or 0.0))
        return max(0.5, sum(longer) / len(longer) - elapsed_s)


@dataclass(slots=True)
class Track:
    """How well an estimator does."""

    mean_square: float = 0.0
    mean_absolute_s: float = 0.0
    inside: float = 0.0
    n: int = 0

    def add(self, forecast: Forecast, waited_s: float) -> None:
        self.n += 1
        weight = max(MEMORY, 1.0 / self.n)
        error = forecast.mean_s - waited_s
        self.mean_square += weight * (error * error - self.mean_square)
        self.mean_absolute_s += weight * (abs(error) - self.mean_absolute_s)
        self.inside += weight * ((forecast.low_s <= waited_s <= forecast.high_s) - self.inside)


def spread(mean_s: float, variance: float) -> Forecast:
    """A range around a mean: quantiles of a gamma distribution by Wilson and Hilferty's cube root (1931)."""
    if mean_s <= 0.0:
        return Forecast(0.0, 0.0, 0.0)
    share = variance / (9.0 * mean_s * mean_s)  # 1 / (9 k) for shape k
    low, high = ((max(0.0, 1.0 - share + z * sqrt(share))) ** 3 * mean_s for z in (-Z80, Z80))
    return Forecast(mean_s, low, high)


def state_based(ahead: int, leave_rate: float, give_up_rate: float) -> Forecast | None:
    """``leave_rate`` is n·μ: how often one of the agents becomes free; ``give_up_rate`` θ is one caller's, both a second."""
    if leave_rate <= 0.0:
        return None
    if give_up_rate * (ahead + 1) < 1e-3 * leave_rate:
        return spread((ahead + 1) / leave_rate, (ahead + 1) / leave_rate**2)
    steps = [1.0 / (leave_rate + waiting * give_up_rate) for waiting in range(ahead + 1)]
    return spread(sum(steps), sum(step * step for step in steps))


@dataclass(slots=True)
class WaitModel:
    """One queue's measurements and the record of its estimators."""

    services: Services = field(default_factory=Services)
    last_wait_s: float | None = None
    waited_s: float = 0.0  # all callers' waiting, decayed
    gave_up: float = 0.0  # how many of them gave up, decayed alike
    tracks: dict[Estimator, Track] = field(default_factory=lambda: {one: Track() for one in Estimator})
    told: Track = field(default_factory=Track)  # of what was told: the best at each moment

    @property
    def give_up_rate(self) -> float:
        """Give-ups a second of waiting."""
        return self.gave_up / self.waited_s if self.waited_s > 0.0 else 0.0

    def decided(self, waited_s: float, *, gave_up: bool) -> None:
        """A visit is over. Old ones fade: about the last thousand count."""
        self.waited_s = self.waited_s * 0.999 + waited_s
        self.gave_up = self.gave_up * 0.999 + gave_up
        if not gave_up:
            self.last_wait_s = waited_s

    def forecasts(self, ahead: int, leave_rate: float, head_wait_s: float | None) -> dict[Estimator, Forecast]:
        """What each estimator says of a caller with ``ahead`` others before him; those that know nothing are left out."""
        said: dict[Estimator, Forecast] = {}
        step = state_based(ahead, leave_rate, self.give_up_rate)
        if step is not None:
            said[Estimator.STATE] = step
        for name, seen in ((Estimator.LAST_SERVED, self.last_wait_s), (Estimator.HEAD_OF_LINE, head_wait_s)):
            if seen is not None:
                said[name] = spread(seen, max(1.0, self.tracks[name].mean_square))
        return said

    def best(self, said: Collection[Estimator] = tuple(Estimator)) -> Estimator | None:
        """The estimator that has erred least so far; the one that looks at the state, until there is a record."""
        proven = [name for name in said if self.tracks[name].n >= 20]
        if len(proven) < 2:
            return Estimator.STATE if Estimator.STATE in said else next(iter(said), None)
        return min(proven, key=lambda name: self.tracks[name].mean_square)

    def came_true(self, said: dict[Estimator, Forecast], best: Estimator | None, waited_s: float) -> None:
        """A caller for whom this was said was answered after ``waited_s`` more seconds."""
        for name, forecast in said.items():
            self.tracks[name].add(forecast, waited_s)
        if best is not None and best in said:
            self.told.add(said[best], waited_s)
