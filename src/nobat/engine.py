"""The engine: one ordered inbox, one writer, and the deadlines. It gives the pure floor its time and its reach.

Facts are put in by the PBX links (``deliver``), commands by the API (``ask``). Both are handled strictly in order of arrival,
in slices short enough that nobody else on the event loop waits. What a turn brings about goes out at once, with one
exception: events that are promises (``DURABLE``) are committed before the requests and the reply of their turn leave. What depends
on a callback's events is not in the same turn: it comes of the ``Kept`` that the engine puts in when they are on disk.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Protocol, TypeVar, get_args

import structlog

from acd import picture
from acd.callback_commands import Kept, NotKept
from acd.callback_events import CallbackAttempted, CallbackEvent, CallbackPromised
from acd.callback_port import DialCustomer, ReadAttempt, StopAttempt
from acd.errors import AcdError
from acd.events import (
    AgentStatusChosen,
    BreakRequested,
    BreakRequestSettled,
    CallEnded,
    Event,
    QueueClosed,
    QueueOpened,
)
from acd.floor import Floor
from acd.ids import LegId, PbxId, pbx_of
from acd.recording_events import RecordingChanged
from acd.supervision_events import HelpAsked, SupervisionBegun, SupervisionMoved
from acd.supervision_port import EndSupervision, Quieten, RingSupervisor, ShowAgent, Supervise
from acd.telephony import (
    Fact,
    HangUp,
    Lead,
    LinkDown,
    Offer,
    PbxDraining,
    PbxSnapshot,
    Place,
    Request,
    RequestFailed,
    RequestFailure,
    Resync,
    ReturnToLine,
)
from acd.turn import Effects
from acd.views import CallView
from ami import failpoints
from nobat.clock import Clock
from nobat.inbox import Inbox, Letter
from nobat.reactor import Machine, Message

log = structlog.get_logger(__name__)

CALLBACK_EVENTS = frozenset(get_args(CallbackEvent))
NEVER_REFUSED = (PbxSnapshot, LinkDown, PbxDraining)
DURABLE = (
    *(AgentStatusChosen, BreakRequested, BreakRequestSettled, QueueClosed, QueueOpened, RecordingChanged),
    *(SupervisionBegun, SupervisionMoved, HelpAsked),
)
RECORDED_FIRST = (RingSupervisor, Supervise, ShowAgent)
"""Requests that do not leave at all when what they depend on is not on disk: nobody is heard of whom it is not written down."""
SLICE_S = 0.005
"""How long the inbox may be worked on before others get their turn on the loop."""

COMMIT_DEADLINE_S = 2.0

T = TypeVar("T")


class Overloaded(Exception):
    """There is more to do for calls than can be done: nothing was changed."""


class StorageUnavailable(Exception):
    """What was asked is done, and could not be made durable: after a restart it may be forgotten."""


class Sender(Protocol):
    """A PBX, as far as the engine needs it."""

    def send(self, requests: Sequence[Request]) -> None: ...


class Recorder(Protocol):
    """History and promises."""

    def note(self, events: Sequence[Event], ended: Sequence[CallView]) -> None: ...

    async def commit(self, events: Sequence[Event]) -> None: ...


class Gauge(Protocol):
    """Who counts: metrics, and later the live feed."""

    def observe(self, events: Sequence[Event], now: float) -> None: ...

    def inbox_lag(self, seconds: float) -> None: ...

    def dispatched(self, pbx: PbxId, seconds: float) -> None: ...


class Engine:
    """Owns the floor. Everything here runs on one event loop."""

    def __init__(
        self,
        floor: Floor,
        clock: Clock,
        recorder: Recorder,
        gauge: Gauge,
        machine: Machine | None = None,
        stopwatch: Callable[[], float] = perf_counter,
    ) -> None:
        """``machine`` is what messages go to, if that is more than the floor; ``stopwatch`` measures the slices."""
        self._floor, self._clock, self._recorder, self._gauge = floor, clock, recorder, gauge
        self._machine: Machine = machine if machine is not None else floor  # type: ignore[assignment]
        self._stopwatch = stopwatch
        self._pbxs: Mapping[PbxId, Sender] = {}
        self._inbox = Inbox()
        self._missed = False  # facts were refused, and what they told must be looked up
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._commits: set[asyncio.Task[None]] = set()
        self._told: list[Event] = []
        self._later: dict[PbxId, list[Request]] = {}

    def connect(self, pbxs: Mapping[PbxId, Sender]) -> None:
        """Name the PBXs that requests go to. Once, before the first fact."""
        self._pbxs = pbxs

    def deliver(self, fact: Fact) -> None:
        """Put a fact in. Never blocks, never raises. When the inbox is full, what calls do is looked up later instead."""
        if self._inbox.is_full and not isinstance(fact, NEVER_REFUSED):
            self._inbox.refused += 1
            if not self._missed:
                self._missed = True
                log.error("the inbox is full: facts are refused until there is room, then every PBX is looked at")
            return
        self._put(Letter(fact, None))

    async def ask(self, command: Message) -> object:
        """Put a command in and wait until it is done and durable. Raises ``AcdError``, ``StorageUnavailable`` or
        ``Overloaded``."""
        if self._inbox.is_full:
            raise Overloaded
        reply: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._put(Letter(command, reply))
        return await reply

    async def caught_up(self) -> None:
        """Come back when everything that is in the inbox now is handled."""
        reply: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._put(Letter(None, reply))
        await reply

    def read(self, view: Callable[[Floor, float], T]) -> T:
        """Build a frozen view of the floor as it is now. ``view`` must keep nothing of the floor itself."""
        return view(self._floor, self._clock.now())

    def backlog(self) -> int:
        """Messages not yet handled."""
        return len(self._inbox)

    def behind_s(self) -> float:
        """How long messages have been late without a break."""
        return self._inbox.behind_s()

    async def close(self) -> None:
        """Handle what is in the inbox, stop the timers and wait for open commits."""
        while self._inbox:
            self._drain()
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()
        if self._commits:
            await asyncio.wait(set(self._commits), timeout=COMMIT_DEADLINE_S)

    def _put(self, letter: Letter) -> None:
        self._inbox.put(letter)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        """Handle messages in order, for one slice."""
        self._scheduled = False
        until = self._stopwatch() + SLICE_S
        if self._inbox:
            self._gauge.inbox_lag(self._inbox.measure())
        while self._inbox:
            letter = self._inbox.take()
            self._handle(letter)
            if self._stopwatch() > until:
                break
        if self._missed and self._inbox.has_room:
            self._look_again()
        self._send_the_rest()
        self._tell()
        if self._inbox:
            self._schedule()
        else:
            self._inbox.rested()
        self._arm()

    def _look_again(self) -> None:
        """What was refused is not known: every PBX says how things are."""
        log.warning("the inbox has room again", refused=self._inbox.refused)
        self._missed = False
        for pbx in self._pbxs:
            self._later.setdefault(pbx, []).append(Resync(pbx, "inbox_full"))

    def _handle(self, letter: Letter) -> None:
        if letter.message is None:
            if letter.reply is not None and not letter.reply.done():
                letter.reply.set_result(None)
            return
        now = self._clock.now()
        due = self._machine.next_deadline()
        if due is not None and due <= now:
            self._tick()
        try:
            effects = self._machine.handle(letter.message, now)
        except Exception as error:
            if isinstance(error, AcdError) and letter.reply is not None:
                if not letter.reply.done():
                    letter.reply.set_exception(error)
                return
            # One message that we do not understand must not end the service for everybody else.
            log.exception("a message could not be handled; others go on", message=type(letter.message).__name__)
            if letter.reply is not None and not letter.reply.done():
                letter.reply.set_exception(error)
            return
        self._carry_out(effects, letter.arrived, letter.reply)

    def _tick(self) -> None:
        """Do what is due."""
        try:
            effects = self._machine.tick(self._clock.now())
        except Exception:
            log.exception("a timer could not be handled; others go on")
        else:
            self._carry_out(effects, perf_counter(), None)

    def _wake(self) -> None:
        """The floor's deadline has come."""
        self._timer = None
        self._tick()
        self._send_the_rest()
        self._tell()
        self._arm()

    def _arm(self) -> None:
        """Be woken at the floor's next deadline."""
        deadline = self._machine.next_deadline()
        if deadline == self._armed_for and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed_for = deadline
        if deadline is not None:
            delay = max(0.0, deadline - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _carry_out(self, effects: Effects, arrived: float, reply: "asyncio.Future[object] | None") -> None:
        if failpoints.passed is not None:
            failpoints.passed("engine.handled", (*effects.events, *effects.requests))
        durable = [event for event in effects.events if isinstance(event, DURABLE)]
        callbacks = [event for event in effects.events if type(event) in CALLBACK_EVENTS]
        if callbacks:
            self._keep(callbacks, reply if not durable else None)  # type: ignore[arg-type]
            reply = reply if durable else None
        if durable:
            task = asyncio.get_running_loop().create_task(self._commit_then_send(durable, effects, arrived, reply))
            self._commits.add(task)
            task.add_done_callback(self._commits.discard)
        else:
            self._send(effects, arrived)
            if reply is not None and not reply.done():
                reply.set_result(None)
        self._told.extend(effects.events)

    def _keep(self, events: list[CallbackEvent], reply: "asyncio.Future[object] | None") -> None:
        task = asyncio.get_running_loop().create_task(self._commit_callbacks(events, reply))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)

    async def _commit_callbacks(self, events: list[CallbackEvent], reply: "asyncio.Future[object] | None") -> None:
        """Commit, and tell the floor which of its promises and intents hold. The reply comes when that is done."""
        failure: Exception | None = None
        try:
            async with asyncio.timeout(COMMIT_DEADLINE_S):
                await self._recorder.commit(events)
            if failpoints.passed is not None:
                failpoints.passed("engine.kept", events)
        except Exception as error:  # noqa: BLE001 - whatever the database does, the floor must be told
            log.warning("callbacks could not be stored", error=repr(error), count=len(events))
            failure = StorageUnavailable("the database did not take it in time")
            failure.__cause__ = error
        for event in events:
            what = event.attempt if isinstance(event, CallbackAttempted) else event.callback
            if isinstance(event, CallbackAttempted | CallbackPromised):
                self._put(Letter(Kept(what) if failure is None else NotKept(what), None))
        if failure is None:
            self._put(Letter(None, reply))
        elif reply is not None and not reply.done():
            reply.set_exception(failure)

    def _tell(self) -> None:
        """Say what happened to those who write and count, after the requests are out: no phone waits for them."""
        if not self._told:
            return
        events, self._told = self._told, []
        now = self._clock.now()
        ended = [picture.call(self._floor, event.call, now) for event in events if isinstance(event, CallEnded)]
        self._recorder.note(events, ended)
        if failpoints.passed is not None:
            failpoints.passed("engine.noted", events)
        self._gauge.observe(events, now)

    async def _commit_then_send(
        self, durable: Sequence[Event], effects: Effects, arrived: float, reply: "asyncio.Future[object] | None"
    ) -> None:
        failure: Exception | None = None
        try:
            async with asyncio.timeout(COMMIT_DEADLINE_S):
                await self._recorder.commit(durable)
            if failpoints.passed is not None:
                failpoints.passed("engine.committed", durable)
        except Exception as error:  # noqa: BLE001 - whatever the database does, the requests must leave
            # Calls go on from memory; whoever asked is told that a restart would forget it.
            log.warning("a status could not be stored; routing goes on from memory", error=repr(error))
            failure = StorageUnavailable("the database did not take it in time")
            failure.__cause__ = error
            effects = self._without_unrecorded(effects)
        self._send(effects, arrived)
        self._send_the_rest()
        if reply is not None and not reply.done():
            if failure is None:
                reply.set_result(None)
            else:
                reply.set_exception(failure)

    def _without_unrecorded(self, effects: Effects) -> Effects:
        """What must be on disk first and is not is never sent; the machine hears of it."""
        for request in effects.requests:
            if isinstance(request, RECORDED_FIRST):
                self.deliver(RequestFailed(request, RequestFailure.NOT_RECORDED))
        return Effects(effects.events, tuple(one for one in effects.requests if not isinstance(one, RECORDED_FIRST)))

    def _send(self, effects: Effects, arrived: float) -> None:
        """What moves a caller leaves at once and in order, for a phone is to ring; everything else at the end of the slice."""
        moves: dict[PbxId, list[Request]] = {}
        for request in effects.requests:
            kind = moves if isinstance(request, Offer | ReturnToLine | Place | Lead) else self._later
            kind.setdefault(_pbx_of(request), []).append(request)
        for pbx, requests in moves.items():
            self._hand_over(pbx, requests)
            for request in requests:
                if isinstance(request, Offer):
                    self._gauge.dispatched(pbx, perf_counter() - arrived)

    def _send_the_rest(self) -> None:
        if self._later:
            later, self._later = self._later, {}
            for pbx, requests in later.items():
                self._hand_over(pbx, requests)

    def _hand_over(self, pbx: PbxId, requests: Sequence[Request]) -> None:
        sender = self._pbxs.get(pbx)
        if sender is None:
            log.error("a request names a PBX that is not configured", pbx=pbx, count=len(requests))
        else:
            sender.send(requests)
            if failpoints.passed is not None:
                failpoints.passed("engine.sent", requests)


def _pbx_of(request: Request) -> PbxId:
    match request:
        case Resync() | DialCustomer() | StopAttempt() | ReadAttempt():
            return request.pbx
        case HangUp():
            return pbx_of(request.leg)
        case RingSupervisor() | Supervise() | Quieten() | EndSupervision():
            return pbx_of(LegId(request.session))
        case _:
            return pbx_of(request.call)
