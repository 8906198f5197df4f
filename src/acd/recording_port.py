"""The part of the port that is about recordings: what is asked of the PBX, and what it tells. See ``acd.telephony``.

The PBX begins the recording of a conversation itself, when its offer names one. From then on it can only be made silent and heard
again, on the caller's leg, which is in every part of the call.
"""

from acd.ids import CallId, LegId
from acd.record import record

# ---------------------------------------------------------------- facts


@record
class Silenced:
    """The PBX has confirmed a ``Silence``."""

    call: CallId
    recording: str
    silent: bool


@record
class RecordingKeyed:
    """The agent's phone has asked for something of the recording, by a code in the call: an action of ``acd.recordings``."""

    call: CallId
    leg: LegId
    action: str


# ---------------------------------------------------------------- requests


@record
class Silence:
    """Let nothing more get into the recording of this conversation, in both directions, or everything again.

    Harmless when repeated: it says how it shall be, not what shall change.
    """

    call: CallId
    leg: LegId
    recording: str
    silent: bool


@record
class ShowRecording:
    """Leave on the caller's leg what the recording is now, for the dialplan that answers the agent's phone."""

    call: CallId
    leg: LegId
    state: str


RecordingFact = Silenced | RecordingKeyed
RecordingRequest = Silence | ShowRecording
