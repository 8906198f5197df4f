"""What happened between supervisors and agents. ``acd.events`` joins these to its own.

``SupervisionBegun`` and ``SupervisionMoved`` are on disk before the requests of their turn leave: nobody hears a conversation of
which it is not written down who heard it, whose it was, how and from when.
"""

from acd.ids import AgentId, CallId, DeviceId, QueueId, SupervisionId
from acd.record import record
from acd.supervision_port import Mode


@record
class SupervisionBegun:
    """A supervisor's phone is about to be rung. Either ``agent`` or ``call`` is what was asked for."""

    at: float
    supervision: SupervisionId
    token: str
    name: str
    role: str
    device: DeviceId
    agent: AgentId | None
    call: CallId | None
    mode: Mode


@record
class SupervisionMoved:
    """From now on the supervisor is in this conversation, in this mode."""

    at: float
    supervision: SupervisionId
    call: CallId
    queue: QueueId
    agent: AgentId
    mode: Mode


@record
class SupervisionPaused:
    """From now on the supervisor hears nobody."""

    at: float
    supervision: SupervisionId


@record
class SupervisionModeChosen:
    """The mode of a session changed while it heard nobody."""

    at: float
    supervision: SupervisionId
    mode: Mode


@record
class SupervisionEnded:
    """``reason``: supervisor, call_ended, right_lost, agent_gone, not_recorded, pbx_restart, unseen, or what the phone did."""

    at: float
    supervision: SupervisionId
    reason: str


@record
class CallTakenOver:
    """The agent has left and the supervisor talks to the caller alone."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    supervision: SupervisionId


@record
class HelpAsked:
    """An agent asks for help in the call that is on. Durable before it is answered."""

    at: float
    agent: AgentId
    call: CallId
    queue: QueueId


@record
class HelpSettled:
    """``how``: joined, withdrawn or call_ended."""

    at: float
    agent: AgentId
    call: CallId
    queue: QueueId
    how: str


@record
class AgentTold:
    """The agent is told that the conversation is listened to, or that it is so no more: for queues that want it."""

    at: float
    agent: AgentId
    call: CallId
    queue: QueueId
    listened_to: bool


SessionEvent = SupervisionBegun | SupervisionMoved | SupervisionPaused | SupervisionModeChosen | SupervisionEnded
SupervisionEvent = SessionEvent | CallTakenOver | HelpAsked | HelpSettled | AgentTold
