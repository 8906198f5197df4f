"""Promises of a callback: made, changed, kept in time or not, and given back when the customer rings again.

A promise is worth nothing before it is on disk. Until then the caller stands in line as before, only that nobody is offered to him;
``callback.dialling.kept`` lets him go.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from acd import callback_commands as c
from acd import joining, visits
from acd.callback_events import CallbackChanged, CallbackEnd, CallbackPromised
from acd.callback_policy import CallbackPolicy
from acd.calls import Call, CallState
from acd.directory import normal
from acd.errors import Conflict, Invalid, illegal_transition
from acd.events import PlaceRegained
from acd.ids import CallId, QueueId
from acd.outcomes import Outcome
from acd.queues import Queue
from acd.turn import Turn
from callback import just_in_time, places
from callback.sessions import Attempt, Session, SessionState

if TYPE_CHECKING:
    from acd.floor import Floor
    from callback.keeper import Callbacks

KEEP_S = 10.0
"""How long a caller is not offered while his promise is being written: longer than that takes, whatever comes of it."""

STORE_AGAIN_S = 5.0
"""After so long it is tried again to write down that a callback goes on: nobody is there who could be told that it does not."""

GO_ON_S = 30.0
"""Who has just hung up is not called at once."""

_PROMISED, _WAITING = SessionState.PROMISED, SessionState.WAITING
_MAY_CHANGE = frozenset({_WAITING})


def policy_of(floor: "Floor", queue: QueueId) -> CallbackPolicy:
    """How the queue calls back. Raises ``unknown_queue``, ``no_callbacks``."""
    policy = floor.queue(queue).spec.callbacks
    if not policy.enabled or dial_string(floor, policy, "0") is None:
        raise Conflict("no_callbacks", f"queue {queue} does not call back", queue=queue)
    return policy


def dial_string(floor: "Floor", policy: CallbackPolicy, number: str) -> str | None:
    """How a number is dialled for this queue; None: there is no way outside."""
    pattern = policy.dial or floor.outside
    return pattern.replace("{number}", number) if pattern is not None else None


def promise(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.PromiseCallback) -> None:
    call = floor.call(command.call)
    policy = policy_of(floor, call.queue)
    if call.state is not CallState.WAITING or call.visit.outcome is not None or call.fallback is not None:
        raise illegal_transition(f"call {call.id}", call.state, "called back")
    caller = _caller(keeper, floor, call.queue, command.number)
    rung_into = keeper.regained.get(call.id)
    is_his = rung_into is not None and (command.proved or rung_into.caller == caller)
    session = Session(
        id=command.id if command.id is not None else c.callback_of(call.id),
        pbx=call.pbx,
        queue=call.queue,
        number=command.number,
        caller=caller,
        name=call.name,
        language=call.language,
        # The place of a callback goes to nobody's number but its own, unless its caller has proved that it is his.
        since=call.visit.place_at if rung_into is None or is_his else call.visit.entered_at,
        serial=call.serial,
        priority=call.priority,
        promised_at=turn.now,
        expires_at=turn.now + policy.expires_s,
        call=call.id,
        say=command.say,
        window=command.window,
        takes_over=is_his,
    )
    if call.callback in keeper.sessions or session.id in keeper.sessions or session.id in keeper.ended:
        raise Conflict("callback_pending", "this caller has been promised a callback", callback=session.id)
    keeper.add(session)
    call.callback = session.id
    call.hold_off_until = turn.now + KEEP_S
    floor.at(call.hold_off_until, "hold_off", call.id)
    _tell(turn, session)


def schedule(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.ScheduleCallback) -> None:
    policy_of(floor, command.queue)
    if command.due_until <= max(turn.now, command.due_from):
        raise Invalid("invalid_window", "the window is over, or ends before it begins")
    if command.agent is not None:
        floor.agent(command.agent)
    if command.id in keeper.sessions or command.id in keeper.ended:
        raise Conflict("callback_pending", "there is a callback of this id", callback=command.id)
    since = max(turn.now, command.due_from)
    session = Session(
        id=command.id,
        pbx=command.pbx,
        queue=command.queue,
        number=command.number,
        caller=_caller(keeper, floor, command.queue, command.number),
        name=command.name,
        language=command.language,
        since=since,
        serial=0,
        priority=command.priority,
        promised_at=turn.now,
        expires_at=command.due_until,
        due_from=command.due_from,
        zone=command.zone,
        agent=command.agent,
        window=(command.due_from, command.due_until),
        chosen=command.chosen,
    )
    keeper.add(session)
    _tell(turn, session)


def _caller(keeper: "Callbacks", floor: "Floor", queue: QueueId, number: str) -> str:
    """The number in its normal form. Raises ``invalid_number``, ``callback_pending``."""
    digits = number.removeprefix("+")
    caller = normal(number, floor.numbering)
    if caller is None or not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 15):
        raise Invalid("invalid_number", "this is no number that can be called")
    pending = keeper.by_number.get((caller, queue))
    if pending is not None:
        raise Conflict("callback_pending", f"queue {queue} calls this number back already", callback=pending)
    return caller


def _tell(turn: Turn, session: Session) -> None:
    turn.emit(
        CallbackPromised(
            turn.now,
            session.id,
            session.queue,
            session.pbx,
            session.call,
            session.number,
            session.name,
            session.language,
            session.since,
            session.serial,
            session.priority,
            session.expires_at,
            session.due_from,
            session.zone,
            session.agent,
            session.window,
            session.chosen,
        )
    )


def arm(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session) -> None:
    """The promise holds: into the line if it is time, and be looked at when something changes by itself."""
    floor.at(session.expires_at, "callback", session.id)
    if session.due_from is not None and session.due_from > turn.now:
        floor.at(session.due_from, "callback", session.id)
    elif places.entry_of(floor, session) is None:
        places.stand(floor, turn, session)
    just_in_time.arm(keeper, floor, session.queue)


def look(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session) -> None:
    """A timer: its window has begun, or it has expired. One that is being dialled expires when that is over."""
    if session.state is _PROMISED and c.goes_on(session.id) and turn.now < session.expires_at:
        _tell(turn, session)
    if session.state is not _WAITING:
        return
    if turn.now >= session.expires_at:
        keeper.end(floor, turn, session, CallbackEnd.EXPIRED)
    elif places.entry_of(floor, session) is None and (session.due_from is None or turn.now >= session.due_from):
        places.stand(floor, turn, session)
        just_in_time.arm(keeper, floor, session.queue)


def cancel(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.CancelCallback) -> None:
    from callback import dialling

    rung_into = next((call for call, one in keeper.regained.items() if one.id == command.callback), None)
    if rung_into is not None:  # over already: it will not go on when he leaves
        del keeper.regained[rung_into]
        return
    session = keeper.session(command.callback)
    if session.state in (SessionState.ON, _PROMISED):
        raise illegal_transition(f"callback {session.id}", session.state, "cancelled")
    dialling.stop(turn, session)
    keeper.end(floor, turn, session, CallbackEnd.CANCELLED, by=command.by)


def change(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.ChangeCallback) -> None:
    session = keeper.session(command.callback)
    if session.state not in _MAY_CHANGE:
        raise illegal_transition(f"callback {session.id}", session.state, "changed")
    due_from = command.due_from if command.due_from is not None else session.due_from
    until = command.due_until if command.due_until is not None else session.expires_at
    if until <= max(turn.now, due_from or 0.0):
        raise Invalid("invalid_window", "the window is over, or ends before it begins")
    if command.number is not None and normal(command.number, floor.numbering) != session.caller:
        caller = _caller(keeper, floor, session.queue, command.number)
        del keeper.by_number[session.caller, session.queue]
        session.caller = caller
        keeper.by_number[caller, session.queue] = session.id
    session.number = command.number if command.number is not None else session.number
    session.priority = command.priority if command.priority is not None else session.priority
    if command.due_from is not None:
        session.due_from, session.since = command.due_from, max(turn.now, command.due_from)
    session.expires_at = until
    session.chosen = command.chosen if command.chosen is not None else session.chosen
    places.take_out(floor, turn, session)
    arm(keeper, floor, turn, session)
    turn.emit(
        CallbackChanged(
            turn.now,
            session.id,
            session.queue,
            session.number,
            session.since,
            session.priority,
            session.expires_at,
            session.due_from,
            session.chosen,
        )
    )


def regain(keeper: "Callbacks", floor: "Floor", turn: Turn, call: Call, queue: Queue) -> bool:
    """A customer who is to be called back has rung himself: he has the place, and will not be called."""
    from callback import dialling

    if call.id in keeper.regained:  # before a restart
        call.callback = keeper.regained[call.id].id
        return False
    known = keeper.by_number.get((call.caller or "", queue.spec.id))
    session = keeper.sessions.get(known) if known is not None else None
    if session is None or session.state in (_PROMISED, SessionState.ON) or call.callback == session.id:
        return False
    if session.since >= call.visit.entered_at or call.visit.entered_at < session.promised_at:
        return False  # its window has not begun; or this call was here all along
    dialling.stop(turn, session)
    call.place_since, call.serial = session.since, session.serial
    call.priority = session.priority
    call.head_start_s = joining.head_start(call, queue)
    call.callback = session.id
    keeper.regained[call.id] = session
    earlier = session.call if session.call is not None else CallId(session.id)
    turn.emit(PlaceRegained(turn.now, call.id, queue.spec.id, earlier, session.since))
    keeper.end(floor, turn, session, CallbackEnd.RANG_AGAIN, call.id)
    return True


def go_on(keeper: "Callbacks", turn: Turn, earlier: Session) -> None:
    """Who rang in with the number has left, and no agent was there for him: the customer is called, as he was promised.

    A number proves nothing. Were it over because somebody rang in with it, anybody could end anybody's callback.
    """
    if turn.now >= earlier.expires_at or (earlier.caller, earlier.queue) in keeper.by_number:
        return
    session = replace(
        earlier,
        id=c.again_of(earlier.id),
        state=_PROMISED,
        promised_at=turn.now,
        call=None,
        say=(),
        attempts=list(earlier.attempts),
        next_at=max(earlier.next_at, turn.now + GO_ON_S),
        passed=0,
    )
    keeper.add(session)
    _tell(turn, session)


def store_later(floor: "Floor", turn: Turn, session: Session) -> bool:
    """Whether a promise that could not be written is tried again: one that was made before, and only goes on."""
    at = turn.now + STORE_AGAIN_S
    if not c.goes_on(session.id) or at >= session.expires_at:
        return False
    floor.at(at, "callback", session.id)
    return True


def found(keeper: "Callbacks", floor: "Floor", turn: Turn, call: Call, *, led: bool) -> None:
    """Who was promised a callback before a restart and is on the line: on his way out, or he has never been let go."""
    session = next((one for one in keeper.sessions.values() if one.call == call.id), None)
    if session is None:
        return
    if led:
        keeper.regained.pop(call.id, None)  # what he has been promised last is what he will have
        visits.decide(floor, turn, call, Outcome.DEFERRED, turn.now)
    else:
        keeper.end(floor, turn, session, CallbackEnd.NOT_KEPT, call.id)


def restore(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.RestoreCallback) -> None:
    """A callback that was open before a restart. What became of an attempt that was on its way is asked of the PBX."""
    caller = normal(command.number, floor.numbering)
    if caller is None or command.id in keeper.sessions:
        return
    floor.queue(command.queue)
    session = Session(
        id=command.id,
        pbx=command.pbx,
        queue=command.queue,
        number=command.number,
        caller=caller,
        name=command.name,
        language=command.language,
        since=command.since,
        serial=command.serial,
        priority=command.priority,
        promised_at=command.promised_at,
        expires_at=command.expires_at,
        call=command.call,
        due_from=command.due_from,
        zone=command.zone,
        agent=command.agent,
        window=command.window,
        chosen=command.chosen,
        state=_WAITING,
        attempts=[
            Attempt(one.id, one.planned_at, one.boot, one.agent, 0.0, None, one.result, one.ended_at)
            for one in command.attempts
        ],
    )
    if command.rung_into is not None:
        keeper.regained[command.rung_into] = session
        return
    keeper.add(session)
    from callback import dialling

    dialling.resume(keeper, floor, turn, session)
