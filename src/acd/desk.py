"""What people ask: queues and agents defined, signing in and out, hanging up. Breaks and wrap-up have modules of their own.

A command either does its work or raises ``AcdError`` before it has changed anything.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import announcing, away, breaks, joining, overflow, rejoining, routing, wrapup
from acd import commands as c
from acd.agents import Agent, Free, Ringing, Status, Talking, WrapUp
from acd.calls import CallState, Visit
from acd.directory import normal
from acd.errors import Conflict, Invalid, illegal_transition, unknown
from acd.ids import DeviceId
from acd.queues import Queue
from acd.shift import Shift
from acd.sla import DecidedVisit
from acd.statuses import chosen, stop_ringing
from acd.strategies import STRATEGIES
from acd.telephony import DeviceState, HangUp
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
        breaks.grant(floor, turn)
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
        if not call.away:
            overflow.watch(floor, queue, call)
            announcing.plan(floor, call, queue)
    for call in waiting:
        queue.stand(call.place, call.needs)


def remove_queue(floor: "Floor", turn: Turn, command: c.RemoveQueue) -> None:
    queue = floor.queue(command.queue)
    in_it = queue.live_calls - len(queue.away) + away.open_in(floor, command.queue)
    if in_it:
        raise Conflict("queue_in_use", f"queue {command.queue} has callers", queue=command.queue, calls=in_it)
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
    breaks.join(agent)
    floor.refresh(agent, turn)
    breaks.grant(floor, turn)


def _leave_queues(floor: "Floor", agent: Agent) -> None:
    floor.unlist(agent)
    breaks.leave(agent)
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
    agent.idle_anchor = max(agent.idle_anchor, command.since, agent.shift.last_talk_at)
    floor.refresh(agent, turn)
    breaks.resume(floor, agent, turn.now, told=command.late_told)


def _seat(floor: "Floor", agent: Agent, device: DeviceId) -> None:
    """Give the agent a phone. On another PBX other callers wait for him: he is looked at as if he had just become free."""
    floor.unlist(agent)
    agent.sit(device, floor.state_of(device))
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
    if command.device is None:  # "available", said by somebody who is: no break is wanted any more
        breaks.drop(floor, turn, agent.id, "withdrawn")
    if agent.device is not None and agent.device != device:
        floor.at_device.pop(agent.device, None)
    moved = agent.device != device
    _seat(floor, agent, device)
    agent.rest_until = 0.0
    if agent.choose(Status.AVAILABLE, None, turn.now) or moved:
        agent.misses.clear()
        chosen(turn, agent)
    floor.refresh(agent, turn)


def _device_in_use(floor: "Floor", agent: Agent) -> DeviceId | None:
    """The agent's phone; of one who signed out while it rang or in a call, the phone of that call."""
    if agent.device is None and isinstance(agent.engagement, Ringing | Talking):
        call = floor.calls.get(agent.engagement.call)
        if call is not None and call.consult is not None and call.consult.agent == agent.id:
            return call.consult.device
        if call is not None and call.offer is not None:
            return next((phone for phone, whose in call.offer.phones.items() if whose == agent.id), None)
        return call.talk.device if call is not None and call.talk is not None else None
    return agent.device


def sign_out(floor: "Floor", turn: Turn, command: c.SignOut) -> None:
    agent = floor.agent(command.agent)
    if agent.status is Status.SIGNED_OUT:
        return
    wrapup.must_not_owe(floor, agent)
    agent.choose(Status.SIGNED_OUT, None, turn.now)
    breaks.drop(floor, turn, agent.id, "signed_out")
    wrapup.finish(floor, turn, agent)
    stop_ringing(floor, turn, agent)
    chosen(turn, agent)
    if agent.device is not None:
        floor.at_device.pop(agent.device, None)
        agent.sit(None, DeviceState.UNKNOWN)
    floor.refresh(agent, turn)


def become_available(floor: "Floor", turn: Turn, command: c.BecomeAvailable) -> None:
    agent = floor.agent(command.agent)
    if agent.status is Status.SIGNED_OUT:
        raise illegal_transition(f"agent {agent.id}", Status.SIGNED_OUT, Status.AVAILABLE)
    breaks.drop(floor, turn, agent.id, "withdrawn")
    agent.rest_until = 0.0
    if agent.choose(Status.AVAILABLE, None, turn.now):
        chosen(turn, agent)
    floor.refresh(agent, turn)


def hang_up_call(floor: "Floor", turn: Turn, command: c.HangUpCall) -> None:
    call = floor.call(command.call)
    if call.state is CallState.ENDED:
        raise illegal_transition(f"call {call.id}", call.state, CallState.ENDED)
    call.hang_up_asked = True
    turn.ask(HangUp(call.leg))


def amend_call(floor: "Floor", turn: Turn, command: c.AmendCall) -> None:
    call = floor.call(command.call)
    wrapup.check(floor, call.queue, command.disposition)
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
    wrapup.amend(turn, call, command.disposition, command.notes)
    wrapup.amended(floor, turn, call)


def restore_visit(floor: "Floor", _turn: Turn, command: c.RestoreVisit) -> None:
    queue = floor.queues.get(command.queue)
    if queue is None:
        raise unknown("queue", command.queue)
    spec = queue.spec
    short = command.short
    if short is None:
        short = command.outcome == "abandoned" and command.decided_at - command.entered_at < spec.short_abandon_s
    visit = DecidedVisit(command.entered_at, command.decided_at, command.outcome, short)
    queue.ledger.record(visit, command.target_s if command.target_s is not None else spec.service_level.target_s)
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
    c.BecomeAvailable: become_available,
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
