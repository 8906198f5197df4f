"""Why: the routing decisions explained by the very functions that decide (``acd.routing``).

For a caller: every member of the queue with the reason that keeps him away, or the terms of his order; what was decided before,
and what the caller was told. For an agent: what keeps him from any call, and from each of the first callers of each line.
"""

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from acd import away, routing
from acd.agents import AgentState
from acd.announcing import Said
from acd.calls import Call, CallState, Visit
from acd.decisions import Decision
from acd.forecast import Promise, ahead_of, expected
from acd.ids import AgentId, CallId, QueueId
from acd.queues import Queue
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
    strategy: str | None  # None: the call has ended, and its queue is no more
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
    overflows: tuple[Visit, ...]  # those that a limit ended
    language: str | None
    place_since: float | None
    announced: tuple[Said, ...]


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
    queue = floor.queues.get(call.queue)
    waits = queue is not None and call.visit.outcome is None
    held = routing.held_for(call, queue, now) if queue is not None and waits else None
    return CallWhy(
        call=call.id,
        state=call.state,
        queue=call.queue,
        strategy=queue.spec.strategy if queue is not None else None,
        position=1 + ahead_of(floor, queue, call) if queue is not None and waits else None,
        priority=call.priority,
        head_start_s=call.head_start_s,
        segment=call.segment,
        needs=call.needs,
        held_for=held,
        held_until=call.held_until if held is not None else None,
        not_offered_because=_held_up(floor, call, now),
        candidates=_candidates(queue, call, now) if queue is not None and waits else (),
        decisions=call.decisions,
        expected=expected(floor, call, now),
        told=call.told,
        overflows=tuple(replace(visit) for visit in call.visits if visit.limit is not None),
        language=call.language,
        place_since=call.place_since,
        announced=call.speech.said if call.speech is not None else (),
    )


def _candidates(queue: Queue, call: Call, now: float) -> tuple[Candidate, ...]:
    """Every member: those who may be rung in their order, then the others."""
    terms = {agent: (float(misses), *key) for misses, key, agent in routing.ranked(queue, call, now)}
    candidates = (
        Candidate(
            agent.id,
            agent.shown_state,
            routing.agent_bar(agent, now) or routing.call_bar(agent, call, queue, now),
            terms.get(agent.id),
        )
        for agent in queue.members.values()
    )
    return tuple(sorted(candidates, key=lambda one: (one.terms is None, one.terms or (), one.agent)))


def _held_up(floor: "Floor", call: Call, now: float) -> str | None:
    """What keeps a call, or a callback that stands in line, from being offered to anybody."""
    if call.state is not CallState.WAITING:
        return None
    if not floor.offering:
        return "service_stopping"
    if not floor.takes_offers(call.pbx):
        return "pbx_not_ready"
    if call.fallback is not None:
        return "with_the_fallback"
    if call.away:
        return away.held_up(floor, call, now)
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
                CallerBar(call.id, routing.call_bar(agent, call, queue, now), _held_up(floor, call, now))
                for call in first
            )
            lines.append(LineWhy(name, len(queue.line), bars))
    rests = agent.rest_until if agent.rest_until > now else None
    return IdleWhy(agent.id, agent.shown_state, routing.agent_bar(agent, now), rests, tuple(lines))
