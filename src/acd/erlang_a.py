"""Erlang A from the state of this moment: how a line of callers will fare until an interval ends.

Callers come as a Poisson process, are served by n agents at the rate μ each, and give up at the rate θ; the number in the system is
a birth and death process. Who finds k others in line waits for k + 1 departures, the i-th at rate n·μ + i·θ; times whose rates
grow by equal steps add up to -ln B / θ with B of a beta distribution, so how many departures a span holds is negative binomial.

Every caller brings a *score*: something good when answered in time, something bad when not, nothing when it does not count. The
first three moments of the scores that are still to come follow from backward equations over the number in the system, which an
implicit scheme (Crank and Nicolson, 1947) solves in a bounded number of steps whatever the size of the centre.

Pure: numbers in, numbers out; seconds and rates a second. ``acd.risk`` asks.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import ceil, exp, expm1, sqrt

from acd.record import record

SMALLEST = 1e-7
"""A patience of months: nobody gives up, and nothing is divided by zero."""

STATES = 90
"""So many numbers in the system are told apart; in a larger centre several count as one."""

STEP_S, FEWEST, MOST = 40.0, 4, 24
"""How long a step of time is, and how many there are."""


@record
class Station:
    """A line and who serves it. ``own``: the share of those who come that is of the queue in question.

    ``pickup_s``: how long phones ring. ``prompt``: the share of those who need not wait that is answered in time. ``takes``: the
    share of those who would be late that takes a callback instead; ``diverts``: whoever would more likely than not be late is
    led elsewhere on coming.
    """

    agents: int
    engaged: int
    line: int
    arrivals: float
    handle_s: float
    give_up: float
    own: float = 1.0
    pickup_s: float = 0.0
    prompt: float = 1.0
    takes: float = 0.0
    diverts: bool = False

    @property
    def rate(self) -> float:
        """n·μ: departures a second when all are busy."""
        return self.agents / self.handle_s


@record
class Fate:
    """What becomes of a caller: answered in time, late (still in line then), or neither."""

    good: float
    late: float


@dataclass(slots=True)
class Moments:
    """Of a sum of scores: its first three moments about zero."""

    first: float
    second: float
    third: float


def fates(station: Station, ahead: int, within_s: float) -> list[Fate]:
    """What becomes of a caller who has ``within_s`` left, for 0, 1, … ``ahead`` others before him.

    The list may be shorter: for all who are further back it is as for its last.
    """
    theta = max(SMALLEST, station.give_up)
    left = max(0.0, within_s - station.pickup_s)
    stays = exp(-theta * left)
    rate = station.rate
    if rate <= 0.0:
        return [Fate(0.0, stays)]
    ratio, gone = rate / theta, -expm1(-theta * left)
    # The chance that k departures happen in time, as others see it, and as somebody sees it who gives up as well.
    term, own_term = exp(-rate * left), exp(-rate * left) * stays
    late, own_late = term, own_term
    found = []
    for place in range(ahead + 1):
        if place:
            term *= (ratio + place - 1) / place * gone
            own_term *= (ratio + place) / place * gone
            late, own_late = late + term, own_late + own_term
        willing = rate / (rate + (place + 1) * theta)
        good = willing * max(0.0, 1.0 - own_late)
        tardy = stays * min(1.0, late) + (1.0 - station.prompt) * good
        found.append(Fate(station.prompt * good, tardy * (1.0 - station.takes)))
        if late > 1.0 - 1e-6:
            break
    return found


def turning_point(chances: list[Fate]) -> int:
    """How many are before the first who will more likely than not be late."""
    return bisect_left(range(len(chances)), True, key=lambda place: chances[place].late >= chances[place].good)


def future(station: Station, left_s: float, target_s: float, good: float, bad: float) -> Moments:
    """The scores of the own callers who come within ``left_s``: ``good`` for each in time, ``bad`` for each who is late."""
    if left_s <= 0.0 or station.arrivals <= 0.0:
        return Moments(0.0, 0.0, 0.0)
    grid = _Grid(station, left_s, target_s)
    steps = min(MOST, max(FEWEST, ceil(left_s / STEP_S)))
    return grid.solve(left_s / steps, steps, good, bad)


class _Grid:
    """The numbers in the system that matter, and the rates at which one becomes the next."""

    def __init__(self, station: Station, left_s: float, target_s: float) -> None:
        agents, coming = station.agents, station.arrivals * left_s
        now = station.engaged + station.line
        load = station.arrivals * station.handle_s
        lowest = min(now, agents, load) - 5.0 * sqrt(min(load, agents) + 1.0) - 2.0
        grows = max(0.0, (station.arrivals - station.rate) * left_s)
        highest = max(now, agents) + min(coming, grows + 4.0 * sqrt(coming)) + 6.0
        self.low = max(0, int(lowest))
        self.step = max(1, ceil((highest - self.low) / STATES))
        self.size = ceil((highest - self.low) / self.step) + 1
        self.here = (now - self.low) / self.step
        self.station = station
        self._mark(target_s)
        self._rates()

    def _mark(self, target_s: float) -> None:
        """What becomes of a caller who finds each number in the system."""
        station, numbers = self.station, [self.low + place * self.step for place in range(self.size)]
        chances = fates(station, max(0, numbers[-1] - station.agents), target_s)
        at_once = Fate(station.prompt, (1.0 - station.prompt) * (1.0 - station.takes))
        self.limit = station.agents + turning_point(chances) if station.diverts else numbers[-1] + 1
        self.fates = []
        for number in numbers:
            if number >= self.limit:
                self.fates.append(Fate(0.0, 0.0))
            elif number < station.agents:
                self.fates.append(at_once)
            else:
                self.fates.append(chances[min(number - station.agents, len(chances) - 1)])

    def _rates(self) -> None:
        station, step = self.station, self.step
        self.up, self.down = [], []
        for place in range(self.size):
            number = self.low + place * step
            coming = station.arrivals * (1.0 - station.own) if number >= self.limit else station.arrivals
            waiting = max(0, number - station.agents)
            going = min(number, station.agents) / station.handle_s + waiting * station.give_up
            spread, drift = (coming + going) / (2.0 * step * step), (coming - going) / (2.0 * step)
            self.up.append(max(0.0, spread + drift) if place < self.size - 1 else 0.0)
            self.down.append(max(0.0, spread - drift) if place else 0.0)

    def solve(self, dt: float, steps: int, good: float, bad: float) -> Moments:
        """Backward in time: what is still to come grows with each step."""
        size, half = self.size, dt / 2.0
        counted = self.station.arrivals * self.station.own * dt
        marks = [
            [counted * (one.good * good**power + one.late * bad**power) for one in self.fates] for power in (1, 2, 3)
        ]
        sweep = _Sweep([half * rate for rate in self.up], [half * rate for rate in self.down])
        first, second, third = [0.0] * size, [0.0] * size, [0.0] * size
        for _ in range(steps):
            was = first
            first = sweep.step(first, marks[0])
            after = self._after([(a + b) / 2.0 for a, b in zip(was, first, strict=True)])
            gain = [m2 + 2.0 * m1 * a for m1, m2, a in zip(marks[0], marks[1], after, strict=True)]
            was, second = second, sweep.step(second, gain)
            squares = self._after([(a + b) / 2.0 for a, b in zip(was, second, strict=True)])
            gain = [
                m3 + 3.0 * (m2 * a + m1 * s)
                for m1, m2, m3, a, s in zip(marks[0], marks[1], marks[2], after, squares, strict=True)
            ]
            third = sweep.step(third, gain)
        return Moments(*(self._at(values) for values in (first, second, third)))

    def _after(self, values: list[float]) -> list[float]:
        """The values once one more has come in."""
        following = [*values[1:], values[-1]]
        if self.step == 1:
            return following
        return [here + (there - here) / self.step for here, there in zip(values, following, strict=True)]

    def _at(self, values: list[float]) -> float:
        """The value for the number of this moment."""
        place = min(int(self.here), self.size - 2)
        return values[place] + (values[place + 1] - values[place]) * (self.here - place)


class _Sweep:
    """One implicit step of the equations: the same matrix each time, taken apart once (Thomas' algorithm)."""

    def __init__(self, up: list[float], down: list[float]) -> None:
        self.up, self.down = up, down
        self.over: list[float] = []
        self.under: list[float] = []
        before = 0.0
        for more, less in zip(up, down, strict=True):
            pivot = 1.0 / (1.0 + more + less - less * before)
            before = more * pivot
            self.over.append(before)
            self.under.append(pivot)

    def step(self, values: list[float], gain: list[float]) -> list[float]:
        """``values`` one step on, with ``gain`` added on the way."""
        up, down = self.up, self.down
        last = len(values) - 1
        found, before, left = [], 0.0, values[0]
        for place, value in enumerate(values):
            right = values[place + 1] if place < last else value
            known = value + up[place] * (right - value) + down[place] * (left - value) + gain[place]
            before = (known + down[place] * before) * self.under[place]
            found.append(before)
            left = value
        for place in range(last - 1, -1, -1):
            found[place] += self.over[place] * found[place + 1]
        return found
