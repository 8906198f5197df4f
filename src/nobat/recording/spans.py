"""What of a recording must be silent, from what people asked: pure arithmetic.

Asterisk itself is silent in a pause. This is the second lock on the same door: what was asked for counts from the moment at
which it was promised, also where the service died before Asterisk had heard of it.
"""

from collections.abc import Sequence
from enum import StrEnum

from acd.recordings import TRANSITIONS, RecordingAction, RecordingMode, RecordingState, first_state

Asked = Sequence[tuple[float, RecordingAction]]
Spans = Sequence[tuple[float, float]]


class Step(StrEnum):
    """What history says of the caller's place in a call."""

    HELD = "CallHeld"
    RESUMED = "CallResumed"
    ASKED = "ConsultAsked"  # a consult has begun …
    SETTLED = "ConsultChanged"  # … or is over


def state_after(mode: RecordingMode, asked: Asked) -> tuple[RecordingState, float | None]:
    """How a recording stands after all that was asked of it, and since when; None: as it began."""
    state, since = first_state(mode), None
    for at, action in asked:
        possible, following = TRANSITIONS[action]
        if state in possible:
            state, since = following, at
    return state, since


def silent_spans(
    mode: RecordingMode, asked: Asked, began_at: float, end_s: float, absent: Spans = ()
) -> tuple[tuple[float, float], ...]:
    """Spans of silence in seconds from the beginning, in order; ``end_s`` is the length of the recording.

    ``absent``: moments between which nothing was written at all, so that what came later stands earlier in the file.
    """
    spans: list[tuple[float, float]] = []
    state, since = first_state(mode), 0.0
    for at, action in asked:
        possible, following = TRANSITIONS[action]
        if state not in possible:
            continue
        offset = max(0.0, at - began_at - missing_s(absent, began_at, at))
        if state is not RecordingState.RUNNING and following is RecordingState.RUNNING:
            spans.append((since, offset))
        elif state is RecordingState.RUNNING:
            since = offset
        state = following
    if state is not RecordingState.RUNNING:
        spans.append((since, end_s))
    return tuple((start, min(end, end_s)) for start, end in spans if start < end_s)


def missing_s(absent: Spans, began_at: float, at: float) -> float:
    """How much of the time between these two moments was not written."""
    return sum(max(0.0, min(end, at) - max(start, began_at)) for start, end in absent)


def absences(steps: Sequence[tuple[float, Step]], ended_at: float) -> tuple[tuple[float, float], ...]:
    """When the caller was out of every conversation, on hold because the agent asked somebody else: nothing is written then.

    A phone's own hold is none: the caller hears music in the conversation. ``steps`` of the call, in order.
    """
    found: list[tuple[float, float]] = []
    held, consults, since = False, False, None
    for at, step in steps:
        match step:
            case Step.HELD | Step.RESUMED:
                held = step is Step.HELD
            case Step.ASKED | Step.SETTLED:
                consults = step is Step.ASKED
        if held and consults:
            since = at if since is None else since
        elif since is not None:
            found.append((since, at))
            since = None
    return (*found, (since, ended_at)) if since is not None else tuple(found)


def demanded(mode: RecordingMode, asked: Asked) -> bool:
    """Whether anything of it is to be kept."""
    return mode is not RecordingMode.ON_DEMAND or any(action is RecordingAction.START for _, action in asked)
