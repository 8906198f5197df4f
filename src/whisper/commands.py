"""What people ask of supervision. Each is answered by a reply or an ``AcdError``; ``Restore…`` comes from storage at the start."""

from dataclasses import dataclass

from acd.ids import AgentId, CallId, DeviceId, QueueId, SupervisionId
from acd.supervision_port import Mode
from whisper.policy import Supervisor


@dataclass(frozen=True, slots=True)
class StartSupervision:
    """Ring the supervisor's phone and bring it into the conversation of ``agent``, now and later, or of ``call``.

    NotFound ``unknown_agent`` ``unknown_call``. Conflict ``already_supervising`` (this phone is in a session), ``device_taken`` (an
    agent is signed in there), ``phone_busy`` ``phone_unreachable``, ``other_pbx``, ``pbx_not_ready``, ``supervision_forbidden``,
    ``no_consent``, ``outside_your_queues``, ``illegal_transition`` (the call does not talk).
    """

    supervisor: Supervisor
    device: DeviceId
    mode: Mode
    agent: AgentId | None = None
    call: CallId | None = None
    ring_s: int = 25


@dataclass(frozen=True, slots=True)
class ChangeMode:
    """NotFound ``unknown_supervision``; Conflict ``taken_over`` while the supervisor has the caller alone."""

    supervision: SupervisionId
    mode: Mode


@dataclass(frozen=True, slots=True)
class StopSupervision:
    """The call goes on. One that was taken over ends with it. NotFound ``unknown_supervision``."""

    supervision: SupervisionId


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The agent leaves and the supervisor keeps the caller. Conflict ``not_in_conference``."""

    supervision: SupervisionId


@dataclass(frozen=True, slots=True)
class HandBack:
    """Pass a caller who was taken over to an agent; the supervisor listens again.

    Conflict ``not_taken_over``, ``agent_not_free``.
    """

    supervision: SupervisionId
    agent: AgentId | None = None  # None: the one who had the call


@dataclass(frozen=True, slots=True)
class LimitSupervisor:
    """What a token may see has changed; ``supervisor`` None: it is valid no more. Sessions beyond it end at once."""

    token: str
    supervisor: Supervisor | None


@dataclass(frozen=True, slots=True)
class AskForHelp:
    """Conflict ``illegal_transition`` unless the agent talks."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class WithdrawHelp:
    """Conflict ``no_help_request``."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class RestoreSupervision:
    """A session that had not ended when the service did. ``queues`` of its token as they are now."""

    supervision: SupervisionId
    supervisor: Supervisor
    device: DeviceId
    mode: Mode
    began_at: float
    agent: AgentId | None = None
    call: CallId | None = None
    heard: AgentId | None = None  # last


@dataclass(frozen=True, slots=True)
class RestoreHelp:
    """Help was asked for before a restart, and nobody came."""

    agent: AgentId
    call: CallId
    queue: QueueId
    asked_at: float


SupervisionCommand = (
    StartSupervision
    | ChangeMode
    | StopSupervision
    | TakeOver
    | HandBack
    | LimitSupervisor
    | AskForHelp
    | WithdrawHelp
    | RestoreSupervision
    | RestoreHelp
)
