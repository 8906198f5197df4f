"""What happened in consults; part of ``acd.events``."""

from acd.consult_port import ConsultStage
from acd.ids import AgentId, CallId, QueueId
from acd.record import record
from acd.talks import TargetKind


@record
class ConsultAsked:
    """The agent who has the caller asks somebody else."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    target: TargetKind
    to: str


@record
class ConsultChanged:
    """``stage`` is where it stands now; None: it is over. ``agent`` is asked, or was."""

    at: float
    call: CallId
    queue: QueueId
    agent: AgentId | None
    stage: ConsultStage | None


ConsultEvent = ConsultAsked | ConsultChanged
