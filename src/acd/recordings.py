"""Recordings of conversations: which calls are recorded, and when a recording is silent.

A queue says what is wanted of it. Whether a call is recorded is decided once, from its id, so that a share is the same share before
and after a restart. The PBX starts the recording of a conversation by itself, by the id that the offer brings along; a pause is a
promise: it is on disk before the PBX is told, and a PBX that lost its service stays silent.

Pure values; ``acd.taping`` moves live recordings.
"""

from dataclasses import dataclass
from hashlib import blake2b

from acd.ids import CallId, OfferId
from acd.words import Word


class RecordingMode(Word):
    """What a queue wants of its conversations."""

    NEVER = "never"
    ALWAYS = "always"
    SHARE = "share"  # so many of them, chosen by chance
    ON_DEMAND = "on_demand"  # those for which an agent or a supervisor asks, from then on


class RecordingAction(Word):
    """What people ask of a recording. ``start`` and ``stop`` are for recordings on demand."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class RecordingState(Word):
    """Whether what is said now is kept."""

    READY = "ready"  # on demand, and nobody has asked yet: silent
    RUNNING = "running"
    PAUSED = "paused"  # silent
    STOPPED = "stopped"  # silent


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """``share`` is for the mode of that name. A pause longer than ``most_pause_s`` raises an alarm; 0: never.

    ``keep_days``: how long a recording is kept; 0: until somebody erases it.
    """

    mode: RecordingMode = RecordingMode.NEVER
    share: float = 0.0
    most_pause_s: float = 300.0
    keep_days: int = 90


NO_RECORDING = RecordingPolicy()

TRANSITIONS: dict[RecordingAction, tuple[frozenset[RecordingState], RecordingState]] = {
    RecordingAction.START: (frozenset({RecordingState.READY, RecordingState.STOPPED}), RecordingState.RUNNING),
    RecordingAction.PAUSE: (frozenset({RecordingState.RUNNING}), RecordingState.PAUSED),
    RecordingAction.RESUME: (frozenset({RecordingState.PAUSED}), RecordingState.RUNNING),
    RecordingAction.STOP: (frozenset({RecordingState.RUNNING, RecordingState.PAUSED}), RecordingState.STOPPED),
}
"""From which states an action is possible, and what comes of it."""

ON_DEMAND_ONLY = frozenset({RecordingAction.START, RecordingAction.STOP})


@dataclass(slots=True)
class Recording:
    """The recording of the present conversation of a call.

    ``told``: whether the PBX has confirmed that it is as silent, or not, as ``state`` wants; None while it has not.
    """

    id: str
    mode: RecordingMode
    state: RecordingState
    since: float
    told: bool | None = None
    tries: int = 0

    @property
    def silent(self) -> bool:
        """Whether nothing of what is said now may be kept."""
        return self.state is not RecordingState.RUNNING


def wanted(policy: RecordingPolicy, call: CallId) -> bool:
    """Whether a conversation of this call is to be recorded, or may be on demand."""
    match policy.mode:
        case RecordingMode.NEVER:
            return False
        case RecordingMode.SHARE:
            return chance(call) < policy.share
        case _:
            return True


def chance(call: CallId) -> float:
    """A number from 0 up to 1 that is a call's own: evenly spread, and always the same."""
    return int.from_bytes(blake2b(call.encode(), digest_size=7).digest(), "big") / (1 << 56)


def recording_id(offer: OfferId, salt: str) -> str:
    """A name that tells nothing and cannot be guessed by who does not know the ``salt``."""
    return blake2b(offer.encode(), key=salt.encode()[:64], digest_size=16).hexdigest()


def first_state(mode: RecordingMode) -> RecordingState:
    """How a recording begins."""
    return RecordingState.READY if mode is RecordingMode.ON_DEMAND else RecordingState.RUNNING
