"""How a caller joins a line: who it is, what that brings, where the caller stands, and in which language he is spoken to."""

from typing import TYPE_CHECKING

from acd import announcing, away, rejoining
from acd.announcements import is_language
from acd.calls import Call, CallState, Visit
from acd.directory import normal
from acd.events import CallQueued
from acd.queues import Queue
from acd.skills import Needs, needs_at
from acd.telephony import CallEntered, LineVisit, Mark
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
        call.priority += profile.priority if call.callback is None else 0  # a callback has it already
        call.own_needs = profile.skills
    amended = floor.amended.pop(call.id, None)
    if amended is not None:
        call.priority, call.disposition, call.notes = amended.priority, amended.disposition, amended.notes
    last = profile.preferred_agent if profile is not None else None
    if last is None and key is not None and key in floor.served_by:
        last = floor.served_by[key]
    call.wanted = last
    settle_in(floor, turn, call, queue)
    hold(floor, call, queue)


def hold(floor: "Floor", call: Call, queue: Queue) -> None:
    """Hold the caller for the agent who is best for him, if the queue does that."""
    last = call.wanted
    if last is not None and queue.spec.sticky_s > 0 and last in queue.members:
        call.preferred, call.held_until = last, call.visit.entered_at + queue.spec.sticky_s
        floor.at(call.held_until, "hold_off", call.id)
        floor.particular[call.id] = None


def settle_in(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> None:
    """What this queue makes of the caller: head start and needs."""
    call.head_start_s = head_start(call, queue)
    call.needs = needs_of(call, queue, turn.now)
    for step in queue.spec.relax:
        floor.at(call.visit.entered_at + step.after_s, "relax", call.id)


def head_start(call: Call, queue: Queue) -> float:
    """What the caller's priority, and the right to the head of the line, are worth in waiting time."""
    return call.priority * queue.spec.priority_s + (FRONT_S if call.visit.front else 0.0)


def rejoin(floor: "Floor", turn: Turn, call: Call, queue: Queue, *, since: float | None, front: bool) -> LineVisit:
    """A caller who has been in line comes into one again, and stands there. Returned: what the PBX must keep of it."""
    visit = begin_again(floor, turn, call, queue, since=since, front=front)
    announcing.plan(floor, call, queue)
    stand(floor, call)
    return visit


def begin_again(floor: "Floor", turn: Turn, call: Call, queue: Queue, *, since: float | None, front: bool) -> LineVisit:
    """Begin a new visit of a call whose last one is decided; the caller stands nowhere yet."""
    if queue.spec.id != call.queue:
        call.trail = (*call.trail, call.queue)
    floor.queues[call.queue].live_calls -= 1
    queue.live_calls += 1
    # In milliseconds, as the channel will tell it after a restart, and never that of the visit before.
    entered_at = max(int(turn.now * 1000), round(call.visit.entered_at * 1000) + 1) / 1000
    call.earlier_visits = call.visits
    call.visit = Visit(queue.spec.id, entered_at, since=since if since is not None else entered_at, front=front)
    call.preferred, call.held_until, call.misses, call.rejected_by = None, 0.0, {}, frozenset()
    call.prediction = call.promise = None
    call.ended_by = call.led = None
    floor.particular.pop(call.id, None)
    settle_in(floor, turn, call, queue)
    if call.state is not CallState.WAITING:
        call.move(CallState.WAITING, turn.now)
    turn.emit(CallQueued(turn.now, call.id, queue.spec.id, call.leg, entered_at, call.priority, call.number, call.name))
    return LineVisit(queue.spec.id, entered_at, call.place[1], front, call.trail)


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


def receive(floor: "Floor", turn: Turn, call: Call, queue: Queue, fact: CallEntered, *, adopted: bool) -> None:
    """Choose the language, give back a place that is kept for the caller, and begin to speak to him.

    What the channel does not know yet is left there, so that a service that comes later finds it.
    """
    call.place_since = fact.place_since
    language = call.language = _language(call, queue, fact)
    # A callback is over even if the place was given back before a restart, which may have come before that was written.
    regained = away.regain(floor, turn, call, queue) or (
        call.place_since is None and rejoining.regain(floor, turn, call, queue)
    )
    if call.visit.since is None:
        call.visit.since = call.place_since
    news = language if language != fact.language else None
    if news is not None or regained:
        turn.ask(Mark(call.id, call.leg, news, call.place_since if regained else None))
    announcing.begin(floor, call, queue, fact, adopted=adopted)


def _language(call: Call, queue: Queue, fact: CallEntered) -> str | None:
    """The caller's choice, else the directory's (``introduce`` has looked it up), else the queue's, else the channel's."""
    if fact.chosen:
        return fact.language
    if call.language is not None and is_language(call.language):
        return call.language
    return queue.spec.announcements.language or fact.language
