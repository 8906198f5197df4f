"""Where each session belongs, and bringing it there.

A session is only ever sent into the conversation of one agent's leg, named exactly; when that leg is over it hears nothing until it
is sent into another one. So whatever comes late or goes wrong, nobody hears a conversation that this module did not choose.
"""

from typing import TYPE_CHECKING

from acd import thirds
from acd.agents import Agent, Talking
from acd.calls import Call, CallState
from acd.consult_port import ConsultStage
from acd.floor import Floor
from acd.supervision_events import (
    CallTakenOver,
    HelpSettled,
    SupervisionEnded,
    SupervisionMoved,
    SupervisionPaused,
)
from acd.supervision_port import EndSupervision, Mode, Quieten, Supervise
from acd.telephony import AgentHungUp, AgentLegGone, HangUp
from acd.turn import Turn
from whisper import policy
from whisper.sessions import Place, Session, State

if TYPE_CHECKING:
    from whisper.supervision import Supervision

ENDED_KEPT = 500
"""Sessions that have ended and can still be read live; storage has them all."""


def wanted(floor: Floor, session: Session) -> Place | str | None:
    """The conversation that the session belongs into; None: none now; a word: the session is over, and why."""
    if session.agent is not None:
        return _with_agent(floor, session)
    call = floor.calls.get(session.call) if session.call is not None else None
    if call is None:
        return "call_ended"
    own = session.supervisor.queues
    if own is not None and call.queue not in own:
        return "right_lost"
    if call.private:
        return "no_consent"
    talk = call.talks[-1] if call.state is CallState.TALKING else None
    agent = floor.agents.get(talk.agent) if talk is not None and talk.agent is not None else None
    if agent is None:
        return None
    return policy.refusal(session.supervisor, call.queue, agent) or _place(floor, session, call, agent)


def _with_agent(floor: Floor, session: Session) -> Place | str | None:
    agent = floor.agents.get(session.agent) if session.agent is not None else None
    if agent is None:
        return "agent_gone"
    if not policy.reaches(session.supervisor, agent.spec.queues) or policy.is_exempt(agent.id, agent.lines):
        return "right_lost"
    engaged = agent.engagement
    call = floor.calls.get(engaged.call) if isinstance(engaged, Talking) else None
    if call is None or call.private or policy.refusal(session.supervisor, call.queue, agent) is not None:
        return None  # a call of somebody else's queue, or of a caller who will not have it, is not heard; the next one may be
    return _place(floor, session, call, agent)


def _place(floor: Floor, session: Session, call: Call, agent: Agent) -> Place | None:
    """The agent's leg in the call: he has the caller, or is asked by whoever has."""
    consult = call.consult
    talk = consult.talk if consult is not None and consult.agent == agent.id else call.talks[-1] if call.talks else None
    if talk is None or talk.agent != agent.id or talk.ended_at is not None or talk.leg is None:
        return None
    if call.pbx != session.pbx or talk.leg in session.lost or _with_an_exempt(floor, call, agent):
        return None
    return Place(call.id, talk.leg, agent.id, call.queue)


def _with_an_exempt(floor: Floor, call: Call, agent: Agent) -> bool:
    """Whether the agent consults, or is asked by, a colleague who is not supervised."""
    consult = call.consult
    if consult is None or consult.talk is None or consult.stage is ConsultStage.SWAPPED:
        return False
    others = [floor.agents[one] for one in (consult.by, consult.agent) if one in floor.agents and one != agent.id]
    return any(policy.is_exempt(other.id, other.lines) for other in others)


def stage_of(floor: Floor, place: Place) -> ConsultStage | None:
    """Who else has a part in the conversation of that place: how far a consult in it has come."""
    call = floor.calls.get(place.call)
    return call.consult.stage if call is not None and call.consult is not None else None


def everybody(supervision: "Supervision", turn: Turn, message: object = None) -> None:
    """Bring every session where it belongs."""
    for session in tuple(supervision.sessions.values()):
        one(supervision, turn, session, message)


def one(supervision: "Supervision", turn: Turn, session: Session, message: object = None) -> None:
    """Bring one session where it belongs. ``message`` is what the floor has just taken in."""
    if session.state in (State.UNSEEN, State.ENDED):
        return
    place = session.place
    if place is not None and not policy.owns(session.supervisor, place.queue):
        end(supervision, turn, session, "right_lost")
        return
    if _keeps_the_caller(supervision.floor, session):
        return
    where = wanted(supervision.floor, session)
    if isinstance(where, str):
        if not (where == "call_ended" and session.is_member):  # else agent and supervisor talk on
            end(supervision, turn, session, where)
    elif not session.is_up:
        return
    elif where is None:
        _leave(supervision, turn, session, message)
    else:
        join(supervision, turn, session, where)


def _keeps_the_caller(floor: Floor, session: Session) -> bool:
    """Whether the caller whom the supervisor has taken over is still his."""
    if session.taken and session.place is not None:
        call = floor.calls.get(session.place.call)
        session.taken = call is not None and call.state is CallState.TALKING and call.talks[-1].leg == session.leg
    return session.taken


def join(supervision: "Supervision", turn: Turn, session: Session, place: Place) -> None:
    """Into that conversation, in the session's mode; nothing to do if it is there already."""
    stage = stage_of(supervision.floor, place)
    how = _how(supervision, session, place, stage)
    # Who breaks in speaks to the one who is there at that moment: when another one comes he has to do it anew.
    if session.place == place and session.sent is how and (how is not Mode.BARGE or session.around is stage):
        return
    new = session.place != place
    if new or session.noted is not session.mode:
        turn.emit(SupervisionMoved(turn.now, session.id, place.call, place.queue, place.agent, session.mode))
    session.place, session.sent, session.noted, session.around = place, how, session.mode, stage
    session.move(State.JOINING, turn.now)
    tone = new and supervision.floor.queues[place.queue].spec.supervision.tone
    turn.ask(Supervise(session.id, how, place.call, place.leg, tone))
    asked = supervision.help.get(place.agent)
    if asked is not None and asked.call == place.call:
        del supervision.help[place.agent]
        turn.emit(HelpSettled(turn.now, asked.agent, asked.call, asked.queue, "joined"))


def _how(supervision: "Supervision", session: Session, place: Place, stage: ConsultStage | None) -> Mode:
    """The mode, but a barge beside a conference is one too: a PBX can only break into a conversation of two.

    In a consult it is the other way round: agent and colleague part again, and a third member would keep their bridge together. So
    a conference is a barge until all three talk.
    """
    if session.mode not in (Mode.BARGE, Mode.CONFERENCE):
        return session.mode
    if stage is not None:
        session.beside = stage is ConsultStage.MERGED
        return Mode.CONFERENCE if session.beside else Mode.BARGE
    if session.mode is Mode.CONFERENCE:
        return Mode.CONFERENCE
    if session.place == place and session.beside:
        return Mode.CONFERENCE
    others = (other for other in supervision.sessions.values() if other is not session and other.is_up)
    floor = supervision.floor
    session.beside = any(other.mode is Mode.CONFERENCE and wanted(floor, other) == place for other in others)
    return Mode.CONFERENCE if session.beside else Mode.BARGE


def _leave(supervision: "Supervision", turn: Turn, session: Session, message: object) -> None:
    """The conversation is over, or no more for this supervisor."""
    place = session.place
    if place is None:
        return
    call = supervision.floor.calls.get(place.call)
    if session.is_member and place.leg not in session.lost:
        if call is None:
            return  # the caller has left; agent and supervisor talk on
        if (
            call.state is CallState.AFTER
            and isinstance(message, AgentHungUp | AgentLegGone)
            and message.leg == place.leg
        ):
            thirds.talk_on(turn, call, session.device, session.leg)
            session.taken, session.kept = True, call.id
            turn.emit(CallTakenOver(turn.now, call.id, call.queue, place.agent, session.id))
            return
        if call.state is not CallState.TALKING or call.talks[-1].leg != place.leg:
            turn.ask(HangUp(place.leg))  # the caller was passed on: agent and supervisor would be left with each other
    quieten(turn, session)


def quieten(turn: Turn, session: Session) -> None:
    """Out of the conversation; the leg stays."""
    session.place = session.sent = session.noted = session.joined_at = None
    session.move(State.QUIET, turn.now)
    turn.emit(SupervisionPaused(turn.now, session.id))
    turn.ask(Quieten(session.id))


def end(supervision: "Supervision", turn: Turn, session: Session, reason: str, *, leg_is_gone: bool = False) -> None:
    """The session is over. A caller who was taken over and whose supervisor must leave goes back to the line."""
    floor = supervision.floor
    if reason == "right_lost" and _keeps_the_caller(floor, session) and session.place is not None:
        thirds.give_up(floor, turn, floor.calls[session.place.call])
    session.move(State.ENDED, turn.now)
    session.ended_at, session.reason = turn.now, reason
    supervision.sessions.pop(session.id, None)
    supervision.ended[session.id] = session
    while len(supervision.ended) > ENDED_KEPT:
        supervision.ended.popitem(last=False)
    turn.emit(SupervisionEnded(turn.now, session.id, reason))
    if not leg_is_gone:
        turn.ask(EndSupervision(session.id))
