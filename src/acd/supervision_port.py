"""The port's part about supervisors: their own phones' legs, which are rung once and then moved from mode to mode.

A supervisor's leg is no part of a call. It is named by its session (``SupervisionId``) from the first request on, so every fact
about it says which session it belongs to. The order of its facts::

    [RingSupervisor] -> SupervisorUp -> ([Supervise] -> SupervisorHears | SupervisorLoose | [Quieten])* -> SupervisorGone
                     -> SupervisorMissed

``SupervisorGone`` may come at any point and is the last one. ``acd.telephony`` joins these to its own facts and requests.
"""

from acd.ids import CallId, DeviceId, LegId, SupervisionId
from acd.port_words import MissCause
from acd.record import record
from acd.words import Word


class Mode(Word):
    """What a supervisor does in a conversation."""

    LISTEN = "listen"  # hears both, heard by none
    WHISPER = "whisper"  # hears both, heard by the agent
    BARGE = "barge"  # hears both, heard by both
    CONFERENCE = "conference"  # a full member: agent or caller may leave, and the others talk on


# ---------------------------------------------------------------- facts


@record
class SupervisorUp:
    """The supervisor's phone was picked up. It hears nothing yet."""

    session: SupervisionId


@record
class SupervisorMissed:
    """The supervisor's phone will not take the call; there is no leg any more."""

    session: SupervisionId
    cause: MissCause


@record
class SupervisorHears:
    """The supervisor is where the last request has sent him: in the conversation of ``leg``, in this mode."""

    session: SupervisionId
    mode: Mode
    leg: LegId


@record
class SupervisorLoose:
    """The conversation of ``leg`` is over for the supervisor. The PBX hangs his leg up in a moment unless it is sent elsewhere.

    ``mode`` is how he was in it, where the PBX knows.
    """

    session: SupervisionId
    leg: LegId
    mode: Mode | None = None


@record
class SupervisorGone:
    """The supervisor's leg no longer exists. ``hung_up``: his phone asked for it; ``fault``: it died, nobody wanted that."""

    session: SupervisionId
    cause: int
    hung_up: bool
    fault: bool = False


@record
class SnapshotSupervisor:
    """A supervisor's leg as a snapshot found it. ``up``: picked up. ``leg``: the agent's leg it was sent to last, in ``mode``.

    ``call`` is the call in whose conversation it is as a full member, whoever else still is.
    """

    session: SupervisionId
    up: bool
    mode: Mode | None = None
    leg: LegId | None = None
    call: CallId | None = None


# ---------------------------------------------------------------- requests


@record
class RingSupervisor:
    """Ring the supervisor's phone; his leg is named by the session. ``shows`` is what the phone displays."""

    session: SupervisionId
    device: DeviceId
    ring_s: int
    shows: str


@record
class Supervise:
    """Bring the supervisor's leg into the conversation of an agent's leg. Nothing is heard of anybody else's.

    ``tone``: both parties hear a short tone, once.
    """

    session: SupervisionId
    mode: Mode
    call: CallId
    leg: LegId
    tone: bool = False


@record
class Quieten:
    """Take the supervisor's leg out of whatever it hears; it stays up."""

    session: SupervisionId


@record
class EndSupervision:
    """Hang the supervisor's leg up, or stop ringing his phone."""

    session: SupervisionId


@record
class ShowAgent:
    """Let the agent's phone show ``words`` as the name of whom it talks to, while the conversation of ``leg`` goes on."""

    call: CallId
    leg: LegId
    words: tuple[str, ...]


SupervisionFact = SupervisorUp | SupervisorMissed | SupervisorHears | SupervisorLoose | SupervisorGone
SupervisorRequest = RingSupervisor | Supervise | Quieten | EndSupervision
SupervisionRequest = SupervisorRequest | ShowAgent
