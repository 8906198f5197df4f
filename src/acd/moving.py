"""Calls that change hands: a waiting call given to a chosen agent, a conversation passed on to an agent, a queue or a number.

Whoever passes a call on is done with it at that moment: his talk ends and his wrap-up begins. A caller is never lost on the way:
when the agent or number does not answer, he stands at the head of the line from which he was answered.

``acd.floor`` calls the handlers; ``acd.calling`` tells what becomes of the phones that ring.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import calling, joining, overflow, returning, routing
from acd import commands as c
from acd import telephony as t
from acd.agents import Agent
from acd.calls import Call, CallState, LiveOffer
from acd.errors import Conflict, Invalid, illegal_transition
from acd.events import CallAssigned, CallTransferred
from acd.ids import AgentId, PbxId, QueueId, device_on
from acd.queues import Queue
from acd.routing import Bar
from acd.talks import PlacePolicy, TargetKind, Transfer, TransferMode, TransferResult
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

OUTSIDE_RING_S = 45
"""How long a number outside may ring."""

BY_HAND = "by_hand"
"""What a decision says where no strategy chose."""


def offer_call(floor: "Floor", turn: Turn, command: c.OfferCall) -> None:
    """A supervisor hands a waiting call to a chosen agent."""
    call, agent = floor.call(command.call), floor.agent(command.agent)
    if call.state is not CallState.WAITING:
        raise illegal_transition(f"call {call.id}", call.state, CallState.OFFERED)
    must_be_movable(floor, call)
    must_be_free(floor, agent, call.pbx)
    turn.emit(CallAssigned(turn.now, call.id, call.queue, agent.id))
    floor.fresh_calls.pop(call.id, None)
    _ring(floor, turn, call, agent)


def transfer_call(floor: "Floor", turn: Turn, command: c.TransferCall) -> None:
    """Pass a conversation on."""
    call = floor.call(command.call)
    if call.state is not CallState.TALKING:
        raise illegal_transition(f"call {call.id}", call.state, "transferred")
    if call.consult is not None:
        raise Conflict("consult_in_progress", f"somebody is asked in call {call.id}", call=call.id)
    must_be_movable(floor, call)
    match command.kind:
        case TargetKind.QUEUE:
            queue = floor.queue(QueueId(command.to))
            _leave_agent(floor, turn, call, TargetKind.QUEUE, queue.spec.id)
            _to_queue(floor, turn, call, queue, command.place)
        case TargetKind.AGENT:
            agent = floor.agent(AgentId(command.to))
            must_be_free(floor, agent, call.pbx)
            _leave_agent(floor, turn, call, TargetKind.AGENT, agent.id)
            _ring(floor, turn, call, agent)
        case TargetKind.NUMBER:
            dialled = outside(floor, command.to)
            _leave_agent(floor, turn, call, TargetKind.NUMBER, command.to)
            _ring_outside(floor, turn, call, command.to, dialled)


def transfer_asked(floor: "Floor", turn: Turn, fact: t.TransferAsked) -> None:
    """An agent's phone has passed the caller on; the dialplan waits for what comes of it."""
    call = floor.calls.get(fact.call)
    if call is None or call.leg != fact.leg or call.state not in (CallState.TALKING, CallState.AFTER):
        return
    if call.hang_up_asked:
        return
    queue = floor.queue_by_key(fact.to)
    agent = floor.agents.get(AgentId(fact.to))
    if queue is not None:
        _leave_agent(floor, turn, call, TargetKind.QUEUE, queue.spec.id)
        _to_queue(floor, turn, call, queue, PlacePolicy.KEPT)
    elif agent is not None:
        _leave_agent(floor, turn, call, TargetKind.AGENT, agent.id)
        if agent_not_free(agent, call.pbx, turn.now) is None:
            _ring(floor, turn, call, agent)
        else:
            returning.return_to_line(floor, turn, call, "transfer-failed")
    else:
        _leave_agent(floor, turn, call, TargetKind.NUMBER, fact.to)
        if floor.outside is not None and _is_number(fact.to):
            _ring_outside(floor, turn, call, fact.to, outside(floor, fact.to))
        else:
            returning.return_to_line(floor, turn, call, "transfer-failed")


def agent_not_free(agent: Agent, pbx: PbxId, now: float) -> Bar | None:
    """What keeps an agent from a call that a person wants to give him: not queues and skills, for the person knows better."""
    return routing.agent_bar(agent, now) or (Bar.OTHER_PBX if agent.pbx != pbx else None)


def must_be_free(floor: "Floor", agent: Agent, pbx: PbxId) -> None:
    """Raises ``agent_not_free`` with the bar."""
    bar = agent_not_free(agent, pbx, floor.now)
    if bar is not None:
        raise Conflict(
            "agent_not_free", f"agent {agent.id} cannot take it: {bar}", agent=agent.id, bar=bar, current=agent.state
        )


def must_be_movable(floor: "Floor", call: Call) -> None:
    """Raise unless the PBX can be told now."""
    why = None
    if not floor.takes_offers(call.pbx):
        why = "pbx_not_ready"
    elif call.hang_up_asked:
        why = "hang_up_asked"
    elif call.hold_off_until > floor.now:
        why = "last_offer_not_placed"
    if why is not None:
        raise Conflict("call_not_ready", f"call {call.id} cannot be moved now: {why}", call=call.id, reason=why)


def outside(floor: "Floor", number: str) -> str:
    """How the number is dialled. Raises ``no_outside_line`` or ``invalid_number``."""
    if floor.outside is None:
        raise Conflict("no_outside_line", "calls are not passed on to numbers outside here", number=number)
    if not _is_number(number):
        raise Invalid("invalid_number", "a number has 2 to 20 digits, with a plus before them or not", number=number)
    return floor.outside.format(number=number)


def _is_number(text: str) -> bool:
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdecimal() and 2 <= len(digits) <= 20


def attended_to_queue(floor: "Floor", turn: Turn, call: Call, queue: Queue) -> None:
    """The agent's phone waited in that line, and has given its place there to the caller, who has an earlier one."""
    _leave_agent(floor, turn, call, TargetKind.QUEUE, queue.spec.id, TransferMode.ATTENDED)
    _to_queue(floor, turn, call, queue, PlacePolicy.KEPT)


def _leave_agent(
    floor: "Floor", turn: Turn, call: Call, kind: TargetKind, to: str, mode: TransferMode = TransferMode.BLIND
) -> None:
    """The conversation is over, for the caller is passed on."""
    if call.state is CallState.TALKING:
        calling.end_talk(floor, turn, call, "transfer")
    call.ended_by = None
    by = call.agent
    transfer = Transfer(turn.now, by, mode, kind, to, TransferResult.RINGING)
    call.transfers = (*call.transfers, transfer)
    turn.emit(CallTransferred(turn.now, call.id, call.queue, by, transfer.mode, kind, to))


def _to_queue(floor: "Floor", turn: Turn, call: Call, queue: Queue, place: PlacePolicy) -> None:
    returning.transfer_ended(turn, call, TransferResult.QUEUED)
    since = None if place is PlacePolicy.END else call.visits[0].entered_at
    visit = joining.rejoin(floor, turn, call, queue, since=since, front=place is PlacePolicy.FRONT)
    overflow.watch(floor, queue, call)
    turn.ask(t.ReturnToLine(call.id, call.leg, visit, "to-other-queue", passed_on=True))


def _ring(floor: "Floor", turn: Turn, call: Call, agent: Agent) -> None:
    """Ring one chosen agent."""
    routing.ring(floor, turn, floor.queues[call.queue], call, [agent], BY_HAND, [(0, (), agent.id)])


def _ring_outside(floor: "Floor", turn: Turn, call: Call, number: str, dialled: str) -> None:
    """Ring a number outside."""
    device = device_on(call.pbx, dialled)
    ends_at = turn.now + OUTSIDE_RING_S + routing.OFFER_GUARD_S
    offer = call.next_offer_id()
    call.move(CallState.OFFERED, turn.now)
    call.offer = LiveOffer(offer, turn.now, OUTSIDE_RING_S, {}, number=number, ends_at=ends_at)
    floor.at(ends_at, "offer", call.id)
    turn.ask(t.Offer(call.id, call.leg, offer, (device,), OUTSIDE_RING_S, passed_on=True))


def restore_parts(floor: "Floor", _turn: Turn, command: c.RestoreParts) -> None:
    floor.parts[command.call] = command


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    c.OfferCall: offer_call,
    c.TransferCall: transfer_call,
    c.RestoreParts: restore_parts,
    t.TransferAsked: transfer_asked,
}
