"""Frozen pictures of callbacks, for those who look from outside."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from acd import picture
from acd.callback_events import CallbackEnded
from acd.callback_policy import AttemptResult
from acd.calls import Call
from acd.ids import AttemptId, CallbackId, CallId, QueueId
from acd.words import Word
from callback import at_once
from callback.keeper import Callbacks
from callback.places import entry_of
from callback.sessions import Session, SessionState

if TYPE_CHECKING:
    from acd.floor import Floor


class Shown(Word):
    """How many callbacks of a queue there are, by what they wait for. A closed set: it is a metric label."""

    SCHEDULED = "scheduled"  # the window has not begun
    WAITING = "waiting"  # in line
    DIALLING = "dialling"
    ON = "on"


@dataclass(frozen=True, slots=True)
class LiveCallback:
    """What storage does not know of an open callback: where it is now."""

    id: CallbackId
    state: SessionState
    position: int | None
    next_at: float | None
    results: dict[AttemptId, tuple[AttemptResult, float]]  # of attempts that are over, and when
    on: CallId | None
    held_up: str | None = None  # why it is not dialled, whoever is free
    over: CallbackEnded | None = None


def live(floor: "Floor", callback: CallbackId, now: float) -> LiveCallback | None:
    """Open, or one of the last that have ended; None of any other."""
    session, over = _sessions(floor).get(callback), None
    if session is None and isinstance(floor.keeper, Callbacks):
        session, over = floor.keeper.ended.get(callback, (None, None))
    if session is None:
        return None
    entry = entry_of(floor, session)
    position = picture.position_of(floor, entry) if entry is not None else None
    next_at = session.next_at if session.next_at > now else None
    results = {one.id: (one.result, one.ended_at or now) for one in session.attempts if one.result is not None}
    held_up = at_once.why(floor.keeper, floor, callback, now) if isinstance(floor.keeper, Callbacks) else None
    return LiveCallback(session.id, session.state, position, next_at, results, session.on, held_up, over)


def of_caller(floor: "Floor", call: Call) -> tuple[CallbackId, bool] | None:
    """The callback that is open for the number of a caller in his queue, and whether he stands at its place."""
    if not isinstance(floor.keeper, Callbacks):
        return None
    rung_into = floor.keeper.regained.get(call.id)
    if rung_into is not None:
        return rung_into.id, True
    found = floor.keeper.by_number.get((call.caller or "", call.queue))
    return (found, False) if found is not None else None


def rung_into(floor: "Floor") -> dict[CallbackId, str]:
    """The number of each callback that goes on if whoever has rung into its place leaves."""
    found = floor.keeper.regained.values() if isinstance(floor.keeper, Callbacks) else ()
    return {one.id: one.number for one in found}


def counts(floor: "Floor", queue: QueueId) -> dict[Shown, int]:
    """The open callbacks of a queue."""
    found = dict.fromkeys(Shown, 0)
    for session in _sessions(floor).values():
        if session.queue == queue:
            found[_shown(floor, session)] += 1
    return found


def _sessions(floor: "Floor") -> dict[CallbackId, Session]:
    return floor.keeper.sessions if isinstance(floor.keeper, Callbacks) else {}


def _shown(floor: "Floor", session: Session) -> Shown:
    match session.state:
        case SessionState.PLANNED | SessionState.DIALLING:
            return Shown.DIALLING
        case SessionState.ON:
            return Shown.ON
        case _:
            waits = session.state is SessionState.PROMISED or entry_of(floor, session) is not None
            return Shown.WAITING if waits else Shown.SCHEDULED
