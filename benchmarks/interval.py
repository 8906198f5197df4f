"""Confidence intervals of a few replications: Student's t and the incomplete beta function that it needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and how far to either side the true value may lie."""

    mean: float
    half: float

    def holds(self, value: float) -> bool:
        return abs(self.mean - value) <= self.half


def interval(values: Sequence[float], level: float) -> Interval:
    """Of the mean of independent replications, at ``level`` (.99)."""
    return Interval(fmean(values), student(level, len(values) - 1) * stdev(values) / math.sqrt(len(values)))


def student(level: float, freedom: int) -> float:
    """The two-sided quantile of Student's t: |t| stays below it with probability ``level``."""
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2.0
        outside = beta_below(freedom / (freedom + middle * middle), freedom / 2.0, 0.5)
        low, high = (middle, high) if outside > 1.0 - level else (low, middle)
    return high


def beta_below(x: float, a: float, b: float) -> float:
    """P(X <= x) for X of a beta distribution: the regularised incomplete beta function, by a continued fraction (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_below(1.0 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1 / (1 + d2 / (1 + …)), worked out from its end."""
    value = 1.0
    for n in range(400, 0, -1):
        m = n // 2
        if n % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        value = 1.0 + term / value
    return value
