"""What became of attempts that nobody saw end: after a restart, a lost link, and when something expected did not come.

The PBX keeps a marker of each attempt that outlives its channels, and refuses attempts of an earlier run of the service. So: a
channel lives: it goes on. No channel, and a marker with a result: that is the result. No channel and no marker on the same boot
of the PBX: it was never dialled. On another boot nobody can say, and an unknown attempt is not repeated blindly: it counts.
"""

from typing import TYPE_CHECKING

from acd import callback_port as p
from acd import telephony as t
from acd.callback_events import CallbackEnd
from acd.callback_policy import AttemptResult
from acd.ids import pbx_of
from acd.turn import Turn
from callback import dialling
from callback.sessions import Attempt, Session, SessionState, callback_of_attempt

if TYPE_CHECKING:
    from acd.floor import Floor
    from callback.keeper import Callbacks

GRACE_S = 3.0
"""An attempt that was sent so shortly before a look may not be seen by it."""

LOOKS = 2
"""So many looks must find a marker without a result and no channel before the attempt is given up."""


def looked(keeper: "Callbacks", _floor: "Floor", turn: Turn, fact: t.PbxSnapshot) -> None:
    """A snapshot was taken in: ask for the marker of every attempt that should live and does not."""
    for call in [one for one in keeper.regained if pbx_of(one) == fact.pbx and one not in _floor.calls]:
        del keeper.regained[call]  # he left while nobody looked, served or not
    alive = dict(fact.attempts)
    asked_at = fact.asked_at or turn.now
    for session in [one for one in keeper.sessions.values() if one.pbx == fact.pbx]:
        attempt = session.attempt
        if attempt is None or session.state not in (SessionState.DIALLING, SessionState.ON):
            continue
        if attempt.id in alive:
            attempt.stage, attempt.missing = alive[attempt.id], 0
        elif session.state is SessionState.ON:
            if session.on not in _floor.calls:
                turn.ask(p.ReadAttempt(session.pbx, attempt.id))
        elif attempt.sent_at is None or attempt.sent_at + GRACE_S <= asked_at:
            turn.ask(p.ReadAttempt(session.pbx, attempt.id))


def read(keeper: "Callbacks", floor: "Floor", turn: Turn, fact: p.AttemptRead) -> None:
    """What a marker says of an attempt that no channel belongs to."""
    session = keeper.sessions.get(callback_of_attempt(fact.attempt))
    attempt = session.attempt if session is not None else None
    if session is None or attempt is None or attempt.id != fact.attempt:
        return
    if session.state is SessionState.ON and session.on not in floor.calls:
        _gone(keeper, floor, turn, session, fact.found)
    elif session.state is SessionState.DIALLING:
        _settle(keeper, floor, turn, session, attempt, fact.found)


def _settle(
    keeper: "Callbacks",
    floor: "Floor",
    turn: Turn,
    session: Session,
    attempt: Attempt,
    found: p.AttemptStage | AttemptResult | None,
) -> None:
    rebooted = attempt.boot != (floor.pbxs[session.pbx].boot or "")
    match found:
        case None:
            result = AttemptResult.UNKNOWN if rebooted else AttemptResult.NOT_DIALLED
            dialling.over(keeper, floor, turn, session, result)
        case AttemptResult():
            dialling.over(keeper, floor, turn, session, found)
        case p.AttemptStage.ON | p.AttemptStage.TALKED:
            attempt.result, attempt.ended_at = AttemptResult.CONNECTED, turn.now
            session.move(SessionState.ON)
            _gone(keeper, floor, turn, session, found)
        case _:
            attempt.missing += 1
            if rebooted or attempt.missing >= LOOKS:
                dialling.over(keeper, floor, turn, session, AttemptResult.UNKNOWN)
            else:
                turn.ask(t.Resync(session.pbx, "attempt_missing"))


def _gone(
    keeper: "Callbacks", floor: "Floor", turn: Turn, session: Session, found: p.AttemptStage | AttemptResult | None
) -> None:
    """The customer was on and is not any more."""
    attempt = session.attempt
    rebooted = attempt is not None and attempt.boot != (floor.pbxs[session.pbx].boot or "")
    if found is p.AttemptStage.TALKED:
        keeper.end(floor, turn, session, CallbackEnd.REACHED, session.on)
    elif rebooted:
        dialling.lost(keeper, floor, turn, session)
    else:
        keeper.end(floor, turn, session, CallbackEnd.HUNG_UP, session.on)
