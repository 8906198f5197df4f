"""A working day on the real floor and a virtual clock: callers come at random, phones behave as real ones were measured to.

Used by the tests (is every figure right?) and by the simulations in ``benchmarks/`` (is it fast, fair, in order?). One seed, one
day: the same seed gives the same day to the last event. ``day_plan`` says what happens, this module what PBX, phones and people do.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from math import isfinite
from typing import Any

from acd import telephony as t
from acd.commands import (
    BecomeAvailable,
    Command,
    DefineAgent,
    DefineQueue,
    PutCallers,
    SignIn,
    SignOut,
    TakeBreak,
)
from acd.events import Event
from acd.floor import Floor
from acd.ids import CallId, DeviceId, LegId, OfferId, PbxId, device_on
from acd.telephony import DeviceState, MissCause
from acd.turn import Effects
from tests.support.day_plan import MIDNIGHT, Arrival, Plan, Worker, arrivals

__all__ = ["MIDNIGHT", "PBX", "Day", "Plan"]

PBX = PbxId("pbx1")


@dataclass(slots=True)
class Caller:
    """A caller's channel, as the simulated PBX has it. ``phase``: waiting, ringing, talking, after."""

    arrival: Arrival
    leg: LegId
    phase: str = "waiting"
    offer: OfferId | None = None
    ringing: dict[DeviceId, LegId] = field(default_factory=dict)


@dataclass(slots=True)
class Day:
    """Runs a plan to its end. ``events`` holds all that the floor said; ``watch`` is called after each turn that said something."""

    plan: Plan
    seed: int
    keep_events: bool = True
    watch: Callable[["Day", Effects], None] | None = None
    floor: Floor = field(default_factory=Floor)
    events: list[Event] = field(default_factory=list)
    callers: dict[CallId, Caller] = field(default_factory=dict)
    legs: dict[LegId, CallId] = field(default_factory=dict)
    paces: dict[DeviceId, float] = field(default_factory=dict)
    messages: int = 0
    now: float = MIDNIGHT
    _agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"phones {self.seed}")

    def run(self) -> "Day":
        """Open, let the day pass, and wait until the last caller is gone."""
        self._open()
        self._await(arrivals(self.plan, self.seed))
        agenda, floor = self._agenda, self.floor
        while agenda:
            at = agenda[0][0]
            due = floor.next_deadline()
            if due is not None and due <= at:
                self.now = max(self.now, due)
                self._carry_out(floor.tick(self.now))
                continue
            _, _, action, arguments = heappop(agenda)
            self.now = at
            action(*arguments)
        return self

    # ------------------------------------------------------------ people

    def _open(self) -> None:
        workers = self.plan.workers
        devices = {worker.spec.id: device_on(PBX, f"PJSIP/agent-{worker.spec.id}") for worker in workers}
        self._tell(t.PbxSnapshot(PBX, "boot", (), tuple((each, DeviceState.NOT_IN_USE) for each in devices.values())))
        for queue in self.plan.queues:
            self._tell(DefineQueue(queue))
        if self.plan.directory:
            self._tell(PutCallers(self.plan.directory))
        for worker in workers:
            device = devices[worker.spec.id]
            self.paces[device] = worker.pace
            self._tell(DefineAgent(replace(worker.spec, device=device)))
            self._employ(worker)

    def _employ(self, worker: Worker) -> None:
        """Put the agent's day into the agenda; who works from the start signs in at once."""
        agent = worker.spec.id
        if worker.from_s > 0.0:
            self._at(MIDNIGHT + worker.from_s, self._tell, SignIn(agent))
        else:
            self._tell(SignIn(agent))
        for begin, end in worker.breaks:
            self._at(MIDNIGHT + begin, self._tell, TakeBreak(agent, "pause"))
            self._at(MIDNIGHT + end, self._tell, BecomeAvailable(agent))
        if worker.until_s is not None:
            self._at(MIDNIGHT + worker.until_s, self._tell, SignOut(agent))

    def _await(self, coming: Iterator[Arrival]) -> None:
        arrival = next(coming, None)
        if arrival is not None:
            self._at(arrival.at, self._enter, arrival, coming)

    def _enter(self, arrival: Arrival, coming: Iterator[Arrival]) -> None:
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{arrival.serial}")
        leg = LegId(f"{PBX}-{int(self.now)}.{arrival.serial}")
        self.callers[call], self.legs[leg] = Caller(arrival, leg), call
        self._tell(
            t.CallEntered(call, leg, arrival.queue, self.now, arrival.serial, arrival.priority, arrival.number, None)
        )
        if isfinite(arrival.patience_s):
            self._at(self.now + arrival.patience_s, self._lose_patience, call)
        self._await(coming)

    def _lose_patience(self, call: CallId) -> None:
        caller = self.callers.get(call)
        if caller is not None and caller.phase in ("waiting", "ringing"):
            self._forget(call, caller)
            self._tell(t.CallGone(call, 16))
            for device in caller.ringing:
                self._tell(t.DeviceChanged(device, DeviceState.NOT_IN_USE))

    # ------------------------------------------------------------ phones

    def _ring(self, request: t.Offer) -> None:
        caller = self.callers.get(request.call)
        if caller is None:
            return
        assert caller.phase == "waiting", "the same caller offered twice at once"
        caller.phase, caller.offer = "ringing", request.offer
        for device in request.targets:
            leg = LegId(f"{PBX}-{int(self.now)}.{next(self._numbers)}")
            caller.ringing[device] = leg
            self._tell(t.OfferRinging(request.call, request.offer, device, leg))
            self._tell(t.DeviceChanged(device, DeviceState.BUSY))
            self._decide(request, device)

    def _decide(self, request: t.Offer, device: DeviceId) -> None:
        """What the agent will do: let it ring, reject, or pick up."""
        luck = self._random.random()
        if luck < self.plan.no_answer:
            self._at(self.now + request.ring_s, self._miss, request.call, request.offer, device, MissCause.NO_ANSWER)
        elif luck < self.plan.no_answer + self.plan.reject:
            self._at(self.now + 1.0, self._miss, request.call, request.offer, device, MissCause.REJECTED)
        else:
            delay = self._random.expovariate(1 / self.plan.pickup_s) if self.plan.pickup_s else 0.0
            self._at(self.now + min(delay, request.ring_s - 0.01), self._answer, request, device)

    def _rings(self, call: CallId, offer: OfferId, device: DeviceId) -> Caller | None:
        """The caller, if ``device`` still rings for that very offer."""
        caller = self.callers.get(call)
        rings = caller is not None and caller.phase == "ringing" and caller.offer == offer and device in caller.ringing
        return caller if rings else None

    def _miss(self, call: CallId, offer: OfferId, device: DeviceId, cause: MissCause) -> None:
        caller = self._rings(call, offer, device)
        if caller is None:
            return
        del caller.ringing[device]
        if not caller.ringing:
            caller.phase = "waiting"
        self._tell(t.OfferMissed(call, offer, device, cause))
        self._tell(t.DeviceChanged(device, DeviceState.NOT_IN_USE))
        if not caller.ringing:
            self._tell(t.OfferEnded(call, offer))

    def _answer(self, request: t.Offer, device: DeviceId) -> None:
        call, offer = request.call, request.offer
        caller = self._rings(call, offer, device)
        if caller is None:
            return
        caller.phase = "talking"
        leg = caller.ringing.pop(device)
        others, caller.ringing = tuple(caller.ringing), {}
        self._tell(t.OfferAnswered(call, offer, device, leg))
        for other in others:
            self._tell(t.OfferMissed(call, offer, other, MissCause.CANCELLED))
        self._tell(t.TalkBegan(call, offer, device, leg))
        for other in others:
            self._tell(t.DeviceChanged(other, DeviceState.NOT_IN_USE))
        talk = caller.arrival.talk_s * self.paces[device]
        self._at(self.now + talk, self._agent_leaves, call, offer, device, leg)

    def _agent_leaves(self, call: CallId, offer: OfferId, device: DeviceId, leg: LegId) -> None:
        self.callers[call].phase = "after"
        self._tell(t.CallerFreed(call, offer))
        self._tell(t.AgentLegGone(call, leg, device, 16, hung_up=True, fault=False))
        self._tell(t.DeviceChanged(device, DeviceState.NOT_IN_USE))

    # ------------------------------------------------------------ the PBX

    def _at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        heappush(self._agenda, (when, next(self._numbers), action, arguments))

    def _tell(self, message: t.Fact | Command) -> None:
        self.messages += 1
        self._carry_out(self.floor.handle(message, self.now))

    def _carry_out(self, effects: Effects) -> None:
        if self.keep_events:
            self.events.extend(effects.events)
        for request in effects.requests:
            match request:
                case t.Offer():
                    self._at(self.now + self.plan.ring_delay_s, self._ring, request)
                case t.HangUp():
                    self._at(self.now + 0.001, self._drop, request.leg)
                case t.Withdraw():
                    self._at(self.now + 0.001, self._withdraw, request)
        if self.watch is not None and effects.events:
            self.watch(self, effects)

    def _withdraw(self, request: t.Withdraw) -> None:
        caller = self.callers.get(request.call)
        if caller is not None:
            for device in [device for device, leg in caller.ringing.items() if leg in request.legs]:
                self._miss(request.call, request.offer, device, MissCause.CANCELLED)

    def _drop(self, leg: LegId) -> None:
        call = self.legs.get(leg)
        if call is not None:
            self._forget(call, self.callers[call])
            self._tell(t.CallGone(call, 16))

    def _forget(self, call: CallId, caller: Caller) -> None:
        del self.callers[call], self.legs[caller.leg]
