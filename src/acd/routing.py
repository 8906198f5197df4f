"""Bring callers and agents together: eligibility first, then order.

Called once at the end of each turn. Between turns no caller waits whom a free agent could serve, so a new pair can only
come from a *fresh* agent (just became free) or a *fresh* caller (just joined a line). Fresh agents are looked at first, through
all their lines in one order, so that a newcomer never passes somebody who waited for exactly this agent.

A ``Bar`` is the reason why an agent does not get a call. The very functions that decide also explain.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from acd.agents import Agent, AgentState
from acd.calls import Call, CallState, LiveOffer
from acd.events import CallOffered
from acd.ids import AgentId, QueueId, split_device
from acd.queues import Place, Queue
from acd.strategies import STRATEGIES, Key
from acd.telephony import Offer
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

OFFER_GUARD_S = 10.0
"""How long after the ring time a PBX may stay silent about an offer before it is asked what became of it."""


class Bar(StrEnum):
    """Why an agent does not get a call. A closed set: people read it, programs compare it."""

    NOT_IDLE = "not_idle"
    RESTING = "resting"
    NO_DEVICE = "no_device"
    SKILL = "skill"
    OTHER_PBX = "other_pbx"


def agent_bar(agent: Agent, now: float) -> Bar | None:
    """What keeps an agent from any call at all."""
    if agent.state is not AgentState.IDLE:
        return Bar.NOT_IDLE
    if agent.device is None:
        return Bar.NO_DEVICE
    return Bar.RESTING if agent.rest_until > now else None


def queue_bar(agent: Agent, queue: Queue) -> Bar | None:
    """What keeps a member from the calls of one queue."""
    return next((Bar.SKILL for name, level in queue.spec.skills if agent.skill(name) < level), None)


def call_bar(agent: Agent, call: Call) -> Bar | None:
    """What keeps an agent from one caller."""
    here = agent.device is not None and split_device(agent.device)[0] == call.pbx
    return None if here else Bar.OTHER_PBX


def ranked(queue: Queue, call: Call) -> list[tuple[int, Key, AgentId]]:
    """The free agents who may serve ``call``, with the terms of their order.

    Whoever has already let this caller ring in vain comes after all who have not.
    """
    key = STRATEGIES[queue.spec.strategy]
    return [
        (call.misses.get(agent.id, 0), key(agent, queue), agent.id)
        for agent in queue.idle.values()
        if queue_bar(agent, queue) is None and call_bar(agent, call) is None
    ]


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
        if call.state is CallState.WAITING:
            _serve(floor, turn, floor.queues[call.queue], call)


def _serve_lines(floor: "Floor", turn: Turn, names: Iterable[QueueId]) -> None:
    """Walk several lines as one, in order of place, while anybody is free to serve them."""
    heads: list[tuple[Place, QueueId, Iterator[Place]]] = []
    for name in names:
        queue = floor.queues.get(name)
        if queue is not None and queue.idle and queue.line:
            places = _walk(queue)
            heads.append((next(places), name, places))
    heapify(heads)
    while heads:
        place, name, places = heappop(heads)
        queue = floor.queues[name]
        if not any(queue_bar(agent, queue) is None for agent in queue.idle.values()):
            continue
        _serve(floor, turn, queue, floor.calls[place[3]])
        following = next(places, None)
        if following is not None:
            heappush(heads, (following, name, places))


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
    candidates = ranked(queue, call)
    if not candidates:
        return False
    _offer(floor, turn, queue, call, [floor.agents[min(candidates)[2]]])
    return True


def _offer(floor: "Floor", turn: Turn, queue: Queue, call: Call, agents: list[Agent]) -> None:
    """Take the agents, take the caller out of the line, and ring."""
    offer = LiveOffer(
        id=call.next_offer_id(),
        sent_at=turn.now,
        ring_s=queue.spec.ring_s,
        phones={agent.device: agent.id for agent in agents if agent.device is not None},
        ends_at=turn.now + queue.spec.ring_s + OFFER_GUARD_S,
    )
    queue.leave(call.place)
    queue.offered.add(call.id)
    call.move(CallState.OFFERED, turn.now)
    call.offer = offer
    for agent in agents:
        queue.took_turn(agent.id)
        agent.reserve(call.id, offer.id)
        floor.refresh(agent, turn)
    floor.at(offer.ends_at, "offer", call.id)
    turn.ask(Offer(call.id, call.leg, offer.id, tuple(offer.phones), offer.ring_s))
    turn.emit(CallOffered(turn.now, call.id, queue.spec.id, offer.id, tuple(offer.phones.values())))
