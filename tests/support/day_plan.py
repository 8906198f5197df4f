"""What happens on a simulated day: who calls and when, how long people talk, who works from when to when.

A plan and a seed give the arrivals, and those depend on nothing that the floor does: the same callers, with the same patience and
the same things to say, can be sent to the floor and to any model that it is compared with. ``tests/support/day.py`` lets them in.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from acd.agents import AgentSpec
from acd.directory import CallerProfile
from acd.ids import AgentId, QueueId
from acd.queues import QueueSpec

MIDNIGHT = 1_700_006_400.0  # 2023-11-15 00:00 UTC


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of callers. ``numbers`` are those they call from, each time another one at random; none: withheld."""

    queue: QueueId
    share: float = 1.0
    priority: int = 0
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """An agent's day, in seconds since it began. ``pace`` stretches the talk times of this agent's conversations."""

    spec: AgentSpec
    from_s: float = 0.0
    until_s: float | None = None
    breaks: tuple[tuple[float, float], ...] = ()
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens on the day. Times in seconds; all but the hours are means of random times.

    ``calls`` come over ``hours``, as a Poisson process; ``profile`` gives the load of equal parts of the day relative to each
    other. Talk times are exponential, or with ``talk_cv`` (standard deviation / mean) lognormal. Patience is exponential; None:
    nobody gives up. Without ``staff``, ``agents`` serve all queues all day; without ``kinds`` the queues take turns.
    """

    calls: int = 20_000
    hours: float = 24.0
    agents: int = 60
    talk_s: float = 180.0
    talk_cv: float | None = None
    patience_s: float | None = 120.0
    pickup_s: float = 3.0
    ring_delay_s: float = 0.005
    no_answer: float = 0.02
    reject: float = 0.01
    profile: tuple[float, ...] = (1.0,)
    queues: tuple[QueueSpec, ...] = (QueueSpec(QueueId("sales"), "8000", wrap_up_s=0.0, rest_s=5.0),)
    kinds: tuple[Kind, ...] = ()
    staff: tuple[Worker, ...] = ()
    directory: tuple[tuple[str, CallerProfile], ...] = ()

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Everybody who works on the day."""
        names = tuple(queue.id for queue in self.queues)
        return self.staff or tuple(
            Worker(AgentSpec(AgentId(str(101 + number)), queues=names)) for number in range(self.agents)
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """One caller, with all that chance has given this caller."""

    at: float
    serial: int
    queue: QueueId
    number: str | None
    priority: int
    patience_s: float
    talk_s: float


def arrivals(plan: Plan, seed: int) -> Iterator[Arrival]:
    """The callers of the day, in order of entry."""
    rng = random.Random(seed)
    kinds = plan.kinds or tuple(Kind(queue.id) for queue in plan.queues)
    shares = list(accumulate(kind.share for kind in kinds))
    moment = Hours(plan.hours * 3600.0, plan.profile)
    load = 0.0
    for serial in range(1, plan.calls + 1):
        load += rng.expovariate(plan.calls)
        drawn = rng.choices(kinds, cum_weights=shares)[0] if plan.kinds else kinds[serial % len(kinds)]
        yield Arrival(
            at=MIDNIGHT + moment.of(load),
            serial=serial,
            queue=drawn.queue,
            number=rng.choice(drawn.numbers) if drawn.numbers else None,
            priority=drawn.priority,
            patience_s=rng.expovariate(1.0 / plan.patience_s) if plan.patience_s is not None else math.inf,
            talk_s=_talk_s(plan, rng),
        )


def _talk_s(plan: Plan, rng: random.Random) -> float:
    if plan.talk_cv is None:
        return rng.expovariate(1.0 / plan.talk_s)
    variance = math.log(1.0 + plan.talk_cv**2)
    return rng.lognormvariate(math.log(plan.talk_s) - variance / 2.0, math.sqrt(variance))


class Hours:
    """Turns the share of the day's load that has come into the time of day; after the end, load comes on as at the end."""

    def __init__(self, length_s: float, profile: Sequence[float]) -> None:
        self.part_s = length_s / len(profile)
        self.loads = [one / sum(profile) for one in profile]
        self.number, self.before = 0, 0.0

    def of(self, load: float) -> float:
        """``load`` must not fall from one question to the next."""
        while self.number < len(self.loads) - 1 and load >= self.before + self.loads[self.number]:
            self.before += self.loads[self.number]
            self.number += 1
        return (self.number + (load - self.before) / self.loads[self.number]) * self.part_s
