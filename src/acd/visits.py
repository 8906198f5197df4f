"""Visits of a call to queues: how one is decided, once; ``acd.joining`` begins the next.

Used by all that moves a call: ``acd.calling``, ``acd.overflow``, ``acd.reconcile``.
"""

from typing import TYPE_CHECKING

from acd.calls import Call
from acd.events import VisitDecided
from acd.limits import Limit
from acd.outcomes import Outcome
from acd.queues import Queue
from acd.skills import needs_at
from acd.sla import DecidedVisit
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

_ANSWERED, _ABANDONED, _OVERFLOWED = Outcome.ANSWERED, Outcome.ABANDONED, Outcome.OVERFLOWED


def decide(floor: "Floor", turn: Turn, call: Call, outcome: Outcome, at: float) -> None:
    """Give the visit its outcome, once."""
    visit, queue = call.visit, floor.queues[call.queue]
    if visit.outcome is not None:
        return
    visit.outcome, visit.decided_at = outcome, at
    if not visit.counts:
        return
    waited = max(0.0, at - visit.entered_at)
    target_s = queue.spec.service_level.target_s
    if outcome is _ANSWERED:
        if call.prediction is not None:
            queue.waits.came_true(call.prediction.said, call.prediction.best, max(0.0, at - call.prediction.at))
        else:
            queue.waits.rings.add(waited, in_time=waited <= target_s)
    queue.waits.decided(waited, gave_up=outcome is _ABANDONED, served=outcome is not _OVERFLOWED)
    short = outcome is _ABANDONED and waited < queue.spec.short_abandon_s
    skills = asked_skills(call, queue)
    queue.ledger.record(DecidedVisit(visit.entered_at, at, outcome, short, call.segment, skills), target_s)
    turn.emit(
        VisitDecided(
            turn.now,
            call.id,
            visit.queue,
            outcome,
            visit.entered_at,
            waited,
            short,
            visit.limit,
            visit.led_to,
            target_s,
            call.segment,
            skills,
        )
    )


def asked_skills(call: Call, queue: Queue) -> tuple[str, ...]:
    """The names of what the caller's visit asked of agents when it began: what relaxes later was asked for all the same."""
    needs = needs_at(queue.spec.skills, (), call.own_needs, 0.0) if queue.spec.relax else call.needs
    return tuple(name for name, _ in needs) if needs else ()


def overflow(floor: "Floor", turn: Turn, call: Call, limit: Limit, led_to: str) -> None:
    """The visit ends because of a limit."""
    call.visit.limit, call.visit.led_to = limit, led_to
    decide(floor, turn, call, _OVERFLOWED, max(turn.now, call.visit.entered_at))
