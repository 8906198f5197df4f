"""Breaks: what they are for, how many at a time, and who is next when there are too many.

A queue may limit how many of its agents are on a break (``BreakPolicy``); whoever chose one in a call counts from then on. Beyond
the limit a break becomes a *request*. Requests are granted in the order in which they were made, and nobody is passed over: an
earlier one that cannot be granted yet keeps its claim on the next place in each of its agent's queues. A granted break is a
chosen status like any other and begins after the call that is on; a phone that rings is not taken away from its caller.

``acd.floor`` calls ``count`` and ``turned`` when an agent's status or state has changed; the rest are handlers and timers.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acd import commands as c
from acd.agents import Agent, AgentState, Status
from acd.errors import Conflict
from acd.events import BreakOverrun, BreakRequested, BreakRequestSettled
from acd.ids import AgentId, QueueId
from acd.queues import Queue
from acd.statuses import chosen, stop_ringing
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

_AVAILABLE, _BREAK = Status.AVAILABLE, Status.BREAK
_ON_BREAK = AgentState.BREAK


@dataclass(frozen=True, slots=True)
class BreakReason:
    """A known reason: ``code`` is dialled after ``*13``. ``planned_s`` None: as long as it takes.

    ``productive``: it is work (training, letters), and reports count it so.
    """

    code: str
    name: str
    planned_s: float | None = None
    productive: bool = False


@dataclass(frozen=True, slots=True)
class BreakRequest:
    """A break that waits for its turn."""

    agent: AgentId
    reason: str | None
    asked_at: float


def known(floor: "Floor", reason: str | None) -> BreakReason | None:
    """The reason by name or code."""
    return next((one for one in floor.break_reasons if reason in (one.name, one.code)), None)


def _is_work(floor: "Floor", reason: str | None) -> bool:
    found = known(floor, reason)
    return found is not None and found.productive


def _named(floor: "Floor", reason: str | None) -> str | None:
    found = known(floor, reason)
    return found.name if found is not None else reason


# ---------------------------------------------------------------- requests


def _limited(agent: Agent) -> list[Queue]:
    return [queue for queue in agent.lines if queue.spec.breaks.most]


def _claims(floor: "Floor", before: AgentId | None = None) -> "Counter[QueueId]":
    """How many places of each queue the requests claim: all of them, or those made before that of ``before``."""
    claimed: Counter[QueueId] = Counter()
    for agent in floor.break_requests:
        if agent == before:
            break
        claimed.update(queue.spec.id for queue in _limited(floor.agents[agent]))
    return claimed


def _is_room(agent: Agent, claimed: "Counter[QueueId]") -> bool:
    return all(len(queue.on_break) + claimed[queue.spec.id] < queue.spec.breaks.most for queue in _limited(agent))


def grant(floor: "Floor", turn: Turn) -> None:
    """Give out the places that there are, in order of asking."""
    claimed: Counter[QueueId] = Counter()
    for request in tuple(floor.break_requests.values()):
        agent = floor.agents[request.agent]
        if _is_room(agent, claimed):
            _begin(floor, turn, agent, "granted")
        else:
            claimed.update(queue.spec.id for queue in _limited(agent))


def _begin(floor: "Floor", turn: Turn, agent: Agent, how: str) -> None:
    request = floor.break_requests.pop(agent.id)
    turn.emit(BreakRequestSettled(turn.now, agent.id, how))
    if agent.choose(_BREAK, request.reason, turn.now):
        chosen(turn, agent, productive=_is_work(floor, agent.reason))
        floor.refresh(agent, turn)


def drop(floor: "Floor", turn: Turn, agent: AgentId, how: str) -> None:
    """The agent's request, if there is one, is settled without a break; those behind it may be next."""
    if floor.break_requests.pop(agent, None) is not None:
        turn.emit(BreakRequestSettled(turn.now, agent, how))
        grant(floor, turn)


def number_of(floor: "Floor", agent: Agent) -> int:
    """The agent's number among those who wait for a place in one of the same queues."""
    mine, number = {queue.spec.id for queue in _limited(agent)}, 1
    for other in floor.break_requests:
        if other == agent.id:
            break
        number += any(queue.spec.id in mine for queue in _limited(floor.agents[other]))
    return number


# ---------------------------------------------------------------- what follows from an agent's status and state


def count(floor: "Floor", turn: Turn, agent: Agent) -> None:
    """The agent's status became a break, or is none any more."""
    agent.seen_on_break = agent.status is _BREAK
    for queue in agent.lines:
        (queue.on_break.add if agent.seen_on_break else queue.on_break.discard)(agent.id)
    if agent.seen_on_break:
        drop(floor, turn, agent.id, "granted")  # set on a break for another reason: what was asked for has come
    elif floor.break_requests:
        grant(floor, turn)


def join(agent: Agent) -> None:
    """The agent serves other queues than before."""
    for queue in agent.lines:
        if agent.seen_on_break:
            queue.on_break.add(agent.id)


def leave(agent: Agent) -> None:
    """The agent is about to serve other queues."""
    for queue in agent.lines:
        queue.on_break.discard(agent.id)


def turned(floor: "Floor", agent: Agent, now: float) -> None:
    """A break has begun or is over."""
    if agent.state is _ON_BREAK:
        plan(floor, agent, now)
    else:
        agent.break_due, agent.late = None, False


def plan(floor: "Floor", agent: Agent, began_at: float) -> None:
    """From ``began_at`` on the break may take as long as its reason allows."""
    reason = known(floor, agent.reason)
    agent.late, agent.break_due = False, None
    if reason is not None and reason.planned_s is not None:
        agent.break_due = began_at + reason.planned_s
        floor.at(agent.break_due, "long_break", agent.id)


def resume(floor: "Floor", agent: Agent, now: float, *, told: bool) -> None:
    """A break goes on after a restart; it may have begun after a call that was still on.

    That it is too long is told at once, unless it was ``told`` before: it may have become so while nobody looked.
    """
    if agent.state is _ON_BREAK:
        agent.state_since = max(agent.status_since, agent.shift.last_talk_at)
        plan(floor, agent, agent.state_since)
        agent.late = told and agent.break_due is not None and agent.break_due <= now


def due(floor: "Floor", turn: Turn, key: str) -> None:
    """By plan the break should be over."""
    agent = floor.agents.get(AgentId(key))
    if agent is None or agent.late or agent.break_due is None or agent.break_due > turn.now:
        return
    reason = known(floor, agent.reason)
    agent.late = True
    planned_s = reason.planned_s if reason is not None and reason.planned_s is not None else 0.0
    turn.emit(BreakOverrun(turn.now, agent.id, agent.reason, planned_s, tuple(queue.spec.id for queue in agent.lines)))


# ---------------------------------------------------------------- commands


def take(floor: "Floor", turn: Turn, command: c.TakeBreak) -> None:
    agent, reason = floor.agent(command.agent), _named(floor, command.reason)
    asked = floor.break_requests.get(agent.id)
    if agent.status is _AVAILABLE and (asked or not _is_room(agent, _claims(floor))):
        if asked is None or asked.reason != reason:  # asking again for another reason keeps the place
            at = asked.asked_at if asked is not None else turn.now
            floor.break_requests[agent.id] = BreakRequest(agent.id, reason, at)
            turn.emit(BreakRequested(at, agent.id, reason))
    elif agent.choose(_BREAK, reason, turn.now):
        stop_ringing(floor, turn, agent)
        chosen(turn, agent, productive=_is_work(floor, agent.reason))
        floor.refresh(agent, turn)
        if agent.state is _ON_BREAK:
            plan(floor, agent, turn.now)


def _asked(floor: "Floor", agent: AgentId) -> Agent:
    found = floor.agent(agent)
    if found.id not in floor.break_requests:
        raise Conflict("no_break_request", f"agent {agent} has not asked for a break that waits", agent=agent)
    return found


def approve(floor: "Floor", turn: Turn, command: c.ApproveBreak) -> None:
    _begin(floor, turn, _asked(floor, command.agent), "approved")


def refuse(floor: "Floor", turn: Turn, command: c.RefuseBreak) -> None:
    drop(floor, turn, _asked(floor, command.agent).id, "refused")


def withdraw(floor: "Floor", turn: Turn, command: c.WithdrawBreak) -> None:
    drop(floor, turn, _asked(floor, command.agent).id, "withdrawn")


def restore(floor: "Floor", turn: Turn, command: c.RestoreBreakRequest) -> None:
    """Agents who are no more, or have chosen something else since, pass in silence."""
    agent = floor.agents.get(command.agent)
    if agent is not None and agent.status is _AVAILABLE and agent.id not in floor.break_requests:
        floor.break_requests[agent.id] = BreakRequest(agent.id, command.reason, command.asked_at)
        grant(floor, turn)


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    c.TakeBreak: take,
    c.ApproveBreak: approve,
    c.RefuseBreak: refuse,
    c.WithdrawBreak: withdraw,
    c.RestoreBreakRequest: restore,
}
