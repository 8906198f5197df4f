"""What happened to recordings, and when callers were asked afterwards. Part of ``acd.events.Event``."""

from acd.ids import AgentId, CallId, QueueId
from acd.record import record
from acd.recordings import RecordingAction, RecordingMode
from acd.surveys import SurveyEvent


@record
class RecordingBegan:
    """A conversation has begun whose sound the PBX records, or will on demand. Said again when a restart finds it."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    recording: str
    mode: RecordingMode
    number: str | None


@record
class RecordingChanged:
    """Somebody has asked for it: ``by`` is a token's name, or *phone*. Durable: on disk before the PBX is told."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    recording: str
    action: RecordingAction
    by: str


@record
class RecordingObeyed:
    """The PBX has confirmed that the recording is silent, or heard again."""

    at: float
    call: CallId
    queue: QueueId
    recording: str
    silent: bool


@record
class RecordingDisobeyed:
    """The PBX has not done what it was told, or has not said so. It is told again until it does."""

    at: float
    call: CallId
    queue: QueueId
    recording: str
    silent: bool
    why: str


@record
class RecordingPauseLong:
    """A pause has taken longer than its queue allows. Said once for each pause."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    recording: str
    paused_s: float


@record
class RecordingEnded:
    """The conversation is over, and its recording with it."""

    at: float
    call: CallId
    queue: QueueId
    recording: str


RecordingEvent = (
    RecordingBegan
    | RecordingChanged
    | RecordingObeyed
    | RecordingDisobeyed
    | RecordingPauseLong
    | RecordingEnded
    | SurveyEvent
)
