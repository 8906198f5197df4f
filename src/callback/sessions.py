"""A callback's life: from the promise to the conversation, or to the reason why there was none.

The *session* knows what was promised and what was tried; where the customer stands is the line's to know (``acd.away``). States
move by ``TRANSITIONS`` alone. An *attempt* is one try to reach the customer; it ends once, and its id is never used again.
"""

from dataclasses import dataclass, field

from acd.callback_policy import AttemptResult
from acd.callback_port import AttemptStage
from acd.errors import illegal_transition
from acd.ids import AgentId, AttemptId, CallbackId, CallId, PbxId, QueueId, pbx_of
from acd.words import Word


class SessionState(Word):
    """Where a callback is. A closed set: it is a metric label."""

    PROMISED = "promised"  # not on disk yet: the caller is still on the line
    WAITING = "waiting"  # in line, or for its window, or for the next attempt
    PLANNED = "planned"  # an attempt is being written down
    DIALLING = "dialling"  # it may have left
    ON = "on"  # the customer is on the line, and stands in it as a live caller
    ENDED = "ended"


_PROMISED, _WAITING, _PLANNED = SessionState.PROMISED, SessionState.WAITING, SessionState.PLANNED
_DIALLING, _ON, _ENDED = SessionState.DIALLING, SessionState.ON, SessionState.ENDED

TRANSITIONS: dict[SessionState, frozenset[SessionState]] = {
    _PROMISED: frozenset({_WAITING, _ENDED}),
    # A customer may come on by an attempt that was given up for lost: he is on, whatever was believed.
    _WAITING: frozenset({_PLANNED, _ON, _ENDED}),
    _PLANNED: frozenset({_DIALLING, _WAITING, _ON, _ENDED}),
    _DIALLING: frozenset({_ON, _WAITING, _ENDED}),
    _ON: frozenset({_WAITING, _ENDED}),
    _ENDED: frozenset(),
}


@dataclass(slots=True)
class Attempt:
    """One try. ``boot`` is the PBX's when it was planned: a marker that is missing means little on another one."""

    id: AttemptId
    planned_at: float
    boot: str
    agent: AgentId | None = None
    sent_at: float | None = None
    stage: AttemptStage | None = None
    result: AttemptResult | None = None
    ended_at: float | None = None
    missing: int = 0  # how many looks have found a marker and no channel


@dataclass(slots=True)
class Session:
    """One callback. Times are seconds since the epoch; the place counts from ``since``."""

    id: CallbackId
    pbx: PbxId
    queue: QueueId
    number: str
    caller: str  # the number in its normal form
    name: str | None
    language: str | None
    since: float
    serial: int
    priority: int
    promised_at: float
    expires_at: float
    call: CallId | None = None  # of the caller who was promised it
    say: tuple[str, ...] = ()
    takes_over: bool = False  # the place of the callback into which its caller has rung, and its end
    due_from: float | None = None
    zone: str = "UTC"
    agent: AgentId | None = None
    window: tuple[float, float] | None = None
    chosen: str = ""  # the window on the clocks of ``zone``, if it was chosen there
    state: SessionState = _PROMISED
    attempts: list[Attempt] = field(default_factory=list)
    on: CallId | None = None  # the call in which the customer is, or was
    next_at: float = 0.0  # not dialled before
    passed: int = 0  # how many got an agent before him while he was, or could have been, dialled

    def move(self, state: SessionState) -> None:
        """Change state, by the table only."""
        if state not in TRANSITIONS[self.state]:
            raise illegal_transition(f"callback {self.id}", self.state, state)
        self.state = state

    @property
    def attempt(self) -> Attempt | None:
        """The one that goes on, or the last one."""
        return self.attempts[-1] if self.attempts else None

    @property
    def open_attempt(self) -> Attempt | None:
        """The one that goes on."""
        last = self.attempt
        return last if last is not None and last.result is None else None

    def find(self, attempt: AttemptId) -> Attempt | None:
        """An attempt of this callback by its id."""
        return next((one for one in reversed(self.attempts) if one.id == attempt), None)

    def next_attempt_number(self) -> int:
        """Attempts count up, through restarts too: an id is never used twice."""
        last = self.attempt
        return int(last.id.rpartition(".")[2]) + 1 if last is not None else 1

    @property
    def dialled(self) -> int:
        """Attempts that count towards the limit."""
        return sum(one.result not in (AttemptResult.NOT_DIALLED, AttemptResult.CANCELLED) for one in self.attempts)

    def had(self, result: AttemptResult) -> int:
        """How many attempts have ended so."""
        return sum(one.result is result for one in self.attempts)


def callback_of_attempt(attempt: AttemptId) -> CallbackId:
    """Whose attempt it is."""
    return CallbackId(attempt.rpartition(".")[0])


def pbx_of_attempt(attempt: AttemptId) -> PbxId:
    """Where it is made: the part before the last hyphen, as of every id."""
    return pbx_of(CallId(attempt))
