"""A queue: what it promises, who serves it, and the callers who wait in it, in order.

A place is a value computed from facts that never change while a caller waits (priority, time
of entry, serial of the entry), so a caller who returns to the line after an unanswered offer, a lost link or a restart stands
exactly where he stood.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from acd.announcements import SILENT, Announcements
from acd.callback_policy import NO_CALLBACKS, CallbackPolicy
from acd.ewt import WaitModel
from acd.hours import ALWAYS, Hours, Timetable
from acd.ids import AgentId, CallId, QueueId
from acd.limits import LEVEL, NONE, Closing, Overflow, Presence
from acd.recordings import NO_RECORDING, RecordingPolicy
from acd.skills import NOTHING, Needs, RelaxStep
from acd.sla import Ledger
from acd.surveys import NO_SURVEY, SurveyPolicy
from acd.telephony import MissCause
from acd.words import Word

if TYPE_CHECKING:
    from acd.agents import Agent
    from acd.forecast import Rates

Place = tuple[float, float, int, CallId]
"""Orders a line: by time of entry less the head start that priority gives, then by time of entry, then by serial."""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """The promise: ``ratio`` of the callers answered within ``target_s`` seconds of entry."""

    target_s: float = 20.0
    ratio: float = 0.8


@dataclass(frozen=True, slots=True)
class MissPolicy:
    """How many offers in a row an agent's phone may let pass, by cause, before the agent is set on a break; 0: never."""

    no_answer: int = 3
    busy: int = 0
    rejected: int = 3
    failed: int = 0

    def limit(self, cause: MissCause) -> int:
        """The limit for ``cause``; causes that are not the agent's doing have none."""
        return int(getattr(self, cause.value, 0))


class WrapUpForm(Word):
    """How the work after a call ends."""

    FIXED = "fixed"  # after the queue's time, or when the agent says so
    OPEN = "open"  # when the agent says so
    DISPOSITION = "disposition"  # not before it is said what the call was about


@dataclass(frozen=True, slots=True)
class WrapUpPolicy:
    """The work after a call. ``dispositions``: what a call can have been about, empty for any word; in that order they are
    ``*15`` with 1, 2, … ``longest_s``: who works longer after a call is told apart, and with ``force`` made free; 0: never.
    """

    form: WrapUpForm = WrapUpForm.FIXED
    dispositions: tuple[str, ...] = ()
    longest_s: float = 0.0
    force: bool = False


@dataclass(frozen=True, slots=True)
class BreakPolicy:
    """``most``: so many of a queue's agents may be on a break at the same time; 0: all of them."""

    most: int = 0


@dataclass(frozen=True, slots=True)
class SupervisionPolicy:
    """What holds when a supervisor listens to a queue's calls. ``tone``: caller and agent hear a short tone as he joins.
    ``display``: what the agent's phone shows then in place of the caller's name, and the agent's application is told; empty:
    neither. ``exempt``: agents who are never supervised, whatever queue the call is of.
    """

    tone: bool = False
    display: str = ""
    exempt: tuple[AgentId, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue as it was configured. Durations are seconds; ``timezone`` is an IANA name.

    ``skills`` names the level an agent needs at least. ``rest_s`` is how long an agent whose phone did not take an
    offer is left in peace. Callers who give up within ``short_abandon_s`` are reported apart.

    One level of priority is worth ``priority_s`` seconds of waiting. That is priority with ageing in one number: a caller of a
    level less passes when he has waited so much longer, so nobody is starved, and the order of two callers never changes while
    both wait. ``sticky_s``: how long a caller waits for the agent who served him last, if that one is at work.
    """

    id: QueueId
    number: str
    name: str = ""
    strategy: str = "longest_idle"
    priority_s: float = 300.0
    ring_s: int = 15
    wrap_up_s: float = 10.0
    rest_s: float = 5.0
    short_abandon_s: float = 5.0
    service_level: ServiceLevel = ServiceLevel()
    skills: Needs = NOTHING
    relax: tuple[RelaxStep, ...] = ()
    sticky_s: float = 0.0
    misses: MissPolicy = MissPolicy()
    timezone: str = "UTC"
    hours: Hours = ALWAYS
    overflow: Overflow = NONE
    announcements: Announcements = SILENT
    wrap_up: WrapUpPolicy = WrapUpPolicy()
    breaks: BreakPolicy = BreakPolicy()
    recording: RecordingPolicy = NO_RECORDING
    survey: SurveyPolicy = NO_SURVEY
    supervision: SupervisionPolicy = SupervisionPolicy()
    callbacks: CallbackPolicy = NO_CALLBACKS


Key = tuple[float, ...]


class Line:
    """The places of those who wait, in order, as one sorted list whose head moves on.

    Callers are served at the head and join at the tail, whatever the length: what was taken from the head is left lying, and
    dropped when it has become half of all.
    """

    __slots__ = ("_head", "_places", "first")

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._head = 0
        self.first: Place | None = None
        """The place at the head; None when nobody waits."""

    def __len__(self) -> int:
        return len(self._places) - self._head

    def __iter__(self) -> Iterator[Place]:
        return islice(self._places, self._head, None)

    def __getitem__(self, index: int) -> Place:
        return self._places[self._head + index]

    def add(self, place: Place) -> None:
        """Put a place in where it belongs."""
        places, head = self._places, self._head
        if self.first is None or place > places[-1]:
            places.append(place)
        else:
            at = bisect_left(places, place, head)
            if head and at - head < len(places) - at:  # nearer to the head: those before it move up by one
                places[head - 1 : at - 1] = places[head:at]
                places[at - 1] = place
                self._head = head - 1
            else:
                places.insert(at, place)
        self.first = places[self._head]

    def remove(self, place: Place) -> bool:
        """Take a place out; False if it is not there."""
        places, head = self._places, self._head
        at = head
        if place != self.first:  # the head is nearly always meant
            at = bisect_left(places, place, head)
            if at == len(places) or places[at] != place:
                return False
        if at - head < len(places) - at:
            if at > head:
                places[head + 1 : at + 1] = places[head:at]
            self._head = head + 1
            if 2 * self._head >= len(places):
                del places[: self._head]
                self._head = 0
        else:
            del places[at]
        self.first = places[self._head] if places else None
        return True

    def index(self, place: Place) -> int:
        """How many stand before ``place``."""
        return bisect_left(self._places, place, self._head) - self._head

    def clear(self) -> None:
        """Send everybody away."""
        self._places.clear()
        self._head, self.first = 0, None


@dataclass(slots=True)
class IdleList:
    """The free members of a queue, in the order of a key that was theirs when they became free."""

    keys: dict[AgentId, Key] = field(default_factory=dict)
    order: list[tuple[Key, AgentId]] = field(default_factory=list)

    def __contains__(self, agent: AgentId) -> bool:
        return agent in self.keys

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, agent: AgentId, key: Key) -> None:
        """A member has become free."""
        self.keys[agent] = key
        insort(self.order, (key, agent))

    def discard(self, agent: AgentId) -> None:
        """A member is not free any more, if he was."""
        key = self.keys.pop(agent, None)
        if key is not None:
            del self.order[bisect_left(self.order, (key, agent))]


@dataclass(slots=True)
class Queue:
    """A queue as it lives: members, those of them who are idle, the line, the turns taken, and the figures."""

    spec: QueueSpec
    members: dict[AgentId, "Agent"] = field(default_factory=dict)
    idle: IdleList = field(default_factory=IdleList)
    line: Line = field(default_factory=Line)
    offered: set[CallId] = field(
        default_factory=set
    )  # callers for whom phones ring: not in the line, but still waiting
    away: set[CallId] = field(default_factory=set)  # entries whose callers are to be called back
    kinds: dict[Needs, int] = field(default_factory=dict)  # how many in the line need what
    turns: dict[AgentId, float] = field(default_factory=dict)  # when each agent had the last turn: round robin
    last_turn: float = 0.0
    on_break: set[AgentId] = field(default_factory=set)  # members who chose a break, those who still talk included
    live_calls: int = 0  # calls of this queue that have not ended: while there are any, it cannot be removed
    ledger: Ledger = field(default_factory=Ledger)
    waits: WaitModel = field(default_factory=WaitModel)
    rates: "Rates" = field(default_factory=dict)  # who can serve whom, as forecasts found it …
    rated_at: float = 0.0  # … since then
    timetable: Timetable | None = None  # None: always open
    hours_timer: float | None = None  # when the last timer set for its hours is due
    closing: Closing | None = None  # closed by a supervisor
    presence: list[int] = field(default_factory=lambda: [0, 0, 0, 0])  # members by ``Agent.presence``
    empty_since: float | None = None  # nobody is there for whom those who wait could wait

    def present(self, needs: Presence) -> bool:
        """Whether anybody is there as much as that."""
        return any(self.presence[LEVEL[needs] :])

    def stand(self, place: Place, needs: Needs) -> None:
        """Put a caller into the line at the caller's place."""
        self.line.add(place)
        self.kinds[needs] = self.kinds.get(needs, 0) + 1

    def leave(self, place: Place, needs: Needs) -> None:
        """Take the caller who stands at ``place`` out of the line."""
        if self.line.remove(place):
            self._one_less(needs)

    def index(self, place: Place) -> int:
        """How many of the line stand before ``place``."""
        return self.line.index(place)

    def needs_changed(self, before: Needs, after: Needs) -> None:
        """One who stands in the line needs something else now."""
        self._one_less(before)
        self.kinds[after] = self.kinds.get(after, 0) + 1

    def _one_less(self, needs: Needs) -> None:
        left = self.kinds[needs] - 1
        if left:
            self.kinds[needs] = left
        else:
            del self.kinds[needs]

    def waiting(self) -> Iterator[CallId]:
        """Those who wait, head first."""
        for place in self.line:
            yield place[3]

    def took_turn(self, agent: AgentId, now: float) -> None:
        """Note that ``agent`` was offered a call of this queue; turns of the same moment keep their order."""
        self.last_turn = self.turns[agent] = max(now, self.last_turn + 1e-6)
