"""risk: does what is said of an interval's breach come true? A reliability table on simulated days of the real floor.

Centres of different sizes, loads and habits, among them two queues that share agents, uneven hours with shifts and breaks, and talk
times that are not exponential. Five times in each interval the floor is asked for the chance that the interval misses its service
level; afterwards the interval's own visits say whether it did. The peer says the same of every interval: the share that was missed,
which nobody could know beforehand. Constants of the model were chosen on other seeds.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import fmean
from time import perf_counter

from acd.breach import judge, look
from acd.events import Event, VisitDecided
from acd.ids import QueueId
from acd.outcomes import Outcome
from acd.sla import INTERVAL_S
from benchmarks.ewt import BARE, HOUR_S, SALES, SUPPORT, UNEVEN, _staff
from benchmarks.figures import Spread, heading, verdict
from tests.support.day import MIDNIGHT, Day, Plan
from tests.support.day_plan import Kind

ASKED_AT_S = (30.0, 210.0, 420.0, 630.0, 840.0)
CUT_S = 2 * HOUR_S
BINS = 10
SKILL, ERROR = 0.5, 0.05
"""Goals: Brier's score relative to the peer's, and the mean distance of what was said from what came."""


def plans() -> dict[str, Plan]:
    """Days as centres have them, with so much work that some intervals hold and others do not."""
    sales = replace(BARE, wrap_up_s=15.0, rest_s=5.0)
    support = replace(BARE, id=SUPPORT, number="8001", wrap_up_s=20.0)
    usual = Plan(calls=4_400, hours=9, talk_s=180, patience_s=180, talk_cv=1.0, queues=(sales,))
    return {
        "6 agents": replace(usual, calls=1_900, hours=20, agents=6, talk_cv=None),
        "20 agents": replace(usual, calls=5_600, hours=16, agents=20, talk_cv=None),
        "60 agents": replace(usual, calls=9_000, hours=9, agents=60),
        "29 agents, regular talk times (cv .4)": replace(usual, agents=29, talk_cv=0.4),
        "29 agents, scattered talk times (cv 1.3)": replace(usual, agents=29, talk_cv=1.3),
        "38 agents, uneven hours, shifts, breaks": replace(
            usual, calls=6_200, hours=12, profile=UNEVEN, talk_s=200, talk_cv=0.9, staff=_staff([(SALES,)] * 38, shifts=True)
        ),
        "two queues that share 13 of 31 agents": replace(
            usual, calls=4_300, talk_cv=0.9, queues=(sales, support), kinds=(Kind(SALES, 2.0), Kind(SUPPORT, 1.0)),
            staff=_staff([(SALES,)] * 12 + [(SUPPORT,)] * 6 + [(SALES, SUPPORT)] * 13),
        ),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """``into_s``: how far the interval had come."""

    queue: QueueId
    start: int
    into_s: float
    risk: float


@dataclass(slots=True)
class AskedDay(Day):
    """A day on which the floor is asked for the risk again and again."""

    said: list[Said] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    looked_ms: list[float] = field(default_factory=list)

    def _open(self) -> None:
        Day._open(self)
        for start in range(int(CUT_S), int(self.plan.hours * HOUR_S), INTERVAL_S):
            for into in ASKED_AT_S:
                self._at(MIDNIGHT + start + into, self._ask, into)

    def _ask(self, into: float) -> None:
        for queue in self.floor.queues:
            began = perf_counter()
            scene = look(self.floor, queue, self.now)
            looked = perf_counter()
            told = judge(scene)
            self.looked_ms.append(1000.0 * (looked - began))
            self.took_ms.append(1000.0 * (perf_counter() - looked))
            self.said.append(Said(queue, int(told.since), into, told.risk))


def missed(events: list[Event], ratios: dict[QueueId, float]) -> dict[tuple[QueueId, int], bool]:
    """Of each queue's intervals in which somebody counted: whether the promise was missed. From the visits, plainly."""
    good: defaultdict[tuple[QueueId, int], int] = defaultdict(int)
    late: defaultdict[tuple[QueueId, int], int] = defaultdict(int)
    for visit in (one for one in events if isinstance(one, VisitDecided)):
        key = (visit.queue, int(visit.entered_at // INTERVAL_S) * INTERVAL_S)
        in_time = visit.waited_s <= (visit.target_s or 20.0)
        if visit.outcome is Outcome.ANSWERED and in_time:
            good[key] += 1
        elif visit.outcome in (Outcome.ANSWERED, Outcome.ABANDONED) and not in_time:
            late[key] += 1
    return {key: good[key] < ratios[key[0]] * (good[key] + late[key]) - 1e-9 for key in {*good, *late}}


@dataclass(slots=True)
class Judged:
    """What was said, each with what came."""

    pairs: list[tuple[Said, bool]] = field(default_factory=list)

    @property
    def brier(self) -> float:
        return fmean((said.risk - came) ** 2 for said, came in self.pairs)

    @property
    def base(self) -> float:
        return fmean(came for _, came in self.pairs)

    @property
    def peer(self) -> float:
        """The score of who knows only how many intervals were missed."""
        return self.base * (1.0 - self.base)

    def bins(self) -> Iterator[tuple[int, float, float]]:
        """How many were in each, what was said on average, what came."""
        for number in range(BINS):
            mine = [(one, came) for one, came in self.pairs if min(BINS - 1, int(one.risk * BINS)) == number]
            if mine:
                yield len(mine), fmean(one.risk for one, _ in mine), fmean(came for _, came in mine)

    @property
    def error(self) -> float:
        """The mean distance of what was said from what came, over the bins."""
        return sum(n * abs(said - came) for n, said, came in self.bins()) / len(self.pairs)


def judged(plan: Plan, seeds: range) -> tuple[Judged, list[float], list[float]]:
    """Days of one plan."""
    found, looked, took = Judged(), [], []
    for seed in seeds:
        day = AskedDay(plan, seed)
        day.run()
        came = missed(day.events, {queue.id: queue.service_level.ratio for queue in plan.queues})
        found.pairs += [(one, came[one.queue, one.start]) for one in day.said if (one.queue, one.start) in came]
        looked, took = looked + day.looked_ms, took + day.took_ms
    return found, looked, took


async def run(*, full: bool, first_seed: int = 100) -> bool:
    """Print the tables; whether the goals are reached."""
    days = 12 if full else 3
    whole, looked, took = Judged(), [], []
    heading("risk", f"{days} days of each centre, asked {len(ASKED_AT_S)} times an interval")
    for name, plan in plans().items():
        found, looking, taking = judged(plan, range(first_seed, first_seed + days))
        whole.pairs += found.pairs
        looked, took = looked + looking, took + taking
        print(
            f"   {name:42} n {len(found.pairs):5}   missed {found.base:.2f}   Brier {found.brier:.4f}, base rate {found.peer:.4f},"
            f" ratio {found.brier / found.peer if found.peer else 0:.2f}   error {found.error:.3f}",
            flush=True,
        )
    for into in ASKED_AT_S:
        part = Judged([pair for pair in whole.pairs if pair[0].into_s == into])
        print(
            f"   asked after {into:3.0f} s: Brier {part.brier:.4f}, base rate {part.peer:.4f}, error {part.error:.3f}"
        )
    print(f"\n   {'said':>8} {'came':>8} {'n':>7}")
    for n, said, came in whole.bins():
        print(f"   {said:8.1%} {came:8.1%} {n:7}")
    print(f"   reading the floor, ms: {Spread.of(looked)}\n   working it out, ms:    {Spread.of(took)}")
    ratio = whole.brier / whole.peer
    good = verdict("Brier score relative to the base rate's", ratio, f"<= {SKILL:g}", ratio <= SKILL)
    return verdict("mean distance of said from came", whole.error, f"<= {ERROR:g}", whole.error <= ERROR) and good
