"""What callers are asked after a conversation: one question, answered by a key from 1 to 5, if the queue wants it.

It is offered when the agent has hung up, never instead of a way back into the line; the PBX asks and tells the answer.
"""

from dataclasses import dataclass

from acd.ids import AgentId, CallId, LegId, QueueId
from acd.record import record

SCORES = range(1, 6)


@dataclass(frozen=True, slots=True)
class SurveyPolicy:
    """``offered``: whether callers are asked."""

    offered: bool = False


NO_SURVEY = SurveyPolicy()


@record
class AskCaller:
    """Request: put the question to a caller whose conversation is over; then the PBX ends the call."""

    call: CallId
    leg: LegId


@record
class CallerAnswered:
    """Fact: the caller has pressed a key, or none (0). ``score`` is what was pressed, whatever it was."""

    call: CallId
    score: int


@record
class SurveyOffered:
    """Event: the caller is being asked."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None


@record
class SurveyAnswered:
    """Event: the caller has given a score, or (None) has not."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    score: int | None


@record
class SurveyFailed:
    """Event: the caller could not be asked; the call ends as without a question."""

    at: float
    call: CallId
    queue: QueueId
    why: str


SurveyEvent = SurveyOffered | SurveyAnswered | SurveyFailed
