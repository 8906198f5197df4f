"""Frozen pictures of sessions for readers. Built on demand; nobody outside holds a live session."""

from dataclasses import dataclass

from acd.ids import AgentId, CallId, DeviceId, SupervisionId
from acd.supervision_port import Mode
from whisper.policy import Supervisor
from whisper.sessions import Place, Session, State
from whisper.supervision import Supervision


@dataclass(frozen=True, slots=True)
class SupervisionView:
    """``place`` is the conversation it is in, or on the way into. ``taken_over``: the agent has left it."""

    id: SupervisionId
    supervisor: Supervisor
    device: DeviceId
    agent: AgentId | None
    call: CallId | None
    mode: Mode
    state: State
    place: Place | None
    taken_over: bool
    began_at: float
    joined_at: float | None
    ended_at: float | None
    reason: str | None


def of(session: Session) -> SupervisionView:
    return SupervisionView(
        session.id,
        session.supervisor,
        session.device,
        session.agent,
        session.call,
        session.mode,
        session.state,
        session.place if session.state is not State.ENDED else None,
        session.taken,
        session.began_at,
        session.joined_at,
        session.ended_at,
        session.reason,
    )


def live(supervision: Supervision) -> list[SupervisionView]:
    """All that have not ended, the newest first."""
    return [of(one) for one in reversed(tuple(supervision.sessions.values()))]


def known(supervision: Supervision, wanted: SupervisionId) -> SupervisionView | None:
    """A session that lives or has ended lately."""
    found = supervision.sessions.get(wanted) or supervision.ended.get(wanted)
    return of(found) if found is not None else None


def latest_at(supervision: Supervision, device: DeviceId) -> SupervisionView | None:
    """The session of a phone that began last."""
    there = [one for one in (*supervision.sessions.values(), *supervision.ended.values()) if one.device == device]
    return of(max(there, key=lambda one: (one.began_at, one.id))) if there else None
