"""How long each agent was in which state, by intervals of 15 minutes. Pure; used by ``nobat.storage.figures``."""

from collections.abc import Iterable, Mapping
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


@dataclass(slots=True)
class Stays:
    """Seconds by column in one interval, and the state at its end."""

    seconds: dict[str, float] = field(default_factory=dict)
    last: AgentState = OUT


def start_of(at: float) -> int:
    """The beginning of the interval in which ``at`` lies."""
    return int(at // INTERVAL_S) * INTERVAL_S


def split(
    changes: Iterable[Change], before: Mapping[str, AgentState], begin: int, until: float
) -> dict[tuple[str, int], Stays]:
    """What each agent did in each interval of [``begin``, ``until``); ``changes`` in order, ``before`` the states at ``begin``.

    Of an agent who is not in ``before``, the first change tells what was before. Intervals spent signed out are left out.
    """
    found: dict[tuple[str, int], Stays] = {}
    since: dict[str, tuple[float, AgentState]] = {agent: (float(begin), state) for agent, state in before.items()}
    for change in changes:
        began, state = since.get(change.agent, (float(begin), change.old))
        _spend(found, change.agent, state, began, max(began, change.at))
        since[change.agent] = (max(began, change.at), change.new)
    for agent, (began, state) in since.items():
        _spend(found, agent, state, began, until)
        last = found.get((agent, start_of(began)))
        if last is not None:  # signed out in the middle of an interval: what it ends in is known
            last.last = state
    return found


def _spend(found: dict[tuple[str, int], Stays], agent: str, state: AgentState, began: float, ended: float) -> None:
    column = COLUMN.get(state)
    if column is None:
        if (stays := found.get((agent, start_of(began)))) is not None:
            stays.last = OUT
        return
    while began < ended:
        start = start_of(began)
        cut = min(ended, float(start + INTERVAL_S))
        stays = found.setdefault((agent, start), Stays())
        stays.seconds[column] = stays.seconds.get(column, 0.0) + cut - began
        stays.last = state
        began = cut
