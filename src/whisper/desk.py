"""What people ask: sessions begun, moved from mode to mode and ended; calls taken over and handed back; rights that change.

A command either does its work or raises ``AcdError`` before it has changed anything.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import moving, wrapup
from acd.agents import Agent, Status, WrapUp
from acd.calls import CallState
from acd.commands import DefineAgent, DefineQueue, RemoveAgent, RemoveQueue, TransferCall
from acd.errors import Conflict, NotFound, illegal_transition, unknown
from acd.floor import Floor
from acd.ids import DeviceId, PbxId, SupervisionId, split_device
from acd.supervision_events import SupervisionBegun, SupervisionModeChosen
from acd.supervision_port import Mode, RingSupervisor
from acd.talks import TargetKind
from acd.telephony import DeviceState, HangUp
from acd.turn import Turn
from whisper import commands as c
from whisper import follow, policy
from whisper.policy import Supervisor
from whisper.sessions import Session, State

if TYPE_CHECKING:
    from whisper.supervision import Supervision


def start(supervision: "Supervision", turn: Turn, command: c.StartSupervision) -> None:
    floor = supervision.floor
    pbx, _ = split_device(command.device)
    if command.agent is not None:
        shows = _must_reach_agent(command.supervisor, floor.agent(command.agent), pbx)
    elif command.call is not None:
        shows = _must_reach_call(floor, command)
    else:
        raise NotFound("unknown_call", "neither an agent nor a call is named")
    _must_be_free(supervision, command.device, pbx)
    session = Session(
        supervision.new_id(pbx, turn.now),
        command.supervisor,
        command.device,
        command.agent,
        command.call,
        command.mode,
        turn.now,
        touched_at=turn.now,
    )
    supervision.sessions[session.id] = session
    who = command.supervisor
    turn.emit(
        SupervisionBegun(
            turn.now,
            session.id,
            who.token,
            who.name,
            who.role,
            session.device,
            session.agent,
            session.call,
            session.mode,
        )
    )
    turn.ask(RingSupervisor(session.id, session.device, command.ring_s, shows))


def _must_reach_agent(supervisor: Supervisor, agent: Agent, pbx: PbxId) -> str:
    if not policy.reaches(supervisor, agent.spec.queues):
        raise unknown("agent", agent.id)
    _must_not_be_exempt(agent)
    if agent.pbx not in (None, pbx):
        raise Conflict("other_pbx", f"agent {agent.id} is at another PBX than this phone", agent=agent.id)
    return str(agent.id)


def _must_reach_call(floor: Floor, command: c.StartSupervision) -> str:
    call = floor.call(command.call) if command.call is not None else None
    if call is None or call.state is not CallState.TALKING:
        state = call.state if call is not None else CallState.ENDED
        raise illegal_transition(f"call {command.call}", state, "supervised")
    agent = floor.agents.get(call.agent) if call.agent is not None else None
    if agent is None:
        raise illegal_transition(f"call {call.id}", "talking to nobody of ours", "supervised")
    if not policy.may_hear(command.supervisor, call.queue, agent.spec.queues):
        raise Conflict("outside_your_queues", f"call {call.id} is not in your queues any more", call=call.id)
    _must_not_be_exempt(agent)
    if call.private:
        raise Conflict("no_consent", f"the caller of {call.id} has not consented to be listened to", call=call.id)
    if call.pbx != split_device(command.device)[0]:
        raise Conflict("other_pbx", f"call {call.id} is on another PBX than this phone", call=call.id)
    return str(agent.id)


def _must_not_be_exempt(agent: Agent) -> None:
    if policy.is_exempt(agent.id, agent.lines):
        raise Conflict("supervision_forbidden", f"agent {agent.id} is not supervised", agent=agent.id)


def _must_be_free(supervision: "Supervision", device: DeviceId, pbx: PbxId) -> None:
    """The one rule: a phone is in one session at a time. So whoever supervises somebody supervises nobody else with it."""
    floor = supervision.floor
    at = supervision.at_device(device)
    if at is not None:
        raise Conflict("already_supervising", "this phone is in a supervision already", supervision=at.id)
    if device in floor.at_device:
        raise Conflict(
            "device_taken", f"agent {floor.at_device[device]} is signed in there", agent=floor.at_device[device]
        )
    if not floor.knows(pbx):
        raise Conflict("pbx_not_ready", f"PBX {pbx} cannot be told anything now", pbx=pbx)
    state = floor.state_of(device)
    if state in (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN):
        raise Conflict("phone_unreachable", "this phone is not registered", current=state)
    if state is not DeviceState.NOT_IN_USE:
        raise Conflict("phone_busy", "this phone is in use", current=state)


def _session(supervision: "Supervision", wanted: SupervisionId) -> Session:
    found = supervision.sessions.get(wanted)
    if found is not None:
        return found
    if wanted in supervision.ended:
        raise illegal_transition(f"supervision {wanted}", State.ENDED, "changed")
    raise unknown("supervision", wanted)


def change_mode(supervision: "Supervision", turn: Turn, command: c.ChangeMode) -> None:
    session = _session(supervision, command.supervision)
    if session.mode is command.mode:
        return
    if session.taken:
        raise Conflict("taken_over", "the caller has nobody else: hand the call back first", supervision=session.id)
    if not supervision.floor.knows(session.pbx):
        raise Conflict("pbx_not_ready", f"PBX {session.pbx} cannot be told anything now", pbx=session.pbx)
    if session.is_member and session.place is not None and session.place.call not in supervision.floor.calls:
        raise Conflict("call_ended", "the caller has left: only the agent is still there", supervision=session.id)
    _set_mode(supervision, turn, session, command.mode)


def _set_mode(supervision: "Supervision", turn: Turn, session: Session, mode: Mode) -> None:
    session.mode, session.beside = mode, False
    before = session.sent
    follow.one(supervision, turn, session)
    if session.sent is before:
        turn.emit(SupervisionModeChosen(turn.now, session.id, mode))


def stop(supervision: "Supervision", turn: Turn, command: c.StopSupervision) -> None:
    follow.end(supervision, turn, _session(supervision, command.supervision), "supervisor")


def take_over(supervision: "Supervision", turn: Turn, command: c.TakeOver) -> None:
    """The agent's leg is hung up; that he has left is told by the PBX."""
    session = _session(supervision, command.supervision)
    call = supervision.floor.calls.get(session.place.call) if session.place is not None else None
    if not session.is_member or session.place is None or call is None or session.taken:
        raise Conflict(
            "not_in_conference", "only who is in conference with agent and caller can take over", supervision=session.id
        )
    turn.ask(HangUp(session.place.leg))


def hand_back(supervision: "Supervision", turn: Turn, command: c.HandBack) -> None:
    session = _session(supervision, command.supervision)
    if not session.taken or session.place is None:
        raise Conflict("not_taken_over", "this caller is not the supervisor's to hand back", supervision=session.id)
    floor, call = supervision.floor, session.place.call
    agent = floor.agent(command.agent or session.place.agent)
    if isinstance(agent.engagement, WrapUp) and agent.engagement.call == call:
        _must_be_reachable(agent)
        wrapup.finish(floor, turn, agent, forced=True)
    moving.transfer_call(floor, turn, TransferCall(call, TargetKind.AGENT, agent.id))
    session.taken = False
    session.mode = Mode.LISTEN
    follow.quieten(turn, session)


def _must_be_reachable(agent: Agent) -> None:
    """Before his wrap-up is ended for it."""
    if agent.status is not Status.AVAILABLE or agent.device_state is not DeviceState.NOT_IN_USE:
        raise Conflict(
            "agent_not_free", f"agent {agent.id} cannot take it now", agent=agent.id, current=agent.device_state
        )


def limit(supervision: "Supervision", turn: Turn, command: c.LimitSupervisor) -> None:
    for session in [one for one in supervision.sessions.values() if one.supervisor.token == command.token]:
        if command.supervisor is None:
            follow.end(supervision, turn, session, "right_lost")
        else:
            session.supervisor = command.supervisor
            follow.one(supervision, turn, session)


def restore(supervision: "Supervision", turn: Turn, command: c.RestoreSupervision) -> None:
    """Nothing is believed of it before a snapshot shows its leg, or does not."""
    supervision.sessions[command.supervision] = Session(
        command.supervision,
        command.supervisor,
        command.device,
        command.agent,
        command.call,
        command.mode,
        command.began_at,
        State.UNSEEN,
        touched_at=turn.now,
        heard=command.heard,
    )


def _rights_changed(_supervision: "Supervision", _turn: Turn, _command: object) -> None:
    """Queues and agents are others than before: everybody is looked at."""


HANDLERS: dict[type, Callable[["Supervision", Turn, Any], None]] = {
    c.StartSupervision: start,
    c.ChangeMode: change_mode,
    c.StopSupervision: stop,
    c.TakeOver: take_over,
    c.HandBack: hand_back,
    c.LimitSupervisor: limit,
    c.RestoreSupervision: restore,
}
AFTER: dict[type, Callable[["Supervision", Turn, Any], None]] = {
    DefineAgent: _rights_changed,
    DefineQueue: _rights_changed,
    RemoveAgent: _rights_changed,
    RemoveQueue: _rights_changed,
}
