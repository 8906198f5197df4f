"""The port between the domain and a PBX: facts come in, requests go out.

A *fact* says what happened on the wire, in the field's own words and not in AMI's. A *request* is what the domain wants
done. Both are frozen values: whoever implements the port (``ami`` for Asterisk, ``tests/support/memory_pbx.py`` for tests)
turns its own messages into facts and carries requests out. A request that fails comes back as a fact; nothing is raised
across the port.

The order of facts of one call, as a PBX must deliver them::

    CallEntered -> [Offer] -> OfferRinging* -> OfferMissed* -> OfferEnded          nobody answered: waiting again
                                            -> OfferAnswered -> TalkBegan -> [AgentHungUp] -> AgentLegGone | CallerFreed -> CallGone
    While the service is gone or stalled the PBX serves by itself: FallbackBegan -> FallbackEnded, or FallbackAnswered -> TalkBegan
    CallEntered -> [Place]* -> [Lead] -> LeadEnded -> CallGone                      led away from the line
    CallGone may come at any point and is the last fact of its call.
"""

from acd.callback_port import AttemptStage, CallbackFact, CallbackRequest
from acd.consult_port import ConsultFact, ConsultFound, ConsultRequest
from acd.ids import AttemptId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId
from acd.port_words import DeviceState, LegStage, MissCause, RequestFailure
from acd.record import record
from acd.recording_port import RecordingFact, RecordingRequest
from acd.supervision_port import SnapshotSupervisor, SupervisionFact, SupervisionRequest
from acd.surveys import AskCaller, CallerAnswered

__all__ = ["DeviceState", "LegStage", "MissCause", "RequestFailure"]


@record
class LineVisit:
    """A stay in a line that is not the call's first, as its channel keeps it. Times to the millisecond.

    The place counts from ``since``; ``front`` is the right to the head of the line.
    """

    queue: QueueId
    entered_at: float
    since: float
    front: bool
    trail: tuple[QueueId, ...] = ()  # the queues before, oldest first


# ---------------------------------------------------------------- facts


@record
class CallEntered:
    """A caller is in the wait loop. ``queue_key`` is a queue's id or its number; ``number`` None is *withheld*."""

    call: CallId
    leg: LegId
    queue_key: str
    entered_at: float  # seconds since the epoch, by the PBX's clock, to the millisecond
    serial: int  # of the Uniqueid: breaks ties of entered_at, live and after a restart alike
    priority: int
    number: str | None
    name: str | None
    language: str | None = None  # the channel's; ``chosen``: by the caller, before he came to us
    chosen: bool = False
    place_since: float | None = None  # of a caller who has an earlier place again, as ``Mark`` left it
    told: str | None = None  # the last announcement that was begun: the id that ``Announce`` gave it
    visit: LineVisit | None = None  # the present stay, if it is not the first: found by a snapshot only
    attempt: AttemptId | None = None  # of a customer who was called back
    private: bool = False  # has not consented to be recorded and listened to


@record
class OfferRinging:
    """A phone of the offer rings. A target for which this never comes is unreachable."""

    call: CallId
    offer: OfferId
    device: DeviceId
    leg: LegId


@record
class OfferMissed:
    """One phone of the offer will not take the call. The others may still."""

    call: CallId
    offer: OfferId
    device: DeviceId
    cause: MissCause


@record
class OfferAnswered:
    """A phone was picked up; the caller does not hear it yet."""

    call: CallId
    offer: OfferId
    device: DeviceId
    leg: LegId


@record
class OfferEnded:
    """The offer is over without a conversation and the caller is back in the wait loop."""

    call: CallId
    offer: OfferId


@record
class FallbackBegan:
    """The PBX has missed the service and serves a waiting caller by itself; ``offer`` is its own, in the order of ours."""

    call: CallId
    offer: OfferId


@record
class FallbackAnswered:
    """A phone that the PBX itself chose was picked up."""

    call: CallId
    offer: OfferId
    device: DeviceId
    leg: LegId


@record
class FallbackEnded:
    """The caller is back in the wait loop, place unchanged, and ours again."""

    call: CallId
    offer: OfferId


@record
class TalkBegan:
    """Caller and agent hear each other: the end of the wait."""

    call: CallId
    offer: OfferId
    device: DeviceId
    leg: LegId


@record
class Held:
    """The agent's phone put the caller on hold."""

    call: CallId


@record
class Resumed:
    """The agent's phone took the caller back."""

    call: CallId


@record
class AgentHungUp:
    """The agent's phone has said goodbye; the PBX is taking the leg down. The first news of it: AgentLegGone follows."""

    call: CallId
    leg: LegId
    device: DeviceId


@record
class AgentLegGone:
    """The agent's leg of a call no longer exists.

    ``hung_up``: the agent's phone asked for it (a HangupRequest was seen on this leg). ``fault``: it died, nobody hung it up.
    Neither: it ended because the caller left or because we asked.
    """

    call: CallId
    leg: LegId
    device: DeviceId
    cause: int  # Q.850
    hung_up: bool
    fault: bool


@record
class CallerFreed:
    """The conversation is over, the caller is still on the line and the dialplan waits a moment for a verdict."""

    call: CallId
    offer: OfferId


@record
class TransferAsked:
    """The agent's phone has passed the caller on to ``to`` (digits). The conversation is over; the caller hears music and waits
    a moment for what the service makes of it.
    """

    call: CallId
    leg: LegId
    to: str


@record
class CallGone:
    """The caller's leg no longer exists."""

    call: CallId
    cause: int  # Q.850


@record
class LeadEnded:
    """A caller who was led away from the line is about to be gone: by the end of it, or by hanging up."""

    call: CallId
    by_caller: bool
    recorded: bool  # has left a message


@record
class DeviceChanged:
    """A phone's state as the PBX sees it."""

    device: DeviceId
    state: DeviceState


@record
class SnapshotCall:
    """One call as a snapshot found it. ``device``, ``agent_leg`` and ``connected_at`` speak only when it is TALKING, or AFTER: then
    a ``device`` without a leg is that of the phone which has hung up, where that is certain.

    An offer whose request has reached the caller's channel is OFFERED, even if the caller has not yet left the wait loop.
    """

    entered: CallEntered
    stage: LegStage
    offer: OfferId | None = None
    device: DeviceId | None = None
    agent_leg: LegId | None = None
    connected_at: float | None = None
    consult: ConsultFound | None = None
    record: str = ""  # the name under which the conversation is recorded
    surveyed: bool = False  # AFTER: he hears what is asked afterwards


@record
class PbxSnapshot:
    """All that exists on a PBX now. After it, facts of that PBX are trusted and calls are offered.

    ``boot`` changes when the PBX was restarted: no call of an earlier boot can be alive. ``asked_at`` is when the question was
    put, by the service's clock: what the domain did later is not in the answer.
    """

    pbx: PbxId
    boot: str
    calls: tuple[SnapshotCall, ...]
    devices: tuple[tuple[DeviceId, DeviceState], ...]
    asked_at: float = 0.0
    supervisors: tuple[SnapshotSupervisor, ...] = ()
    attempts: tuple[tuple[AttemptId, AttemptStage], ...] = ()  # to reach customers, that are under way


@record
class LinkDown:
    """The PBX cannot be reached: its calls go on by themselves, nothing is offered there, nothing is known."""

    pbx: PbxId
    reason: str


@record
class Announced:
    """A waiting caller begins to hear an announcement."""

    call: CallId
    say: str


@record
class PbxDraining:
    """The PBX said that it is shutting down: nothing new is offered there."""

    pbx: PbxId


# ---------------------------------------------------------------- requests


@record
class Offer:
    """Ring ``targets`` for a caller who waits. Only for a caller whose last fact is *waiting*; once for each id.

    ``passed_on``: the caller is taken out of a conversation (or has just been) to be passed on; the other leg of it ends.
    """

    call: CallId
    leg: LegId
    offer: OfferId
    targets: tuple[DeviceId, ...]
    ring_s: int
    passed_on: bool = False
    record: str = ""  # under which name the conversation is recorded; empty: it is not


@record
class Withdraw:
    """Stop ringing: the phones' legs are hung up and the caller falls back into the wait loop, place unchanged."""

    call: CallId
    offer: OfferId
    legs: tuple[LegId, ...]


@record
class HangUp:
    """End one leg. ``cause`` is Q.850: 16 is normal, 1 an unallocated number."""

    leg: LegId
    cause: int = 16


@record
class ReturnToLine:
    """Bring a caller into the wait loop: one whose agent was lost, or who is passed on to a line. Never one whose phones ring,
    and one who talks only if ``passed_on``. ``visit`` is what the channel must keep, ``says`` the prompt that is played first.
    """

    call: CallId
    leg: LegId
    visit: LineVisit | None = None
    says: str = ""
    passed_on: bool = False


@record
class Announce:
    """Let a caller who waits hear these prompts, at the next moment at which nothing else plays; an offer cuts them off.

    ``say`` is an id that comes back in ``Announced``. It may come too late, and then nothing is heard: this is never repeated.
    """

    call: CallId
    leg: LegId
    say: str
    prompts: tuple[str, ...]


@record
class Mark:
    """Keep on the caller's leg what was found out of the caller: the language, and the moment that the place counts from."""

    call: CallId
    leg: LegId
    language: str | None = None
    place_since: float | None = None


@record
class Place:
    """A caller who waits stands in another queue's line now: keep it on the channel, and say so. The caller waits on."""

    call: CallId
    leg: LegId
    visit: LineVisit
    say: tuple[str, ...]


@record
class Lead:
    """Take a caller out of the line, for good. Only for a caller whose last fact is *waiting*; ``say`` comes first.

    ``kind`` is message, number (``dial``, ``ring_s``) or voicemail (``file``, ``most_s``, ``silence_s``).
    """

    call: CallId
    leg: LegId
    kind: str
    say: tuple[str, ...]
    dial: str = ""
    ring_s: int = 0
    file: str = ""
    most_s: int = 0
    silence_s: int = 0


@record
class Resync:
    """Something expected did not come: take a fresh snapshot of a PBX, over the link as it is, and deliver it."""

    pbx: PbxId
    reason: str


@record
class RequestFailed:
    """A request that did not do its work, or may not have."""

    request: "Request"
    why: RequestFailure


OfferFact = OfferRinging | OfferMissed | OfferAnswered | OfferEnded | FallbackBegan | FallbackAnswered | FallbackEnded
TalkFact = TalkBegan | Held | Resumed | AgentHungUp | AgentLegGone | CallerFreed | TransferAsked
CallerFact = CallEntered | CallGone | LeadEnded | Announced | CallerAnswered
PbxFact = DeviceChanged | PbxSnapshot | LinkDown | PbxDraining | RequestFailed
FeatureFact = CallbackFact | ConsultFact | RecordingFact | SupervisionFact
Fact = OfferFact | TalkFact | CallerFact | PbxFact | FeatureFact
CallerRequest = Offer | Withdraw | HangUp | ReturnToLine | Place | Lead | Announce | Mark | AskCaller
FeatureRequest = CallbackRequest | ConsultRequest | RecordingRequest | SupervisionRequest
Request = CallerRequest | Resync | FeatureRequest
