"""Whoever was cut off while waiting and rings again in time has his place again.

A caller is known by the number, and only within one queue. A hang-up by choice looks like a line that broke, so every end of a
wait counts, unless it was ours. The place is kept once: who rings twice has it once. What the figures count is not touched: the
first visit ended as it ended, and the new one counts from its own entry (docs/decisions/0013).

``acd.calling`` keeps places as calls end, ``acd.joining`` gives them back.
"""

from typing import TYPE_CHECKING

from acd.calls import Call
from acd.commands import RestorePlace
from acd.directory import normal
from acd.events import PlaceKept, PlaceRegained
from acd.ids import CallId, QueueId
from acd.outcomes import Outcome
from acd.queues import Queue
from acd.record import record
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

MOST_KEPT = 50_000
_CUT_OFF = frozenset({Outcome.ABANDONED, Outcome.LOST})


@record
class KeptPlace:
    """``ended_at`` None: the call was found gone, and nobody saw when it went."""

    call: CallId
    since: float
    ended_at: float | None
    until: float


def keep(floor: "Floor", turn: Turn, call: Call, outcome: Outcome, ended_by: str) -> None:
    """A call has ended; if its caller still waited, his place is kept."""
    rejoin_s = floor.queues[call.queue].spec.announcements.rejoin_s
    if rejoin_s <= 0 or call.caller is None or call.visit.outcome is not None or outcome not in _CUT_OFF:
        return
    if ended_by == "service":
        return
    seen = ended_by not in ("pbx_restart", "unseen")
    since, until = call.place[1], turn.now + rejoin_s
    _put(floor, call.caller, call.queue, KeptPlace(call.id, since, turn.now if seen else None, until), turn.now)
    turn.emit(PlaceKept(turn.now, call.id, call.queue, call.caller, since, until))


def regain(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> bool:
    """Give a caller who has rung again the place that is kept for the number, if there is one."""
    if call.caller is None or not floor.kept:
        return False
    key = (call.caller, queue.spec.id)
    kept = floor.kept.get(key)
    if kept is None or call.visit.entered_at > kept.until:
        return False
    if kept.ended_at is not None and call.visit.entered_at < kept.ended_at:
        return False  # another call of the same number, which waited all along
    del floor.kept[key]
    if kept.since >= call.visit.entered_at:
        return False
    call.place_since = kept.since
    turn.emit(PlaceRegained(turn.now, call.id, queue.spec.id, kept.call, kept.since))
    return True


def restore(floor: "Floor", turn: Turn, command: RestorePlace) -> None:
    """A place that was kept before a restart."""
    queue, caller = floor.queue(command.queue), normal(command.number, floor.numbering)
    until = command.ended_at + queue.spec.announcements.rejoin_s
    if caller is not None and until > turn.now:
        kept = KeptPlace(command.call, command.since, command.ended_at, until)
        _put(floor, caller, command.queue, kept, turn.now)


def _put(floor: "Floor", caller: str, queue: QueueId, kept: KeptPlace, now: float) -> None:
    floor.kept[caller, queue] = kept
    floor.kept.move_to_end((caller, queue))
    while floor.kept and (len(floor.kept) > MOST_KEPT or next(iter(floor.kept.values())).until < now):
        floor.kept.popitem(last=False)
