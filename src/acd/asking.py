"""The question after the conversation: when it is put, and what becomes of the answer.

``acd.calling`` asks here before it ends a call whose agent has hung up; ``acd.floor`` calls the handlers. A question that cannot
be put ends the call and is counted: no caller is kept for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import telephony as t
from acd.calls import Call, CallState
from acd.surveys import SCORES, AskCaller, CallerAnswered, SurveyAnswered, SurveyFailed, SurveyOffered
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor


def offered(floor: "Floor", turn: Turn, call: Call) -> bool:
    """Put the question, if the queue wants it and it was not put before. Else the call may end."""
    by_us = call.ended_by in ("agent", "supervisor")
    if not floor.queues[call.queue].spec.survey.offered or call.asked or not by_us or call.hang_up_asked:
        return False
    call.asked = True
    turn.emit(SurveyOffered(turn.now, call.id, call.queue, call.agent))
    turn.ask(AskCaller(call.id, call.leg))
    return True


def is_asked(call: Call) -> bool:
    """Whether the question is being heard: the dialplan ends the call after it. So it was before a restart, too."""
    return call.asked and call.state is CallState.AFTER


def answered(floor: "Floor", turn: Turn, fact: CallerAnswered) -> None:
    """The first answer counts."""
    call = floor.calls.get(fact.call)
    if call is None or not call.asked or call.score is not None:
        return
    call.score = fact.score if fact.score in SCORES else None
    turn.emit(SurveyAnswered(turn.now, call.id, call.queue, call.agent, call.score))


def not_asked(floor: "Floor", turn: Turn, fact: t.RequestFailed) -> None:
    """Asterisk would not: the call ends as it would have ended anyway."""
    if not isinstance(fact.request, AskCaller):
        return
    call = floor.calls.get(fact.request.call)
    if call is not None and call.state is CallState.AFTER:
        turn.emit(SurveyFailed(turn.now, call.id, call.queue, fact.why))
        turn.ask(t.HangUp(call.leg))


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {CallerAnswered: answered}
