"""A conversation goes over from one party to the next without a gap: after a consult, and when phones arrange it themselves.

``acd.consulting`` calls it, ``taken`` is a handler of the floor's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import calling, moving, taping
from acd.agents import FREE, Agent, Talking
from acd.calls import Call, CallState
from acd.consult_port import CallerTaken
from acd.events import CallTransferred, TalkEnded, TransferEnded
from acd.ids import DeviceId, LegId, split_device
from acd.talks import Talk, TargetKind, Transfer, TransferMode, TransferResult
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def transferred(floor: "Floor", turn: Turn, call: Call, kind: TargetKind, to: str, heir: Talk) -> None:
    """One talk ends, and the caller is in the next already."""
    by = call.agent
    if call.state is CallState.TALKING:
        calling.end_talk(floor, turn, call, "transfer")
    call.ended_by = None
    call.transfers = (
        *call.transfers,
        Transfer(turn.now, by, TransferMode.ATTENDED, kind, to, TransferResult.CONNECTED),
    )
    turn.emit(CallTransferred(turn.now, call.id, call.queue, by, TransferMode.ATTENDED, kind, to))
    turn.emit(TransferEnded(turn.now, call.id, call.queue, TransferResult.CONNECTED))
    heir.resume(turn.now)
    call.talks = (*call.talks, heir)
    call.move(CallState.TALKING, turn.now)
    taping.goes_on(call)
    if heir.agent is not None:
        floor.served(call.caller, heir.agent)


def taken(floor: "Floor", turn: Turn, fact: CallerTaken) -> None:
    """The agent's phone has given the caller to somebody with whom it talked, or to a line in which it waited."""
    call = floor.calls.get(fact.call)
    if call is None or call.talk is None or call.state not in (CallState.TALKING, CallState.AFTER):
        return
    other = floor.calls.get(fact.other) if fact.other is not None else None
    if fact.device is not None and fact.leg is not None:
        take_over(floor, turn, call, fact.device, fact.leg, other, fact.number)
    elif other is not None:
        moving.attended_to_queue(floor, turn, call, floor.queues[other.queue])


def take_over(
    floor: "Floor",
    turn: Turn,
    call: Call,
    device: DeviceId,
    leg: LegId,
    other: Call | None = None,
    number: str = "",
) -> None:
    """A phone has the caller by no request of ours; ``other`` is the call to a queue by which it was reached, ``number`` what was
    dialled.
    """
    agent = calling.agent_at(floor, device)
    outside = number if agent is None and other is None and number else None
    heir = Talk(
        call.queue,
        turn.now,
        agent.id if agent is not None else None,
        device if outside is None else None,
        leg,
        outside,
        call.talks[-1].offer,
    )
    if other is not None:
        kind, to = TargetKind.QUEUE, str(other.queue)
    elif agent is not None:
        kind, to = TargetKind.AGENT, str(agent.id)
    else:
        kind, to = TargetKind.NUMBER, outside or split_device(device)[1].rpartition("/")[2]
    transferred(floor, turn, call, kind, to, heir)
    if agent is not None:
        _leave_other(floor, turn, agent, call)
        agent.talk(call.id, call.queue, turn.now)
        floor.refresh(agent, turn)


def _leave_other(floor: "Floor", turn: Turn, agent: Agent, call: Call) -> None:
    """Whoever talked to a colleague who had called a queue works for that colleague's caller now."""
    engaged = agent.engagement
    other = floor.calls.get(engaged.call) if isinstance(engaged, Talking) else None
    if other is not None and other.id != call.id and other.state is CallState.TALKING:
        talk = other.talks[-1]
        talk.end(turn.now)
        other.ended_by = "transfer"
        other.move(CallState.AFTER, turn.now)
        turn.emit(TalkEnded(turn.now, other.id, other.queue, agent.id, talk.talk_s(turn.now), talk.hold_s, fault=False))
        agent.end_talk(other.queue, turn.now)
    agent.engagement = FREE


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {CallerTaken: taken}
