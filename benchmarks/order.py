"""A judge of order: who was passed, who was starved, and who waited beside an agent who was free and good for him.

Slow and plain on purpose: it reads events, keeps its own account of who waits and who is free, works out again from the plan what
each caller needs at each moment, and compares everybody with everybody. It knows nothing of how the floor decides.
"""

from dataclasses import dataclass, field

from acd import events as e
from acd.agents import AgentState
from acd.ids import AgentId, CallId, QueueId
from acd.queues import QueueSpec
from acd.skills import Needs, needs_at
from acd.telephony import MissCause
from tests.support.day_plan import Arrival, Plan

BLAMED = frozenset({MissCause.NO_ANSWER, MissCause.BUSY, MissCause.REJECTED, MissCause.FAILED})


def own_needs(plan: Plan, arrival: Arrival, now: float) -> Needs:
    """What a caller needs of an agent at ``now``."""
    profile = dict(plan.directory).get(arrival.number or "")
    queue = next(queue for queue in plan.queues if queue.id == arrival.queue)
    return needs_at(queue.skills, queue.relax, profile.skills if profile is not None else (), now - arrival.at)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One who waits."""

    call: CallId
    queue: QueueSpec
    entered_at: float
    head_start_s: float
    own: Needs
    held_for: AgentId | None


@dataclass(slots=True)
class Judge:
    """``watch`` reads the events of one moment. Counts are of callers taken (passed, starved) and of seconds (beside)."""

    plan: Plan
    passed: int = 0
    starved: int = 0
    taken: int = 0
    beside_s: float = 0.0
    longest_beside_s: float = 0.0
    waiting: dict[CallId, Waiting] = field(default_factory=dict)
    everybody: dict[CallId, Waiting] = field(default_factory=dict)
    idle: set[AgentId] = field(default_factory=set)
    resting: dict[AgentId, float] = field(default_factory=dict)
    rejected: set[tuple[AgentId, CallId]] = field(default_factory=set)
    waits: dict[int, list[float]] = field(default_factory=dict)
    served_last: dict[str, AgentId] = field(default_factory=dict)
    returned: int = 0
    reunited: int = 0
    _offers: list[tuple[CallId, AgentId]] = field(default_factory=list)
    _beside: dict[CallId, float] = field(default_factory=dict)
    _numbers: dict[CallId, str] = field(default_factory=dict)
    _priorities: dict[CallId, int] = field(default_factory=dict)
    _specs: dict[QueueId, QueueSpec] = field(default_factory=dict)
    _skills: dict[AgentId, dict[str, int]] = field(default_factory=dict)
    _queues: dict[AgentId, frozenset[QueueId]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._specs = {queue.id: queue for queue in self.plan.queues}
        for worker in self.plan.workers:
            self._skills[worker.spec.id] = dict(worker.spec.skills)
            self._queues[worker.spec.id] = frozenset(worker.spec.queues)

    def watch(self, events: tuple[e.Event, ...], now: float) -> None:
        """All that happened at one moment, then the verdict on it."""
        for event in events:
            self._note(event)
        for call, agent in self._offers:
            self._judge(self.everybody[call], agent, now)
        self._offers.clear()
        self._look_for_idle_hands(now)

    def could(self, agent: AgentId, caller: Waiting, now: float) -> bool:
        """Whether the agent may serve the caller at ``now``, by the plan."""
        if caller.queue.id not in self._queues[agent] or (agent, caller.call) in self.rejected:
            return False
        if caller.held_for not in (None, agent) and now - caller.entered_at < caller.queue.sticky_s:
            return False
        needs = needs_at(caller.queue.skills, caller.queue.relax, caller.own, now - caller.entered_at)
        levels = self._skills[agent]
        return all(levels.get(name, 0) >= level for name, level in needs)

    def _judge(self, taken: Waiting, agent: AgentId, now: float) -> None:
        self.taken += 1
        behind = [
            one for one in self.waiting.values() if one.entered_at < taken.entered_at and self.could(agent, one, now)
        ]
        self.passed += any(one.head_start_s >= taken.head_start_s for one in behind)
        self.starved += any(
            0.0 < taken.head_start_s - one.head_start_s < taken.entered_at - one.entered_at for one in behind
        )

    def _look_for_idle_hands(self, now: float) -> None:
        free = [agent for agent in self.idle if self.resting.get(agent, 0.0) <= now]
        beside = {one.call for one in self.waiting.values() if any(self.could(agent, one, now) for agent in free)}
        for call, since in list(self._beside.items()):
            if call not in beside:
                self.beside_s += now - since
                self.longest_beside_s = max(self.longest_beside_s, now - since)
                del self._beside[call]
        for call in beside:
            self._beside.setdefault(call, now)

    def _note(self, event: e.Event) -> None:
        match event:
            case e.CallQueued():
                self._queued(event)
            case e.CallOffered():
                self.waiting.pop(event.call, None)
                self._offers += [(event.call, agent) for agent in event.agents]
            case e.OfferClosed():
                self.waiting[event.call] = self.everybody[event.call]
            case e.OfferDeclined():
                if event.cause is MissCause.REJECTED:
                    self.rejected.add((event.agent, event.call))
                if event.cause in BLAMED:
                    self.resting[event.agent] = event.at + max(1.0, self._specs[event.queue].rest_s)
            case e.CallConnected():
                self._connected(event)
            case e.VisitDecided():
                self.waiting.pop(event.call, None)
                self.waits.setdefault(self._priorities[event.call], []).append(event.waited_s)
            case e.AgentStateChanged():
                (self.idle.add if event.new is AgentState.IDLE else self.idle.discard)(event.agent)

    def _queued(self, event: e.CallQueued) -> None:
        spec = self._specs[event.queue]
        profile = dict(self.plan.directory).get(event.number or "")
        last = self.served_last.get(event.number) if event.number is not None and spec.sticky_s else None
        one = Waiting(event.call, spec, event.entered_at, event.priority * spec.priority_s,
                      profile.skills if profile is not None else (), last)  # fmt: skip
        self.waiting[event.call] = self.everybody[event.call] = one
        self._priorities[event.call] = event.priority
        if event.number is not None:
            self._numbers[event.call] = event.number

    def _connected(self, event: e.CallConnected) -> None:
        number = self._numbers.get(event.call)
        if number is not None and event.agent is not None:
            if number in self.served_last:
                self.returned += 1
                self.reunited += self.served_last[number] == event.agent
            self.served_last[number] = event.agent
