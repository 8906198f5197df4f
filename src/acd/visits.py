"""Visits of a call to queues: how one is decided, once, and how the next one begins.

Used by all that moves a call: ``acd.calling``, ``acd.overflow``, ``acd.reconcile``.
"""

from typing import TYPE_CHECKING

from acd.calls import Call, Visit
from acd.events import CallQueued, VisitDecided
from acd.limits import Limit
from acd.outcomes import Outcome
from acd.queues import Queue
from acd.sla import DecidedVisit
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

_ANSWERED, _ABANDONED, _OVERFLOWED = Outcome.ANSWERED, Outcome.ABANDONED, Outcome.OVERFLOWED

SAME_S = 1.0
"""Two visits of one call to one queue that begin closer together than this are one, seen twice."""


def decide(floor: "Floor", turn: Turn, call: Call, outcome: Outcome, at: float) -> None:
    """Give the visit its outcome, once. One that was counted before a restart is not counted again."""
    visit, queue = call.visit, floor.queues[call.queue]
    if visit.outcome is not None:
        return
    visit.outcome, visit.decided_at = outcome, at
    waited = max(0.0, at - visit.entered_at)
    if call.prediction is not None and outcome is _ANSWERED:
        queue.waits.came_true(call.prediction.said, call.prediction.best, max(0.0, at - call.prediction.at))
    if call.counted:
        return
    queue.waits.decided(waited, gave_up=outcome is _ABANDONED, served=outcome is not _OVERFLOWED)
    short = outcome is _ABANDONED and waited < queue.spec.short_abandon_s
    queue.ledger.record(DecidedVisit(visit.entered_at, at, outcome, short), queue.spec.service_level.target_s)
    limit, led_to = visit.limit, visit.led_to
    turn.emit(VisitDecided(turn.now, call.id, visit.queue, outcome, visit.entered_at, waited, short, limit, led_to))


def overflow(floor: "Floor", turn: Turn, call: Call, limit: Limit, led_to: str) -> None:
    """The visit ends because of a limit."""
    call.visit.limit, call.visit.led_to = limit, led_to
    decide(floor, turn, call, _OVERFLOWED, turn.now)


def begin_next(floor: "Floor", turn: Turn, call: Call, queue: Queue, place_at: float) -> None:
    """The call, whose visit is decided and who stands in no line, enters another queue. ``joining.settle_in`` comes next."""
    floor.queues[call.queue].live_calls -= 1
    queue.live_calls += 1
    call.trail = (*call.trail, call.queue)
    call.earlier_visits = call.visits
    call.visit = Visit(queue.spec.id, int(turn.now * 1000) / 1000)  # as the channel keeps it
    call.place_at, call.counted = place_at, False
    call.prediction = call.promise = call.preferred = None
    turn.emit(
        CallQueued(
            turn.now, call.id, queue.spec.id, call.leg, call.visit.entered_at, call.priority, call.number, call.name
        )
    )


def was_counted(floor: "Floor", call: Call) -> bool:
    """Whether the visit that the call is in was decided and counted before a restart."""
    counted_until = floor.counted.get((call.id, call.queue))
    return counted_until is not None and call.visit.entered_at < counted_until + SAME_S
