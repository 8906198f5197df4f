"""Why: the routing decisions explained by the very functions that decide (``acd.routing``).

For a caller: every member of the queue with the reason that keeps him away, or the terms of his order; what was decided before,
and what the caller was told. For an agent: what keeps him from any call, and from each of the first callers of each line.
"""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from acd import routing
from acd.agents import AgentState
from acd.calls import CallState
from acd.decisions import Decision
from acd.forecast import Promise, expected
from acd.ids import AgentId, CallId, QueueId
from acd.skills import Needs

if TYPE_CHECKING:
    from acd.floor import Floor

CALLERS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agent, as routing sees him for one caller. ``terms``: offers let pass, then the strategy's key; smallest first."""

    agent: AgentId
    state: AgentState
    bar: routing.Bar | None
    terms: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class CallWhy:
    """Why a call is where it is."""

    call: CallId
    state: CallState
    queue: QueueId
    strategy: str
    position: int | None
    priority: int
    head_start_s: float
    segment: str | None
    needs: Needs
    held_for: AgentId | None
    held_until: float | None
    not_offered_because: str | None
    candidates: tuple[Candidate, ...]
    decisions: tuple[Decision, ...]
    expected: Promise | None
    told: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class CallerBar:
    """One caller of a line, and what keeps the agent from him."""

    call: CallId
    bar: routing.Bar | None
    held_up_by: str | None


@dataclass(frozen=True, slots=True)
class LineWhy:
    """One of the agent's lines: how many wait, and the first of them."""

    queue: QueueId
    waiting: int
    first: tuple[CallerBar, ...]


@dataclass(frozen=True, slots=True)
class IdleWhy:
    """Why an agent has no call."""

    agent: AgentId
    state: AgentState
    bar: routing.Bar | None
    rests_until: float | None
    lines: tuple[LineWhy, ...]


def why_call(floor: "Floor", call_id: CallId, now: float) -> CallWhy:
    """Raises ``unknown_call``."""
    call = floor.call(call_id)
    queue = floor.queue(call.queue)
    waits = call.state in (CallState.WAITING, CallState.OFFERED)
    held = routing.held_for(call, queue, now) if waits else None
    ahead = queue.index(call.place) if waits else 0
    ringing = sum(floor.calls[other].place < call.place for other in queue.offered) if waits else 0
    terms = {agent: (float(misses), *key) for misses, key, agent in routing.ranked(queue, call, now)} if waits else {}
    candidates = tuple(
        Candidate(
            agent.id,
            agent.shown_state,
            routing.agent_bar(agent, now) or routing.call_bar(agent, call, queue, now),
            terms.get(agent.id),
        )
        for agent in queue.members.values()
    )
    in_order = sorted(candidates, key=lambda one: (one.terms is None, one.terms or (), one.agent))
    return CallWhy(
        call=call.id,
        state=call.state,
        queue=call.queue,
        strategy=queue.spec.strategy,
        position=1 + ahead + ringing if waits else None,
        priority=call.priority,
        head_start_s=call.head_start_s,
        segment=call.segment,
        needs=call.needs,
        held_for=held,
        held_until=call.held_until if held is not None else None,
        not_offered_because=_held_up(floor, call_id, now),
        candidates=tuple(in_order) if waits else (),
        decisions=call.decisions,
        expected=expected(floor, call, now),
        told=call.told,
    )


def _held_up(floor: "Floor", call_id: CallId, now: float) -> str | None:
    """What keeps a call from being offered to anybody."""
    call = floor.call(call_id)
    if call.state is not CallState.WAITING:
        return None
    if not floor.offering:
        return "service_stopping"
    if not floor.takes_offers(call.pbx):
        return "pbx_not_ready"
    return "last_offer_not_placed" if call.hold_off_until > now else None


def why_idle(floor: "Floor", agent_id: AgentId, now: float) -> IdleWhy:
    """Raises ``unknown_agent``."""
    agent = floor.agent(agent_id)
    lines = []
    for name in agent.spec.queues:
        queue = floor.queues.get(name)
        if queue is not None:
            first = [floor.calls[call] for call in islice(queue.waiting(), CALLERS_SHOWN)]
            bars = tuple(
                CallerBar(call.id, routing.call_bar(agent, call, queue, now), _held_up(floor, call.id, now))
                for call in first
            )
            lines.append(LineWhy(name, len(queue.line), bars))
    rests = agent.rest_until if agent.rest_until > now else None
    return IdleWhy(agent.id, agent.shown_state, routing.agent_bar(agent, now), rests, tuple(lines))
