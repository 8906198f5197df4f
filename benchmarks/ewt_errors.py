"""How far expected waits were from what came true: Nobat's estimators, and what else could have been said of the same callers.

Fed from a floor, a live one (``tests.support.day``) or one that is played back from a recording (``benchmarks.recording``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean

from acd.calls import Call
from acd.ewt import Forecast
from acd.floor import Floor
from acd.forecast import ahead_of
from acd.ids import CallId, QueueId

USED, APP_QUEUE, NOTHING, QLR = "used", "app_queue", "no information", "QLr, known rates"


@dataclass(frozen=True, slots=True)
class Said:
    """What would have been told to one caller when he joined the line."""

    at: float
    queue: QueueId
    means: dict[str, float]
    ranges: dict[str, Forecast]


@dataclass(slots=True)
class Errors:
    """``known`` is the mean wait behind so many callers, worked out from the rates with which the day was made."""

    since: float
    known: Callable[[int], float] | None = None
    pending: dict[CallId, Said] = field(default_factory=dict)
    errors: dict[str, list[float]] = field(default_factory=dict)
    inside: dict[str, list[bool]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    averages: dict[QueueId, float] = field(default_factory=dict)

    def joined(self, floor: Floor, call: Call) -> None:
        """A caller has to wait, and the floor has made its forecasts."""
        prediction = call.prediction
        if prediction is None or prediction.best is None:
            return
        ranges = {name.value: forecast for name, forecast in prediction.said.items()}
        ranges[USED] = prediction.said[prediction.best]
        means = {name: forecast.mean_s for name, forecast in ranges.items()}
        if call.queue in self.averages:
            means[APP_QUEUE] = self.averages[call.queue]
        if self.known is not None:
            means[QLR] = self.known(ahead_of(floor, floor.queues[call.queue], call))
        self.pending[call.id] = Said(prediction.at, call.queue, means, ranges)

    def answered(self, call: CallId, queue: QueueId, at: float, waited_s: float) -> None:
        """A caller, who may have had to wait, is answered."""
        before = self.averages.get(queue)
        # app_queue: a quarter of the newest hold time and three quarters of the average so far.
        self.averages[queue] = waited_s if before is None else 0.75 * before + 0.25 * waited_s
        said = self.pending.pop(call, None)
        if said is None or said.at < self.since:
            return
        wait = at - said.at
        self.waits.append(wait)
        for name, mean in said.means.items():
            self.errors.setdefault(name, []).append(mean - wait)
        for name, forecast in said.ranges.items():
            self.inside.setdefault(name, []).append(forecast.low_s <= wait <= forecast.high_s)

    def square(self, name: str) -> float:
        """Mean squared error. The best that can be said without looking is the mean of all waits."""
        if name == NOTHING:
            mean = fmean(self.waits)
            return fmean((wait - mean) ** 2 for wait in self.waits)
        return fmean(error * error for error in self.errors[name])

    def take(self, other: "Errors") -> None:
        """Pool another run's."""
        self.waits += other.waits
        for name, errors in other.errors.items():
            self.errors.setdefault(name, []).extend(errors)
        for name, inside in other.inside.items():
            self.inside.setdefault(name, []).extend(inside)

    def lines(self, base: str) -> list[str]:
        """A table: root of the mean squared error, that square relative to ``base``'s, bias, share inside the range."""
        rows = []
        whole = self.square(base)
        for name in sorted(self.errors, key=self.square):
            share = f"{fmean(self.inside[name]):6.1%} inside" if name in self.inside else ""
            bias = fmean(self.errors[name])
            square = self.square(name)
            rows.append(f"{name:18} {square / whole:7.2f}   rms {square**0.5:7.1f} s   bias {bias:+7.1f} s   {share}")
        rows.append(f"{NOTHING:18} {self.square(NOTHING) / whole:7.2f}   rms {self.square(NOTHING) ** 0.5:7.1f} s")
        return rows
