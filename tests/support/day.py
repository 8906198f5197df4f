"""A working day on the real floor and a virtual clock: callers come at random, phones behave as real ones were measured to.

Used by the tests (is every figure right?) and by ``benchmarks/simulated_day.py`` (how fast is it?). One seed, one day: the same
seed gives the same day to the last event.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from acd import telephony as t
from acd.agents import AgentSpec
from acd.commands import DefineAgent, DefineQueue, SignIn
from acd.events import Event
from acd.floor import Floor
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, QueueId, device_on
from acd.queues import QueueSpec
from acd.telephony import DeviceState, MissCause
from acd.turn import Effects

PBX = PbxId("pbx1")
MIDNIGHT = 1_700_006_400.0  # 2023-11-15 00:00 UTC


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens on the day. Times in seconds; all but the hours are means of exponential distributions."""

    calls: int = 20_000
    hours: float = 24.0
    agents: int = 60
    talk_s: float = 180.0
    patience_s: float = 120.0
    pickup_s: float = 3.0
    no_answer: float = 0.02
    reject: float = 0.01
    queues: tuple[QueueSpec, ...] = (QueueSpec(QueueId("sales"), "8000", wrap_up_s=0.0, rest_s=5.0),)


@dataclass(slots=True)
class Caller:
    """A caller's channel, as the simulated PBX has it."""

    entered: t.CallEntered
    phase: str = "waiting"
    device: DeviceId | None = None
    leg: LegId | None = None


@dataclass(slots=True)
class Day:
    """Runs a plan to its end. ``events`` holds all that the floor said."""

    plan: Plan
    seed: int
    keep_events: bool = True
    floor: Floor = field(default_factory=Floor)
    events: list[Event] = field(default_factory=list)
    callers: dict[CallId, Caller] = field(default_factory=dict)
    messages: int = 0
    now: float = MIDNIGHT
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def run(self) -> "Day":
        """Open, let the day pass, and wait until the last caller is gone."""
        self._open()
        rate = self.plan.calls / (self.plan.hours * 3600)
        at = MIDNIGHT
        for serial in range(1, self.plan.calls + 1):
            at += self._random.expovariate(rate)
            self._at(at, lambda serial=serial: self._enter(serial))  # type: ignore[misc]
        while self._agenda:
            at, _, action = self._agenda[0]
            due = self.floor.next_deadline()
            if due is not None and due <= at:
                self.now = max(self.now, due)
                self._carry_out(self.floor.tick(self.now))
                continue
            heappop(self._agenda)
            self.now = at
            action()
        return self

    def _open(self) -> None:
        devices = [device_on(PBX, f"PJSIP/agent-{101 + number}") for number in range(self.plan.agents)]
        self._tell(t.PbxSnapshot(PBX, "boot", (), tuple((device, DeviceState.NOT_IN_USE) for device in devices)))
        for queue in self.plan.queues:
            self._tell(DefineQueue(queue))
        names = tuple(queue.id for queue in self.plan.queues)
        for number, device in enumerate(devices):
            agent = AgentId(str(101 + number))
            self._tell(DefineAgent(AgentSpec(agent, device=device, queues=names)))
            self._tell(SignIn(agent))

    def _at(self, when: float, action: Callable[[], None]) -> None:
        heappush(self._agenda, (when, next(self._numbers), action))

    def _tell(self, message: object) -> None:
        self.messages += 1
        self._carry_out(self.floor.handle(message, self.now))  # type: ignore[arg-type]

    def _carry_out(self, effects: Effects) -> None:
        if self.keep_events:
            self.events.extend(effects.events)
        for request in effects.requests:
            if isinstance(request, t.Offer):
                self._at(self.now + 0.005, lambda request=request: self._ring(request))  # type: ignore[misc]
            elif isinstance(request, t.HangUp):
                self._at(self.now + 0.001, lambda leg=request.leg: self._drop(leg))  # type: ignore[misc]

    def _enter(self, serial: int) -> None:
        queue = self.plan.queues[serial % len(self.plan.queues)]
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{serial}")
        leg = LegId(f"{PBX}-{int(self.now)}.{serial}")
        fact = t.CallEntered(call, leg, queue.id, self.now, serial, 0, None, None)
        self.callers[call] = Caller(fact)
        self._tell(fact)
        self._at(self.now + self._random.expovariate(1 / self.plan.patience_s), lambda: self._lose_patience(call))

    def _lose_patience(self, call: CallId) -> None:
        caller = self.callers.get(call)
        if caller is not None and caller.phase in ("waiting", "ringing"):
            del self.callers[call]
            self._tell(t.CallGone(call, 16))
            if caller.device is not None:
                self._tell(t.DeviceChanged(caller.device, DeviceState.NOT_IN_USE))

    def _ring(self, request: t.Offer) -> None:
        caller = self.callers.get(request.call)
        if caller is None:
            return
        assert caller.phase == "waiting", "the same caller offered twice at once"
        caller.phase = "ringing"
        caller.device = device = request.targets[0]
        caller.leg = LegId(f"{PBX}-{int(self.now)}.{next(self._numbers)}")
        self._tell(t.OfferRinging(request.call, request.offer, device, caller.leg))
        self._tell(t.DeviceChanged(device, DeviceState.BUSY))
        luck = self._random.random()
        if luck < self.plan.no_answer:
            self._at(self.now + request.ring_s, lambda: self._miss(request, MissCause.NO_ANSWER))
        elif luck < self.plan.no_answer + self.plan.reject:
            self._at(self.now + 1.0, lambda: self._miss(request, MissCause.REJECTED))
        else:
            delay = min(self._random.expovariate(1 / self.plan.pickup_s), request.ring_s - 0.01)
            self._at(self.now + delay, lambda: self._answer(request))

    def _miss(self, request: t.Offer, cause: MissCause) -> None:
        caller = self.callers.get(request.call)
        if caller is None or caller.device is None:
            return
        device, caller.device, caller.phase = caller.device, None, "waiting"
        self._tell(t.OfferMissed(request.call, request.offer, device, cause))
        self._tell(t.DeviceChanged(device, DeviceState.NOT_IN_USE))
        self._tell(t.OfferEnded(request.call, request.offer))

    def _answer(self, request: t.Offer) -> None:
        caller = self.callers.get(request.call)
        if caller is None or caller.device is None or caller.leg is None:
            return
        caller.phase = "talking"
        self._tell(t.OfferAnswered(request.call, request.offer, caller.device, caller.leg))
        self._tell(t.TalkBegan(request.call, request.offer, caller.device, caller.leg))
        talk = self._random.expovariate(1 / self.plan.talk_s)
        self._at(self.now + talk, lambda: self._agent_leaves(request))

    def _agent_leaves(self, request: t.Offer) -> None:
        caller = self.callers[request.call]
        assert caller.device is not None
        assert caller.leg is not None
        caller.phase = "after"
        self._tell(t.CallerFreed(request.call, request.offer))
        gone = t.AgentLegGone(request.call, caller.leg, caller.device, 16, hung_up=True, fault=False)
        self._tell(gone)
        self._tell(t.DeviceChanged(caller.device, DeviceState.NOT_IN_USE))

    def _drop(self, leg: LegId) -> None:
        for call in [call for call, caller in self.callers.items() if caller.entered.leg == leg]:
            del self.callers[call]
            self._tell(t.CallGone(call, 16))
