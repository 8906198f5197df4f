"""Callers who come into a line again: after a fault, after a transfer that failed, and after a restart that found them there.

Called by ``acd.calling``, ``acd.moving`` and ``acd.reconcile``.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from acd import joining, overflow, routing
from acd import telephony as t
from acd.calls import Call, Visit
from acd.events import TransferEnded
from acd.talks import TransferResult
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

SAME_MOMENT_S = 0.0005
"""Channel and database keep a visit's entry to the millisecond at least."""


def return_to_line(floor: "Floor", turn: Turn, call: Call, says: str) -> None:
    """Nobody has the caller any more: to the head of the line from which he was answered, as a new visit."""
    transfer_ended(turn, call, TransferResult.FAILED)
    queue = floor.queues[call.queue]
    visit = joining.rejoin(floor, turn, call, queue, since=call.visits[0].entered_at, front=True)
    overflow.watch(floor, queue, call)
    turn.ask(t.ReturnToLine(call.id, call.leg, visit, says, passed_on=True))


def called_back(floor: "Floor", turn: Turn, call: Call) -> bool:
    """A customer who was dialled is on. He is offered to the agent who is reserved for him; if there is none any more, he is next
    in line and hears why. False: this is no such caller.
    """
    if call.callback is None or floor.keeper is None:
        return False
    agent = floor.keeper.came_in(floor, turn, call, adopted=False)
    queue = floor.queues[call.queue]
    if agent is None:
        joining.stand(floor, call)
    else:
        joining.stand(floor, call)
        routing.ring(floor, turn, queue, call, [agent], "callback", [])
        floor.fresh_calls.pop(call.id, None)
    return True


def transfer_ended(turn: Turn, call: Call, result: TransferResult) -> None:
    """The transfer that rings, if one does, has come to its end."""
    if call.transfers and call.transfers[-1].result is TransferResult.RINGING:
        call.transfers = (*call.transfers[:-1], replace(call.transfers[-1], result=result))
        turn.emit(TransferEnded(turn.now, call.id, call.queue, result))


def recall(floor: "Floor", call: Call, now_in: t.LineVisit | None) -> None:
    """The stays and talks of a call that lived on without us: those that history has, and the stay that its channel names."""
    if now_in is not None:
        call.visit = Visit(call.visit.queue, now_in.entered_at, since=now_in.since, front=now_in.front)
        call.trail = now_in.trail
    parts = floor.parts.pop(call.id, None)
    if parts is not None:
        call.talks, call.transfers = parts.talks, parts.transfers
    for known in floor.counted.pop(call.id, ()):
        if known.queue == call.queue and abs(known.entered_at - call.visit.entered_at) < SAME_MOMENT_S:
            call.visit.outcome, call.visit.decided_at = known.outcome, known.decided_at
            call.visit.limit, call.visit.led_to = known.limit, known.led_to
        else:
            call.earlier_visits = (*call.earlier_visits, known)
