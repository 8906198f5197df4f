"""What people ask: queues and agents defined, signing in and out, breaks, wrap-up, hanging up.

A command either does its work or raises ``AcdError`` before it has changed anything.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import announcing, joining, overflow, rejoining, routing
from acd import commands as c
from acd.agents import FREE, Agent, Free, Ringing, Status, Talking, WrapUp
from acd.calls import Call, CallState, Visit
from acd.directory import normal
from acd.errors import Conflict, Invalid, illegal_transition, unknown
from acd.events import AgentStatusChosen, CallAmended, WrapUpEnded
from acd.ids import AgentId, DeviceId
from acd.queues import Queue
from acd.shift import Shift
from acd.sla import DecidedVisit
from acd.strategies import STRATEGIES
from acd.telephony import DeviceState, HangUp, Withdraw
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def define_queue(floor: "Floor", turn: Turn, command: c.DefineQueue) -> None:
    spec = command.spec
    if spec.strategy not in STRATEGIES:
        raise Invalid("unknown_strategy", f"there is no strategy {spec.strategy!r}", strategy=spec.strategy)
    holder = floor.queue_by_key(spec.number)
    if holder is not None and holder.spec.id != spec.id:
        raise Conflict(
            "number_taken",
            f"number {spec.number} is queue {holder.spec.id}'s",
            number=spec.number,
            queue=holder.spec.id,
        )
    known = floor.queues.get(spec.id)
    if known is None:
        known = floor.queues[spec.id] = Queue(spec)
        for agent in floor.agents.values():
            if spec.id in agent.spec.queues:
                _join_queues(floor, turn, agent)
    else:
        known.spec = spec
        _line_up_again(floor, turn, known)
        for agent in [known.members[agent] for agent in known.idle.keys]:
            known.idle.discard(agent.id)
            known.idle.add(agent.id, routing.idle_key(agent, known))
    overflow.note_presence(floor, known, turn.now)
    overflow.set_timetable(floor, turn, known, command.timetable)
    floor.freshen()


def _line_up_again(floor: "Floor", turn: Turn, queue: Queue) -> None:
    """What a place is worth, or what a caller needs, may have changed: everybody who waits stands by the new rules."""
    waiting = [floor.calls[call] for call in queue.waiting()]
    queue.line.clear()
    queue.kinds.clear()
    for call in (*waiting, *(floor.calls[call] for call in queue.offered)):
        call.head_start_s = joining.head_start(call, queue)
        call.needs = joining.needs_of(call, queue, turn.now)
        for step in queue.spec.relax:
            floor.at(call.visit.entered_at + step.after_s, "relax", call.id)
        overflow.watch(floor, queue, call)
        announcing.plan(floor, call, queue)
    for call in waiting:
        queue.stand(call.place, call.needs)


def remove_queue(floor: "Floor", turn: Turn, command: c.RemoveQueue) -> None:
    queue = floor.queue(command.queue)
    if queue.live_calls:
        raise Conflict(
            "queue_in_use", f"queue {command.queue} has callers", queue=command.queue, calls=queue.live_calls
        )
    del floor.queues[command.queue]
    for agent in queue.members.values():
        _join_queues(floor, turn, agent)


def define_agent(floor: "Floor", turn: Turn, command: c.DefineAgent) -> None:
    spec = command.spec
    agent = floor.agents.get(spec.id)
    if agent is None:
        agent = floor.agents[spec.id] = Agent(spec, status_since=turn.now, state_since=turn.now)
    else:
        _leave_queues(floor, agent)
        agent.spec = spec
    # Whoever is idle is looked at anew, for a skill gained changes whom he may serve; and so is who waits because of him.
    _join_queues(floor, turn, agent)
    floor.loosen(agent.id)


def _join_queues(floor: "Floor", turn: Turn, agent: Agent) -> None:
    """Stand in the queues of the agent's own that exist, and be listed in all of them or none."""
    floor.unlist(agent)
    agent.lines = tuple(floor.queues[name] for name in agent.spec.queues if name in floor.queues)
    for queue in agent.lines:
        if agent.id not in queue.members:
            queue.members[agent.id] = agent
            queue.presence[agent.seen_presence] += 1
            overflow.note_presence(floor, queue, turn.now)
        queue.rates.clear()
    floor.refresh(agent, turn)


def _leave_queues(floor: "Floor", agent: Agent) -> None:
    floor.unlist(agent)
    for queue in agent.lines:
        queue.rates.clear()
        if queue.members.pop(agent.id, None) is not None:
            queue.presence[agent.seen_presence] -= 1
            overflow.note_presence(floor, queue, floor.now)
    agent.lines = ()


def remove_agent(floor: "Floor", _turn: Turn, command: c.RemoveAgent) -> None:
    agent = floor.agent(command.agent)
    if agent.status is not Status.SIGNED_OUT or not isinstance(agent.engagement, Free):
        raise Conflict("agent_in_use", f"agent {agent.id} is {agent.state}", agent=agent.id, current=agent.state)
    _leave_queues(floor, agent)
    floor.fresh_agents.pop(agent.id, None)
    del floor.agents[agent.id]


def restore_agent(floor: "Floor", turn: Turn, command: c.RestoreAgent) -> None:
    """Storage may know an agent that the configuration no longer has, or a phone that has a new holder: both pass in silence."""
    agent = floor.agents.get(command.agent)
    if agent is None or agent.status is not Status.SIGNED_OUT:
        return
    if command.status is not Status.SIGNED_OUT:
        device = command.device or agent.spec.device
        if device is None or device in floor.at_device:
            return
        _seat(floor, agent, device)
        if not agent.shift.is_on:
            agent.shift.sign_in(command.since)
    agent.status, agent.status_since, agent.reason = command.status, command.since, command.reason
    agent.idle_anchor = max(agent.idle_anchor, command.since)
    floor.refresh(agent, turn)


def _seat(floor: "Floor", agent: Agent, device: DeviceId) -> None:
    """Give the agent a phone. On another PBX other callers wait for him: he is looked at as if he had just become free."""
    floor.unlist(agent)
    agent.sit(device, floor.devices.get(device, DeviceState.UNKNOWN))
    floor.at_device[device] = agent.id


def sign_in(floor: "Floor", turn: Turn, command: c.SignIn) -> None:
    agent = floor.agent(command.agent)
    device = command.device or (agent.device if agent.status is not Status.SIGNED_OUT else agent.spec.device)
    if device is None:
        raise Invalid("no_device", f"agent {agent.id} has no device; name one", agent=agent.id)
    holder = floor.at_device.get(device, agent.id)
    if holder != agent.id:
        raise Conflict("device_taken", f"agent {holder} is signed in there", agent=holder)
    if device != _device_in_use(floor, agent) and not isinstance(agent.engagement, Free | WrapUp):
        raise illegal_transition(f"agent {agent.id}", agent.state, "signed in at another device")
    if agent.device is not None and agent.device != device:
        floor.at_device.pop(agent.device, None)
    moved = agent.device != device
    _seat(floor, agent, device)
    agent.rest_until = 0.0
    if agent.choose(Status.AVAILABLE, None, turn.now) or moved:
        agent.misses.clear()
        _chosen(turn, agent)
    floor.refresh(agent, turn)


def _device_in_use(floor: "Floor", agent: Agent) -> DeviceId | None:
    """The agent's phone; of one who signed out while it rang or in a call, the phone of that call."""
    if agent.device is None and isinstance(agent.engagement, Ringing | Talking):
        call = floor.calls.get(agent.engagement.call)
        if call is not None and call.offer is not None:
            return next((phone for phone, whose in call.offer.phones.items() if whose == agent.id), None)
        return call.talk.device if call is not None and call.talk is not None else None
    return agent.device


def sign_out(floor: "Floor", turn: Turn, command: c.SignOut) -> None:
    agent = floor.agent(command.agent)
    if not agent.choose(Status.SIGNED_OUT, None, turn.now):
        return
    if isinstance(agent.engagement, WrapUp):
        finish_wrap_up(floor, turn, agent)
    _stop_ringing(floor, turn, agent)
    _chosen(turn, agent)
    if agent.device is not None:
        floor.at_device.pop(agent.device, None)
        agent.sit(None, DeviceState.UNKNOWN)
    floor.refresh(agent, turn)


def take_break(floor: "Floor", turn: Turn, command: c.TakeBreak) -> None:
    agent = floor.agent(command.agent)
    if agent.choose(Status.BREAK, command.reason, turn.now):
        _stop_ringing(floor, turn, agent)
        _chosen(turn, agent)
        floor.refresh(agent, turn)


def become_available(floor: "Floor", turn: Turn, command: c.BecomeAvailable) -> None:
    agent = floor.agent(command.agent)
    if agent.status is Status.SIGNED_OUT:
        raise illegal_transition(f"agent {agent.id}", Status.SIGNED_OUT, Status.AVAILABLE)
    agent.rest_until = 0.0
    if agent.choose(Status.AVAILABLE, None, turn.now):
        _chosen(turn, agent)
    floor.refresh(agent, turn)


def _chosen(turn: Turn, agent: Agent) -> None:
    turn.emit(AgentStatusChosen(turn.now, agent.id, agent.status, agent.reason, agent.device))


def _stop_ringing(floor: "Floor", turn: Turn, agent: Agent) -> None:
    """The agent leaves while the phone rings: take the phone out of the offer. The caller's place is not touched."""
    if not isinstance(agent.engagement, Ringing) or agent.device is None:
        return
    call = floor.calls.get(agent.engagement.call)
    if call is None or call.offer is None or call.offer.answered == agent.device:
        return
    call.offer.withdrawn.add(agent.device)
    leg = call.offer.legs.get(agent.device)
    if leg is not None:
        turn.ask(Withdraw(call.id, call.offer.id, (leg,)))


def end_wrap_up(floor: "Floor", turn: Turn, command: c.EndWrapUp) -> None:
    agent = _in_wrap_up(floor, command.agent)
    if isinstance(agent.engagement, WrapUp) and (command.disposition is not None or command.notes is not None):
        call = floor.calls.get(agent.engagement.call) or floor.ended.get(agent.engagement.call)
        if call is not None:
            _amend(turn, call, command.disposition, command.notes)
    finish_wrap_up(floor, turn, agent)


def extend_wrap_up(floor: "Floor", _turn: Turn, command: c.ExtendWrapUp) -> None:
    agent = _in_wrap_up(floor, command.agent)
    wrap_up = agent.engagement
    if command.seconds <= 0:
        raise Invalid("invalid_duration", "a wrap-up is extended by more than 0 s", seconds=command.seconds)
    if isinstance(wrap_up, WrapUp) and wrap_up.until is not None:
        until = wrap_up.until + command.seconds
        agent.engagement = WrapUp(wrap_up.call, wrap_up.queue, wrap_up.since, until)
        floor.at(until, "wrap_up", agent.id)


def _in_wrap_up(floor: "Floor", agent_id: AgentId) -> Agent:
    agent = floor.agent(agent_id)
    if not isinstance(agent.engagement, WrapUp):
        raise illegal_transition(f"agent {agent.id}", agent.state, "out of wrap_up")
    return agent


def finish_wrap_up(floor: "Floor", turn: Turn, agent: Agent) -> None:
    """End the wrap-up that the agent is in."""
    if isinstance(agent.engagement, WrapUp):
        wrap_up = agent.engagement
        turn.emit(WrapUpEnded(turn.now, agent.id, wrap_up.call, wrap_up.queue, turn.now - wrap_up.since))
        agent.engagement = FREE
        floor.refresh(agent, turn)


def hang_up_call(floor: "Floor", turn: Turn, command: c.HangUpCall) -> None:
    call = floor.call(command.call)
    if call.state is CallState.ENDED:
        raise illegal_transition(f"call {call.id}", call.state, CallState.ENDED)
    call.hang_up_asked = True
    turn.ask(HangUp(call.leg))


def amend_call(floor: "Floor", turn: Turn, command: c.AmendCall) -> None:
    call = floor.call(command.call)
    if command.priority is not None and command.priority != call.priority:
        if call.visit.outcome is not None:
            raise illegal_transition(f"call {call.id}", call.state, "waiting at another priority")
        waiting = call.state is CallState.WAITING
        queue = floor.queues[call.queue]
        if waiting:
            queue.leave(call.place, call.needs)
        call.priority = command.priority
        call.head_start_s = joining.head_start(call, queue)
        if waiting:
            queue.stand(call.place, call.needs)
    _amend(turn, call, command.disposition, command.notes)


def _amend(turn: Turn, call: Call, disposition: str | None, notes: str | None) -> None:
    call.disposition = disposition if disposition is not None else call.disposition
    call.notes = notes if notes is not None else call.notes
    turn.emit(CallAmended(turn.now, call.id, call.queue, call.priority, call.disposition, call.notes))


def restore_visit(floor: "Floor", _turn: Turn, command: c.RestoreVisit) -> None:
    queue = floor.queues.get(command.queue)
    if queue is None:
        raise unknown("queue", command.queue)
    spec = queue.spec
    short = command.outcome == "abandoned" and command.decided_at - command.entered_at < spec.short_abandon_s
    visit = DecidedVisit(command.entered_at, command.decided_at, command.outcome, short)
    queue.ledger.record(visit, spec.service_level.target_s)
    known = floor.counted.setdefault(command.call, [])
    known.append(
        Visit(
            command.queue,
            command.entered_at,
            command.outcome,
            command.decided_at,
            limit=command.limit,
            led_to=command.led_to,
        )
    )


def put_callers(floor: "Floor", _turn: Turn, command: c.PutCallers) -> None:
    for number, profile in command.callers:
        key = normal(number, floor.numbering)
        if key is None:
            raise Invalid("invalid_number", "a caller's number has no digits", number=number)
        if profile is None:
            floor.directory.pop(key, None)
        else:
            floor.directory[key] = profile


def restore_turn(floor: "Floor", _turn: Turn, command: c.RestoreTurn) -> None:
    floor.queue(command.queue).took_turn(command.agent, command.at)


def restore_service(floor: "Floor", _turn: Turn, command: c.RestoreService) -> None:
    floor.served(normal(command.number, floor.numbering), command.agent)


def restore_amendment(floor: "Floor", _turn: Turn, command: c.RestoreAmendment) -> None:
    floor.amended[command.call] = command


def restore_shift(floor: "Floor", _turn: Turn, command: c.RestoreShift) -> None:
    """Before the agent's status is restored: whoever is signed in by that goes on in this shift."""
    agent = floor.agents.get(command.agent)
    if agent is not None and command.presence:
        agent.shift = Shift.retold(command.presence, command.talks)
        agent.idle_anchor = max((ended_at for ended_at, _ in command.talks), default=0.0)


def stop_offering(floor: "Floor", _turn: Turn, _command: c.StopOffering) -> None:
    floor.offering = False


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    c.DefineQueue: define_queue,
    c.RemoveQueue: remove_queue,
    c.DefineAgent: define_agent,
    c.RemoveAgent: remove_agent,
    c.RestoreAgent: restore_agent,
    c.RestoreVisit: restore_visit,
    c.SignIn: sign_in,
    c.SignOut: sign_out,
    c.TakeBreak: take_break,
    c.BecomeAvailable: become_available,
    c.EndWrapUp: end_wrap_up,
    c.ExtendWrapUp: extend_wrap_up,
    c.HangUpCall: hang_up_call,
    c.AmendCall: amend_call,
    c.PutCallers: put_callers,
    c.RestoreTurn: restore_turn,
    c.RestoreService: restore_service,
    c.RestoreAmendment: restore_amendment,
    c.RestoreShift: restore_shift,
    c.RestorePlace: rejoining.restore,
    c.StopOffering: stop_offering,
}
