"""A call: one caller's stay with us, from the entry into the line to the hang-up.

State and outcome are two things. The *state* says where the caller is now and moves by ``TRANSITIONS``; each stay in a
queue is a *visit* whose outcome is decided once and never changes (../docs/reference/definitions.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from acd.errors import illegal_transition
from acd.ids import AgentId, CallbackId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId
from acd.limits import Limit
from acd.outcomes import Outcome, waiting_since
from acd.queues import Place
from acd.recordings import Recording
from acd.skills import NOTHING, Needs
from acd.talks import Consult, Talk, Transfer
from acd.words import Word

if TYPE_CHECKING:
    from acd.announcing import Speech
    from acd.decisions import Decision
    from acd.forecast import Prediction, Promise
    from acd.telephony import Lead


class CallState(Word):
    """Where a caller is."""

    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    AFTER = "after"
    ENDED = "ended"


TRANSITIONS: dict[CallState, frozenset[CallState]] = {
    CallState.WAITING: frozenset({CallState.OFFERED, CallState.AFTER, CallState.ENDED}),
    CallState.OFFERED: frozenset({CallState.WAITING, CallState.TALKING, CallState.ENDED}),
    CallState.TALKING: frozenset({CallState.AFTER, CallState.ENDED}),
    # A call that is passed on comes to AFTER on its way, and so does one whose agent was lost: both may go on from there.
    # Straight into the next talk goes the caller whom somebody has who was asked in a consult.
    # A supervisor in the conversation talks on when the agent has left: it goes on.
    CallState.AFTER: frozenset({CallState.WAITING, CallState.OFFERED, CallState.TALKING, CallState.ENDED}),
    CallState.ENDED: frozenset(),
}

NOBODY: Mapping[AgentId, int] = MappingProxyType({})


@dataclass(slots=True)
class Visit:
    """One stay in one queue. ``decided_at`` and ``outcome`` are None while the caller still waits.

    ``since`` is the time that the place counts from, and ``front`` sets the caller before all who have no such right.
    """

    queue: QueueId
    entered_at: float
    outcome: Outcome | None = None
    decided_at: float | None = None
    since: float | None = None  # None: from ``entered_at``
    front: bool = False
    limit: Limit | None = None  # of an overflowed one: why …
    led_to: str | None = None  # … and where to
    counts: bool = True  # False: of a callback, which has a time of entry and an outcome of its own

    @property
    def place_at(self) -> float:
        return self.since if self.since is not None else self.entered_at


@dataclass(slots=True)
class LiveOffer:
    """An offer that is out: who is rung for this caller. ``phones`` shrinks as phones drop out."""

    id: OfferId
    sent_at: float
    ring_s: int
    phones: dict[DeviceId, AgentId]
    legs: dict[DeviceId, LegId] = field(default_factory=dict)
    answered: DeviceId | None = None
    withdrawn: set[DeviceId] = field(default_factory=set)  # told to stop ringing; the PBX has not confirmed it
    found: bool = False  # by a snapshot, not made here: whose phones ring is learned as the PBX tells it
    number: str | None = None  # rings outside, for a call that is passed on there
    record: str = ""  # the name under which its conversation is recorded
    ends_at: float = 0.0  # by then the PBX must have told the outcome; afterwards it is asked


@dataclass(slots=True)
class Call:
    """One caller. Times are seconds since the epoch."""

    id: CallId
    leg: LegId
    pbx: PbxId
    number: str | None
    name: str | None
    priority: int
    serial: int
    visit: Visit  # the one that counts now
    trail: tuple[QueueId, ...] = ()  # the queues before, those that a restart has made us forget included
    led: "Lead | None" = None  # away from the line, as it was asked of the PBX
    earlier_visits: tuple[Visit, ...] = ()
    state: CallState = CallState.WAITING
    state_since: float = 0.0
    offer: LiveOffer | None = None
    fallback: OfferId | None = None  # while he waits: the PBX serves him by itself, and he is not ours to offer
    offers_made: int = 0
    head_start_s: float = 0.0  # what the priority is worth in waiting time
    needs: Needs = NOTHING  # what an agent must be able to do, as it stands now
    own_needs: Needs = NOTHING  # of it, what the caller brought and what never relaxes
    caller: str | None = None  # the number in its normal form: who calls, whatever way it was written
    segment: str | None = None
    language: str | None = None
    known_as: str | None = None  # the directory's name for the number
    wanted: AgentId | None = None  # the agent whom the directory prefers, or who served this number last
    preferred: AgentId | None = None  # held for this agent …
    held_until: float = 0.0  # … until then
    misses: Mapping[AgentId, int] = field(default_factory=lambda: NOBODY)  # agents who did not take this very caller
    rejected_by: frozenset[AgentId] = frozenset()
    prediction: "Prediction | None" = None  # made on joining, compared with what comes true
    promise: "Promise | None" = None  # the last one told
    told: "tuple[Promise, ...]" = ()
    decisions: "tuple[Decision, ...]" = ()
    hold_off_until: float = 0.0  # no offer before: the last one could not be placed
    talks: tuple[Talk, ...] = ()  # the first one first; the last one may still go on
    transfers: tuple[Transfer, ...] = ()
    consult: Consult | None = None  # while he talks: somebody else is asked
    third: LegId | None = None  # a supervisor's, who has kept the caller when the agent left
    hang_up_asked: bool = False
    ended_at: float | None = None
    ended_by: str | None = None  # caller, agent, supervisor, service, fault, pbx_restart, unseen
    disposition: str | None = None
    notes: str | None = None
    place_since: float | None = None  # of an earlier call that was cut off: the place counts from then
    asked: bool = False  # what he thought of it …
    score: int | None = None  # … and the answer
    recording: Recording | None = None  # of the conversation that goes on
    taped: Recording | None = None  # of the one that ended last
    private: bool = False  # is neither recorded nor listened to: the caller was asked, and has not consented
    away: bool = False  # has no leg: the caller is to be called back, and this is the place in the line
    callback: CallbackId | None = None  # that the caller was promised, or by which he was reached
    speech: "Speech | None" = None  # what is said to the caller, and what was

    @property
    def visits(self) -> tuple[Visit, ...]:
        """All stays in queues, the first one first."""
        return (*self.earlier_visits, self.visit)

    @property
    def waiting_since(self) -> float:
        """When the present wait began: with this visit, or with the first of those from which limits have led here."""
        return waiting_since(self.visits)

    @property
    def queue(self) -> QueueId:
        return self.visit.queue

    @property
    def place(self) -> Place:
        """Where this caller stands in the line; the same for as long as the visit lasts and the priority stays."""
        since = self.visit.place_at
        return (since - self.head_start_s, since, self.serial, self.id)

    def move(self, state: CallState, now: float) -> None:
        """Change state, by the table only."""
        if state not in TRANSITIONS[self.state]:
            raise illegal_transition(f"call {self.id}", self.state, state)
        self.state, self.state_since = state, now

    def next_offer_id(self) -> OfferId:
        """Offer ids count up within a call, through restarts too, so that an old offer's echo is told from a new one."""
        self.offers_made += 1
        return OfferId(f"{self.id}.{self.offers_made}")

    @property
    def talk(self) -> Talk | None:
        """The conversation that goes on, or the last one."""
        return self.talks[-1] if self.talks else None

    @property
    def agent(self) -> AgentId | None:
        """Who talks to the caller, or did last."""
        return self.talks[-1].agent if self.talks else None

    def had(self, agent: AgentId) -> bool:
        """Whether the agent has or had a part in the call."""
        asked = self.consult is not None and self.consult.agent == agent
        return asked or any(talk.agent == agent for talk in self.talks)

    def talk_s(self, now: float) -> float | None:
        """Seconds in conversation so far, hold included; None if there was none."""
        return sum(talk.talk_s(now) for talk in self.talks) if self.talks else None

    def held_s(self, now: float) -> float:
        """Seconds on hold so far."""
        return sum(talk.held_s(now) for talk in self.talks)
