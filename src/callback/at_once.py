"""How many customers are dialled at once: never more than their queue allows (``callbacks.harm``), or the whole site.

Who is held back by that stands in line as before, and is looked at again every ``LOOK_S`` seconds, the first in line first. An
attempt counts from its plan until the customer is on or was not reached: the time in which a line of the trunk may be taken.
``callback.dialling`` asks before an attempt is planned.
"""

from typing import TYPE_CHECKING

from acd.calls import CallState
from acd.ids import CallbackId, QueueId
from callback.sessions import Session, SessionState

if TYPE_CHECKING:
    from acd.floor import Floor
    from callback.keeper import Callbacks

LOOK_S = 0.5
"""How often those who are held back are looked at."""

MOST_LOOKED_AT = 50
"""Of one queue: what is free for more is given by the next look."""

_KEY = "at once"
_OUT = frozenset({SessionState.PLANNED, SessionState.DIALLING})


def planned(keeper: "Callbacks", session: Session) -> None:
    """An attempt begins."""
    keeper.out[session.id] = session.queue


def is_full(keeper: "Callbacks", floor: "Floor", queue: QueueId) -> bool:
    """Whether nobody else of this queue may be dialled now."""
    if not _is_full(keeper, floor, queue):
        return False
    over = [one for one in keeper.out if one not in keeper.sessions or keeper.sessions[one].state not in _OUT]
    for one in over:
        del keeper.out[one]
    return _is_full(keeper, floor, queue)


def _is_full(keeper: "Callbacks", floor: "Floor", queue: QueueId) -> bool:
    if keeper.most_dialled and len(keeper.out) >= keeper.most_dialled:
        return True
    most = floor.queues[queue].spec.callbacks.harm.most_dialled
    return bool(most) and sum(one == queue for one in keeper.out.values()) >= most


def hold_back(keeper: "Callbacks", floor: "Floor", queue: QueueId) -> None:
    """Somebody of this queue would be dialled, were it not full."""
    if not keeper.held_back:
        floor.at(floor.now + LOOK_S, "callback", _KEY)
    keeper.held_back.add(queue)


def due(keeper: "Callbacks", floor: "Floor", key: str) -> bool:
    """Whether a timer was this one; then those who were held back are looked at by routing."""
    if key != _KEY:
        return False
    waiting, keeper.held_back = keeper.held_back, set()
    for name in sorted(waiting):
        queue = floor.queues.get(name)
        if queue is None:
            continue
        if is_full(keeper, floor, name):
            hold_back(keeper, floor, name)
            continue
        places = sorted(floor.calls[one].place for one in queue.away if floor.calls[one].state is CallState.WAITING)
        for place in places[:MOST_LOOKED_AT]:
            floor.fresh_calls[place[3]] = None
    return True


def why(keeper: "Callbacks", floor: "Floor", callback: CallbackId, now: float) -> str | None:
    """Why a callback that stands in line is not dialled now; None: only because nobody is free for it yet."""
    session = keeper.sessions.get(callback)
    if session is None or session.state is not SessionState.WAITING:
        return None
    if session.due_from is not None and session.due_from > now:
        return "window_has_not_begun"
    if session.next_at > now:
        return "gap_after_the_last_attempt"
    return "as_many_dialled_as_allowed" if is_full(keeper, floor, session.queue) else None
