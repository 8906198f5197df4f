"""When a caller who waits is told that he may be called back: the queue's offer policy at work.

The key 1 has him called back at any time; this only tells him of it, once or again and again, when one of the policy's reasons has
come. ``acd.announcing`` says it when nothing else is said; an offer cuts it off as everything.

``acd.announcing`` begins (a stay in a line begins), the timer *invite* goes on.
"""

from math import inf
from typing import TYPE_CHECKING

from acd import announcing
from acd.callback_policy import OfferPolicy
from acd.calls import Call, CallState
from acd.forecast import expected, recent
from acd.ids import CallId
from acd.queues import Queue
from acd.speech.prompts import Message, word
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

LOOK_S = 10.0
"""How often an expected wait is looked at, while nothing else has made a reason."""


def due(floor: "Floor", turn: Turn, key: str) -> None:
    """The timer *invite*: tell a caller of the key if there is a reason now, and look again when there may be one."""
    call = floor.calls.get(CallId(key))
    if call is None or call.visit.outcome is not None or call.away or call.callback is not None:
        return
    queue = floor.queues[call.queue]
    policy = queue.spec.callbacks.offer
    if not queue.spec.callbacks.enabled:
        return
    if call.state is CallState.WAITING and is_time(floor, queue, call, turn.now):
        announcing.add(floor, call, (word(Message.CALLBACK_OFFER),))
        next_at = turn.now + policy.again_s if policy.again_s > 0 else inf
    else:
        next_at = _next_look(policy, queue, call, turn.now)
    if next_at != inf:
        floor.at(next_at, "invite", call.id)


def is_time(floor: "Floor", queue: Queue, call: Call, now: float) -> bool:
    """Whether one of the policy's reasons holds: the standard has passed, the queue closes soon, the wait may become long."""
    policy = queue.spec.callbacks.offer
    if policy.after_standard and now >= call.waiting_since + queue.spec.service_level.target_s:
        return True
    closes_at = _closes_at(queue, now)
    if policy.before_close_s > 0 and closes_at is not None and now >= closes_at - policy.before_close_s:
        return True
    if policy.expected_s is None:
        return False
    wait = expected(floor, call, now, recent(queue, now))
    return wait is not None and wait.high_s > policy.expected_s


def _next_look(policy: OfferPolicy, queue: Queue, call: Call, now: float) -> float:
    """When there may be a reason, at the earliest; ``inf``: never by itself."""
    moments = []
    if policy.after_standard:
        moments.append(call.waiting_since + queue.spec.service_level.target_s)
    closes_at = _closes_at(queue, now)
    if policy.before_close_s > 0 and closes_at is not None:
        moments.append(closes_at - policy.before_close_s)
    if policy.expected_s is not None or call.state is not CallState.WAITING:
        moments.append(now + LOOK_S)
    return min((at for at in moments if at > now), default=now + LOOK_S if moments else inf)


def _closes_at(queue: Queue, now: float) -> float | None:
    table = queue.timetable
    return table.next_change(now) if table is not None and table.is_open(now) else None
