"""What people and programs ask of the floor. Imperative names; each is answered by a reply or an ``AcdError``.

``Restore…`` commands come from storage at the start, before the first fact.
"""

from dataclasses import dataclass

from acd.agents import AgentSpec, Status
from acd.callback_commands import CallbackCommand
from acd.consult_port import ConsultAction
from acd.directory import CallerProfile
from acd.hours import Timetable
from acd.ids import AgentId, CallId, DeviceId, QueueId
from acd.limits import Closing, Destination, Limit
from acd.outcomes import Outcome
from acd.queues import QueueSpec
from acd.recordings import RecordingAction, RecordingMode, RecordingState
from acd.talks import PlacePolicy, Talk, TargetKind, Transfer


@dataclass(frozen=True, slots=True)
class DefineQueue:
    """Create a queue or change one; callers in it keep their places. Conflict ``number_taken``; Invalid ``unknown_strategy``.

    ``timetable`` is what its hours come to; None: always open.
    """

    spec: QueueSpec
    timetable: Timetable | None = None


@dataclass(frozen=True, slots=True)
class RemoveQueue:
    """Conflict ``queue_in_use`` while a caller is in it."""

    queue: QueueId


@dataclass(frozen=True, slots=True)
class DefineAgent:
    """Create an agent or change one."""

    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class RemoveAgent:
    """Conflict ``agent_in_use`` unless signed out and free."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class RestoreAgent:
    """Give an agent back the status that was chosen before a restart. ``late_told``: that the break takes too long was told."""

    agent: AgentId
    status: Status
    since: float
    reason: str | None = None
    device: DeviceId | None = None
    late_told: bool = False


@dataclass(frozen=True, slots=True)
class RestoreVisit:
    """Give a queue's figures back a visit that was decided before a restart.

    Its call may still be alive, so the id is kept: when a snapshot finds that call talking, the visit is not counted again.
    ``target_s`` and ``short`` are as they held then; None: as they would hold now.
    """

    call: CallId
    queue: QueueId
    entered_at: float
    decided_at: float
    outcome: Outcome
    limit: Limit | None = None
    led_to: str | None = None
    target_s: float | None = None
    short: bool | None = None


@dataclass(frozen=True, slots=True)
class RestoreParts:
    """Give a call that may still be alive back the talks that ended before a restart, and how it was passed on."""

    call: CallId
    talks: tuple[Talk, ...]
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class SignIn:
    """Become available, at ``device`` or else at the agent's own. Conflict ``device_taken``; Invalid ``no_device``."""

    agent: AgentId
    device: DeviceId | None = None


@dataclass(frozen=True, slots=True)
class SignOut:
    """A call in progress is talked to its end; a ringing phone stops."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class TakeBreak:
    """Asked for during a call, the break begins after it. Where too many are on a break already, it becomes a request that waits
    for its turn. ``reason``: a word, or the code of a known reason."""

    agent: AgentId
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BecomeAvailable:
    """Back from a break. Conflict when signed out: signing in needs a device, so it is ``SignIn``'s work."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class EndWrapUp:
    """Conflict ``illegal_transition`` when not in wrap-up, ``disposition_required`` when the queue wants one; Invalid
    ``unknown_disposition``. Disposition and notes go to the call. ``forced``: by a supervisor, owed or not."""

    agent: AgentId
    disposition: str | None = None
    notes: str | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class ExtendWrapUp:
    """``seconds`` more, from the end as it stands."""

    agent: AgentId
    seconds: float


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """A supervisor ends a call. Conflict when it has ended already."""

    call: CallId


@dataclass(frozen=True, slots=True)
class AmendCall:
    """Change what a call carries; None leaves a field as it is. A changed priority moves the caller in the line."""

    call: CallId
    priority: int | None = None
    disposition: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class PutCallers:
    """Enter known callers into the directory, by number in any writing; None removes one. Applies to calls that come in later."""

    callers: tuple[tuple[str, CallerProfile | None], ...]


@dataclass(frozen=True, slots=True)
class RestoreTurn:
    """Give round robin back who had which turn before a restart; the earliest turn first."""

    queue: QueueId
    agent: AgentId
    at: float


@dataclass(frozen=True, slots=True)
class RestoreService:
    """Give sticky routing back who served a number last before a restart."""

    number: str
    agent: AgentId
    at: float


@dataclass(frozen=True, slots=True)
class RestoreAmendment:
    """Give a call that lives on what people had changed of it before a restart. Taken up when a snapshot finds the call."""

    call: CallId
    priority: int
    disposition: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class RestoreShift:
    """Give an agent the shift back that a restart interrupted: comings (True) and goings by time, and talks by end, in seconds."""

    agent: AgentId
    presence: tuple[tuple[float, bool], ...]
    talks: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class SetTimetable:
    """When a queue is open in the coming time, worked out anew."""

    queue: QueueId
    timetable: Timetable | None


@dataclass(frozen=True, slots=True)
class CloseQueue:
    """Take no more callers, now: they are led to ``to``, or where the closed hours lead. ``leave``: those who wait too."""

    queue: QueueId
    by: str
    reason: str = ""
    to: Destination | None = None
    leave: bool = False


@dataclass(frozen=True, slots=True)
class OpenQueue:
    """Let the queue's hours hold again. Conflict ``queue_not_closed``."""

    queue: QueueId
    by: str


@dataclass(frozen=True, slots=True)
class RestoreClosing:
    """A queue was closed by a supervisor before a restart."""

    queue: QueueId
    closing: Closing


@dataclass(frozen=True, slots=True)
class RestorePlace:
    """Give a caller who was cut off before a restart the place back that is kept for ``number``."""

    call: CallId
    queue: QueueId
    number: str
    since: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class RestoreWrapUp:
    """Give an agent back the work after a call that a restart interrupted."""

    agent: AgentId
    call: CallId
    queue: QueueId
    since: float
    until: float | None
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class RestoreBreakRequest:
    """Give an agent back the break asked for before a restart."""

    agent: AgentId
    reason: str | None
    asked_at: float


@dataclass(frozen=True, slots=True)
class ApproveBreak:
    """A supervisor grants a break that waits, whatever the limit. Conflict ``no_break_request``."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class RefuseBreak:
    """A supervisor says no. Conflict ``no_break_request``."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class WithdrawBreak:
    """The agent does not want the break any more. Conflict ``no_break_request``."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class StopOffering:
    """The service is about to leave: offers in flight are settled, none is begun."""


@dataclass(frozen=True, slots=True)
class OfferCall:
    """Hand a waiting call to a chosen agent, whatever his queues and skills.

    Conflict ``illegal_transition`` unless the call waits, ``agent_not_free`` (with the bar), ``call_not_ready``.
    """

    call: CallId
    agent: AgentId


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Pass a conversation on, unannounced. ``place`` is where the caller comes to stand in a queue.

    Conflict ``illegal_transition`` unless the call talks, ``agent_not_free`` (with the bar), ``call_not_ready``,
    ``no_outside_line``; Invalid ``invalid_number``.
    """

    call: CallId
    kind: TargetKind
    to: str
    place: PlacePolicy = PlacePolicy.KEPT


@dataclass(frozen=True, slots=True)
class ConsultCall:
    """Ask somebody else, with the caller on hold.

    Conflict ``illegal_transition`` unless the call talks, ``consult_in_progress``, ``agent_not_free`` (with the bar),
    ``call_not_ready``, ``no_outside_line``; Invalid ``invalid_number``.
    """

    call: CallId
    kind: TargetKind
    to: str


@dataclass(frozen=True, slots=True)
class ChangeConsult:
    """Swap, merge, complete or cancel a consult.

    Conflict ``no_consult``, ``illegal_transition`` (not at this stage), ``consult_moving`` (not so fast), ``call_not_ready``.
    """

    call: CallId
    action: ConsultAction


@dataclass(frozen=True, slots=True)
class ControlRecording:
    """Start, pause, resume or stop the recording of a conversation. ``by`` is for the record."""

    call: CallId
    action: RecordingAction
    by: str


@dataclass(frozen=True, slots=True)
class RestoreRecording:
    """A recording of before a restart, as it was left. ``state`` None: as it began."""

    call: CallId
    recording: str
    mode: RecordingMode
    state: RecordingState | None
    since: float


@dataclass(frozen=True, slots=True)
class ForgetCaller:
    """Remember nothing more of who calls from ``number``, in whatever writing.

    Conflict ``caller_on_the_line`` while there is a live call of it; Invalid ``invalid_number``.
    """

    number: str


Command = (
    DefineQueue
    | RemoveQueue
    | DefineAgent
    | RemoveAgent
    | RestoreAgent
    | RestoreVisit
    | RestoreParts
    | SignIn
    | SignOut
    | TakeBreak
    | BecomeAvailable
    | EndWrapUp
    | ExtendWrapUp
    | HangUpCall
    | AmendCall
    | PutCallers
    | RestoreTurn
    | RestoreService
    | RestoreAmendment
    | RestoreShift
    | SetTimetable
    | CloseQueue
    | OpenQueue
    | RestoreClosing
    | RestorePlace
    | StopOffering
    | OfferCall
    | TransferCall
    | ConsultCall
    | ChangeConsult
    | RestoreWrapUp
    | RestoreBreakRequest
    | ApproveBreak
    | RefuseBreak
    | WithdrawBreak
    | ControlRecording
    | RestoreRecording
    | ForgetCaller
    | CallbackCommand
)
