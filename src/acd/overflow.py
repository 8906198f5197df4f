"""The limits at work: who may not join or wait on, and the way each of them is led.

``settle`` takes a caller who has come in; ``look`` one who waits, when a timer or somebody's choice has changed something. A chain
of queues comes to an end because no caller is led to a queue where the call has been before.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from acd import announcing, joining, visits
from acd import commands as c
from acd import telephony as t
from acd.calls import Call, CallState
from acd.errors import Conflict
from acd.events import QueueClosed, QueueOpened, VoicemailLeft
from acd.forecast import predict
from acd.hours import Timetable
from acd.ids import CallId, QueueId
from acd.limits import (
    Closing,
    Destination,
    Limit,
    ToMessage,
    ToNumber,
    ToQueue,
    ToVoicemail,
    described,
    dialled,
    said,
)
from acd.queues import Queue
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

LINK_RETRY_S = 5.0
"""A caller on a PBX that cannot be told anything is looked at again after this time."""

LEAD_AT_ONCE = 200
"""Callers led away in one turn; the rest in the next, after whatever else has come in."""

NEXT_TURN_S = 0.001

Barred = tuple[Limit, Destination]


# ---------------------------------------------------------------- who may join, who may stay


def joining_bar(floor: "Floor", queue: Queue, call: Call, now: float) -> Barred | None:
    """What keeps a caller, who does not stand there yet, from joining a line."""
    rules = queue.spec.overflow
    closed = closed_by(queue, now)
    if closed is not None:
        return closed
    if rules.most_waiting is not None and len(queue.line) + len(queue.offered) - len(queue.away) >= rules.most_waiting:
        return Limit.FULL, rules.full
    if rules.joining_needs is not None and not queue.present(rules.joining_needs):
        return Limit.NO_AGENT, rules.no_agent
    if rules.most_expected_s is not None and not queue.idle:
        prediction, _, _ = predict(floor, queue, call, now)
        if prediction.best is not None and prediction.said[prediction.best].mean_s > rules.most_expected_s:
            return Limit.EXPECTED, rules.expected
    return None


def closed_by(queue: Queue, now: float) -> Barred | None:
    """Why a queue takes nobody now, and where that leads; None while it is open."""
    rules, closing, table = queue.spec.overflow, queue.closing, queue.timetable
    if closing is not None:
        return Limit.CLOSED_NOW, closing.to or rules.closed
    if table is None or table.is_open(now):
        return None
    return (Limit.HOLIDAY, rules.holiday) if table.is_holiday(now) else (Limit.CLOSED, rules.closed)


def waiting_bar(queue: Queue, call: Call, now: float) -> Barred | None:
    """What ends the wait of a caller who stands in the line."""
    rules = queue.spec.overflow
    closed = _leave_closed(queue, now)
    if closed is not None:
        return closed
    if queue.empty_since is not None and now >= max(queue.empty_since, call.visit.entered_at) + rules.empty_s:
        return Limit.NO_AGENT, rules.no_agent
    if rules.most_wait_s is not None and now >= call.visit.entered_at + rules.most_wait_s:
        return Limit.WAITED, rules.waited
    return None


def _leave_closed(queue: Queue, now: float) -> Barred | None:
    """Why a queue is closed, also to those who wait in it already."""
    leave = queue.spec.overflow.leave_on_close if queue.closing is None else queue.closing.leave
    return closed_by(queue, now) if leave else None


# ---------------------------------------------------------------- leading


def settle(floor: "Floor", turn: Turn, call: Call) -> None:
    """A caller has come in: into the line, or where a limit leads."""
    queue = floor.queues[call.queue]
    barred = joining_bar(floor, queue, call, turn.now)
    if barred is None:
        stand(floor, call)
    else:
        _lead(floor, turn, call, *barred)


def stand(floor: "Floor", call: Call) -> None:
    """Put a caller into the line, who is looked at when he has waited too long; of one found by a snapshot that may be now."""
    joining.stand(floor, call)
    queue = floor.queues[call.queue]
    watch(floor, queue, call)
    if waiting_bar(queue, call, floor.now) is not None:
        floor.at(floor.now, "limit", call.id)


def watch(floor: "Floor", queue: Queue, call: Call) -> None:
    """Set the timers of the queue's limits for one who waits."""
    rules = queue.spec.overflow
    if rules.most_wait_s is not None:
        floor.at(call.visit.entered_at + rules.most_wait_s, "limit", call.id)
    if queue.empty_since is not None:
        floor.at(max(queue.empty_since, call.visit.entered_at) + rules.empty_s, "limit", call.id)


def came_back(floor: "Floor", turn: Turn, call: Call) -> None:
    """An offer came to nothing: what had to wait for that is looked at now."""
    if waiting_bar(floor.queues[call.queue], call, turn.now) is not None:
        floor.at(turn.now, "limit", call.id)


def look(floor: "Floor", turn: Turn, call: Call) -> None:
    """Lead a caller away who waits, if a limit says so and there is somewhere to go; else the caller waits on."""
    queue = floor.queues[call.queue]
    barred = waiting_bar(queue, call, turn.now) if call.state is CallState.WAITING and not call.away else None
    if barred is None:
        return
    if call.fallback is not None or not floor.knows(call.pbx):  # not ours to move now
        floor.at(turn.now + LINK_RETRY_S, "limit", call.id)
        return
    limit, to = barred
    if limit in (Limit.NO_AGENT, Limit.WAITED) and _open_way(floor, call, to) is None:
        return
    queue.leave(call.place, call.needs)
    floor.fresh_calls.pop(call.id, None)
    _lead(floor, turn, call, limit, to)


def _open_way(floor: "Floor", call: Call, to: Destination) -> Destination | None:
    """``to``, unless it is not there, not allowed, or a queue where the call has been."""
    match to:
        case ToQueue():
            known = to.queue in floor.queues and to.queue != call.queue and to.queue not in call.trail
            return to if known else None
        case ToNumber():
            return to if dialled(floor.routes, to.number) is not None else None
        case _:
            return to


def _lead(floor: "Floor", turn: Turn, call: Call, limit: Limit, wanted: Destination) -> None:
    """From limit to limit, until a queue takes the caller or the way leads out."""
    while True:
        to = _open_way(floor, call, wanted) or ToMessage()
        visits.overflow(floor, turn, call, limit, described(to))
        if not isinstance(to, ToQueue):
            _lead_out(floor, turn, call, limit, to)
            return
        queue = floor.queues[to.queue]
        since = call.visits[0].place_at if to.keep_place else None
        visit = joining.begin_again(floor, turn, call, queue, since=since, front=False)
        joining.hold(floor, call, queue)
        barred = joining_bar(floor, queue, call, turn.now)
        if barred is None:
            turn.ask(t.Place(call.id, call.leg, visit, said(limit, to)))
            announcing.plan(floor, call, queue)
            stand(floor, call)
            return
        limit, wanted = barred


def _lead_out(floor: "Floor", turn: Turn, call: Call, limit: Limit, to: Destination) -> None:
    lead = t.Lead(call.id, call.leg, "message", said(limit, to))
    match to:
        case ToNumber():
            lead = replace(lead, kind="number", dial=dialled(floor.routes, to.number) or "", ring_s=to.ring_s)
        case ToVoicemail():
            file = f"{call.queue}.{call.id}"
            lead = replace(lead, kind="voicemail", file=file, most_s=to.most_s, silence_s=to.silence_s)
    call.move(CallState.AFTER, turn.now)
    call.led = lead
    floor.particular.pop(call.id, None)
    turn.ask(lead)


def lead_ended(floor: "Floor", turn: Turn, fact: t.LeadEnded) -> None:
    """The caller is about to be gone; a message that was left is told at once."""
    call = floor.calls.get(fact.call)
    if call is None or call.state is not CallState.AFTER:
        return
    if not fact.by_caller:
        call.ended_by = "service"
    if fact.recorded:
        turn.emit(VoicemailLeft(turn.now, call.id, call.queue, call.number, call.name))


# ---------------------------------------------------------------- opening, closing, emptiness


def set_timetable(floor: "Floor", turn: Turn, queue: Queue, table: Timetable | None) -> None:
    """Take over when a queue is open; what changes with it is looked at now."""
    queue.timetable = table
    change = table.next_change(turn.now) if table is not None else None
    if change is not None and change != queue.hours_timer:
        queue.hours_timer = change
        floor.at(change, "hours", queue.spec.id)
    if table is not None:
        floor.at(turn.now, "clear", queue.spec.id)


def hours_due(floor: "Floor", turn: Turn, key: str) -> None:
    """A queue opens or closes by its hours."""
    queue = floor.queues.get(QueueId(key))
    if queue is not None:
        set_timetable(floor, turn, queue, queue.timetable)


def clear_due(floor: "Floor", turn: Turn, key: str) -> None:
    """Look at everybody who waits in a queue, so many in a turn."""
    queue = floor.queues.get(QueueId(key))
    if queue is None or not queue.line:
        return
    if queue.empty_since is None and _leave_closed(queue, turn.now) is None:
        return
    before = len(queue.line)
    for call in [floor.calls[place[3]] for place, _ in zip(queue.line, range(LEAD_AT_ONCE), strict=False)]:
        look(floor, turn, call)
    if 0 < len(queue.line) < before:
        floor.at(turn.now + NEXT_TURN_S, "clear", key)


def limit_due(floor: "Floor", turn: Turn, key: str) -> None:
    """A caller has waited for so long, or nobody is there for him any more."""
    call = floor.calls.get(CallId(key))
    if call is not None:
        look(floor, turn, call)


def note_presence(floor: "Floor", queue: Queue, now: float) -> None:
    """Members have come or gone, or the rule has changed: is anybody there for those who wait?"""
    needs = queue.spec.overflow.waiting_needs
    if needs is None or queue.present(needs):
        queue.empty_since = None
    elif queue.empty_since is None:
        queue.empty_since = now
        floor.at(now + queue.spec.overflow.empty_s, "clear", queue.spec.id)


def close_queue(floor: "Floor", turn: Turn, command: c.CloseQueue) -> None:
    queue = floor.queue(command.queue)
    closing = Closing(command.by, turn.now, command.reason, command.to, command.leave)
    queue.closing = closing
    turn.emit(QueueClosed(turn.now, command.queue, closing))
    if command.leave:
        floor.at(turn.now, "clear", command.queue)


def open_queue(floor: "Floor", turn: Turn, command: c.OpenQueue) -> None:
    queue = floor.queue(command.queue)
    if queue.closing is None:
        raise Conflict("queue_not_closed", f"nobody has closed queue {command.queue}", queue=command.queue)
    queue.closing = None
    turn.emit(QueueOpened(turn.now, command.queue, command.by))


def restore_closing(floor: "Floor", _turn: Turn, command: c.RestoreClosing) -> None:
    floor.queue(command.queue).closing = command.closing


def take_timetable(floor: "Floor", turn: Turn, command: c.SetTimetable) -> None:
    set_timetable(floor, turn, floor.queue(command.queue), command.timetable)


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    t.LeadEnded: lead_ended,
    c.CloseQueue: close_queue,
    c.OpenQueue: open_queue,
    c.RestoreClosing: restore_closing,
    c.SetTimetable: take_timetable,
}
