"""A line and its agents once more, as plainly as can be: what the arithmetic of ``acd.risk`` is compared with."""

import math
import random

from acd.erlang_a import Station
from acd.risk import Interval


def outcome(station: Station, interval: Interval, rng: random.Random) -> tuple[int, int]:
    """One course of events: how many of the interval are answered in time, how many are late in the end.

    The line at the beginning is of nobody who counts. Everything is exponential; phones are picked up at once.
    """

    def patience() -> float:
        return rng.expovariate(station.give_up) if station.give_up else math.inf

    good, late, at, busy = interval.good, interval.missed, 0.0, station.engaged
    line = [(-1.0, patience()) for _ in range(station.line)]
    arrival = rng.expovariate(station.arrivals)
    while arrival < interval.left_s or any(entered >= 0 for entered, _ in line):
        departure = at + rng.expovariate(busy / station.handle_s) if busy else math.inf
        following = min(arrival, departure)
        leaving = min(line, key=lambda one: one[1], default=(0.0, math.inf))
        if leaving[1] <= following:
            at = leaving[1]
            line.remove(leaving)
            late += leaving[0] >= 0 and at - leaving[0] > interval.target_s
        elif arrival <= departure:
            at, counts = arrival, arrival < interval.left_s
            arrival = at + rng.expovariate(station.arrivals)
            if busy < station.agents:
                busy += 1
                good += counts
            elif counts:
                line.append((at, at + patience()))
        else:
            at = departure
            if not line or busy > station.agents:
                busy -= 1
            else:
                entered, _ = line.pop(0)
                if entered >= 0:
                    in_time = at - entered <= interval.target_s
                    good, late = good + in_time, late + (not in_time)
    return good, late


def missed(station: Station, interval: Interval, runs: int, seed: int) -> float:
    """The share of courses in which the interval misses its promise."""
    rng = random.Random(seed)
    count = 0
    for _ in range(runs):
        good, late = outcome(station, interval, rng)
        count += good < interval.ratio * (good + late) - 1e-9
    return count / runs
