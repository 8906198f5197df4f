"""Attempts to reach a customer: planned, sent once, and what comes of each.

    the turn comes -> PLANNED (intent goes to disk) -> kept -> DIALLING (DialCustomer leaves) -> the customer is on
                                                    -> not kept, or nobody reached -> back in line, at the same place

``AttemptEnded`` and the customer's ``CallEntered`` are the only ends of an attempt that was sent; what nobody saw is asked of
the PBX (``callback.reconciling``).
"""

from typing import TYPE_CHECKING

from acd import callback_commands as c
from acd import callback_port as p
from acd import joining, routing, visits
from acd import telephony as t
from acd.agents import Agent, Status
from acd.callback_events import CallbackAttempted, CallbackAttemptEnded, CallbackEnd
from acd.callback_policy import AttemptResult, CallbackMode, CallbackPolicy
from acd.calls import Call, CallState
from acd.decisions import Rank
from acd.ids import AttemptId, CallbackId
from acd.outcomes import Outcome
from acd.speech.prompts import Message
from acd.turn import Turn
from callback import at_once, just_in_time, places, promising
from callback.sessions import Attempt, Session, SessionState, callback_of_attempt, pbx_of_attempt

if TYPE_CHECKING:
    from acd.floor import Floor
    from callback.keeper import Callbacks

NOT_DIALLED_S = 5.0
"""How long to wait after an attempt that was certainly not dialled."""

LOST_S = 10.0
"""How long to wait after a customer who was on has been lost by a fault of ours."""

SETUP_S = 5.0
"""What a PBX may need beside ringing and asking for a key."""

_WAITING, _PLANNED, _DIALLING = SessionState.WAITING, SessionState.PLANNED, SessionState.DIALLING
_ON, _PROMISED = SessionState.ON, SessionState.PROMISED


def may_dial(keeper: "Callbacks", floor: "Floor", session: Session, now: float) -> bool:
    """Whether a customer whose turn it is may be dialled now."""
    if not session.next_at <= now < session.expires_at:
        return False
    if floor.queues[session.queue].spec.callbacks.mode is CallbackMode.JUST_IN_TIME:
        if session.passed == 0:
            return False
        if session.state in (_PLANNED, _DIALLING):
            return True
    if session.state is not _WAITING:
        return False
    if at_once.is_full(keeper, floor, session.queue):
        at_once.hold_back(keeper, floor, session.queue)
        return False
    return True


def lasts_s(policy: CallbackPolicy) -> int:
    """How long an attempt takes at most."""
    return round(policy.ring_s + policy.confirm_s * policy.confirm_times + SETUP_S)


def turn_came(
    keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session, entry: Call, agent: Agent, ranks: list[Rank]
) -> None:
    """An agent is free for the customer: the agent is reserved, sees whom, and the intent to dial is written down."""
    policy = floor.queues[entry.queue].spec.callbacks
    if (
        session.state in (_PLANNED, _DIALLING) and session.open_attempt is not None
    ):  # just in time: for the one that goes on
        routing.reserve(floor, turn, entry, [agent], lasts_s(policy), "callback", ranks)
        session.attempts[-1].agent = agent.id
        return
    offer = routing.reserve(floor, turn, entry, [agent], lasts_s(policy), "callback", ranks)
    plan(keeper, floor, turn, session, AttemptId(offer.id), agent)


def plan(
    keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session, attempt: AttemptId, agent: Agent | None
) -> None:
    """Begin an attempt: nothing leaves before the intent is on disk."""
    boot = floor.pbxs[session.pbx].boot or ""
    holder = agent.id if agent is not None else None
    session.attempts.append(Attempt(attempt, turn.now, boot, holder))
    session.move(_PLANNED)
    at_once.planned(keeper, session)
    mode = floor.queues[session.queue].spec.callbacks.mode
    turn.emit(CallbackAttempted(turn.now, session.id, session.queue, attempt, mode, holder, boot))


# ---------------------------------------------------------------- on disk, or not


def kept(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.Kept) -> None:
    """What was promised is on disk: the caller is let go, or the customer dialled."""
    session = keeper.sessions.get(CallbackId(command.id))
    if session is not None:
        if session.state is _PROMISED:
            _let_caller_go(keeper, floor, turn, session)
        return
    session = keeper.sessions.get(callback_of_attempt(AttemptId(command.id)))
    if session is not None and session.state is _PLANNED and session.attempts[-1].id == command.id:
        _send(keeper, floor, turn, session, session.attempts[-1])


def not_kept(keeper: "Callbacks", floor: "Floor", turn: Turn, command: c.NotKept) -> None:
    """It could not be made durable: the caller waits on; the customer is not dialled now."""
    session = keeper.sessions.get(CallbackId(command.id))
    if session is not None:
        if session.state is _PROMISED and not promising.store_later(floor, turn, session):
            _take_back(keeper, floor, turn, session)
        return
    session = keeper.sessions.get(callback_of_attempt(AttemptId(command.id)))
    if session is not None and session.state is _PLANNED and session.attempts[-1].id == command.id:
        over(keeper, floor, turn, session, AttemptResult.NOT_DIALLED)


def _let_caller_go(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session) -> None:
    call = floor.calls.get(session.call) if session.call is not None else None
    if call is not None and (call.state is not CallState.WAITING or call.fallback is not None):
        _take_back(keeper, floor, turn, session)  # an agent was handed to him meanwhile: he is served
        return
    session.move(_WAITING)
    if call is not None:
        queue = floor.queues[call.queue]
        queue.leave(call.place, call.needs)
        floor.fresh_calls.pop(call.id, None)
        floor.particular.pop(call.id, None)
        visits.decide(floor, turn, call, Outcome.DEFERRED, turn.now)
        if session.takes_over:
            keeper.regained.pop(call.id, None)
        call.callback = _rung_into(keeper, call)
        call.led = t.Lead(call.id, call.leg, "message", session.say)
        call.move(CallState.AFTER, turn.now)
        turn.ask(call.led)
        places.stand(floor, turn, session, call)
    promising.arm(keeper, floor, turn, session)


def _take_back(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session) -> None:
    call = floor.calls.get(session.call) if session.call is not None else None
    keeper.end(floor, turn, session, CallbackEnd.NOT_KEPT, session.call)
    if call is not None:
        call.callback, call.hold_off_until = _rung_into(keeper, call), 0.0
        if call.state is CallState.WAITING:
            floor.fresh_calls[call.id] = None


def _rung_into(keeper: "Callbacks", call: Call) -> CallbackId | None:
    """The callback into whose place the caller has rung, if there is one."""
    rung_into = keeper.regained.get(call.id)
    return rung_into.id if rung_into is not None else None


def _send(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session, attempt: Attempt) -> None:
    policy = floor.queues[session.queue].spec.callbacks
    dial = promising.dial_string(floor, policy, session.number)
    if dial is None or not floor.takes_offers(session.pbx):
        over(keeper, floor, turn, session, AttemptResult.NOT_DIALLED)
        return
    session.move(_DIALLING)
    attempt.sent_at = turn.now
    before = tuple(one.id for one in session.attempts[:-1])
    turn.ask(
        p.DialCustomer(
            session.pbx,
            attempt.id,
            session.id,
            session.queue,
            dial,
            session.number,
            policy.shows,
            policy.ring_s,
            policy.confirm_s,
            policy.confirm_times,
            session.since,
            session.priority,
            session.language,
            before[-1:],
        )
    )


# ---------------------------------------------------------------- what comes of it


def news(keeper: "Callbacks", _floor: "Floor", turn: Turn, fact: p.AttemptNews) -> None:
    session = keeper.sessions.get(callback_of_attempt(fact.attempt))
    attempt = session.find(fact.attempt) if session is not None else None
    if attempt is not None and attempt.result is None:
        attempt.stage, attempt.missing = fact.stage, 0
    elif fact.stage in (p.AttemptStage.DIALLING, p.AttemptStage.ANSWERED):
        # Nobody wants it any more: it was stopped before it was there to be stopped.
        turn.ask(p.StopAttempt(pbx_of_attempt(fact.attempt), fact.attempt))


def attempt_ended(keeper: "Callbacks", floor: "Floor", turn: Turn, fact: p.AttemptEnded) -> None:
    session = keeper.sessions.get(callback_of_attempt(fact.attempt))
    if session is not None and session.state is _DIALLING and session.attempts[-1].id == fact.attempt:
        over(keeper, floor, turn, session, fact.result)


def request_failed(keeper: "Callbacks", floor: "Floor", turn: Turn, fact: t.RequestFailed) -> None:
    """What was certainly not sent is over; of anything else the PBX's marker tells the truth."""
    request = fact.request
    if isinstance(request, p.DialCustomer) and fact.why is not t.RequestFailure.UNKNOWN_OUTCOME:
        attempt_ended(keeper, floor, turn, p.AttemptEnded(request.attempt, AttemptResult.NOT_DIALLED))


def over(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session, result: AttemptResult) -> None:
    """The attempt that goes on has reached nobody: again later at the same place, or the end of it."""
    attempt = session.attempts[-1]
    attempt.result, attempt.ended_at = result, turn.now
    next_at = _next_at(floor, session, result, turn.now)
    turn.emit(CallbackAttemptEnded(turn.now, session.id, session.queue, attempt.id, result, next_at))
    if next_at is None or turn.now >= session.expires_at:
        why = CallbackEnd.GAVE_UP if next_at is None else CallbackEnd.EXPIRED
        keeper.end(floor, turn, session, why)
        return
    session.next_at, session.passed = next_at, 0
    session.move(_WAITING)
    places.put_back(floor, turn, session)
    just_in_time.arm(keeper, floor, session.queue)


def _next_at(floor: "Floor", session: Session, result: AttemptResult, now: float) -> float | None:
    """When to try again; None: not any more."""
    policy = floor.queues[session.queue].spec.callbacks
    if result in (AttemptResult.NOT_DIALLED, AttemptResult.CANCELLED):
        return now + NOT_DIALLED_S
    retry = policy.retries.of(result)
    if retry is None or session.had(result) >= retry.most or session.dialled >= policy.most_attempts:
        return None
    return now + retry.gap_s


def stop(turn: Turn, session: Session) -> None:
    """Nobody needs the attempt that goes on any more."""
    attempt = session.open_attempt
    if attempt is None:
        return
    if session.state is _DIALLING:
        turn.ask(p.StopAttempt(session.pbx, attempt.id))
    attempt.result, attempt.ended_at = AttemptResult.CANCELLED, turn.now
    turn.emit(CallbackAttemptEnded(turn.now, session.id, session.queue, attempt.id, AttemptResult.CANCELLED, None))


# ---------------------------------------------------------------- the customer is on


def identify(keeper: "Callbacks", call: Call, fact: t.CallEntered) -> None:
    """Whose entry it is: what was promised, not what the network shows, says who the customer is."""
    session = keeper.sessions.get(call.callback) if call.callback is not None else None
    if session is None or fact.attempt is None:
        return
    keeper.arriving[call.id] = fact.attempt
    call.number, call.name, call.priority, call.serial = session.number, session.name, session.priority, session.serial


def came_in(keeper: "Callbacks", floor: "Floor", turn: Turn, call: Call, *, adopted: bool) -> Agent | None:
    session = keeper.sessions.get(call.callback) if call.callback is not None else None
    arrived_by = keeper.arriving.pop(call.id, None)
    if session is None or (session.state is _ON and session.on in floor.calls):
        return None
    last = session.open_attempt
    if last is not None and last.id != arrived_by:
        stop(turn, session)
    attempt = session.find(arrived_by) if arrived_by is not None else None
    if attempt is not None and attempt.result is not AttemptResult.CONNECTED:
        attempt.result, attempt.ended_at = AttemptResult.CONNECTED, turn.now
        if attempt.sent_at and not adopted:
            just_in_time.note_answer(keeper, session.queue, turn.now - attempt.sent_at)
        turn.emit(CallbackAttemptEnded(turn.now, session.id, session.queue, attempt.id, attempt.result, None))
    agent, kept = places.take_out(floor, turn, session), session.attempts and session.attempts[-1].agent
    if session.state is not _ON:
        session.move(_ON)
    session.on = call.id
    call.visit.since = call.place_since = session.since
    if agent is not None and not _serves_now(floor, agent):
        agent = None
    if agent is None and not adopted:
        if kept:
            _next_in_line(floor, turn, call)
        elif not floor.queues[call.queue].idle and _is_first(floor, call):
            _say_why(turn, call)
    return agent


def _serves_now(floor: "Floor", agent: Agent) -> bool:
    if agent.status is not Status.AVAILABLE or agent.device is None:
        return False
    return routing.agent_bar(agent, floor.now) is None


def _next_in_line(floor: "Floor", turn: Turn, call: Call) -> None:
    """He has been called to the phone and nobody is there for him: he stands first, and is told why he hears music."""
    queue = floor.queues[call.queue]
    call.visit.front = True
    call.head_start_s = joining.head_start(call, queue)
    if not queue.idle:
        _say_why(turn, call)


def _is_first(floor: "Floor", call: Call) -> bool:
    """Whether he stands before all who wait: dialled just in time, he does not pass who came before him."""
    first = floor.queues[call.queue].line.first
    return first is None or call.place < first


def _say_why(turn: Turn, call: Call) -> None:
    """Our agent has just become busy; you are next in line."""
    turn.ask(t.Announce(call.id, call.leg, f"{call.id}.callback", (Message.CALLBACK_WAIT.value,)))


def connected(keeper: "Callbacks", floor: "Floor", turn: Turn, call: Call) -> None:
    keeper.regained.pop(call.id, None)
    session = keeper.sessions.get(call.callback) if call.callback is not None else None
    if session is None:
        return
    if session.state is _ON and session.on == call.id:
        keeper.end(floor, turn, session, CallbackEnd.REACHED, call.id)
    elif session.state is _PROMISED and session.call == call.id:
        _take_back(keeper, floor, turn, session)


def left(keeper: "Callbacks", floor: "Floor", turn: Turn, call: Call, outcome: Outcome, ended_by: str) -> None:
    """The caller is gone before an agent was there for him."""
    rung_into = keeper.regained.pop(call.id, None)
    session = keeper.sessions.get(call.callback) if call.callback is not None else None
    taken_over = session is not None and session.takes_over
    served = call.visit.outcome is Outcome.ANSWERED or ended_by == "unseen"  # unseen: Asterisk alone may have done it
    if rung_into is not None and not served and not taken_over:
        promising.go_on(keeper, turn, rung_into)
    if session is None:
        return
    if session.state is _PROMISED and session.call == call.id:
        visits.decide(floor, turn, call, Outcome.DEFERRED, turn.now)  # he has asked for it, and will be called
        return
    if session.state is not _ON or session.on != call.id:
        return
    if outcome is Outcome.LOST:
        lost(keeper, floor, turn, session)
    elif ended_by == "unseen" and session.attempt is not None:
        turn.ask(p.ReadAttempt(session.pbx, session.attempt.id))
    else:
        keeper.end(floor, turn, session, CallbackEnd.HUNG_UP, call.id)


def lost(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session) -> None:
    """The customer was on, and it was not he who ended it: he keeps the place and is called again."""
    session.on, session.next_at = None, turn.now + LOST_S
    session.move(_WAITING)
    promising.arm(keeper, floor, turn, session)


def resume(keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session) -> None:
    """After a restart: where the session is, as far as storage can tell."""
    last = session.attempt
    if last is None or last.result not in (None, AttemptResult.CONNECTED):
        if last is not None and last.result is not None:
            next_at = _next_at(floor, session, last.result, last.ended_at or last.planned_at)
            if next_at is None:
                keeper.end(floor, turn, session, CallbackEnd.GAVE_UP)
                return
            session.next_at = next_at
        promising.arm(keeper, floor, turn, session)
        return
    # An attempt is out, or the customer was on: the PBX's first snapshot tells.
    session.move(_PLANNED)
    session.move(_DIALLING)
    at_once.planned(keeper, session)
    if last.result is AttemptResult.CONNECTED:
        session.move(_ON)
    floor.at(session.expires_at, "callback", session.id)
