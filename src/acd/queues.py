"""A queue: what it promises, who serves it, and the callers who wait in it, in order.

The line is one sorted list. A place is a value computed from facts that never change while a caller waits (priority, time
of entry, serial of the entry), so a caller who returns to the line after an unanswered offer, a lost link or a restart stands
exactly where he stood.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from acd.ids import AgentId, CallId, QueueId
from acd.sla import Ledger

if TYPE_CHECKING:
    from acd.agents import Agent

Place = tuple[int, float, int, CallId]
"""Orders a line: highest priority first, then earliest entry, then lowest serial."""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """The promise: ``ratio`` of the callers answered within ``target_s`` seconds of entry."""

    target_s: float = 20.0
    ratio: float = 0.8


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue as it was configured. Durations are seconds; ``timezone`` is an IANA name.

    ``skills`` names the level an agent needs at least. ``rest_s`` is how long an agent whose phone did not take an
    offer is left in peace. Callers who give up within ``short_abandon_s`` are reported apart.
    """

    id: QueueId
    number: str
    name: str = ""
    strategy: str = "longest_idle"
    ring_s: int = 15
    wrap_up_s: float = 10.0
    rest_s: float = 5.0
    short_abandon_s: float = 5.0
    service_level: ServiceLevel = ServiceLevel()
    skills: tuple[tuple[str, int], ...] = ()
    timezone: str = "UTC"


@dataclass(slots=True)
class Queue:
    """A queue as it lives: members, those of them who are idle, the line, the turns taken, and the figures."""

    spec: QueueSpec
    members: dict[AgentId, "Agent"] = field(default_factory=dict)
    idle: dict[AgentId, "Agent"] = field(default_factory=dict)
    line: list[Place] = field(default_factory=list)
    offered: set[CallId] = field(
        default_factory=set
    )  # callers for whom phones ring: not in the line, but still waiting
    turns: dict[AgentId, int] = field(default_factory=dict)  # number of the last turn each agent took: round robin
    turn: int = 0
    live_calls: int = 0  # calls of this queue that have not ended: while there are any, it cannot be removed
    ledger: Ledger = field(default_factory=Ledger)

    def stand(self, place: Place) -> None:
        """Put a caller into the line at the caller's place."""
        insort(self.line, place)

    def leave(self, place: Place) -> None:
        """Take the caller who stands at ``place`` out of the line."""
        index = bisect_left(self.line, place)
        if index < len(self.line) and self.line[index] == place:
            del self.line[index]

    def waiting(self) -> Iterator[CallId]:
        """Those who wait, head first."""
        return (place[3] for place in self.line)

    def took_turn(self, agent: AgentId) -> None:
        """Note that ``agent`` was offered a call of this queue: for round robin."""
        self.turn += 1
        self.turns[agent] = self.turn
