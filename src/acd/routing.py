"""Bring callers and agents together: eligibility first, then order.

Called once at the end of each turn. Between turns no caller waits whom a free agent could serve, so a new pair can only
come from a *fresh* agent (just became free) or a *fresh* caller (just joined a line). Fresh agents are looked at first, through
all their lines in one order, so that a newcomer never passes somebody who waited for exactly this agent.

A ``Bar`` is the reason why an agent does not get a call. The very functions that decide also explain.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING

from acd.agents import Agent, AgentState
from acd.calls import Call, CallState, LiveOffer
from acd.decisions import Decision
from acd.events import CallOffered
from acd.forecast import predict
from acd.ids import AgentId, OfferId, QueueId, split_device
from acd.queues import Key, Place, Queue
from acd.skills import Needs
from acd.strategies import RING_EVERYBODY, STEADY, STRATEGIES, Choice
from acd.telephony import Offer
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

OFFER_GUARD_S = 10.0
"""How long after the ring time a PBX may stay silent about an offer before it is asked what became of it."""

DECISIONS_KEPT, DECISION_TERMS = 10, 10
"""Decisions that a call remembers, and agents in the order of each."""

MOST_PHONES = 50
"""How many phones one offer rings at most: what fits into one line of AMI."""

Rank = tuple[int, Key, AgentId]
"""The terms of an order: offers to this caller let pass, the strategy's key, the agent."""


class Bar(StrEnum):
    """Why an agent does not get a call. A closed set: people read it, programs compare it."""

    NOT_IDLE = "not_idle"
    RESTING = "resting"
    NO_DEVICE = "no_device"
    SKILL = "skill"
    OTHER_PBX = "other_pbx"
    HELD = "held_for_another"
    REJECTED = "rejected_by_this_agent"


def agent_bar(agent: Agent, now: float) -> Bar | None:
    """What keeps an agent from any call at all."""
    if agent.state is not AgentState.IDLE:
        return Bar.NOT_IDLE
    if agent.device is None:
        return Bar.NO_DEVICE
    return Bar.RESTING if agent.rest_until > now else None


def call_bar(agent: Agent, call: Call, queue: Queue, now: float) -> Bar | None:
    """What keeps a member of the caller's queue from this caller."""
    if not agent.can(call.needs):
        return Bar.SKILL
    if agent.device is None or split_device(agent.device)[0] != call.pbx:
        return Bar.OTHER_PBX
    if call.preferred is not None and held_for(call, queue, now) not in (None, agent.id):
        return Bar.HELD
    if agent.id in call.rejected_by and _somebody_else(call, queue):
        return Bar.REJECTED
    return None


def held_for(call: Call, queue: Queue, now: float) -> AgentId | None:
    """The agent whom a caller waits for, as long as the hold lasts and that agent is at work."""
    if call.preferred is None or now >= call.held_until or call.preferred in call.misses:
        return None
    preferred = queue.members.get(call.preferred)
    return preferred.id if preferred is not None and preferred.serves and preferred.can(call.needs) else None


def _somebody_else(call: Call, queue: Queue) -> bool:
    """Whether anybody at work could serve a caller whom some have rejected, now or when he has finished."""
    return any(one.serves and one.can(call.needs) for one in queue.members.values() if one.id not in call.rejected_by)


def idle_key(agent: Agent, queue: Queue) -> Key:
    """Where a member who becomes free stands among the free."""
    strategy = queue.spec.strategy
    return STRATEGIES[strategy](agent, Choice(queue, None, 0.0)) if strategy in STEADY else ()


def ranked(queue: Queue, call: Call, now: float) -> Iterator[Rank]:
    """The free agents who may serve ``call`` with the terms of their order; in order, if the strategy is a steady one."""
    steady, key, choice = queue.spec.strategy in STEADY, STRATEGIES[queue.spec.strategy], Choice(queue, call, now)
    for kept, agent_id in queue.idle.order:
        agent = queue.members[agent_id]
        if call_bar(agent, call, queue, now) is None:
            yield call.misses.get(agent_id, 0), kept if steady else key(agent, choice), agent_id


def choose(queue: Queue, call: Call, now: float) -> list[AgentId]:
    """Whom to ring for ``call``; nobody if no free agent may serve it.

    Whoever has already let this caller ring in vain comes after all who have not.
    """
    candidates = ranked(queue, call, now)
    if queue.spec.strategy in RING_EVERYBODY:
        return [agent for _, _, agent in sorted(candidates)[:MOST_PHONES]]
    if queue.spec.strategy in STEADY and not call.misses:
        first = next(candidates, None)  # the list is in order, and nobody is set back
        return [first[2]] if first is not None else []
    best = min(candidates, default=None)
    return [best[2]] if best is not None else []


def match(floor: "Floor", turn: Turn) -> None:
    """Offer every call that can be offered now."""
    if not floor.fresh_agents and not floor.fresh_calls:
        return
    agents, floor.fresh_agents = floor.fresh_agents, {}
    calls, floor.fresh_calls = floor.fresh_calls, {}
    if not floor.offering:
        return
    if agents:
        _serve_lines(floor, turn, {queue for agent in agents for queue in floor.agents[agent].spec.queues})
    for call in sorted((floor.calls[call] for call in calls), key=lambda call: call.place):
        queue = floor.queues[call.queue]
        if call.state is CallState.WAITING and not _serve(floor, turn, queue, call) and call.prediction is None:
            call.prediction = predict(floor, queue, call, turn.now)[0]


def _serve_lines(floor: "Floor", turn: Turn, names: Iterable[QueueId]) -> None:
    """Walk several lines as one, in order of place, while anybody is free to serve them."""
    heads: list[tuple[Place, QueueId, Iterator[Place]]] = []
    for name in names:
        queue = floor.queues.get(name)
        if queue is not None and queue.idle and queue.line:
            places = _walk(queue)
            heads.append((next(places), name, places))
    heapify(heads)
    hopeless: dict[QueueId, set[Needs]] = {name: set() for _, name, _ in heads}
    while heads:
        place, name, places = heappop(heads)
        queue, beyond = floor.queues[name], hopeless[name]
        if not queue.idle or beyond.issuperset(queue.kinds):
            continue  # nobody left, or nobody left who can do what any of them needs
        call = floor.calls[place[3]]
        if call.needs not in beyond and not _serve(floor, turn, queue, call) and not _anybody_can(queue, call.needs):
            beyond.add(call.needs)
        following = next(places, None)
        if following is not None:
            heappush(heads, (following, name, places))


def _anybody_can(queue: Queue, needs: Needs) -> bool:
    return any(queue.members[agent].can(needs) for agent in queue.idle.keys)


def _walk(queue: Queue) -> Iterator[Place]:
    """A line, head first, while those who are served leave it."""
    index = 0
    while index < len(queue.line):
        place = queue.line[index]
        yield place
        if index < len(queue.line) and queue.line[index] == place:
            index += 1


def _serve(floor: "Floor", turn: Turn, queue: Queue, call: Call) -> bool:
    """Offer one caller to the best free agent, if there is one and the PBX can be told."""
    if call.hold_off_until > turn.now or not floor.takes_offers(call.pbx):
        return False
    chosen = choose(queue, call, turn.now)
    if chosen:
        _remember(queue, call, chosen, turn.now)
        _offer(floor, turn, queue, call, [floor.agents[agent] for agent in chosen])
    return bool(chosen)


def _remember(queue: Queue, call: Call, chosen: list[AgentId], now: float) -> None:
    """Keep the order that a decision came from, for whoever asks why; as much of it as a person reads."""
    first = sorted(islice(ranked(queue, call, now), DECISION_TERMS))
    order = tuple((agent, (float(misses), *key)) for misses, key, agent in first)
    offer = OfferId(f"{call.id}.{call.offers_made + 1}")
    call.decisions.append(Decision(now, offer, queue.spec.strategy, tuple(chosen), order))
    del call.decisions[:-DECISIONS_KEPT]


def _offer(floor: "Floor", turn: Turn, queue: Queue, call: Call, agents: list[Agent]) -> None:
    """Take the agents, take the caller out of the line, and ring."""
    offer = LiveOffer(
        id=call.next_offer_id(),
        sent_at=turn.now,
        ring_s=queue.spec.ring_s,
        phones={agent.device: agent.id for agent in agents if agent.device is not None},
        ends_at=turn.now + queue.spec.ring_s + OFFER_GUARD_S,
    )
    queue.leave(call.place, call.needs)
    queue.offered.add(call.id)
    call.move(CallState.OFFERED, turn.now)
    call.offer = offer
    for agent in agents:
        queue.took_turn(agent.id, turn.now)
        agent.reserve(call.id, offer.id)
        floor.refresh(agent, turn)
    floor.at(offer.ends_at, "offer", call.id)
    turn.ask(Offer(call.id, call.leg, offer.id, tuple(offer.phones), offer.ring_s))
    turn.emit(CallOffered(turn.now, call.id, queue.spec.id, offer.id, tuple(offer.phones.values())))
