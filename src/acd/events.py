"""What happened on the floor, in the past tense: what history, metrics and the live feed are made of. ``at``: since the epoch."""

from acd.agents import AgentState, Status
from acd.callback_events import CallbackEvent
from acd.consult_events import ConsultEvent
from acd.ids import AgentId, CallbackId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId
from acd.limits import Closing, Limit
from acd.outcomes import Outcome
from acd.record import record
from acd.recording_events import RecordingEvent
from acd.supervision_events import SupervisionEvent
from acd.talks import TargetKind, TransferMode, TransferResult
from acd.telephony import MissCause, RequestFailure


@record
class CallQueued:
    """A caller joined a line. ``adopted``: found by a snapshot, not seen to enter."""

    at: float
    call: CallId
    queue: QueueId
    leg: LegId
    entered_at: float
    priority: int
    number: str | None
    name: str | None
    adopted: bool = False
    callback: CallbackId | None = None


@record
class CallAdopted:
    """A call whose visit was decided before a restart is known again; nothing is counted twice."""

    at: float
    call: CallId
    queue: QueueId


@record
class CallRefused:
    """A caller dialled a number that is no queue's, and was sent away."""

    at: float
    call: CallId
    queue_key: str


@record
class CallOffered:
    """Phones are being rung for a caller."""

    at: float
    call: CallId
    queue: QueueId
    offer: OfferId
    agents: tuple[AgentId, ...]


@record
class OfferDeclined:
    """One agent's phone did not take an offer."""

    at: float
    call: CallId
    queue: QueueId
    offer: OfferId
    agent: AgentId
    cause: MissCause


@record
class OfferClosed:
    """Nobody took the offer; the caller waits on, place unchanged."""

    at: float
    call: CallId
    queue: QueueId
    offer: OfferId


@record
class OfferNotPlaced:
    """The PBX did not do what an offer asked."""

    at: float
    call: CallId
    queue: QueueId
    offer: OfferId
    why: RequestFailure


@record
class CallConnected:
    """Caller and agent hear each other. ``waited_s`` is entry to conversation, ringing included.

    ``agent`` is None when a phone answered at which nobody is known to be signed in.
    """

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    device: DeviceId | None
    waited_s: float


@record
class CallHeld:
    at: float
    call: CallId
    queue: QueueId


@record
class CallResumed:
    at: float
    call: CallId
    queue: QueueId


@record
class TalkEnded:
    """The agent's part of a call is over. ``fault``: the agent's leg died."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId
    talk_s: float
    hold_s: float
    fault: bool


@record
class VisitDecided:
    """A visit has its outcome. ``waited_s`` is entry to decision; ``short``: an abandon within the queue's short limit.
    Of an overflowed one, ``limit`` says why and ``led_to`` where to, as ``acd.limits.described`` puts it. ``target_s`` is the
    promise of that moment; None of a visit that was decided while nobody looked. ``segment`` is the caller's, ``skills`` names
    what was asked of agents on entry.
    """

    at: float
    call: CallId
    queue: QueueId
    outcome: Outcome
    entered_at: float
    waited_s: float
    short: bool = False
    limit: Limit | None = None
    led_to: str | None = None
    target_s: float | None = None
    segment: str | None = None
    skills: tuple[str, ...] = ()


@record
class CallEnded:
    """The caller is gone. ``ended_by``: caller, agent, service, fault, pbx_restart or unseen."""

    at: float
    call: CallId
    queue: QueueId
    outcome: Outcome
    ended_by: str


@record
class CallAmended:
    """``priority`` None: a call that is history already, where it stays as it was. Other fields None: nothing was ever said."""

    at: float
    call: CallId
    queue: QueueId
    priority: int | None
    disposition: str | None
    notes: str | None


@record
class AgentStatusChosen:
    """Durable before anything that depends on it leaves: an agent finds the same status after a restart."""

    at: float
    agent: AgentId
    status: Status
    reason: str | None
    device: DeviceId | None
    productive: bool = False  # a break that is work, as its reason said at that time


@record
class AgentStateChanged:
    at: float
    agent: AgentId
    old: AgentState
    new: AgentState


@record
class WrapUpEnded:
    at: float
    agent: AgentId
    call: CallId
    queue: QueueId | None
    wrap_up_s: float
    forced: bool = False


@record
class QueueClosed:
    """A supervisor has closed a queue. Durable before it is answered, like the opening."""

    at: float
    queue: QueueId
    closing: Closing


@record
class QueueOpened:
    """A queue that was closed by a supervisor is as its hours have it again."""

    at: float
    queue: QueueId
    by: str


@record
class VoicemailLeft:
    """A caller has left a message; the PBX has the file."""

    at: float
    call: CallId
    queue: QueueId
    number: str | None
    name: str | None


@record
class PbxLost:
    at: float
    pbx: PbxId
    reason: str


@record
class PbxReady:
    """A snapshot was taken in and calls are offered again. ``repairs``: what was put right, by kind; ``boot``: of the PBX."""

    at: float
    pbx: PbxId
    repairs: tuple[tuple[str, int], ...]
    boot: str = ""


@record
class Repaired:
    """A look at a PBX put something right that nobody had told: a call, or else a phone."""

    at: float
    pbx: PbxId
    kind: str
    why: str
    call: CallId | None
    queue: QueueId | None
    device: DeviceId | None


@record
class CallAssigned:
    """Somebody handed a waiting call to a chosen agent; the offer follows."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId


@record
class CallTransferred:
    """A call was passed on. ``agent`` had it, or nobody; ``queue`` is where it came from."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    mode: TransferMode
    target: TargetKind
    to: str


@record
class TransferEnded:
    """What has come of the last transfer of a call. After a failed one the caller stands at the head of the line."""

    at: float
    call: CallId
    queue: QueueId
    result: TransferResult


@record
class CallTold:
    """A waiting caller began to hear an announcement. ``low_s`` to ``high_s`` is the wait that was told, if one was."""

    at: float
    call: CallId
    queue: QueueId
    prompts: tuple[str, ...]
    ahead: int | None = None
    low_s: float | None = None
    high_s: float | None = None
    because: str | None = None


@record
class PlaceKept:
    """A caller's call ended while he waited. Whoever rings again from ``caller`` until then has the place since ``since`` again."""

    at: float
    call: CallId
    queue: QueueId
    caller: str
    since: float
    until: float


@record
class PlaceRegained:
    """A caller who was cut off in the call ``earlier`` has rung again and stands where he stood: since ``since``."""

    at: float
    call: CallId
    queue: QueueId
    earlier: CallId
    since: float


@record
class WrapUpBegan:
    """The work after a call. ``until`` None: no end by time."""

    at: float
    agent: AgentId
    call: CallId
    queue: QueueId
    until: float | None


@record
class WrapUpExtended:
    at: float
    agent: AgentId
    call: CallId
    queue: QueueId
    until: float


@record
class WrapUpOverdue:
    """An agent works longer after a call than the queue allows. Said once for each wrap-up."""

    at: float
    agent: AgentId
    call: CallId
    queue: QueueId
    wrap_up_s: float


@record
class BreakRequested:
    """A break that has to wait, for too many are on one. Durable, as the status is."""

    at: float
    agent: AgentId
    reason: str | None


@record
class BreakRequestSettled:
    """``how``: granted (there was room), approved or refused (by a supervisor), withdrawn, or signed_out. Durable."""

    at: float
    agent: AgentId
    how: str


@record
class BreakOverrun:
    """A break has taken longer than its reason allows. Said once for each break. ``queues`` are those the agent serves."""

    at: float
    agent: AgentId
    reason: str | None
    planned_s: float
    queues: tuple[QueueId, ...]


@record
class ServiceAway:
    """The service is back. From ``since`` until now nobody looked: what agents did meanwhile is not known."""

    at: float
    since: float


CallEvent = CallQueued | CallAdopted | CallRefused | CallOffered | CallConnected | CallHeld | CallResumed
Event = (
    CallEvent
    | OfferDeclined
    | OfferClosed
    | OfferNotPlaced
    | TalkEnded
    | VisitDecided
    | CallEnded
    | CallAmended
    | AgentStatusChosen
    | AgentStateChanged
    | WrapUpEnded
    | QueueClosed
    | QueueOpened
    | VoicemailLeft
    | PbxLost
    | PbxReady
    | Repaired
    | CallAssigned
    | CallTransferred
    | TransferEnded
    | ConsultEvent
    | CallTold
    | PlaceKept
    | PlaceRegained
    | WrapUpBegan
    | WrapUpExtended
    | WrapUpOverdue
    | BreakRequested
    | BreakRequestSettled
    | BreakOverrun
    | ServiceAway
    | RecordingEvent
    | SupervisionEvent
    | CallbackEvent
)
