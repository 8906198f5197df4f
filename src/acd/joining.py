"""How a caller joins a line: who it is, what that brings, where the caller stands, and what is told of the wait."""

from typing import TYPE_CHECKING

from acd.calls import Call, CallState, Visit
from acd.directory import normal
from acd.events import CallQueued
from acd.forecast import Promise, expected, recent
from acd.queues import Queue
from acd.skills import Needs, needs_at
from acd.telephony import LineVisit
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

FRONT_S = 1e8
"""The head start of who stands at the head of the line: three years, more than any priority is worth."""


def introduce(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> None:
    """What is known of the caller: segment, priority, needs, and the agent to be held for."""
    key = call.caller = normal(call.number, floor.numbering)
    profile = floor.directory.get(key) if key is not None else None
    if profile is not None:
        call.segment, call.language, call.known_as = profile.segment, profile.language, profile.name
        call.priority += profile.priority
        call.own_needs = profile.skills
    amended = floor.amended.pop(call.id, None)
    if amended is not None:
        call.priority, call.disposition, call.notes = amended.priority, amended.disposition, amended.notes
    _settle_in(floor, turn, call, queue)
    last = profile.preferred_agent if profile is not None else None
    if last is None and key is not None and key in floor.served_by:
        last = floor.served_by[key]
    if last is not None and queue.spec.sticky_s > 0 and last in queue.members:
        call.preferred, call.held_until = last, call.visit.entered_at + queue.spec.sticky_s
        floor.at(call.held_until, "hold_off", call.id)
        floor.particular[call.id] = None


def _settle_in(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> None:
    """What this queue makes of the caller: head start and needs."""
    call.head_start_s = head_start(call, queue)
    call.needs = needs_of(call, queue, turn.now)
    for step in queue.spec.relax:
        floor.at(call.visit.entered_at + step.after_s, "relax", call.id)


def head_start(call: Call, queue: Queue) -> float:
    """What the caller's priority, and the right to the head of the line, are worth in waiting time."""
    return call.priority * queue.spec.priority_s + (FRONT_S if call.visit.front else 0.0)


def rejoin(floor: "Floor", turn: Turn, call: Call, queue: Queue, *, since: float | None, front: bool) -> LineVisit:
    """A caller who has been in line comes into one again: a new visit of the same call. Returned: what the PBX must keep of it."""
    floor.queues[call.queue].live_calls -= 1
    queue.live_calls += 1
    # In milliseconds, as the channel will tell it after a restart, and never that of the visit before.
    entered_at = max(int(turn.now * 1000), round(call.visit.entered_at * 1000) + 1) / 1000
    call.earlier_visits = call.visits
    call.visit = Visit(queue.spec.id, entered_at, since=since if since is not None else entered_at, front=front)
    call.preferred, call.held_until, call.misses, call.rejected_by = None, 0.0, {}, frozenset()
    call.prediction = call.promise = None
    call.ended_by = None
    floor.particular.pop(call.id, None)
    _settle_in(floor, turn, call, queue)
    call.move(CallState.WAITING, turn.now)
    turn.emit(CallQueued(turn.now, call.id, queue.spec.id, call.leg, entered_at, call.priority, call.number, call.name))
    stand(floor, call)
    return LineVisit(queue.spec.id, entered_at, call.place[1], front)


def needs_of(call: Call, queue: Queue, now: float) -> Needs:
    """What the caller needs of an agent at ``now``."""
    spec = queue.spec
    if not spec.relax and not call.own_needs:
        return spec.skills
    return needs_at(spec.skills, spec.relax, call.own_needs, now - call.visit.entered_at)


def stand(floor: "Floor", call: Call) -> None:
    """Put the caller into the line, and have routing look at him."""
    floor.queues[call.queue].stand(call.place, call.needs)
    floor.fresh_calls[call.id] = None


def tell_wait(floor: "Floor", turn: Turn, call: Call) -> Promise | None:
    """Tell the caller how long it will be; what was told is kept."""
    promise = expected(floor, call, turn.now, recent(floor.queues[call.queue], turn.now))
    if promise is not None:
        call.promise = promise
        call.told = (*call.told, promise)
    return promise
