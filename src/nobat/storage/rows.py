"""Domain values as rows. What comes from callers is made storable here: no zero bytes, no broken characters, no overlong text."""

from typing import Any

from acd.events import AgentStatusChosen, CallAmended, QueueClosed, TalkEnded, VisitDecided, WrapUpEnded
from acd.ids import pbx_of
from acd.recording_events import RecordingBegan, RecordingEnded
from acd.surveys import SurveyAnswered, SurveyOffered
from acd.views import CallView
from nobat.limit_json import closing_json
from nobat.storage import parts
from nobat.storage.database import when

Row = dict[str, Any]


LONGEST_TEXT = 200
_ROUNDING_S = 1e-5
"""A difference of two times may be a millionth too short; a talk is never to begin before the visit it ends, if nobody waited."""


def clean(text: str | None, length: int = LONGEST_TEXT) -> str | None:
    """Text that every database takes."""
    if text is None:
        return None
    if text.isascii() and "\0" not in text:
        return text[:length]
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:length]


def call_row(call: CallView) -> Row:
    return {
        "id": call.id,
        "leg": call.leg,
        "pbx": call.pbx,
        "queue_id": call.queue,
        "number": clean(call.number),
        "name": clean(call.name),
        "priority": call.priority,
        "entered_at": when(call.entered_at),
        "waited_s": call.waited_s,
        "outcome": call.outcome.value if call.outcome is not None else None,
        "agent_id": call.agent,
        "device": clean(call.device, 128),
        "agent_leg": clean(call.talks[-1].leg, 128) if call.talks else None,
        "parts": parts.of_call(call),
        "connected_at": when(call.connected_at) if call.connected_at is not None else None,
        "talk_s": call.talk_s,
        "hold_s": call.hold_s,
        "ended_at": when(call.ended_at) if call.ended_at is not None else None,
        "ended_by": call.ended_by,
        "disposition": clean(call.disposition),
        "notes": clean(call.notes, 10_000),
        "language": clean(call.language, 40),
        "place_since": when(call.place_since) if call.place_since is not None else None,
        "survey": call.survey,
        "callback_id": call.callback,
    }


def party_rows(call: CallView) -> list[Row]:
    """Whoever had a part in the call before the last, which its own row names."""
    agents = {talk.agent for talk in call.talks} - {call.agent, None}
    queues = {visit.queue for visit in call.visits} - {call.queue}
    return [
        {"role": role, "party_id": party, "entered_at": when(call.entered_at), "call_id": call.id}
        for role, parties in (("agent", agents), ("queue", queues))
        for party in sorted(str(one) for one in parties)
    ]


def visit_row(event: VisitDecided) -> Row:
    return {
        "call_id": event.call,
        "queue_id": event.queue,
        "entered_at": when(event.entered_at),
        "decided_at": when(event.entered_at + event.waited_s),
        "outcome": event.outcome.value,
        "waited_s": event.waited_s,
        "short": event.short,
        "reason": event.limit.value if event.limit is not None else None,
        "led_to": clean(event.led_to),
        "target_s": event.target_s,
        "segment": clean(event.segment, 40),
        "skills": ",".join(event.skills) or None,
    }


def talk_row(event: TalkEnded) -> Row:
    return {
        "call_id": event.call,
        "agent_id": event.agent,
        "ended_at": when(event.at),
        "queue_id": event.queue,
        "began_at": when(min(event.at, event.at - event.talk_s + _ROUNDING_S)),
        "talk_s": event.talk_s,
        "hold_s": event.hold_s,
        "wrap_up_s": None,
        "fault": event.fault,
    }


def wrap_up_row(event: WrapUpEnded) -> Row:
    """Parameters of an update: the names are those of bound values, not of columns."""
    return {"of_call": event.call, "of_agent": event.agent, "seconds": event.wrap_up_s}


def amendment_row(event: CallAmended) -> Row:
    """Parameters of an update."""
    return {
        "of_call": event.call,
        "new_priority": event.priority,
        "new_disposition": clean(event.disposition),
        "new_notes": clean(event.notes, 10_000),
    }


def recording_row(event: RecordingBegan) -> Row:
    return {
        "id": event.recording,
        "pbx": pbx_of(event.call),
        "call_id": event.call,
        "queue_id": event.queue,
        "agent_id": event.agent,
        "number": clean(event.number),
        "mode": event.mode.value,
        "began_at": when(event.at),
        "state": "open",
        "supervised": False,
    }


def recording_end_row(event: RecordingEnded) -> Row:
    """Parameters of an update."""
    return {"of_recording": event.recording, "ended": when(event.at)}


def survey_row(event: SurveyOffered | SurveyAnswered) -> Row:
    return {
        "call_id": event.call,
        "queue_id": event.queue,
        "agent_id": event.agent,
        "at": when(event.at),
        "score": event.score if isinstance(event, SurveyAnswered) else None,
    }


def closing_row(event: QueueClosed) -> Row:
    return {"queue_id": event.queue, "since": when(event.at), "data": closing_json(event.closing)}


def status_row(event: AgentStatusChosen) -> Row:
    return {
        "agent_id": event.agent,
        "status": event.status.value,
        "reason": clean(event.reason),
        "device": clean(event.device, 128),
        "since": when(event.at),
    }
