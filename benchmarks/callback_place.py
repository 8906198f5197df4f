"""callback_place: what being called back costs agents and customers, by either way and not at all, on the same simulated day.

The real floor on a virtual clock. The same callers come each time, with the same patience and the same things to say; who has
waited for 30 s takes a callback with probability 0.7, and answers nine times in ten. Compared: the agents' idle time (free, or
reserved while a phone rings), abandonment (of those who came, who hung up before an agent was there for them: in line, or called
back and on), how long a customer who has pressed 1 waits until the agent has picked up (after a second on the
average), and how many never talked, be it that they gave up in line, were not reached, or left when they were on. And the order:
how many later callers got an agent before one was reserved for a customer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from acd.agents import AgentState
from acd.callback_events import CallbackEnd, CallbackEnded, CallbackPromised
from acd.callback_policy import CallbackMode, CallbackPolicy, Retries, Retry
from acd.events import AgentStateChanged, CallConnected, CallQueued, VisitDecided
from acd.ids import CallbackId, CallId, QueueId
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from benchmarks.figures import heading, percentile, verdict
from tests.support.callback_day import CallbackDay, Home
from tests.support.day import Plan

MODES = (None, CallbackMode.AGENT_FIRST, CallbackMode.JUST_IN_TIME)
GOAL_WAIT_S = 5.0


@dataclass
class Figures:
    """Sums over days."""

    offered: int = 0
    abandoned: int = 0
    promised: int = 0
    reached: int = 0
    left: int = 0
    idle_s: float = 0.0
    held_s: float = 0.0
    shift_s: float = 0.0
    on_waits: list[float] = field(default_factory=list)
    late: list[int] = field(default_factory=list)

    def add(self, day: CallbackDay) -> None:
        """Read one day's events."""
        began: dict[str, tuple[AgentState, float]] = {}
        on: dict[CallId, CallbackId] = {}
        for event in day.events:
            match event:
                case VisitDecided():
                    self.offered += 1
                    self.abandoned += event.outcome is Outcome.ABANDONED
                case CallbackPromised():
                    self.promised += 1
                case CallbackEnded():
                    self.reached += event.why is CallbackEnd.REACHED
                    self.left += event.why is CallbackEnd.HUNG_UP
                case CallQueued() if event.callback is not None:
                    on[event.call] = event.callback
                case CallConnected() if event.call in on:
                    self.on_waits.append(event.waited_s)
                case AgentStateChanged():
                    before, since = began.get(event.agent, (event.old, event.at))
                    self.idle_s += (event.at - since) * (before is AgentState.IDLE)
                    self.held_s += (event.at - since) * (before is AgentState.RINGING)
                    self.shift_s += event.at - since
                    began[event.agent] = (event.new, event.at)
        self.late += day.late

    @property
    def idle(self) -> float:
        """Share of the shift in which an agent neither talks nor works."""
        return (self.idle_s + self.held_s) / self.shift_s

    @property
    def abandonment(self) -> float:
        """Of those who came, who hung up before an agent was there for them: in line, or called back and on."""
        return (self.abandoned + self.left) / self.offered

    @property
    def gave_up(self) -> float:
        """Of those who came, who never talked."""
        return (self.abandoned + self.promised - self.reached) / self.offered


def plan(mode: CallbackMode | None, *, full: bool) -> Plan:
    """Forty agents who cannot keep up for two hours in the middle."""
    retries = Retries(no_answer=Retry(3, 120.0))
    policy = CallbackPolicy(enabled=mode is not None, mode=mode or CallbackMode.AGENT_FIRST, ring_s=25, retries=retries)
    queue = QueueSpec(QueueId("sales"), "8000", wrap_up_s=10.0, rest_s=5.0, callbacks=policy)
    return Plan(
        calls=6_000 if full else 1_800, hours=8.0 if full else 2.4, agents=40, talk_s=170.0, talk_cv=0.6, patience_s=240.0,
        pickup_s=1.0, profile=(0.8, 1.0, 1.25, 1.25, 1.0, 0.7), queues=(queue,),
    )  # fmt: skip


def simulated(mode: CallbackMode | None, seeds: Iterable[int], *, full: bool) -> Figures:
    figures = Figures()
    for seed in seeds:
        home = Home(takes=0.7 if mode is not None else 0.0)
        figures.add(CallbackDay(plan(mode, full=full), seed, home=home).run())  # type: ignore[arg-type]
    return figures


async def run(*, full: bool) -> bool:
    """Print the table; whether just in time spares the agents' time, and lets nobody wait or come late."""
    seeds = range(5 if full else 2)
    heading("callback_place", f"{len(seeds)} days; the same callers without callbacks, agent first, and just in time")
    print(
        "   mode             idle  abandoned   no talk  promised   reached   left when on   wait when on: p50, p95, max   passed by"
    )
    found = {}
    for mode in MODES:
        one = found[mode] = simulated(mode, seeds, full=full)
        waits = one.on_waits or [0.0]
        shown = f"{percentile(waits, 0.5):8.1f} {percentile(waits, 0.95):6.1f} {max(waits):6.1f}"
        name = mode.value if mode is not None else "none"
        counts = f"{one.promised:9d} {one.reached:9d} {one.left:14d}"
        shares = f"{one.idle:7.1%} {one.abandonment:10.1%} {one.gave_up:9.1%}"
        print(f"   {name:13} {shares} {counts}   {shown} {max(one.late, default=0):14d}")
    return all(_verdicts(found[CallbackMode.AGENT_FIRST], found[CallbackMode.JUST_IN_TIME]))


def _verdicts(first: Figures, jit: Figures) -> Iterator[bool]:
    wait = percentile(jit.on_waits, 0.95)
    yield verdict("just in time: wait when on, p95 s", wait, f"<= {GOAL_WAIT_S:g}", wait <= GOAL_WAIT_S)
    idle = jit.idle / first.idle
    yield verdict("idle time, just in time / agent first", idle, "<= 1", idle <= 1.0)
    late = max(jit.late, default=0)
    yield verdict("passed by at most, just in time", late, "<= 1", late <= 1)
    yield verdict("passed by at most, agent first", max(first.late, default=0), "0", not max(first.late, default=0))
