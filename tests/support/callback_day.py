"""A simulated day on which callers may leave and be called back: what customers do when their phone rings.

Callers and their patience are those of ``tests.support.day``, the same for every policy. Who has waited for ``after_s``
takes a callback with probability ``takes``; at home he needs some seconds to answer and to press 1, or is not reached. Once he is
on he gives up soon.
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from acd import callback_commands as c
from acd import callback_port as p
from acd import telephony as t
from acd.callback_events import CallbackAttempted, CallbackAttemptEnded, CallbackPromised
from acd.callback_policy import AttemptResult
from acd.calls import CallState
from acd.errors import AcdError
from acd.events import CallOffered, Event
from acd.floor import Floor
from acd.ids import CallId, LegId
from acd.turn import Effects
from callback.keeper import Callbacks
from tests.support.day import PBX, Caller, Day
from tests.support.day_plan import Arrival


@dataclass(frozen=True, slots=True)
class Home:
    """Times in seconds. ``answers_s`` is a mean, with a standard deviation of a third of it."""

    takes: float = 0.7
    after_s: float = 30.0
    answers_s: float = 9.0
    key_s: float = 4.0
    reached: float = 0.9
    patience_s: float = 60.0


@dataclass(slots=True)
class CallbackDay(Day):
    """``takes`` 0: nobody is called back, and everybody waits or gives up."""

    home: Home = field(default_factory=Home)
    floor: Floor = field(default_factory=lambda: Floor(keeper=Callbacks()))
    at_home: dict[str, Arrival] = field(default_factory=dict)
    dialled: int = 0
    overtaken: Counter[str] = field(default_factory=Counter)
    late: list[int] = field(default_factory=list)
    """For each customer who was on: how many later ones were offered before an agent was reserved for him."""
    _luck: random.Random = field(init=False)

    def __post_init__(self) -> None:
        Day.__post_init__(self)
        self._luck = random.Random(f"home {self.seed}")

    def _enter(self, arrival: Arrival, coming: object) -> None:
        number = f"0912{arrival.serial:07d}"
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{arrival.serial}")
        takes, after = self._luck.random() < self.home.takes, self.home.after_s
        Day._enter(
            self,
            Arrival(arrival.at, arrival.serial, arrival.queue, number, 0, arrival.patience_s, arrival.talk_s),
            coming,
        )  # type: ignore[arg-type]
        if takes and arrival.patience_s > after:
            self._at(self.now + after, self._leave_it, call, number)

    def _leave_it(self, call: CallId, number: str) -> None:
        caller = self.callers.get(call)
        if caller is not None and caller.phase == "waiting":
            self.at_home[number] = caller.arrival
            with suppress(AcdError):  # he is being offered at this very moment
                self._tell(c.PromiseCallback(call, number))

    def _carry_out(self, effects: Effects) -> None:
        Day._carry_out(self, effects)
        for event in effects.events:
            self._judge(event)
            if isinstance(event, CallbackPromised | CallbackAttempted):
                what = event.attempt if isinstance(event, CallbackAttempted) else event.callback
                self._at(self.now + 0.003, self._tell, c.Kept(what))
        for request in effects.requests:
            match request:
                case t.Lead():
                    self._at(self.now + 0.001, self._let_go, request.call)
                case p.DialCustomer():
                    self.dialled += 1
                    self._at(self.now + 0.01, self._dial, request)

    def _judge(self, event: Event) -> None:
        if isinstance(event, CallbackAttemptEnded) and event.result is not AttemptResult.CONNECTED:
            self.overtaken.pop(event.callback, None)
        if isinstance(event, CallOffered) and event.call in self.floor.calls:
            call = self.floor.calls[event.call]
            if call.decisions[-1].strategy == "callback":
                return  # the agent was reserved for him long before
            place = call.place
            for entry in (self.floor.calls[each] for each in self.floor.queues[event.queue].away):
                waits = entry.state is CallState.WAITING and entry.hold_off_until <= self.now
                # Whoever has rejected this very customer does not get him again, as with any caller.
                if waits and entry.place < place and entry.rejected_by.isdisjoint(event.agents):
                    self.overtaken[entry.id] += 1

    def _let_go(self, call: CallId) -> None:
        caller = self.callers.get(call)
        if caller is not None:
            self._forget(call, caller)
            self._tell(t.CallGone(call, 16))

    # ------------------------------------------------------------ at home

    def _dial(self, request: p.DialCustomer) -> None:
        self._tell(p.AttemptNews(request.attempt, p.AttemptStage.DIALLING))
        home = self.home
        if self._luck.random() > home.reached:
            self._at(self.now + request.ring_s, self._tell, p.AttemptEnded(request.attempt, AttemptResult.NO_ANSWER))
            return
        answers = max(2.0, min(request.ring_s - 1.0, self._luck.gauss(home.answers_s, home.answers_s / 3.0)))
        self._at(self.now + answers + max(1.0, self._luck.gauss(home.key_s, 1.0)), self._is_on, request)

    def _is_on(self, request: p.DialCustomer) -> None:
        serial = 10_000_000 + next(self._numbers)
        call = CallId(f"{PBX}-{int(self.now * 1000)}.{serial}")
        leg = LegId(f"{PBX}-{int(self.now)}.{serial}")
        arrival = self.at_home[request.number]
        self.late.append(self.overtaken.pop(request.callback, 0))
        self.callers[call], self.legs[leg] = Caller(arrival, leg), call
        self._tell(
            t.CallEntered(
                call, leg, arrival.queue, self.now, serial, request.priority, request.number, None, place_since=request.since,
                attempt=request.attempt,
            )
        )  # fmt: skip
        self._at(self.now + self._luck.expovariate(1.0 / self.home.patience_s), self._lose_patience, call)
