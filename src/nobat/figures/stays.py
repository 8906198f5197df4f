"""How long each agent was in which state, by intervals of 15 minutes. Pure; used by ``nobat.storage.figures``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.agents import AgentState
from acd.sla import INTERVAL_S

OUT = AgentState.SIGNED_OUT
COLUMN = {
    AgentState.IDLE: "idle_s",
    AgentState.RINGING: "ringing_s",
    AgentState.TALKING: "talking_s",
    AgentState.WRAP_UP: "working_s",
    AgentState.BREAK: "break_s",
    AgentState.BUSY_ELSEWHERE: "elsewhere_s",
    AgentState.UNREACHABLE: "unreachable_s",
}


@dataclass(frozen=True, slots=True)
class Change:
    """An agent came from one state into another. ``at`` is seconds since the epoch."""

    agent: str
    at: float
    old: AgentState
    new: AgentState


@dataclass(frozen=True, slots=True)
class Choice:
    """An agent chose something; ``productive``: a break that is work."""

    agent: str
    at: float
    productive: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody looked from ``since`` until ``at``: no time in any state is made up for that."""

    at: float
    since: float


@dataclass(slots=True)
class Stays:
    """Seconds by column in one interval, those of productive breaks once more, and the state and the choice at its end."""

    seconds: dict[str, float] = field(default_factory=dict)
    productive_s: float = 0.0
    last: AgentState = OUT
    productive: bool = False


@dataclass(slots=True)
class _Now:
    """What an agent does, and since when that was not counted."""

    since: float
    state: AgentState


def start_of(at: float) -> int:
    """The beginning of the interval in which ``at`` lies."""
    return int(at // INTERVAL_S) * INTERVAL_S


class Splitting:
    """What each agent did in each interval from ``begin`` on, of changes that come one by one, in order; none of them is kept.

    ``before`` is the state at ``begin`` and whether a productive break was chosen. Of an agent who is not in it, the first change
    tells what was before. Intervals spent signed out are left out.
    """

    def __init__(self, before: Mapping[str, tuple[AgentState, bool]], begin: int) -> None:
        self._begin = float(begin)
        self._found: dict[tuple[str, int], Stays] = {}
        self._present = {agent: _Now(float(begin), state) for agent, (state, _) in before.items()}
        self._productive = {agent: chosen for agent, (_, chosen) in before.items()}

    def take(self, change: Change | Choice | Gap) -> None:
        """The next one, of whichever agent."""
        if isinstance(change, Gap):
            for one, now in self._present.items():
                self._spend(one, now, change.since)
                now.state = OUT
            return
        agent = change.agent
        if isinstance(change, Change):
            now = self._present.setdefault(agent, _Now(self._begin, change.old))
            self._spend(agent, now, change.at)
            now.state = change.new
        else:
            if agent in self._present:
                self._spend(agent, self._present[agent], change.at)
            self._productive[agent] = change.productive

    def until(self, until: float) -> dict[tuple[str, int], Stays]:
        """There are no more before then: what each agent did."""
        for agent, now in self._present.items():
            last = self._found.get((agent, start_of(now.since)))
            if last is not None:  # signed out in the middle of an interval: what it ends in is known
                last.last, last.productive = now.state, self._productive.get(agent, False)
            self._spend(agent, now, until)
        return self._found

    def _spend(self, agent: str, now: _Now, until: float) -> None:
        """Count what the agent has done until then."""
        found, productive = self._found, self._productive.get(agent, False)
        began, now.since = now.since, max(now.since, until)
        column = COLUMN.get(now.state)
        if column is None:
            if (stays := found.get((agent, start_of(began)))) is not None:
                stays.last = OUT
            return
        while began < until:
            start = start_of(began)
            cut = min(until, float(start + INTERVAL_S))
            stays = found.setdefault((agent, start), Stays())
            stays.seconds[column] = stays.seconds.get(column, 0.0) + cut - began
            if productive and now.state is AgentState.BREAK:
                stays.productive_s += cut - began
            stays.last, stays.productive = now.state, productive
            began = cut
