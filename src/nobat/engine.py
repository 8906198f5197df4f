"""The engine: one ordered inbox, one writer, and the deadlines. It gives the pure floor its time and its reach.

Facts are put in by the PBX links (``deliver``), commands by the API (``ask``). Both are handled strictly in order of arrival,
in slices short enough that nobody else on the event loop waits. What a turn brings about goes out at once, with one
exception: events that are promises (``DURABLE``) are committed before the requests and the reply of their turn leave. What depends
on a callback's events is not in the same turn: it comes of the ``Kept`` that the engine puts in when they are on disk.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Protocol, TypeVar, get_args

import structlog

from acd import picture
from acd.callback_commands import Kept, NotKept
from acd.callback_events import CallbackAttempted, CallbackEvent, CallbackPromised
from acd.callback_port import DialCustomer, ReadAttempt, StopAttempt
from acd.commands import Command
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
from acd.ids import PbxId, pbx_of
from acd.telephony import Fact, HangUp, Lead, Offer, Place, Request, Resync, ReturnToLine
from acd.turn import Effects
from acd.views import CallView
from nobat.clock import Clock

log = structlog.get_logger(__name__)

CALLBACK_EVENTS = frozenset(get_args(CallbackEvent))
DURABLE = (AgentStatusChosen, BreakRequested, BreakRequestSettled, QueueClosed, QueueOpened)
SLICE_S = 0.005
"""How long the inbox may be worked on before others get their turn on the loop."""

COMMIT_DEADLINE_S = 2.0

T = TypeVar("T")


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


class _Letter:
    """One message in the inbox, when it came, and who waits for the answer. Without a message it only asks for its turn."""

    __slots__ = ("arrived", "message", "reply")

    def __init__(self, message: "Fact | Command | None", reply: "asyncio.Future[object] | None") -> None:
        self.message, self.reply, self.arrived = message, reply, perf_counter()


class Engine:
    """Owns the floor. Everything here runs on one event loop."""

    def __init__(self, floor: Floor, clock: Clock, recorder: Recorder, gauge: Gauge) -> None:
        self._floor, self._clock, self._recorder, self._gauge = floor, clock, recorder, gauge
        self._pbxs: Mapping[PbxId, Sender] = {}
        self._inbox: deque[_Letter] = deque()
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
        """Put a fact in. Never blocks, never raises."""
        self._put(_Letter(fact, None))

    async def ask(self, command: Command) -> object:
        """Put a command in and wait until it is done and durable. Raises ``AcdError`` or ``StorageUnavailable``."""
        reply: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._put(_Letter(command, reply))
        return await reply

    async def caught_up(self) -> None:
        """Come back when everything that is in the inbox now is handled."""
        reply: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._put(_Letter(None, reply))
        await reply

    def read(self, view: Callable[[Floor, float], T]) -> T:
        """Build a frozen view of the floor as it is now. ``view`` must keep nothing of the floor itself."""
        return view(self._floor, self._clock.now())

    def backlog(self) -> int:
        """Messages not yet handled."""
        return len(self._inbox)

    async def close(self) -> None:
        """Handle what is in the inbox, stop the timers and wait for open commits."""
        while self._inbox:
            self._drain()
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()
        if self._commits:
            await asyncio.wait(set(self._commits), timeout=COMMIT_DEADLINE_S)

    def _put(self, letter: _Letter) -> None:
        self._inbox.append(letter)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        """Handle messages in order, for one slice."""
        self._scheduled = False
        until = perf_counter() + SLICE_S
        if self._inbox:
            self._gauge.inbox_lag(perf_counter() - self._inbox[0].arrived)
        while self._inbox:
            letter = self._inbox.popleft()
            self._handle(letter)
            if perf_counter() > until:
                break
        self._send_the_rest()
        self._tell()
        if self._inbox:
            self._schedule()
        self._arm()

    def _handle(self, letter: _Letter) -> None:
        if letter.message is None:
            if letter.reply is not None and not letter.reply.done():
                letter.reply.set_result(None)
            return
        now = self._clock.now()
        due = self._floor.next_deadline()
        if due is not None and due <= now:
            self._tick()
        try:
            effects = self._floor.handle(letter.message, now)
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
            effects = self._floor.tick(self._clock.now())
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
        deadline = self._floor.next_deadline()
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
        except Exception as error:  # noqa: BLE001 - whatever the database does, the floor must be told
            log.warning("callbacks could not be stored", error=repr(error), count=len(events))
            failure = StorageUnavailable("the database did not take it in time")
            failure.__cause__ = error
        for event in events:
            what = event.attempt if isinstance(event, CallbackAttempted) else event.callback
            if isinstance(event, CallbackAttempted | CallbackPromised):
                self._put(_Letter(Kept(what) if failure is None else NotKept(what), None))
        if failure is None:
            self._put(_Letter(None, reply))
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
        self._gauge.observe(events, now)

    async def _commit_then_send(
        self, durable: Sequence[Event], effects: Effects, arrived: float, reply: "asyncio.Future[object] | None"
    ) -> None:
        failure: Exception | None = None
        try:
            async with asyncio.timeout(COMMIT_DEADLINE_S):
                await self._recorder.commit(durable)
        except Exception as error:  # noqa: BLE001 - whatever the database does, the requests must leave
            # Calls go on from memory; whoever asked is told that a restart would forget it.
            log.warning("a status could not be stored; routing goes on from memory", error=repr(error))
            failure = StorageUnavailable("the database did not take it in time")
            failure.__cause__ = error
        self._send(effects, arrived)
        self._send_the_rest()
        if reply is not None and not reply.done():
            if failure is None:
                reply.set_result(None)
            else:
                reply.set_exception(failure)

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


def _pbx_of(request: Request) -> PbxId:
    match request:
        case Resync() | DialCustomer() | StopAttempt() | ReadAttempt():
            return request.pbx
        case HangUp():
            return pbx_of(request.leg)
        case _:
            return pbx_of(request.call)
