"""erlang: the real floor against Erlang C and Erlang A: does a centre that queueing theory can calculate come out as calculated?

Each line of the references is simulated at least 20 times, each time another seed: Poisson callers, exponential talk and patience,
phones picked up at once, no wrap-up. The beginning of each run is cut off. Whether a caller waited at all, and how long all of them
waited, is read from the floor's events, the rest from its ledger, by which the service reports; the two are compared as well.

A goal for each figure at 99 % would fail a right engine every other time, for there are up to 46 of them: so the level is chosen
that *all* intervals hold their references with 99 % (each at 1 - .01 / figures). How many lie within their own 99 % is printed too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from acd.events import VisitDecided
from acd.ids import QueueId
from acd.outcomes import Outcome
from acd.picture import stats
from acd.queues import QueueSpec
from acd.turn import Effects
from benchmarks.erlang_formulas import A_FIGURES, C_FIGURES, TABLE, Figures, Load, printed, reference
from benchmarks.figures import heading, verdict
from benchmarks.interval import Interval, interval
from tests.support.day import MIDNIGHT, Day, Plan

QUEUE = QueueSpec(QueueId("sales"), "8000", wrap_up_s=0.0, rest_s=0.0)
FAMILY = 0.01
QUICK = (Load(100, 180, 7), Load(360, 180, 20), Load(100, 180, 5, 120), Load(360, 180, 18, 60))


@dataclass(frozen=True, slots=True)
class Length:
    """How much is simulated of a line: runs, and hours of each, of which the first ``cut_h`` are left out."""

    runs: int
    cut_h: int
    hours: float

    @classmethod
    def of(cls, load: Load, *, full: bool) -> "Length":
        """Erlang C's lines forget where they began only after some hours, and those with few callers need more of them."""
        cut = 4 if load.patience_s is None else 1
        if not full:
            return cls(20, cut, cut + (8 if load.calls_h > 200 else 24))
        return cls(30, cut + 1, cut + 1 + min(44.0, max(8.0, 8_000 / load.calls_h)))


@dataclass(slots=True)
class Seen:
    """What the events say of the callers who came after the cut."""

    since: float
    n: int = 0
    delayed: int = 0
    abandoned: int = 0
    wait_s: float = 0.0

    def watch(self, _day: Day, effects: Effects) -> None:
        for event in effects.events:
            if isinstance(event, VisitDecided) and event.entered_at >= self.since:
                self.n += 1
                self.delayed += event.waited_s > 0.0
                self.abandoned += event.outcome is Outcome.ABANDONED
                self.wait_s += event.waited_s


def simulate(load: Load, length: Length, seed: int) -> Figures:
    """One run's figures."""
    seen = Seen(MIDNIGHT + length.cut_h * 3600.0)
    plan = Plan(
        calls=round(load.calls_h * length.hours), hours=length.hours, agents=load.agents, talk_s=load.aht_s,
        patience_s=load.patience_s, pickup_s=0.0, ring_delay_s=0.0, no_answer=0.0, reject=0.0, queues=(QUEUE,),
    )  # fmt: skip
    day = Day(plan, seed, keep_events=False, watch=seen.watch).run()
    told = stats(day.floor, QUEUE.id, seen.since, day.now)
    assert (told.offered, told.counts.abandoned) == (seen.n, seen.abandoned), "the ledger and the events disagree"
    assert told.service_level.primary is not None
    assert told.service_level.strict is not None
    assert told.asa_s is not None
    if load.patience_s is None:
        values: tuple[float, ...] = (seen.delayed / seen.n, told.asa_s, told.service_level.primary)
        return dict(zip(C_FIGURES, values, strict=True))
    levels = (told.service_level.strict, told.service_level.primary)
    values = (seen.delayed / seen.n, told.counts.abandoned / told.offered, seen.wait_s / seen.n, *levels)
    return dict(zip(A_FIGURES, values, strict=True))


async def run(*, full: bool) -> bool:
    """Print every figure beside its reference; whether all intervals hold theirs."""
    loads = tuple(TABLE) if full else QUICK
    figures = sum(len(TABLE[load]) for load in loads)
    level = 1.0 - FAMILY / figures
    heading("erlang", f"{figures} figures, all within their intervals with {1 - FAMILY:.0%} (each at {level:.5f})")
    within = plainly = 0
    widest = 0.0
    for number, load in enumerate(loads):
        length = Length.of(load, full=full)
        runs = [simulate(load, length, 1_000 * number + one) for one in range(length.runs)]  # no two lines share a seed
        print(f"   {load}: {length.runs} runs of {length.hours:g} h, {length.cut_h} h cut off", flush=True)
        for name, expected in printed(load).items():
            assert abs(reference(load)[name] - expected) < 1e-4 * max(1.0, expected), "the formula left the table"
            values = [one[name] for one in runs]
            found, strict = interval(values, level), interval(values, 1 - FAMILY)
            within += found.holds(expected)
            plainly += strict.holds(expected)
            widest = max(widest, strict.half / expected)
            print(_line(name, expected, strict, found.holds(expected)))
    print(
        f"   within the plain 99 % interval: {plainly} of {figures}; widest of those: ± {widest:.1%} of its reference"
    )
    return all(_verdicts(figures, within, plainly))


def _line(name: str, expected: float, found: Interval, holds: bool) -> str:
    mark = "" if found.holds(expected) else "   outside its own 99 %" if holds else "   OUTSIDE"
    return f"      {name:13} {found.mean:10.5f} ± {found.half:8.5f}   reference {expected:10.5f}{mark}"


def _verdicts(figures: int, within: int, plainly: int) -> Iterable[bool]:
    outside = figures - within
    yield verdict("figures outside their interval", float(outside), "0", outside == 0)
    # Of 46 right figures more than 4 outside their own 99 % would be a chance of one in a thousand (those of a run are related).
    yield verdict("figures outside a plain 99 %", float(figures - plainly), "<= 4", figures - plainly <= 4)
