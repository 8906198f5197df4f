"""Consults: the agent who has a caller asks another agent, a queue or a number outside, with the caller on hold.

The agent may swap between the two, bring all three together, give the caller to whoever was asked (``complete``, or simply hang
up), or take the caller back (``cancel``). Whoever is asked works for as long as that takes: reserved, talking, counted.

One who asks a queue waits in its line, by the moment of asking: as many free agents as there are callers before him are left to
those. ``acd.floor`` calls the handlers, and ``serve`` before routing; ``acd.consults`` ends a consult.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import calling, consults, handover, moving, routing
from acd import commands as c
from acd import consult_port as p
from acd import telephony as t
from acd.agents import Agent
from acd.calls import Call, CallState
from acd.consult_events import ConsultAsked, ConsultChanged
from acd.consult_port import ConsultAction, ConsultStage
from acd.errors import AcdError, Conflict, illegal_transition
from acd.ids import AgentId, DeviceId, LegId, OfferId, QueueId, device_on
from acd.queues import Queue
from acd.returning import return_to_line
from acd.strategies import STRATEGIES, Choice
from acd.talks import Consult, Talk, TargetKind
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

MOVING_S = 2.0
"""How long a swap or merge may take before another one may be asked for, unless it is told to be done."""

BY_DIGIT = {"1": ConsultAction.SWAP, "2": ConsultAction.MERGE, "0": ConsultAction.CANCEL}
"""What an agent dials after the code; to complete he hangs up."""

_ALLOWED = {
    ConsultAction.SWAP: (ConsultStage.TALKING, ConsultStage.SWAPPED),
    ConsultAction.MERGE: (ConsultStage.TALKING, ConsultStage.SWAPPED),
    ConsultAction.COMPLETE: (ConsultStage.TALKING, ConsultStage.SWAPPED, ConsultStage.MERGED),
    ConsultAction.CANCEL: tuple(ConsultStage),
}


# ---------------------------------------------------------------- commands


def consult_call(floor: "Floor", turn: Turn, command: c.ConsultCall) -> None:
    """Ask somebody."""
    call = floor.call(command.call)
    talk = call.talk
    if call.state is not CallState.TALKING or talk is None or talk.leg is None:
        raise illegal_transition(f"call {call.id}", call.state, "consulting")
    if call.consult is not None:
        raise Conflict("consult_in_progress", f"somebody is asked in call {call.id}", call=call.id)
    moving.must_be_movable(floor, call)
    agent = device = None
    match command.kind:
        case TargetKind.QUEUE:
            floor.queue(QueueId(command.to))
        case TargetKind.AGENT:
            agent = floor.agent(AgentId(command.to))
            moving.must_be_free(floor, agent, call.pbx)
            device = agent.device
        case TargetKind.NUMBER:
            device = device_on(call.pbx, moving.outside(floor, command.to))
    consult = call.consult = Consult(
        OfferId(""), talk.agent, command.kind, command.to, turn.now, ConsultStage.WAITING, changed_at=turn.now
    )
    turn.emit(ConsultAsked(turn.now, call.id, call.queue, talk.agent, command.kind, command.to))
    if device is not None:
        _ring(floor, turn, call, consult, agent, device)
        return
    floor.consults[call.id] = None
    if not _serve(floor, turn, call, consult):
        _ask(floor, turn, call, consult, None)


def change_consult(floor: "Floor", turn: Turn, command: c.ChangeConsult) -> None:
    """Swap, merge, complete or cancel."""
    call = floor.call(command.call)
    consult = call.consult
    if consult is None:
        raise Conflict("no_consult", f"nobody is asked in call {call.id}", call=call.id)
    if consult.stage not in _ALLOWED[command.action]:
        raise illegal_transition(f"consult in call {call.id}", consult.stage, command.action)
    moving.must_be_movable(floor, call)
    if consult.busy_until > turn.now and command.action is not ConsultAction.CANCEL:
        raise Conflict("consult_moving", f"call {call.id} is just being moved", call=call.id)
    consult.busy_until = turn.now + MOVING_S
    turn.ask(p.MoveConsult(call.id, call.leg, consult.id, command.action))
    if command.action is ConsultAction.CANCEL and consult.talk is None:
        consults.close(floor, turn, call)


# ---------------------------------------------------------------- ringing


def _ring(floor: "Floor", turn: Turn, call: Call, consult: Consult, agent: Agent | None, device: DeviceId) -> None:
    """Ring one phone."""
    consult.agent, consult.device, consult.stage = agent.id if agent is not None else None, device, ConsultStage.RINGING
    _ask(floor, turn, call, consult, device)
    if agent is not None:
        agent.reserve(call.id, consult.id)
        floor.refresh(agent, turn)


def _ask(floor: "Floor", turn: Turn, call: Call, consult: Consult, device: DeviceId | None) -> None:
    """Tell the PBX; without a device the agent waits in line."""
    talk = call.talks[-1]
    consult.id, consult.changed_at = call.next_offer_id(), turn.now
    queue = floor.queues.get(QueueId(consult.to)) if consult.kind is TargetKind.QUEUE else floor.queues[call.queue]
    outside = consult.kind is TargetKind.NUMBER
    ring_s = moving.OUTSIDE_RING_S if outside or queue is None else queue.spec.ring_s
    in_line = consult.kind is TargetKind.QUEUE
    if talk.leg is not None:
        turn.ask(p.Consult(call.id, call.leg, talk.leg, consult.id, consult.asked, device, ring_s, in_line))
    turn.emit(ConsultChanged(turn.now, call.id, call.queue, consult.agent, consult.stage))


def serve(floor: "Floor", turn: Turn) -> None:
    """Let free agents be asked for whom somebody waits in line, in the order of asking."""
    for known in tuple(floor.consults):
        call = floor.calls.get(known)
        consult = call.consult if call is not None else None
        if call is None or consult is None:
            floor.consults.pop(known, None)
        elif consult.stage is ConsultStage.WAITING:
            _serve(floor, turn, call, consult)


def _serve(floor: "Floor", turn: Turn, call: Call, consult: Consult) -> bool:
    """Ring the best of the free, if those who stand before leave one."""
    queue = floor.queues.get(QueueId(consult.to))
    if queue is None or not floor.takes_offers(call.pbx):
        return False
    free = [agent for agent in _free(floor, queue, turn.now) if agent.pbx == call.pbx and agent.id not in consult.tried]
    able = [agent for agent in free if agent.can(queue.spec.skills)]
    if len(able) <= queue.index((consult.since, consult.since, 0, call.id)):
        return False
    key, choice = STRATEGIES[queue.spec.strategy], Choice(queue, call, turn.now)
    best = min(able, key=lambda agent: (key(agent, choice), agent.id))
    if best.device is None:
        return False
    queue.took_turn(best.id, turn.now)
    _ring(floor, turn, call, consult, best, best.device)
    return True


def _free(floor: "Floor", queue: Queue, now: float) -> list[Agent]:
    """Members who are free, those included who have become so this very moment."""
    fresh = [queue.members[one] for one in floor.fresh_agents if one in queue.members and one not in queue.idle]
    listed = [queue.members[one] for one in queue.idle.keys]
    return [agent for agent in (*listed, *fresh) if routing.agent_bar(agent, now) is None]


# ---------------------------------------------------------------- facts


def _live(
    floor: "Floor", fact: p.ConsultRinging | p.ConsultMissed | p.ConsultBegan | p.ConsultMoved | p.ConsultOver
) -> tuple[Call, Consult] | None:
    """The call and its consult, if it is the one of which the fact speaks."""
    call = floor.calls.get(fact.call)
    if call is None or call.consult is None or call.consult.id != fact.offer:
        return None
    return call, call.consult


def ringing(floor: "Floor", _turn: Turn, fact: p.ConsultRinging) -> None:
    found = _live(floor, fact)
    if found is not None:
        found[1].leg = fact.leg


def missed(floor: "Floor", turn: Turn, fact: p.ConsultMissed) -> None:
    """The phone was not picked up: who waits in line waits on, every other consult is over."""
    found = _live(floor, fact)
    if found is None or found[1].stage is not ConsultStage.RINGING:
        return
    call, consult = found
    holder, consult.agent = consult.agent, None
    consult.stage, consult.changed_at = ConsultStage.WAITING, turn.now
    if holder is not None:
        consult.tried.add(holder)
        calling.not_taken(floor, turn, call, fact.offer, fact.device, holder, fact.cause)
    if consult.kind is not TargetKind.QUEUE:
        consults.close(floor, turn, call)
    elif not _serve(floor, turn, call, consult):
        turn.emit(ConsultChanged(turn.now, call.id, call.queue, None, consult.stage))


def began(floor: "Floor", turn: Turn, fact: p.ConsultBegan) -> None:
    """It was picked up."""
    found = _live(floor, fact)
    if found is not None and found[1].stage in (ConsultStage.RINGING, ConsultStage.WAITING):
        call, consult = found
        engage(floor, turn, call, consult, fact.device, fact.leg, turn.now)
        _now_at(turn, call, consult, ConsultStage.TALKING)


def engage(
    floor: "Floor",
    turn: Turn,
    call: Call,
    consult: Consult,
    device: DeviceId,
    leg: LegId | None,
    at: float,
) -> None:
    """Somebody is talked to by the agent who asks."""
    number = consult.to if consult.kind is TargetKind.NUMBER else None
    consult.device, consult.talk = (
        device,
        Talk(call.queue, at, consult.agent, device, leg, number, call.talks[-1].offer),
    )
    agent = floor.agents.get(consult.agent) if consult.agent is not None else None
    if agent is not None:
        agent.talk(call.id, call.queue, at)
        floor.refresh(agent, turn)


def _now_at(turn: Turn, call: Call, consult: Consult, stage: ConsultStage) -> None:
    consult.stage, consult.changed_at, consult.busy_until = stage, turn.now, 0.0
    if consult.talk is not None:
        if stage is not ConsultStage.SWAPPED:
            consult.talk.resume(turn.now)
        elif consult.talk.held_since is None:
            consult.talk.held_since = turn.now
    turn.emit(ConsultChanged(turn.now, call.id, call.queue, consult.agent, stage))


def moved(floor: "Floor", turn: Turn, fact: p.ConsultMoved) -> None:
    """Who talks to whom has changed."""
    found = _live(floor, fact)
    if found is not None and found[1].talk is not None and found[1].stage is not fact.stage:
        _now_at(turn, *found, fact.stage)


def over(floor: "Floor", turn: Turn, fact: p.ConsultOver) -> None:
    """Whoever was asked is gone."""
    found = _live(floor, fact)
    if found is not None:
        consults.close(floor, turn, found[0])


def agent_hung_up(floor: "Floor", turn: Turn, fact: t.AgentHungUp) -> None:
    if not _handed_over(floor, turn, fact):
        calling.agent_hung_up(floor, turn, fact)


def agent_leg_gone(floor: "Floor", turn: Turn, fact: t.AgentLegGone) -> None:
    if not _handed_over(floor, turn, fact):
        calling.agent_leg_gone(floor, turn, fact)


def _handed_over(floor: "Floor", turn: Turn, fact: t.AgentHungUp | t.AgentLegGone) -> bool:
    """The agent who asks has left: whoever was asked has the caller, who otherwise comes into line again."""
    call = floor.calls.get(fact.call)
    if call is None or call.consult is None or call.talks[-1].leg not in (None, fact.leg):
        return False
    consult = call.consult
    if consult.talk is not None:
        _complete(floor, turn, call, consult)
        return True
    calling.end_talk(floor, turn, call, "agent")
    return_to_line(floor, turn, call, "back-to-front")
    return True


def _complete(floor: "Floor", turn: Turn, call: Call, consult: Consult) -> None:
    """Whoever was asked has the caller."""
    heir = consult.talk
    if heir is None:
        return
    call.consult = None
    floor.consults.pop(call.id, None)
    handover.transferred(floor, turn, call, consult.kind, consult.to, heir)
    turn.emit(ConsultChanged(turn.now, call.id, call.queue, consult.agent, None))


def dialled(floor: "Floor", turn: Turn, fact: p.ConsultDialled) -> None:
    """By code: one digit for what is to become of a consult, more for whom to ask. What cannot be done changes nothing."""
    call = floor.calls.get(fact.call)
    if call is None or call.talk is None or call.talk.leg != fact.leg:
        return
    try:
        if len(fact.digits) == 1:
            action = BY_DIGIT.get(fact.digits)
            if action is not None:
                change_consult(floor, turn, c.ChangeConsult(call.id, action))
        else:
            consult_call(floor, turn, c.ConsultCall(call.id, *_meant(floor, fact.digits)))
    except AcdError:
        return


def _meant(floor: "Floor", digits: str) -> tuple[TargetKind, str]:
    """A queue by its number, an agent by id, else a number outside."""
    queue = floor.queue_by_key(digits)
    if queue is not None:
        return TargetKind.QUEUE, queue.spec.id
    return (TargetKind.AGENT if AgentId(digits) in floor.agents else TargetKind.NUMBER), digits


def alone(floor: "Floor", turn: Turn, fact: p.CallerAlone) -> None:
    """Nobody has the caller any more."""
    call = floor.calls.get(fact.call)
    if call is None or call.hang_up_asked or call.state not in (CallState.TALKING, CallState.AFTER):
        return
    if call.state is CallState.TALKING:
        calling.end_talk(floor, turn, call, "unseen")
    if call.led is None:
        return_to_line(floor, turn, call, "back-to-front")


def request_failed(floor: "Floor", turn: Turn, fact: t.RequestFailed) -> None:
    """A consult that certainly has not begun is over; of everything else the next look tells the truth."""
    calling.request_failed(floor, turn, fact)
    request = fact.request
    if not isinstance(request, p.Consult | p.MoveConsult) or fact.why is t.RequestFailure.UNKNOWN_OUTCOME:
        return
    call = floor.calls.get(request.call)
    if call is None or call.consult is None or call.consult.id != request.offer:
        return
    call.consult.busy_until = 0.0
    if isinstance(request, p.Consult):
        consults.close(floor, turn, call)


# ---------------------------------------------------------------- snapshots


def found(floor: "Floor", turn: Turn, call: Call, shown: p.ConsultFound | None) -> bool:
    """Bring the consult of a call that talks in line with what its channels show; whether anything had to be done."""
    consult = call.consult
    if consult is not None and shown is not None and consult.id == shown.offer:
        if consult.stage is shown.stage or shown.device is None:
            return False
        if consult.talk is None and shown.stage is not ConsultStage.RINGING:
            engage(floor, turn, call, consult, shown.device, shown.leg, turn.now)
        _now_at(turn, call, consult, shown.stage)
        return True
    if consult is not None:
        consults.close(floor, turn, call)
    elif shown is None:
        return False
    if shown is not None:
        _adopt(floor, turn, call, shown)
    return True


def changed_hands(floor: "Floor", turn: Turn, call: Call, shown: t.SnapshotCall) -> bool:
    """Whether somebody else has the caller than we know: the agent was seen neither to leave nor to pass him on."""
    leg, device = shown.agent_leg, shown.device
    if leg is None or device is None or call.talks[-1].leg in (None, leg):
        return False
    consult = call.consult
    if consult is not None and consult.talk is not None and consult.talk.leg == leg:
        _complete(floor, turn, call, consult)
    else:
        handover.take_over(floor, turn, call, device, leg)
    return True


def _adopt(floor: "Floor", turn: Turn, call: Call, shown: p.ConsultFound) -> None:
    """A consult that was begun before a restart."""
    kind, _, to = shown.asked.partition("-")
    talk = call.talks[-1]
    consult = call.consult = Consult(
        shown.offer,
        talk.agent,
        TargetKind(kind) if kind in tuple(TargetKind) else TargetKind.NUMBER,
        to,
        shown.since if shown.since is not None else turn.now,
        shown.stage,
        changed_at=turn.now,
    )
    tail = shown.offer.rpartition(".")[2]
    call.offers_made = max(call.offers_made, int(tail) if tail.isdecimal() else 0)
    if shown.held_since is not None and talk.held_since is None:
        talk.held_since = min(shown.held_since, turn.now)
    if consult.kind is TargetKind.QUEUE and shown.stage is ConsultStage.WAITING:
        floor.consults[call.id] = None
    if shown.device is None:
        return
    agent = calling.agent_at(floor, shown.device) if consult.kind is not TargetKind.NUMBER else None
    consult.agent, consult.device = agent.id if agent is not None else None, shown.device
    if shown.stage is not ConsultStage.RINGING:
        at = min(shown.since if shown.since is not None else turn.now, turn.now)
        engage(floor, turn, call, consult, shown.device, shown.leg, at)
        _now_at(turn, call, consult, shown.stage)
    elif agent is not None and agent.engagement.state is None:
        agent.reserve(call.id, consult.id)
        floor.refresh(agent, turn)


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    c.ConsultCall: consult_call,
    c.ChangeConsult: change_consult,
    p.ConsultRinging: ringing,
    p.ConsultMissed: missed,
    p.ConsultBegan: began,
    p.ConsultMoved: moved,
    p.ConsultOver: over,
    p.CallerAlone: alone,
    p.ConsultDialled: dialled,
    # In a consult these mean more than in any other conversation.
    t.AgentHungUp: agent_hung_up,
    t.AgentLegGone: agent_leg_gone,
    t.RequestFailed: request_failed,
}
