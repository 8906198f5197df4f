"""A plain centre to compare with: the same callers and agents under rules as simple as those known from other queues.

It says what happens in the floor's own events, so that one judge and one account serve both. Phones are picked up at once and
nobody lets them ring, which flatters it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from acd import events as e
from acd.agents import AgentState
from acd.ids import AgentId, CallId, DeviceId, LegId, OfferId, QueueId
from acd.outcomes import Outcome
from acd.skills import Needs
from benchmarks.order import own_needs
from tests.support.day_plan import MIDNIGHT, Arrival, Plan, Worker, arrivals


@dataclass(slots=True)
class Clerk:
    """An agent of the plain centre, with the counts that its rules may look at."""

    worker: Worker
    at_work: bool = False
    busy: bool = False
    calls: int = 0
    idle_since: float = 0.0

    def can(self, needs: Needs) -> bool:
        levels = dict(self.worker.spec.skills)
        return all(levels.get(name, 0) >= level for name, level in needs)


@dataclass(frozen=True, slots=True)
class Rules:
    """``place`` orders a line, ``pick`` the free agents. ``blocking``: whoever cannot be served holds up all who stand behind."""

    place: Callable[[Arrival], tuple[float, ...]] = lambda arrival: (arrival.at,)
    pick: Callable[[Clerk], tuple[float, ...]] = lambda clerk: (clerk.idle_since,)
    blocking: bool = False


@dataclass(slots=True)
class PlainCentre:
    """Runs a plan by its rules; ``watch`` is handed what happened at each moment. Queues are served one after the other."""

    plan: Plan
    rules: Rules
    watch: Callable[[tuple[e.Event, ...], float], None]
    now: float = MIDNIGHT
    clerks: list[Clerk] = field(default_factory=list)
    lines: dict[QueueId, list[tuple[tuple[float, ...], Arrival]]] = field(default_factory=dict)
    _said: list[e.Event] = field(default_factory=list)
    _agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def run(self, seed: int) -> None:
        """The same callers as ``Day`` has with this seed."""
        self.lines = {queue.id: [] for queue in self.plan.queues}
        for worker in self.plan.workers:
            clerk = Clerk(worker)
            self.clerks.append(clerk)
            self._at(MIDNIGHT + worker.from_s, self._works, clerk, True)
            for begin, end in worker.breaks:
                self._at(MIDNIGHT + begin, self._works, clerk, False)
                self._at(MIDNIGHT + end, self._works, clerk, True)
            if worker.until_s is not None:
                self._at(MIDNIGHT + worker.until_s, self._works, clerk, False)
        for arrival in arrivals(self.plan, seed):
            self._at(arrival.at, self._enter, arrival)
        while self._agenda:
            self.now, _, action, arguments = heappop(self._agenda)
            action(*arguments)
            self._serve()
            self.watch(tuple(self._said), self.now)
            self._said.clear()

    def _at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        heappush(self._agenda, (when, next(self._numbers), action, arguments))

    def _works(self, clerk: Clerk, at_work: bool) -> None:
        before, clerk.at_work, clerk.idle_since = clerk.at_work, at_work, self.now
        if before is not at_work and not clerk.busy:
            old, new = (AgentState.BREAK, AgentState.IDLE) if at_work else (AgentState.IDLE, AgentState.BREAK)
            self._said.append(e.AgentStateChanged(self.now, clerk.worker.spec.id, old, new))

    def _enter(self, arrival: Arrival) -> None:
        self.lines[arrival.queue].append((self.rules.place(arrival), arrival))
        self.lines[arrival.queue].sort(key=lambda each: each[0])
        call, leg = _call(arrival), LegId("")
        self._said.append(
            e.CallQueued(self.now, call, arrival.queue, leg, arrival.at, arrival.priority, arrival.number, None)
        )
        self._at(self.now + min(arrival.patience_s, 1e9), self._lose_patience, arrival)

    def _lose_patience(self, arrival: Arrival) -> None:
        line = self.lines[arrival.queue]
        still = [each for each in line if each[1] is not arrival]
        if len(still) < len(line):
            self.lines[arrival.queue] = still
            self._decide(arrival, Outcome.ABANDONED)

    def _decide(self, arrival: Arrival, outcome: Outcome) -> None:
        waited = self.now - arrival.at
        self._said.append(e.VisitDecided(self.now, _call(arrival), arrival.queue, outcome, arrival.at, waited))

    def _serve(self) -> None:
        for queue in self.plan.queues:
            line = self.lines[queue.id]
            for each in list(line):
                needs = own_needs(self.plan, each[1], self.now)
                free = [clerk for clerk in self.clerks if clerk.at_work and not clerk.busy
                        and queue.id in clerk.worker.spec.queues and clerk.can(needs)]  # fmt: skip
                if free:
                    line.remove(each)
                    self._take(each[1], min(free, key=self.rules.pick))
                elif self.rules.blocking:
                    break

    def _take(self, arrival: Arrival, clerk: Clerk) -> None:
        agent, call, queue = clerk.worker.spec.id, _call(arrival), arrival.queue
        clerk.busy, clerk.calls = True, clerk.calls + 1
        talk = arrival.talk_s * clerk.worker.pace
        self._said += [
            e.CallOffered(self.now, call, queue, OfferId(call), (agent,)),
            e.AgentStateChanged(self.now, agent, AgentState.IDLE, AgentState.TALKING),
            e.CallConnected(self.now, call, queue, agent, DeviceId(""), self.now - arrival.at),
        ]
        self._decide(arrival, Outcome.ANSWERED)
        self._at(self.now + talk, self._finish, arrival, clerk, talk)

    def _finish(self, arrival: Arrival, clerk: Clerk, talk_s: float) -> None:
        agent: AgentId = clerk.worker.spec.id
        clerk.busy, clerk.idle_since = False, self.now
        state = AgentState.IDLE if clerk.at_work else AgentState.BREAK
        self._said += [
            e.TalkEnded(self.now, _call(arrival), arrival.queue, agent, talk_s, 0.0, False),
            e.AgentStateChanged(self.now, agent, AgentState.TALKING, state),
        ]


def _call(arrival: Arrival) -> CallId:
    return CallId(f"plain-{arrival.serial}")
