"""All callbacks, and the door through which the floor reaches them (``acd.away.Keeper``).

``callback.promising`` makes and ends promises, ``callback.dialling`` carries them out, ``callback.reconciling`` finds out what
became of attempts that nobody saw end, ``callback.places`` is about where customers stand.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from acd import callback_commands as c
from acd import callback_port as p
from acd.agents import Agent
from acd.callback_events import CallbackEnd, CallbackEnded
from acd.callback_policy import CallbackMode
from acd.calls import Call
from acd.decisions import Rank
from acd.errors import unknown
from acd.ids import AttemptId, CallbackId, CallId, QueueId
from acd.outcomes import Outcome
from acd.queues import Queue
from acd.telephony import CallEntered, PbxSnapshot, RequestFailed
from acd.turn import Turn
from callback import at_once, dialling, just_in_time, places, promising, reconciling
from callback.sessions import Session, SessionState

if TYPE_CHECKING:
    from acd.floor import Floor

ENDED_KEPT = 2_000
"""Ended callbacks that can still be read live; storage has them all."""


@dataclass(slots=True)
class Callbacks:
    """Every open callback, and the last of those that are over with the reason."""

    sessions: dict[CallbackId, Session] = field(default_factory=dict)
    by_number: dict[tuple[str, QueueId], CallbackId] = field(default_factory=dict)
    ended: "OrderedDict[CallbackId, tuple[Session, CallbackEnded]]" = field(default_factory=OrderedDict)
    arriving: dict[CallId, AttemptId] = field(default_factory=dict)
    regained: dict[CallId, Session] = field(default_factory=dict)  # by the call of whoever has rung in with the number
    armed: set[QueueId] = field(default_factory=set)  # whose lines are looked at again and again
    answers: "dict[QueueId, deque[float]]" = field(default_factory=dict)  # how long customers took to come on
    most_dialled: int = 0  # at once, of all queues; 0: no such cap
    out: dict[CallbackId, QueueId] = field(default_factory=dict)  # being dialled, and perhaps some who are not any more
    held_back: set[QueueId] = field(default_factory=set)  # queues with somebody who waits for such a cap

    def session(self, callback: CallbackId) -> Session:
        """An open callback. Raises ``unknown_callback``."""
        found = self.sessions.get(callback)
        if found is None:
            raise unknown("callback", callback)
        return found

    def add(self, session: Session) -> None:
        """A new one."""
        self.sessions[session.id] = session
        self.by_number[session.caller, session.queue] = session.id

    def end(
        self, floor: "Floor", turn: Turn, session: Session, why: CallbackEnd, call: CallId | None = None, by: str = ""
    ) -> None:
        """It is over, and why is told; an entry that it has is taken out of the line."""
        session.move(SessionState.ENDED)
        places.take_out(floor, turn, session)
        del self.sessions[session.id]
        if self.by_number.get((session.caller, session.queue)) == session.id:
            del self.by_number[session.caller, session.queue]
        waited = max(0.0, turn.now - session.since)
        over = CallbackEnded(turn.now, session.id, session.queue, why, session.dialled, waited, call, by)
        turn.emit(over)
        self.ended[session.id] = (session, over)
        while len(self.ended) > ENDED_KEPT:
            self.ended.popitem(last=False)

    # ------------------------------------------------------------ acd.away.Keeper

    def handle(self, floor: "Floor", turn: Turn, message: Any) -> None:
        _HANDLERS[type(message)](self, floor, turn, message)

    def due(self, floor: "Floor", turn: Turn, key: str) -> None:
        if just_in_time.due(self, floor, turn, key) or at_once.due(self, floor, key):
            return
        session = self.sessions.get(CallbackId(key))
        if session is not None:
            promising.look(self, floor, turn, session)

    def may_dial(self, floor: "Floor", call: Call, now: float) -> bool:
        session = self.sessions.get(CallbackId(call.id))
        return session is not None and dialling.may_dial(self, floor, session, now)

    def open_in(self, queue: QueueId) -> int:
        return sum(one.queue == queue for one in (*self.sessions.values(), *self.regained.values()))

    def held_up(self, floor: "Floor", call: Call, now: float) -> str | None:
        return at_once.why(self, floor, CallbackId(call.id), now)

    def turn_came(self, floor: "Floor", turn: Turn, call: Call, agent: Agent, ranks: list[Rank]) -> None:
        dialling.turn_came(self, floor, turn, self.sessions[CallbackId(call.id)], call, agent, ranks)

    def passed(self, floor: "Floor", queue: Queue, call: Call) -> None:
        if queue.spec.callbacks.mode is CallbackMode.JUST_IN_TIME:
            just_in_time.passed(self, floor, queue, call)

    def agent_left(self, floor: "Floor", turn: Turn, call: Call, agent: Agent) -> None:
        places.let_agent_go(floor, turn, call, agent)

    def identify(self, call: Call, fact: CallEntered) -> None:
        dialling.identify(self, call, fact)

    def came_in(self, floor: "Floor", turn: Turn, call: Call, *, adopted: bool) -> Agent | None:
        return dialling.came_in(self, floor, turn, call, adopted=adopted)

    def regain(self, floor: "Floor", turn: Turn, call: Call, queue: Queue) -> bool:
        return promising.regain(self, floor, turn, call, queue)

    def found(self, floor: "Floor", turn: Turn, call: Call, *, led: bool) -> None:
        promising.found(self, floor, turn, call, led=led)

    def connected(self, floor: "Floor", turn: Turn, call: Call) -> None:
        dialling.connected(self, floor, turn, call)

    def left(self, floor: "Floor", turn: Turn, call: Call, outcome: Outcome, ended_by: str) -> None:
        dialling.left(self, floor, turn, call, outcome, ended_by)

    def looked(self, floor: "Floor", turn: Turn, fact: PbxSnapshot) -> None:
        reconciling.looked(self, floor, turn, fact)


_HANDLERS: dict[type, Callable[[Callbacks, "Floor", Turn, Any], None]] = {
    c.PromiseCallback: promising.promise,
    c.ScheduleCallback: promising.schedule,
    c.CancelCallback: promising.cancel,
    c.ChangeCallback: promising.change,
    c.RestoreCallback: promising.restore,
    c.Kept: dialling.kept,
    c.NotKept: dialling.not_kept,
    p.AttemptNews: dialling.news,
    p.AttemptEnded: dialling.attempt_ended,
    p.AttemptRead: reconciling.read,
    RequestFailed: dialling.request_failed,
}
