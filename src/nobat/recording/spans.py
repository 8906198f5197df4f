"""What of a recording must be silent, from what people asked: pure arithmetic.

Asterisk itself is silent in a pause. This is the second lock on the same door: what was asked for counts from the moment at
which it was promised, also where the service died before Asterisk had heard of it.
"""

from collections.abc import Sequence

from acd.recordings import TRANSITIONS, RecordingAction, RecordingMode, RecordingState, first_state

Asked = Sequence[tuple[float, RecordingAction]]


def state_after(mode: RecordingMode, asked: Asked) -> tuple[RecordingState, float | None]:
    """How a recording stands after all that was asked of it, and since when; None: as it began."""
    state, since = first_state(mode), None
    for at, action in asked:
        possible, following = TRANSITIONS[action]
        if state in possible:
            state, since = following, at
    return state, since


def silent_spans(mode: RecordingMode, asked: Asked, began_at: float, end_s: float) -> tuple[tuple[float, float], ...]:
    """Spans of silence in seconds from the beginning, in order; ``end_s`` is the length of the recording."""
    spans: list[tuple[float, float]] = []
    state, since = first_state(mode), 0.0
    for at, action in asked:
        possible, following = TRANSITIONS[action]
        if state not in possible:
            continue
        offset = max(0.0, at - began_at)
        if state is not RecordingState.RUNNING and following is RecordingState.RUNNING:
            spans.append((since, offset))
        elif state is RecordingState.RUNNING:
            since = offset
        state = following
    if state is not RecordingState.RUNNING:
        spans.append((since, end_s))
    return tuple((start, min(end, end_s)) for start, end in spans if start < end_s)


def demanded(mode: RecordingMode, asked: Asked) -> bool:
    """Whether anything of it is to be kept."""
    return mode is not RecordingMode.ON_DEMAND or any(action is RecordingAction.START for _, action in asked)
