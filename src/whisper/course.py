"""What the PBX says of supervisors' legs, and what a snapshot shows of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import thirds
from acd.calls import CallState
from acd.ids import AgentId
from acd.supervision_events import SupervisionPaused
from acd.supervision_port import (
    EndSupervision,
    Quieten,
    RingSupervisor,
    SnapshotSupervisor,
    Supervise,
    SupervisorGone,
    SupervisorHears,
    SupervisorLoose,
    SupervisorMissed,
    SupervisorUp,
)
from acd.telephony import PbxSnapshot, RequestFailed, RequestFailure
from acd.turn import Turn
from whisper import follow, telling
from whisper.sessions import Place, Session, State

if TYPE_CHECKING:
    from whisper.supervision import Supervision


def up(supervision: "Supervision", turn: Turn, fact: SupervisorUp) -> None:
    session = supervision.sessions.get(fact.session)
    if session is not None and session.state is State.RINGING:
        session.move(State.QUIET, turn.now)
        follow.one(supervision, turn, session)


def missed(supervision: "Supervision", turn: Turn, fact: SupervisorMissed) -> None:
    session = supervision.sessions.get(fact.session)
    if session is not None:
        follow.end(supervision, turn, session, f"phone_{fact.cause}", leg_is_gone=True)


def hears(supervision: "Supervision", turn: Turn, fact: SupervisorHears) -> None:
    session = supervision.sessions.get(fact.session)
    if session is None or session.place is None or session.state is not State.JOINING:
        return
    if session.place.leg == fact.leg and session.sent is fact.mode:
        session.move(State.JOINED, turn.now)
        session.joined_at = turn.now


def loose(supervision: "Supervision", turn: Turn, fact: SupervisorLoose) -> None:
    """The agent's leg is over, perhaps before the books know. Unless the leg is sent elsewhere now, the PBX hangs it up."""
    session = supervision.sessions.get(fact.session)
    if session is None:
        return
    if session.state is State.JOINING and fact.mode is not None and fact.mode is not session.sent:
        return  # of the mode before: he was sent into another one meanwhile, with the same leg
    session.lost.add(fact.leg)
    if not session.is_up or (session.place is not None and session.place.leg != fact.leg):
        return  # sent elsewhere already
    if session.place is not None:
        session.place = session.sent = session.noted = session.joined_at = None
        session.taken = False
        session.move(State.QUIET, turn.now)
        turn.emit(SupervisionPaused(turn.now, session.id))
    follow.one(supervision, turn, session)
    if session.state is State.QUIET:
        turn.ask(Quieten(session.id))


def gone(supervision: "Supervision", turn: Turn, fact: SupervisorGone) -> None:
    session = supervision.sessions.get(fact.session)
    if session is not None:
        ringing = session.state is State.RINGING
        kept = supervision.floor.calls.get(session.kept) if session.kept is not None else None
        if kept is not None:
            thirds.left(supervision.floor, turn, session.leg, kept, fault=fact.fault)
        reason = "phone_failed" if ringing else "supervisor" if fact.hung_up else "leg_lost"
        follow.end(supervision, turn, session, reason, leg_is_gone=True)


def request_failed(supervision: "Supervision", turn: Turn, fact: RequestFailed) -> None:
    """What was certainly not done is not believed; of what may have been, the next snapshot tells."""
    request = fact.request
    if fact.why is RequestFailure.UNKNOWN_OUTCOME or not isinstance(request, RingSupervisor | Supervise):
        return
    session = supervision.sessions.get(request.session)
    if session is None:
        return
    if fact.why is RequestFailure.NOT_RECORDED:  # nobody hears anybody of whom that is not written down
        follow.end(supervision, turn, session, "not_recorded", leg_is_gone=isinstance(request, RingSupervisor))
    elif isinstance(request, RingSupervisor):
        follow.end(supervision, turn, session, "phone_failed", leg_is_gone=True)
    elif session.place is not None and session.place.leg == request.leg and session.state is State.JOINING:
        session.lost.add(request.leg)
        follow.quieten(turn, session)


# ---------------------------------------------------------------- snapshots


def snapshot(supervision: "Supervision", turn: Turn, fact: PbxSnapshot) -> None:
    """Bring the sessions of a PBX in line with its supervisors' legs. A leg that is no session's is ended."""
    found = {one.session: one for one in fact.supervisors}
    for session in [one for one in supervision.sessions.values() if one.pbx == fact.pbx]:
        shown = found.get(session.id)
        if session.state is not State.UNSEEN and 0 < fact.asked_at <= session.touched_at:
            continue  # younger than the answer
        if shown is None:
            where = follow.wanted(supervision.floor, session) if session.state is State.UNSEEN else None
            if isinstance(where, Place):
                telling.found(supervision, where)
            follow.end(supervision, turn, session, "unseen", leg_is_gone=True)
        else:
            _compare(supervision, turn, session, shown)
    for one in fact.supervisors:
        if one.session not in supervision.sessions:
            turn.ask(EndSupervision(one.session))


def _compare(supervision: "Supervision", turn: Turn, session: Session, shown: SnapshotSupervisor) -> None:
    """A leg that was found: how far it has come, if that went unseen."""
    if session.state is State.UNSEEN:
        session.move(State.QUIET if shown.up else State.RINGING, turn.now)
        _recognise(supervision, turn, session, shown)
    elif session.state is State.RINGING and shown.up:
        session.move(State.QUIET, turn.now)


def _recognise(supervision: "Supervision", turn: Turn, session: Session, shown: SnapshotSupervisor) -> None:
    """A session of an earlier run, where its leg is now. What it hears is as it was when it ought to be heard."""
    where = follow.wanted(supervision.floor, session)
    if isinstance(where, Place) and shown.leg == where.leg and shown.mode is not None:
        session.place, session.sent, session.noted = where, shown.mode, session.mode
        session.around = follow.stage_of(supervision.floor, where)
        session.move(State.JOINED, turn.now)
        return
    call = supervision.floor.calls.get(shown.call) if shown.call is not None else None
    if call is not None and shown.leg is not None and call.state is CallState.TALKING and call.talks[-1].leg is None:
        thirds.found(call, session.device, session.leg)
        had = next((talk.agent for talk in reversed(call.talks) if talk.agent is not None), session.heard)
        session.place, session.sent = Place(call.id, shown.leg, had or AgentId(""), call.queue), shown.mode
        session.taken, session.kept = True, call.id
        session.move(State.JOINED, turn.now)


HANDLERS: dict[type, Callable[["Supervision", Turn, Any], None]] = {
    SupervisorUp: up,
    SupervisorMissed: missed,
    SupervisorHears: hears,
    SupervisorLoose: loose,
    SupervisorGone: gone,
}
AFTER: dict[type, Callable[["Supervision", Turn, Any], None]] = {
    PbxSnapshot: snapshot,
    RequestFailed: request_failed,
}
