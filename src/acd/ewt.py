"""How long a caller will wait: three estimators, compared all the time with what came true.

* *last_served*: the wait of the caller who was served last (LES; Ibrahim and Whitt, "Real-time delay estimation", 2009).
* *head_of_line*: how long the one at the head has waited by now (HOL, ibid.).
* *state*: callers ahead, agents at work who can serve *this* caller, how long they take and how fast callers give up:
  the sum over i = 0 … ahead of 1 / (n·μ + i·θ) (QLr, ibid.), with n, μ and θ as measured. Where handling times are less
  scattered than exponential ones, the next departures are those that the agents' own remaining times say.

Each says how far it may be off as well, and that claim is calibrated by what came true: the range told holds four of five.

Pure: numbers in, numbers out. ``acd.forecast`` feeds it from the floor. All times are seconds.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from math import exp, log, sqrt

from acd.record import record
from acd.words import Word

KEPT = 1_000
"""Handling times that are remembered one by one, for what remains of a handling: the last hours of a queue of ten."""

STEADY = 0.0004
"""Weight of the newest handling time in their mean: some five thousand count. A line is long where handling took long by chance; a
mean of the last few would then be wrong just when much is ahead."""

PARTS = 4
"""Quantiles by which the remaining time of one handling is described."""

MEMORY = 0.02
"""Weight of the newest error in the figures that are shown: about the last fifty callers count."""

RECORD = 0.002
"""Weight of the newest error where estimators are judged. Errors come in runs, as waits do: fifty callers would prove nothing."""

PROVEN, CLEARLY = 100, 0.5
"""After so many callers, and with a squared error so much smaller, an estimator replaces the one that looks at the state."""

ONE_BY_ONE = 200
"""So many callers ahead are looked at one by one."""

Z80 = 1.2816
"""Standard normal quantile of 90 %: the range from 10 % to 90 % holds four callers of five."""


class Estimator(Word):
    """A closed set: it is a metric label."""

    LAST_SERVED = "last_served"
    HEAD_OF_LINE = "head_of_line"
    STATE = "state"


@record
class Forecast:
    """An expected wait from now on, as a mean and as a range that holds four of five; ``claimed``: its variance, uncalibrated."""

    mean_s: float
    low_s: float
    high_s: float
    claimed: float = 1.0


@dataclass(slots=True)
class Services:
    """Handling times: conversation and wrap-up, from connection to free again."""

    total_s: float = 0.0
    squares: float = 0.0
    mean: float = 0.0
    n: int = 0
    order: deque[float] = field(default_factory=deque)
    sorted: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """One more; the oldest beyond ``KEPT`` is forgotten."""
        self.n += 1
        self.mean += max(STEADY, 1.0 / self.n) * (seconds - self.mean)
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
        return self.mean if self.n else None

    @property
    def is_regular(self) -> bool:
        """Whether the time talked so far says something of the time that remains: scattered clearly less than exponential."""
        n = len(self.order)
        if n < 30:
            return False
        mean = self.total_s / n
        return self.squares / n - mean * mean < 0.5 * mean * mean

    def remaining(self, elapsed_s: float) -> list[float]:
        """Quantiles of what remains of a handling that has lasted ``elapsed_s``, the smallest first."""
        begin = bisect_right(self.sorted, elapsed_s)
        longer = len(self.sorted) - begin
        if longer < PARTS:  # longer than nearly all before: it may end any moment
            soon = max(1.0, 0.1 * (self.mean_s or 0.0))
            return [soon * (part + 0.5) * 2.0 / PARTS for part in range(PARTS)]
        return [self.sorted[begin + longer * (2 * part + 1) // (2 * PARTS)] - elapsed_s for part in range(PARTS)]


@record
class Departures:
    """How agents will become free: ``agents`` of them, each after ``mean_s`` again and again.

    ``firsts`` are the quantiles of the remaining times of all of them, in order; empty where what remains is like a whole one.
    """

    agents: int
    mean_s: float
    firsts: tuple[float, ...] = ()

    @property
    def rate(self) -> float:
        """n·μ: departures a second."""
        return self.agents / self.mean_s

    def nth(self, number: int) -> float:
        """When the ``number``-th (from 1 on) may be expected. Round after round, as long as somebody waits."""
        round_, place = divmod((2 * number - 1) * PARTS // 2, len(self.firsts))
        return self.firsts[place] + round_ * self.mean_s


@dataclass(slots=True)
class Track:
    """How well an estimator does."""

    mean_square: float = 0.0
    claimed: float = 0.0
    mean_absolute_s: float = 0.0
    inside: float = 0.0
    n: int = 0

    def add(self, forecast: Forecast, waited_s: float) -> None:
        self.n += 1
        shown, judged = max(MEMORY, 1.0 / self.n), max(RECORD, 1.0 / self.n)
        error = forecast.mean_s - waited_s
        self.mean_square += judged * (error * error - self.mean_square)
        self.claimed += judged * (forecast.claimed - self.claimed)
        self.mean_absolute_s += shown * (abs(error) - self.mean_absolute_s)
        self.inside += shown * ((forecast.low_s <= waited_s <= forecast.high_s) - self.inside)

    @property
    def calibration(self) -> float:
        """By what a claimed variance must be multiplied to be the one that was seen; 1 until that is known."""
        return self.mean_square / self.claimed if self.n >= PROVEN and self.claimed > 0.0 else 1.0


def spread(mean_s: float, claimed: float, calibration: float = 1.0) -> Forecast:
    """A range around a mean: quantiles of a gamma distribution by Wilson and Hilferty's cube root (1931).

    Where nearly nothing is known (errors of four times the mean) those come to nothing: the range then ends at the mean.
    """
    if mean_s <= 0.0:
        return Forecast(0.0, 0.0, 0.0, claimed)
    share = claimed * calibration / (9.0 * mean_s * mean_s)  # 1 / (9 k) for shape k
    low, high = ((max(0.0, 1.0 - share + z * sqrt(share))) ** 3 * mean_s for z in (-Z80, Z80))
    return Forecast(mean_s, low, max(mean_s, high), claimed)


def turn_of(ahead: int, departures: Departures, give_up_rate: float) -> tuple[float, float]:
    """Mean and variance of the time until it is the turn of a caller with ``ahead`` others before him.

    ``give_up_rate`` is θ: how often one caller gives up, a second.
    """
    if departures.firsts:
        return _turn_by_remaining(ahead, departures, give_up_rate)
    rate = departures.rate
    if give_up_rate * (ahead + 1) < 1e-3 * rate:
        return (ahead + 1) / rate, (ahead + 1) / rate**2
    steps = [1.0 / (rate + waiting * give_up_rate) for waiting in range(min(ahead + 1, ONE_BY_ONE))]
    mean, variance = sum(steps), sum(step * step for step in steps)
    if (
        ahead >= ONE_BY_ONE
    ):  # the rest of the sum as an integral: no worse than a millionth, and as quick for ten thousand
        near, far = (rate + (waiting - 0.5) * give_up_rate for waiting in (ONE_BY_ONE, ahead + 1))
        mean += log(far / near) / give_up_rate
        variance += (1.0 / near - 1.0 / far) / give_up_rate
    return mean, variance


def _turn_by_remaining(ahead: int, departures: Departures, give_up_rate: float) -> tuple[float, float]:
    """Departure by departure: those before give up meanwhile, and one of them is served. A long line goes in strides."""
    before, at, variance, number = float(ahead), 0.0, 0.0, 0
    stride = 1 + ahead // ONE_BY_ONE
    while stride > 1:
        due = departures.nth(number + stride)
        left = before * exp(-give_up_rate * (due - at)) - stride
        if left < stride:
            break
        variance += (due - at) ** 2 / stride
        before, at, number = left, due, number + stride
    while True:
        number += 1
        due = departures.nth(number)
        variance += (due - at) ** 2
        before *= exp(-give_up_rate * (due - at))
        if before < 1.0:  # it is this caller's turn, or with the chance ``before`` still another's
            return due + before * (departures.nth(number + 1) - due), max(variance, due / departures.rate)
        before, at = before - 1.0, due


@dataclass(slots=True)
class Rings:
    """How phones are picked up for callers who need not wait: how long that takes, and the share that is answered in time.

    Until it is known, the usual counts as much as ten callers.
    """

    mean_s: float = 3.0
    prompt: float = 0.97
    n: int = 10

    def add(self, waited_s: float, *, in_time: bool) -> None:
        self.n += 1
        weight = max(MEMORY, 1.0 / self.n)
        self.mean_s += weight * (waited_s - self.mean_s)
        self.prompt += weight * (in_time - self.prompt)


@dataclass(slots=True)
class WaitModel:
    """One queue's measurements and the record of its estimators."""

    services: Services = field(default_factory=Services)
    last_wait_s: float | None = None
    waited_s: float = 0.0  # all callers' waiting, decayed
    gave_up: float = 0.0  # how many of them gave up, decayed alike
    tracks: dict[Estimator, Track] = field(default_factory=lambda: {one: Track() for one in Estimator})
    told: Track = field(default_factory=Track)  # of what was told: the best at each moment
    rings: Rings = field(default_factory=Rings)

    @property
    def give_up_rate(self) -> float:
        """Give-ups a second of waiting."""
        return self.gave_up / self.waited_s if self.waited_s > 0.0 else 0.0

    def decided(self, waited_s: float, *, gave_up: bool, served: bool = True) -> None:
        """A visit is over. Old ones fade: about the last thousand count. Who was led away was neither served nor gave up."""
        self.waited_s = self.waited_s * 0.999 + waited_s
        self.gave_up = self.gave_up * 0.999 + gave_up
        if served and not gave_up:
            self.last_wait_s = waited_s

    def forecasts(self, turn: tuple[float, float] | None, head_wait_s: float | None) -> dict[Estimator, Forecast]:
        """What each estimator says of a caller whose ``turn_of`` is known; those that know nothing are left out."""
        said: dict[Estimator, Forecast] = {}
        if turn is not None:
            said[Estimator.STATE] = spread(*turn, self.tracks[Estimator.STATE].calibration)
        for name, seen in ((Estimator.LAST_SERVED, self.last_wait_s), (Estimator.HEAD_OF_LINE, head_wait_s)):
            if seen is not None:  # errors of both grow as the wait does
                said[name] = spread(seen, max(1.0, seen), self.tracks[name].calibration)
        return said

    def best(self, said: Collection[Estimator] = tuple(Estimator)) -> Estimator | None:
        """The estimator that looks at the state, unless another has erred clearly less for long."""
        if Estimator.STATE not in said:
            return next(iter(said), None)
        limit = CLEARLY * self.tracks[Estimator.STATE].mean_square
        better = [name for name in said if self.tracks[name].n >= PROVEN and self.tracks[name].mean_square < limit]
        return min(better, key=lambda name: self.tracks[name].mean_square, default=Estimator.STATE)

    def came_true(self, said: dict[Estimator, Forecast], best: Estimator | None, waited_s: float) -> None:
        """A caller for whom this was said was answered after ``waited_s`` more seconds."""
        for name, forecast in said.items():
            self.tracks[name].add(forecast, waited_s)
        if best is not None and best in said:
            self.told.add(said[best], waited_s)
