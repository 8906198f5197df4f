"""How a caller joins a line: who it is, what that brings, where the caller stands, and what is told of the wait."""

from typing import TYPE_CHECKING

from acd.calls import Call
from acd.directory import normal
from acd.forecast import Promise, expected, recent
from acd.queues import Queue
from acd.skills import Needs, needs_at
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


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
    last = profile.preferred_agent if profile is not None else None
    if last is None and key is not None and key in floor.served_by:
        last = floor.served_by[key]
    call.wanted = last
    settle_in(floor, turn, call, queue)


def settle_in(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> None:
    """What the queue makes of the caller: the worth of the priority, needs and how they relax, the hold for an agent."""
    call.head_start_s = call.priority * queue.spec.priority_s
    call.needs = needs_of(call, queue, turn.now)
    for step in queue.spec.relax:
        floor.at(call.visit.entered_at + step.after_s, "relax", call.id)
    last = call.wanted
    if last is not None and queue.spec.sticky_s > 0 and last in queue.members:
        call.preferred, call.held_until = last, call.visit.entered_at + queue.spec.sticky_s
        floor.at(call.held_until, "hold_off", call.id)
        floor.particular[call.id] = None


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
