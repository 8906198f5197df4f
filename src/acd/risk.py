"""The chance that an interval misses its service level, from what has been decided in it and from the line as it stands.

Each caller who counts moves the *score*: in time by 1 - ratio, late by -ratio. The promise is missed when the interval ends
with a score below nothing. What is decided is known; those who wait, and those who are still to come (``acd.erlang_a``), have a
mean, a variance and a skew, and the sum is read from a gamma distribution with the same three. How many will come is itself only
estimated: the chance is a mean over three rates.

Pure: numbers in, numbers out. ``acd.breach`` reads them from the floor.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import erf, sqrt

from acd.erlang_a import Fate, Station, fates, future
from acd.record import record

TOGETHER = 0.5
"""Correlation of what becomes of two callers who wait in the same line: the same departures serve both."""

LOOKED_AT = 100
"""So many who wait are looked at one by one."""

SHARED = 1.2
"""By so much the variance of what is to come is larger than that of callers who share nothing but the line's length: those who come
one after the other wait for the same departures. Measured on simulated centres of 6 to 200 agents: 1.1 to 1.3."""

_RATES = ((-1.7320508, 1.0 / 6.0), (0.0, 2.0 / 3.0), (1.7320508, 1.0 / 6.0))
"""Gauss and Hermite's three points for a normal distribution, and their weights."""


@record
class Waiting:
    """A caller of the interval who is not late yet: so many stand before him, and so long is left."""

    ahead: int
    left_s: float


@record
class Interval:
    """``good`` and ``missed``: callers whose fate is known, those who wait past the target among the missed."""

    left_s: float
    target_s: float
    ratio: float
    good: int = 0
    missed: int = 0
    waiting: tuple[Waiting, ...] = ()
    ringing: int = 0  # of those who are not late: phones ring for them
    behind: int = 0  # more who wait and are not late yet: they fare as the last of ``waiting``


@record
class Situation:
    """``spread``: the standard deviation of the arrival rate, as far as it is known."""

    station: Station
    interval: Interval
    spread: float = 0.0


@record
class _Sum:
    """Mean, variance and third central moment of a part of the score."""

    mean: float
    variance: float
    third: float = 0.0

    def plus(self, other: "_Sum") -> "_Sum":
        return _Sum(self.mean + other.mean, self.variance + other.variance, self.third + other.third)


def chance(situation: Situation) -> float:
    """The probability that the interval misses its promise; 0 if nobody will count."""
    station, interval = situation.station, situation.interval
    bad, good = -interval.ratio, 1.0 - interval.ratio
    known = _waiting(station, interval).plus(_Sum(good * interval.good + bad * interval.missed, 0.0))
    found = 0.0
    for place, weight in _RATES:
        rate = max(0.05 * station.arrivals, station.arrivals + place * situation.spread)
        to_come = future(replace(station, arrivals=rate), interval.left_s, interval.target_s, good, bad)
        mean, square = to_come.first, to_come.first**2
        variance = SHARED * max(0.0, to_come.second - square)
        third = SHARED**1.5 * (to_come.third - 3.0 * mean * to_come.second + 2.0 * mean * square)
        found += weight * _below(known.plus(_Sum(mean, variance, third)), interval.ratio)
    return min(1.0, max(0.0, round(found, 9)))


def each(station: Station, waiting: tuple[Waiting, ...]) -> Iterator[Fate]:
    """What becomes of each of those who wait, in their order. Hands that are free serve the first of them at once."""
    free = max(0, station.agents - station.engaged)
    for one in waiting:
        if one.ahead < free:
            prompt = station.prompt if one.left_s > station.pickup_s else 0.0
            yield Fate(prompt, 1.0 - prompt)
        else:
            yield fates(station, one.ahead - free, one.left_s)[-1]


def diverted(station: Station, interval: Interval) -> tuple[Station, Interval]:
    """Whoever waits and will more likely than not be late is led away now, as those will be who come later."""
    keep = tuple(
        one
        for one, fate in zip(interval.waiting, each(station, interval.waiting), strict=False)
        if fate.good > fate.late
    )
    gone = len(interval.waiting) - len(keep)
    gone += interval.behind
    station = replace(station, line=max(0, station.line - gone), diverts=True)
    return station, replace(interval, waiting=keep, behind=0)


def _waiting(station: Station, interval: Interval) -> _Sum:
    """The part of those who are in line, or for whom phones ring."""
    ratio = interval.ratio
    prompt = station.prompt
    chances = [*each(station, interval.waiting), *[Fate(prompt, 1.0 - prompt)] * min(interval.ringing, LOOKED_AT)]
    mean = variance = deviations = 0.0
    for one in chances:
        expected = one.good * (1.0 - ratio) - one.late * ratio
        own = max(0.0, one.good * (1.0 - ratio) ** 2 + one.late * ratio**2 - expected**2)
        mean, variance, deviations = mean + expected, variance + own, deviations + sqrt(own)
    if interval.behind and interval.waiting:
        mean -= ratio * interval.behind * chances[len(interval.waiting) - 1].late
    return _Sum(mean, (1.0 - TOGETHER) * variance + TOGETHER * deviations**2)


def _below(total: _Sum, ratio: float) -> float:
    """The probability that the score ends below nothing. Scores are steps: half a step lies between missed and just kept."""
    steps = [step for step in (ratio, 1.0 - ratio) if step > 1e-9]
    edge = -0.5 * min(steps)
    deviation = sqrt(total.variance)
    if deviation < 1e-6:
        return 1.0 if total.mean < edge else 0.0
    return _gamma((edge - total.mean) / deviation, total.third / deviation**3)


def _gamma(z: float, skew: float) -> float:
    """P(Z < z) for a standardised gamma distribution of that skew, by Wilson and Hilferty's cube root (1931)."""
    if skew > 0.0:
        return 1.0 - _gamma(-z, -skew)
    if skew > -0.02:
        return _normal(z)
    shape = 4.0 / min(16.0, skew * skew)
    scaled = 1.0 - z / sqrt(shape)  # of the mirrored one, whose skew is to the right
    if scaled <= 0.0:
        return 1.0
    share = 1.0 / (9.0 * shape)
    return 1.0 - _normal((scaled ** (1.0 / 3.0) - 1.0 + share) / sqrt(share))


def _normal(z: float) -> float:
    return 0.5 * (1.0 + erf(z / sqrt(2.0)))
