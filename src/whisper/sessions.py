"""A session: one supervisor's phone, whom it is meant for, and where it is.

A session is of a *call* (it ends with it) or of an *agent* (it goes with him from call to call until somebody ends it). Its mode
is what was asked for; its state says how far the phone has come, and moves by ``TRANSITIONS``.
"""

from dataclasses import dataclass, field

from acd.consult_port import ConsultStage
from acd.errors import illegal_transition
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, QueueId, SupervisionId, pbx_of
from acd.supervision_port import Mode
from acd.words import Word
from whisper.policy import Supervisor


class State(Word):
    """How far a session has come."""

    UNSEEN = "unseen"  # of an earlier run of the service: no snapshot has shown its leg yet
    RINGING = "ringing"
    QUIET = "quiet"  # picked up, and in no conversation
    JOINING = "joining"  # on the way into one, or from mode to mode
    JOINED = "joined"
    ENDED = "ended"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.UNSEEN: frozenset({State.RINGING, State.QUIET, State.ENDED}),
    State.RINGING: frozenset({State.QUIET, State.ENDED}),
    State.QUIET: frozenset({State.JOINING, State.JOINED, State.ENDED}),
    State.JOINING: frozenset({State.JOINING, State.JOINED, State.QUIET, State.ENDED}),
    State.JOINED: frozenset({State.JOINING, State.QUIET, State.ENDED}),
    State.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation: an agent's leg in a call. ``queue`` is the call's."""

    call: CallId
    leg: LegId
    agent: AgentId
    queue: QueueId


@dataclass(slots=True)
class Session:
    """Times are seconds since the epoch."""

    id: SupervisionId
    supervisor: Supervisor
    device: DeviceId
    agent: AgentId | None  # of an agent …
    call: CallId | None  # … or of a call
    mode: Mode
    began_at: float
    state: State = State.RINGING
    touched_at: float = 0.0  # when something was last heard or asked of it
    place: Place | None = None  # where it was sent
    sent: Mode | None = None  # in which way: a barge …
    beside: bool = False  # … beside a conference is one too
    noted: Mode | None = None  # in which mode it is written down that he hears this conversation
    around: ConsultStage | None = None  # who was there besides, as he was sent
    lost: set[LegId] = field(default_factory=set)  # agents' legs that are over for it, whatever the books still say
    taken: bool = False  # the agent has left: the caller is the supervisor's
    kept: CallId | None = None  # whose caller he had alone last
    heard: AgentId | None = None  # before a restart
    joined_at: float | None = None
    ended_at: float | None = None
    reason: str | None = None

    @property
    def pbx(self) -> PbxId:
        return pbx_of(self.leg)

    @property
    def leg(self) -> LegId:
        """The supervisor's own leg."""
        return LegId(self.id)

    @property
    def is_up(self) -> bool:
        """Whether the phone was picked up."""
        return self.state in (State.QUIET, State.JOINING, State.JOINED)

    @property
    def is_member(self) -> bool:
        """Whether the supervisor is a full member of a conversation."""
        return self.state is State.JOINED and self.sent is Mode.CONFERENCE

    def move(self, state: State, now: float) -> None:
        """Change state, by the table only."""
        if state not in TRANSITIONS[self.state] and state is not self.state:
            raise illegal_transition(f"supervision {self.id}", self.state, state)
        self.state, self.touched_at = state, now
