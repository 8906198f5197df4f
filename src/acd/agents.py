"""An agent: the chosen status, the device, and what the agent is engaged in.

Status (chosen by people), state (observed), queue membership and call state are four things and never one enum. The state is
not stored: it follows from status, engagement and the device, so the three can never disagree.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from acd.errors import Conflict, illegal_transition
from acd.ids import AgentId, CallId, DeviceId, OfferId, PbxId, QueueId, split_device
from acd.record import record
from acd.shift import Shift
from acd.skills import Needs
from acd.telephony import DeviceState, MissCause
from acd.words import Word

if TYPE_CHECKING:
    from acd.queues import Queue


class Status(Word):
    """What the agent chose."""

    AVAILABLE = "available"
    BREAK = "break"
    SIGNED_OUT = "signed_out"


class AgentState(Word):
    """What is observed. A closed set: it is a metric label."""

    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    BUSY_ELSEWHERE = "busy_elsewhere"
    UNREACHABLE = "unreachable"
    SIGNED_OUT = "signed_out"


_IDLE, _UNREACHABLE = AgentState.IDLE, AgentState.UNREACHABLE
_RINGING, _TALKING, _WRAP_UP = AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP

STATUS_TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.SIGNED_OUT: frozenset({Status.AVAILABLE}),
    Status.AVAILABLE: frozenset({Status.BREAK, Status.SIGNED_OUT}),
    Status.BREAK: frozenset({Status.AVAILABLE, Status.BREAK, Status.SIGNED_OUT}),
}


@record
class AgentSpec:
    """An agent as configured. ``device`` is where the agent is reached unless the sign-in names another phone."""

    id: AgentId
    name: str = ""
    device: DeviceId | None = None
    queues: tuple[QueueId, ...] = ()
    skills: tuple[tuple[str, int], ...] = ()
    weights: tuple[tuple[QueueId, int], ...] = ()  # for the strategy ``weighted``; 1 where none is named
    ranks: tuple[tuple[QueueId, int], ...] = ()  # for ``linear``: the smallest first; 0 where none is named


@record
class Free:
    """Not engaged with any call of ours."""


@record
class Ringing:
    """Reserved by an offer: no other offer may name this agent."""

    call: CallId
    offer: OfferId

    @property
    def state(self) -> AgentState:
        return _RINGING


@record
class Talking:
    """In conversation since ``since``."""

    call: CallId
    queue: QueueId
    since: float

    @property
    def state(self) -> AgentState:
        return _TALKING


@record
class WrapUp:
    """The work after a call. ``until`` None has no fixed end; ``disposition`` is what was said so far of the call."""

    call: CallId
    queue: QueueId
    since: float
    until: float | None
    disposition: str | None = None

    @property
    def state(self) -> AgentState:
        return _WRAP_UP


Engagement = Free | Ringing | Talking | WrapUp
FREE = Free()

_AVAILABLE, _BREAK = Status.AVAILABLE, Status.BREAK

_DEVICE_BLOCKS: dict[DeviceState, AgentState] = {
    DeviceState.UNAVAILABLE: AgentState.UNREACHABLE,
    DeviceState.UNKNOWN: AgentState.UNREACHABLE,
    DeviceState.IN_USE: AgentState.BUSY_ELSEWHERE,
    DeviceState.BUSY: AgentState.BUSY_ELSEWHERE,
    DeviceState.RINGING: AgentState.BUSY_ELSEWHERE,
    DeviceState.ON_HOLD: AgentState.BUSY_ELSEWHERE,
}


@dataclass(slots=True)
class Agent:
    """An agent as he works. Times are seconds since the epoch."""

    spec: AgentSpec
    status: Status = Status.SIGNED_OUT
    status_since: float = 0.0
    reason: str | None = None
    device: DeviceId | None = None
    pbx: PbxId | None = None  # on which the device is
    device_state: DeviceState = DeviceState.UNKNOWN
    engagement: Engagement = FREE
    idle_anchor: float = 0.0  # last conversation's end or becoming available, whichever is later: for longest_idle
    rest_until: float = 0.0  # the phone did not take an offer: left in peace until then
    shift: Shift = field(default_factory=Shift)
    misses: dict[MissCause, int] = field(default_factory=dict)  # in a row, by cause; a conversation ends the row
    serving_since: float | None = None  # when the call began whose handling is not over: wrap-up belongs to it
    serving_in: QueueId | None = None  # that call's queue
    seen_serving: PbxId | None = None  # ``serves_on`` as routing last took note of it
    seen_presence: int = 0  # ``presence`` as the queues last took note of it
    shown_state: AgentState = AgentState.SIGNED_OUT  # as last told to the world
    state_since: float = 0.0
    lines: "tuple[Queue, ...]" = ()  # of ``spec.queues``, those that exist
    listed: bool = False  # stands in the idle lists of all of them
    seen_on_break: bool = False  # ``status`` as the queues last took note of it
    break_due: float | None = None  # when the break that is on should be over by plan
    late: bool = False  # this wrap-up or break has taken longer than it may, and it was said

    @property
    def id(self) -> AgentId:
        return self.spec.id

    @property
    def state(self) -> AgentState:
        """Engagement first, for a call in progress outlives any choice; then the choice; then the device."""
        if not isinstance(self.engagement, Free):
            return self.engagement.state
        if self.status is _AVAILABLE:
            return _DEVICE_BLOCKS.get(self.device_state, _IDLE)
        return AgentState.BREAK if self.status is _BREAK else AgentState.SIGNED_OUT

    def choose(self, status: Status, reason: str | None, now: float) -> bool:
        """Change the chosen status by the table; False when nothing changes. Raises ``illegal_transition``."""
        if status is self.status and reason == self.reason:
            return False
        if status is self.status is not Status.BREAK:
            return False
        if status not in STATUS_TRANSITIONS[self.status]:
            raise illegal_transition(f"agent {self.id}", self.status, status)
        if status is Status.AVAILABLE:
            self.idle_anchor = now
        if self.status is Status.SIGNED_OUT:
            self.shift.sign_in(now)
        elif status is Status.SIGNED_OUT:
            self.shift.sign_out(now)
        self.status, self.status_since, self.reason = status, now, reason if status is Status.BREAK else None
        return True

    def sit(self, device: DeviceId | None, state: DeviceState) -> None:
        """Be reached on another phone, or on none."""
        self.device, self.device_state = device, state
        self.pbx = split_device(device)[0] if device is not None else None

    def reserve(self, call: CallId, offer: OfferId) -> None:
        """Take the agent for one offer. An agent is in at most one."""
        if not isinstance(self.engagement, Free):
            raise Conflict("agent_in_use", f"agent {self.id} is {self.state}", agent=self.id, current=self.state)
        self.engagement = Ringing(call, offer)

    def end_talk(self, queue: QueueId, now: float) -> None:
        """After a conversation."""
        self.idle_anchor = now
        if isinstance(self.engagement, Talking):
            self.serving_since, self.serving_in = self.engagement.since, queue
            self.shift.talk_s += max(0.0, now - self.engagement.since)
        self.engagement = FREE

    def talk(self, call: CallId, queue: QueueId, since: float) -> None:
        """A conversation has begun."""
        self.engagement = Talking(call, queue, since)
        self.shift.calls += 1
        self.misses.clear()

    def can(self, needs: Needs) -> bool:
        """Whether the agent's levels are enough."""
        return not needs or all(self.skill(name) >= level for name, level in needs)

    def skill(self, name: str) -> int:
        """The agent's level; 0 without the skill."""
        return dict(self.spec.skills).get(name, 0)

    def weight_in(self, queue: QueueId) -> int:
        """The agent's weight in a queue, at least 1."""
        return max(1, dict(self.spec.weights).get(queue, 1))

    def rank_in(self, queue: QueueId) -> int:
        """The agent's place in a queue's fixed order."""
        return dict(self.spec.ranks).get(queue, 0)

    @property
    def presence(self) -> int:
        """0 signed out, 1 signed in, 2 available, 3 on a phone that can be reached (``acd.limits.LEVEL``)."""
        if self.status is _AVAILABLE:
            reached = not isinstance(self.engagement, Free) or _DEVICE_BLOCKS.get(self.device_state) is not _UNREACHABLE
            return 3 if reached else 2
        return 1 if self.status is _BREAK else 0

    @property
    def serves(self) -> bool:
        """Whether the agent takes calls today: available, on a phone that can be reached, whatever he does right now."""
        return self.presence == 3

    @property
    def serves_on(self) -> PbxId | None:
        """The PBX whose callers the agent takes today; None if he takes none."""
        return self.pbx if self.serves else None
