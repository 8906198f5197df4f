"""One run of a small call centre that calls back, with a crash in the middle of something.

Service, database and PBX are three things with wires between them on which messages take their time. A crash of the service
loses what is on its wires: requests that have not arrived, facts that were not heard, commits that were not done, each from some
place on. Then a new service starts from the database alone. ``CallbackRun(seed, "intent_written").run()`` -> ``problems``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from acd import callback_commands as c
from acd import callback_events as e
from acd import callback_port as p
from acd import telephony as t
from acd.agents import AgentSpec, Status
from acd.callback_policy import AttemptResult, CallbackMode, CallbackPolicy, Retries, Retry
from acd.commands import Command, DefineAgent, DefineQueue, RestoreAgent
from acd.errors import AcdError
from acd.floor import Floor
from acd.ids import AgentId, AttemptId, CallId, QueueId, device_on
from acd.queues import QueueSpec
from acd.telephony import Fact, LegStage, Request
from acd.turn import Effects
from callback.keeper import Callbacks
from tests.property.model_pbx import PBX
from tests.support.callback_pbx import CallbackPbx

START = 1_700_000_000.0
SALES = QueueId("sales")
AGENTS = tuple(AgentId(str(number)) for number in (101, 102))
HORIZON_S = 3600.0

SERVICE_POINTS = (
    "promise_made", "promise_written", "promise_kept", "let_go", "intent_made", "intent_written", "dial_asked", "dial_arrives",
    "dialled", "ringing", "answered", "pressed", "came_in", "on_written", "offered", "bridged", "talking", "end_written",
    "not_reached", "result_heard", "result_written", "rang_again", "rang_again_written",
)  # fmt: skip
"""Where a run can be struck, in the order of an attempt's life."""

_WRITTEN = {
    e.CallbackPromised: "promise_written", e.CallbackAttempted: "intent_written", e.CallbackEnded: "end_written",
}  # fmt: skip
_MADE = {e.CallbackPromised: "promise_made", e.CallbackAttempted: "intent_made"}


def policy(mode: CallbackMode) -> CallbackPolicy:
    often = Retry(40, 20.0)
    retries = Retries(*(often for _ in Retries.__slots__))
    return CallbackPolicy(
        enabled=True,
        mode=mode,
        ring_s=8,
        confirm_s=4,
        confirm_times=1,
        most_attempts=60,
        retries=retries,
        expires_s=HORIZON_S,
    )


@dataclass(slots=True)
class Store:
    """What is on disk."""

    promised: dict[str, e.CallbackPromised] = field(default_factory=dict)
    ended: dict[str, e.CallbackEnded] = field(default_factory=dict)
    attempted: dict[str, e.CallbackAttempted] = field(default_factory=dict)
    results: dict[str, e.CallbackAttemptEnded] = field(default_factory=dict)

    def write(self, event: Any) -> None:
        match event:
            case e.CallbackPromised():
                self.promised[event.callback] = event
            case e.CallbackEnded():
                self.ended[event.callback] = event
            case e.CallbackAttempted():
                self.attempted[event.attempt] = event
            case e.CallbackAttemptEnded():
                self.results[event.attempt] = event

    def restored(self) -> list[c.RestoreCallback]:
        """As ``nobat.storage.callbacks`` reads it."""
        found = []
        for one in self.promised.values():
            over = self.ended.get(one.callback)
            if over is not None and over.why is not e.CallbackEnd.RANG_AGAIN:
                continue
            tries = [made for made in self.attempted.values() if made.callback == one.callback]
            attempts = tuple(
                c.RestoreAttempt(made.attempt, made.at, made.boot, made.agent, *self._result(made.attempt))
                for made in sorted(tries, key=lambda made: int(made.attempt.rpartition(".")[2]))
            )
            found.append(
                c.RestoreCallback(
                    one.callback, one.pbx, one.queue, one.number, one.since, one.serial, one.priority, one.at, one.expires_at,
                    one.call, attempts=attempts, rung_into=over.call if over is not None else None,
                )
            )  # fmt: skip
        return found

    def _result(self, attempt: AttemptId) -> tuple[AttemptResult | None, float | None]:
        known = self.results.get(attempt)
        return (known.result, known.at) if known is not None else (None, None)


class CallbackRun:
    """``strike`` is where something fails, the ``nth`` time that the run comes there; ``pbx``: the PBX fails there as well."""

    def __init__(
        self,
        seed: int,
        strike: str | None = None,
        *,
        mode: CallbackMode = CallbackMode.AGENT_FIRST,
        pbx: bool = False,
        service: bool = True,
        customers: int = 6,
    ) -> None:
        self.dice = Random(f"{seed} {strike} {mode} {pbx}")
        self.strike, self.nth = strike, self.dice.randint(1, 3)
        self.strikes_pbx, self.strikes_service = pbx, service
        self.mode, self.customers = mode, customers
        self.now, self.struck = START, False
        self.agenda: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = count()
        self.store = Store()
        self.pbx = CallbackPbx(self.dice, lambda: self.now, self.later, self.hear, self.point)
        self.run_number = 0
        self.wire_to_pbx: list[tuple[float, Callable[[], None]]] = []
        self.floor = Floor()
        self.alive, self.linked = False, True
        self.order: list[str] = []  # numbers by the first connection attempt
        self.entered: list[str] = []
        self.left_unseen: set[str] = set()
        self.stop_at = START + HORIZON_S
        for agent in AGENTS:
            self.pbx.registered[device_on(PBX, f"PJSIP/{agent}")] = True

    # ------------------------------------------------ time

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        heappush(self.agenda, (self.now + seconds, next(self.numbers), what))

    def run(self) -> "CallbackRun":
        self._start()
        for number in range(self.customers):
            self.later(1.0 + number * self.dice.uniform(0.2, 1.5), lambda n=number: self._comes(f"0912000{n:04}"))  # type: ignore[misc]
        while self.now < self.stop_at:
            due = self.floor.next_deadline() if self.alive else None
            if self.agenda and (due is None or self.agenda[0][0] <= due):
                at, _, what = heappop(self.agenda)
                self.now = max(self.now, at)
                what()
            elif due is not None:
                self.now = max(self.now, due)
                self._carry_out(self.floor.tick(self.now))
            else:
                break
        return self

    def _is_over(self) -> bool:
        """Everybody has come and gone, and nobody is to be called any more."""
        keeper = self.floor.keeper
        quiet = not self.pbx.channels and not self.pbx.attempts and not self.wire_to_pbx
        return quiet and len(self.entered) == self.customers and not (isinstance(keeper, Callbacks) and keeper.sessions)

    def point(self, name: str) -> None:
        """The run has come to a place at which it may be struck."""
        if self.struck or name != self.strike:
            return
        self.nth -= 1
        if self.nth <= 0:
            self.struck = True
            if self.strikes_pbx:
                self.pbx.crash()
            if self.strikes_service:
                self._die()
            else:
                self._to_service(0.0, lambda: self._hears([t.LinkDown(PBX, "connection_lost")]))
                self.linked = False
                self.later(0.5, self._connect)  # the link is back

    # ------------------------------------------------ the service

    def _start(self) -> None:
        self.run_number += 1
        self.floor, self.alive = Floor(keeper=Callbacks()), True
        spec = QueueSpec(SALES, "8000", ring_s=10, wrap_up_s=0.0, rest_s=1.0, callbacks=policy(self.mode))
        self._do(DefineQueue(spec))
        for agent in AGENTS:
            self._do(DefineAgent(AgentSpec(agent, device=device_on(PBX, f"PJSIP/{agent}"), queues=(SALES,))))
            self._do(RestoreAgent(agent, Status.AVAILABLE, START, None, device_on(PBX, f"PJSIP/{agent}")))
        for callback in self.store.restored():
            self._do(callback)
        self._connect()
        self.later(8.0, lambda run=self.run_number: self._looks(run))  # type: ignore[misc]

    def _connect(self) -> None:
        """Log in: what there is, then the epoch, then what happened meanwhile."""
        run, shown, self.linked = self.run_number, self.pbx.look(), True

        def fence() -> None:
            if run == self.run_number:
                self.pbx.epoch = run

        self.later(0.002, fence)
        self._to_service(0.003, lambda: self._hears([shown, *self.pbx.ringing_now()]))

    def _looks(self, run: int) -> None:
        if self._is_over():
            self.stop_at = self.now + 1.0
        elif run == self.run_number and self.alive:
            shown = self.pbx.look()
            self._to_service(0.003, lambda: self._hears([shown]))
            self.later(8.0, lambda: self._looks(run))

    def _die(self) -> None:
        """SIGKILL: what is on the wires arrives up to some place, and the service comes back a second later."""
        self.alive = False
        arrived = self.dice.randint(0, len(self.wire_to_pbx))
        for _, what in self.wire_to_pbx[:arrived]:
            heappush(self.agenda, (self.now + self.dice.uniform(0, 0.004), next(self.numbers), what))
        self.wire_to_pbx.clear()
        self.later(self.dice.uniform(0.6, 4.0), self._start)

    def hear(self, facts: list[Fact]) -> None:
        """The PBX says something."""
        if facts and self.linked:
            self._to_service(self.dice.uniform(0.001, 0.004), lambda: self._hears(facts))

    def _to_service(self, seconds: float, what: Callable[[], None]) -> None:
        """A message to the service that lives now; no other hears it. In order."""
        run = self.run_number
        self.ready = max(getattr(self, "ready", 0.0), self.now + seconds)
        heappush(self.agenda, (self.ready, next(self.numbers), lambda: what() if self._lives(run) else None))

    def _lives(self, run: int) -> bool:
        return self.alive and run == self.run_number

    def _hears(self, facts: list[Fact]) -> None:
        run = self.run_number
        for fact in facts:
            if not self._lives(run):
                return
            self._do(fact)
            match fact:
                case p.AttemptNews(stage=p.AttemptStage.DIALLING):
                    self.point("ringing")
                case p.AttemptNews():
                    self.point("answered")
                case p.AttemptEnded():
                    self.point("result_heard")
                case t.CallEntered(attempt=attempt) if attempt is not None:
                    self.point("came_in")
                case t.TalkBegan():
                    self.point("talking")
                case _:
                    pass

    def _do(self, message: "Fact | Command") -> None:
        try:
            self._carry_out(self.floor.handle(message, self.now))
        except AcdError:
            if not isinstance(message, c.PromiseCallback):
                raise

    # ------------------------------------------------ what comes of a turn

    def _carry_out(self, effects: Effects) -> None:
        run = self.run_number
        for event in effects.events:
            if isinstance(event, e.CallbackEvent):
                self._commit(event)
        for request in effects.requests:
            if not self._lives(run):
                return
            if isinstance(request, p.DialCustomer):
                self.point("dial_asked")
            if self._lives(run):
                self._send(request)

    def _commit(self, event: e.CallbackEvent) -> None:
        """To the database, a few milliseconds later; a crash in between loses it, or not."""
        run = self.run_number
        self.written_at = max(getattr(self, "written_at", 0.0), self.now + self.dice.uniform(0.001, 0.02))

        def written() -> None:
            if not self._lives(run) and self.dice.random() < 0.5:
                return
            self.store.write(event)
            if not self._lives(run):
                return
            self.point(self._name_of(event))
            if self._lives(run) and isinstance(event, e.CallbackPromised | e.CallbackAttempted):
                self._do(c.Kept(event.attempt if isinstance(event, e.CallbackAttempted) else event.callback))
                if isinstance(event, e.CallbackPromised):
                    self.point("promise_kept")

        heappush(self.agenda, (self.written_at, next(self.numbers), written))
        self.point(_MADE.get(type(event), ""))

    def _name_of(self, event: e.CallbackEvent) -> str:
        if isinstance(event, e.CallbackAttemptEnded):
            return "on_written" if event.result is AttemptResult.CONNECTED else "result_written"
        if isinstance(event, e.CallbackEnded) and event.why is e.CallbackEnd.RANG_AGAIN:
            return "rang_again_written"
        return _WRITTEN.get(type(event), "")

    def _send(self, request: Request) -> None:
        run = self.run_number
        at = max(self.now + self.dice.uniform(0.001, 0.004), self.wire_to_pbx[-1][0] if self.wire_to_pbx else 0.0)

        def arrives() -> None:
            if entry in self.wire_to_pbx:
                self.wire_to_pbx.remove(entry)
            elif self._lives(run):
                return
            self._executes(request, run)

        entry = (at, arrives)
        self.wire_to_pbx.append(entry)
        heappush(self.agenda, (at, next(self.numbers), lambda: arrives() if entry in self.wire_to_pbx else None))

    # ------------------------------------------------ the PBX

    def _executes(self, request: Request, run: int) -> None:
        pbx = self.pbx
        match request:
            case p.DialCustomer():
                self.point("dial_arrives")
                self._tried(request.number)
                pbx.dial(request, run)
            case p.StopAttempt():
                pbx.stop(request.attempt)
            case p.ReadAttempt():
                self.hear([pbx.read(request.attempt)])
            case t.Resync():
                shown = pbx.look()
                self._to_service(0.003, lambda: self._hears([shown]))
            case t.Offer() if pbx.waits(request.call):
                self._offer(request)
            case t.Lead() if pbx.waits(request.call):
                self.hear(pbx.lead(request))
                number = pbx.channels[request.call].entered.number or ""
                pbx.told.setdefault(number, self.now)
                self.point("let_go")
                self.later(0.5, lambda: self._leaves(request.call))
            case t.HangUp():
                for call, channel in list(pbx.channels.items()):
                    if channel.entered.leg == request.leg:
                        self.hear(pbx.caller_leaves(call))
            case t.Mark():
                pbx.mark(request)
            case _:
                pass

    def _offer(self, request: t.Offer) -> None:
        pbx = self.pbx
        number = pbx.channels[request.call].entered.number or ""
        self._tried(number)
        self.hear(pbx.offer(request))
        for device in request.targets:
            if pbx.state(device) is t.DeviceState.NOT_IN_USE:
                self.hear(pbx.ring(request.call, device))
                self.later(self.dice.uniform(0.3, 2.0), lambda device=device: self._picked_up(request, device))  # type: ignore[misc]
            else:
                channel = pbx.channels[request.call]
                channel.silent.remove(device)
                self.hear(
                    [t.OfferMissed(request.call, request.offer, device, t.MissCause.BUSY), *pbx.over(request.call)]
                )
        self.point("offered")

    def _picked_up(self, request: t.Offer, device: Any) -> None:
        channel = self.pbx.channels.get(request.call)
        if channel is None or channel.offer != request.offer or device not in channel.ringing:
            return
        self.hear(self.pbx.pick_up(request.call, device))
        facts = self.pbx.bridge(request.call, self.now)
        self.point("bridged")
        self.hear(facts)
        self.later(self.dice.uniform(5.0, 20.0), lambda: self._hangs_up(request.call))

    def _hangs_up(self, call: CallId) -> None:
        channel = self.pbx.channels.get(call)
        if channel is not None and channel.talking_to is not None:
            self.hear(self.pbx.agent_leaves(call, fault=False))
            self.later(1.0, lambda: self._leaves(call))

    def _leaves(self, call: CallId) -> None:
        if call in self.pbx.channels:
            self.hear(self.pbx.caller_leaves(call))

    # ------------------------------------------------ customers

    def _comes(self, number: str) -> None:
        self.entered.append(number)
        call = self.pbx.enter(number)
        if self.dice.random() < 0.7:
            self.later(self.dice.uniform(0.5, 3.0), lambda: self._wants_a_callback(call, number))

    def _wants_a_callback(self, call: CallId, number: str) -> None:
        if self.alive and self.pbx.waits(call):
            self._do(c.PromiseCallback(call, number))
            if self.dice.random() < 0.3:
                self.later(self.dice.uniform(2.0, 40.0), lambda: self._rings_again(number))

    def _rings_again(self, number: str) -> None:
        if number in self.pbx.told and number not in self.pbx.served and number not in self.pbx.numbers():
            call = self.pbx.enter(number)
            self.point("rang_again")
            if self.dice.random() < 0.3:
                self.later(self.dice.uniform(0.5, 6.0), lambda: self._thinks_better_of_it(call, number))

    def _thinks_better_of_it(self, call: CallId, number: str) -> None:
        """He hangs up before anybody is there for him: if that was seen, he is called as he was promised."""
        if self.pbx.waits(call):
            run = self.run_number
            self._leaves(call)
            self.later(0.05, lambda: None if self._lives(run) and self.linked else self.left_unseen.add(number))

    def _tried(self, number: str) -> None:
        if number not in self.order:
            self.order.append(number)

    # ------------------------------------------------ the verdict

    @property
    def problems(self) -> list[str]:
        """What must never be, whatever was struck."""
        pbx = self.pbx
        found = [f"{attempt} was dialled {times} times" for attempt, times in pbx.dials.items() if times > 1]
        if not self.strikes_pbx:  # else he was cut off, and is right to be called again
            found += [f"{number} was dialled after he was served" for number in pbx.dialled_after]
        found += [f"{attempt} has no intent" for attempt in pbx.dials if attempt not in self.store.attempted]
        for number in pbx.told:
            theirs = [one for one in self.store.promised.values() if one.number == number]
            if not theirs:
                found.append(f"{number} was promised and is nowhere")
            over = [self.store.ended[one.callback].why for one in theirs if one.callback in self.store.ended]
            if len(over) < len(theirs):
                found.append(f"{number} is forgotten")
            elif number not in pbx.served and not self._lost_on_purpose(number):
                found.append(f"{number} was never served: {over}")
        if self.alive and isinstance(self.floor.keeper, Callbacks):
            found += [f"{one} is still open" for one in self.floor.keeper.sessions]
        if pbx.attempts or [one for one in pbx.channels.values() if one.stage is LegStage.WAITING]:
            found.append("somebody is left on the PBX")
        return found

    def _lost_on_purpose(self, number: str) -> bool:
        """Who hangs up is seen doing so, or it was in an outage; else only a PBX that was struck takes them off the line."""
        return self.strikes_pbx or number in self.left_unseen
