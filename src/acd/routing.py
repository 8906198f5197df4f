"""Bring callers and agents together: eligibility first, then order.

Called once at the end of each turn. Between turns no caller waits whom a free agent could serve, so a new pair can only
come from a *fresh* agent (just became free) or a *fresh* caller (just joined a line). Fresh agents are looked at first, through
all their lines in one order, so that a newcomer never passes somebody who waited for exactly this agent. One turn makes at most
``MOST_OFFERS``; who is still fresh then stays so, and the floor asks for its next turn at once.

A ``Bar`` is the reason why an agent does not get a call. The very functions that decide also explain.
"""

from collections.abc import Collection, Iterable, Iterator
from heapq import heapify, heappop, heappush, nsmallest
from itertools import islice
from typing import TYPE_CHECKING

from acd import away, taping
from acd.agents import Agent, AgentState
from acd.calls import Call, CallState, LiveOffer
from acd.decisions import Decision, Rank
from acd.events import CallOffered
from acd.forecast import predict, recent
from acd.ids import AgentId, QueueId
from acd.queues import Key, Place, Queue
from acd.skills import Needs
from acd.strategies import RING_EVERYBODY, STEADY, STRATEGIES, Choice
from acd.telephony import Offer
from acd.turn import Turn
from acd.words import Word

if TYPE_CHECKING:
    from acd.floor import Floor

OFFER_GUARD_S = 10.0
"""How long after the ring time a PBX may stay silent about an offer before it is asked what became of it."""

DECISIONS_KEPT, DECISION_TERMS = 10, 5
"""Decisions that a call remembers, and agents in the order of each."""

MOST_PHONES = 50
"""How many phones one offer rings at most: what fits into one line of AMI."""

MOST_OFFERS = 200
"""Offers that one turn makes at most: some milliseconds, so that others get theirs when two thousand agents are back at once."""


class Bar(Word):
    """Why an agent does not get a call. A closed set: people read it, programs compare it."""

    NOT_IDLE = "not_idle"
    RESTING = "resting"
    NO_DEVICE = "no_device"
    SKILL = "skill"
    OTHER_PBX = "other_pbx"
    HELD = "held_for_another"
    REJECTED = "rejected_by_this_agent"


_IDLE, _WAITING, _OFFERED = AgentState.IDLE, CallState.WAITING, CallState.OFFERED


def agent_bar(agent: Agent, now: float) -> Bar | None:
    """What keeps an agent from any call at all."""
    return idle_bar(agent, now) if agent.state is _IDLE else Bar.NOT_IDLE


def idle_bar(agent: Agent, now: float) -> Bar | None:
    """What keeps an idle agent from any call."""
    if agent.device is None:
        return Bar.NO_DEVICE
    return Bar.RESTING if agent.rest_until > now else None


def call_bar(agent: Agent, call: Call, queue: Queue, now: float) -> Bar | None:
    """What keeps a member of the caller's queue from this caller."""
    if call.needs and not agent.can(call.needs):
        return Bar.SKILL
    if agent.pbx != call.pbx:
        return Bar.OTHER_PBX
    if call.preferred is not None and held_for(call, queue, now) not in (None, agent.id):
        return Bar.HELD
    if call.rejected_by and agent.id in call.rejected_by and _somebody_else(call, queue):
        return Bar.REJECTED
    return None


def bars_nobody(call: Call) -> bool:
    """Whether nothing but the PBX can keep a member of the queue from this caller: of most callers it is so."""
    return not call.needs and call.preferred is None and not call.rejected_by


def held_for(call: Call, queue: Queue, now: float) -> AgentId | None:
    """The agent whom a caller waits for, as long as the hold lasts and that agent is at work where the caller is."""
    if call.preferred is None or now >= call.held_until or call.preferred in call.misses:
        return None
    preferred = queue.members.get(call.preferred)
    return preferred.id if preferred is not None and _at_work_for(preferred, call) else None


def _somebody_else(call: Call, queue: Queue) -> bool:
    """Whether anybody at work could serve a caller whom some have rejected, now or when he has finished."""
    return any(_at_work_for(one, call) for one in queue.members.values() if one.id not in call.rejected_by)


def _at_work_for(agent: Agent, call: Call) -> bool:
    return agent.serves_on == call.pbx and agent.can(call.needs)


def idle_key(agent: Agent, queue: Queue) -> Key:
    """Where a member who becomes free stands among the free."""
    strategy = queue.spec.strategy
    return STRATEGIES[strategy](agent, Choice(queue, None, 0.0)) if strategy in STEADY else ()


def ranked(queue: Queue, call: Call, now: float) -> Iterator[Rank]:
    """The free agents who may serve ``call`` with the terms of their order; in order, if the strategy is a steady one."""
    steady, key, choice = queue.spec.strategy in STEADY, STRATEGIES[queue.spec.strategy], Choice(queue, call, now)
    members, misses, anybody, pbx = queue.members, call.misses, bars_nobody(call), call.pbx
    for kept, agent_id in queue.idle.order:
        agent = members[agent_id]
        if agent.pbx == pbx if anybody else call_bar(agent, call, queue, now) is None:
            yield misses.get(agent_id, 0) if misses else 0, kept if steady else key(agent, choice), agent_id


def choose(queue: Queue, call: Call, now: float) -> list[Rank]:
    """The free agents who may serve ``call``, best first, as many as are rung or remembered; empty if there is none.

    Whoever has already let this caller ring in vain comes after all who have not.
    """
    candidates = ranked(queue, call, now)
    if queue.spec.strategy in RING_EVERYBODY:
        return nsmallest(MOST_PHONES, candidates)
    if queue.spec.strategy in STEADY and not call.misses:
        return list(islice(candidates, DECISION_TERMS))  # the list is in order, and nobody is set back
    return nsmallest(DECISION_TERMS, candidates)


def match(floor: "Floor", turn: Turn) -> None:
    """Offer every call that can be offered now."""
    agents, calls = floor.fresh_agents, floor.fresh_calls
    if not floor.offering:
        _list_all(floor)
        calls.clear()
        return
    if len(agents) == 1 and not calls and _serve_one(floor, turn, floor.agents[next(iter(agents))]):
        agents.clear()
        return
    lines = {queue.spec.id for agent in agents for queue in floor.agents[agent].lines}
    _list_all(floor)
    if lines and not _serve_lines(floor, turn, lines):
        return
    _serve_fresh(floor, turn)


def _list_all(floor: "Floor") -> None:
    for agent in floor.fresh_agents:
        floor.list_idle(floor.agents[agent])
    floor.fresh_agents.clear()


def _serve_one(floor: "Floor", turn: Turn, agent: Agent) -> bool:
    """What nearly always happens: one agent is free, and the first in all of his lines is somebody whom he may serve.

    Nobody else who is free may, or that caller would not wait. False when it is not so simple.
    """
    first: Place | None = None
    line: Queue | None = None
    for queue in agent.lines:
        head = queue.line.first
        if head is not None and (first is None or head < first):
            first, line = head, queue
    if first is None or line is None:
        floor.list_idle(agent)
        return True
    call = floor.calls[first[3]]
    if call.away or not _may_be_offered(floor, call, turn.now) or call_bar(agent, call, line, turn.now) is not None:
        return False
    key = STRATEGIES[line.spec.strategy](agent, Choice(line, call, turn.now))
    misses = call.misses.get(agent.id, 0) if call.misses else 0
    line.took_turn(agent.id, turn.now)
    ring(floor, turn, line, call, [agent], line.spec.strategy, [(misses, key, agent.id)])
    return True


def _serve_fresh(floor: "Floor", turn: Turn) -> None:
    """Look at the callers who have just joined, first in line first; who must wait is told by the estimators how long."""
    for call in sorted((floor.calls[call] for call in floor.fresh_calls), key=lambda call: call.place):
        if len(turn.requests) >= MOST_OFFERS:
            return
        del floor.fresh_calls[call.id]
        queue = floor.queues[call.queue]
        if call.state is _WAITING and not _serve(floor, turn, queue, call) and call.prediction is None:
            call.prediction = predict(floor, queue, call, turn.now, recent(queue, turn.now))[0]


def _serve_lines(floor: "Floor", turn: Turn, names: Iterable[QueueId]) -> bool:
    """Walk several lines as one, in order of place, while anybody is free to serve them; False if more is left to do.

    Callers who have just joined other lines stand in that order as well: the agent who is best for one here may be theirs.
    """
    walks = {name: _walk(floor.queues[name]) for name in names}
    walks.update(_newcomers(floor, walks.keys()))
    heads: list[tuple[Place, QueueId, Iterator[Place]]] = []
    for name, places in walks.items():
        first = next(places, None) if floor.queues[name].idle else None
        if first is not None:
            heads.append((first, name, places))
    heapify(heads)
    hopeless: dict[QueueId, set[Needs]] = {name: set() for _, name, _ in heads}
    while heads:
        place, name, places = heappop(heads)
        queue, beyond = floor.queues[name], hopeless[name]
        if not queue.idle or beyond.issuperset(queue.kinds):
            continue  # nobody left, or nobody left who can do what any of them needs
        if len(turn.requests) >= MOST_OFFERS:
            for agent in queue.idle.keys:
                floor.fresh_agents[agent] = None
            continue
        call = floor.calls[place[3]]
        if call.needs not in beyond and not _serve(floor, turn, queue, call) and not _anybody_can(queue, call.needs):
            beyond.add(call.needs)
        following = next(places, None)
        if following is not None:
            heappush(heads, (following, name, places))
    return not floor.fresh_agents


def _newcomers(floor: "Floor", walked: Collection[QueueId]) -> Iterator[tuple[QueueId, Iterator[Place]]]:
    """Fresh callers of lines that are not walked anyway, by line and in order."""
    places: dict[QueueId, list[Place]] = {}
    for call in (floor.calls[one] for one in floor.fresh_calls):
        if call.state is _WAITING and call.queue not in walked:
            places.setdefault(call.queue, []).append(call.place)
    return ((name, iter(sorted(theirs))) for name, theirs in places.items())


def _anybody_can(queue: Queue, needs: Needs) -> bool:
    return any(queue.members[agent].can(needs) for agent in queue.idle.keys)


def _walk(queue: Queue) -> Iterator[Place]:
    """A line, head first, while those who are served leave it."""
    index = 0
    while index < len(queue.line):
        place = queue.line[index]
        yield place
        if queue.away:
            index = queue.index(place)  # somebody before may have left as well (``_give_way``)
        if index < len(queue.line) and queue.line[index] == place:
            index += 1


def _may_be_offered(floor: "Floor", call: Call, now: float) -> bool:
    if call.fallback is not None or call.hold_off_until > now or not floor.takes_offers(call.pbx):
        return False
    return not call.away or away.may_dial(floor, call, now)


def _serve(floor: "Floor", turn: Turn, queue: Queue, call: Call) -> bool:
    """Offer one caller to the best free agent, if there is one and the PBX can be told."""
    if not queue.idle.order or not _may_be_offered(floor, call, turn.now):
        return False
    ranks = choose(queue, call, turn.now)
    if ranks:
        _offer(floor, turn, queue, call, ranks)
    return bool(ranks)


def _offer(floor: "Floor", turn: Turn, queue: Queue, call: Call, ranks: list[Rank]) -> None:
    """Take the best, or all where everybody rings; take the caller out of the line, and ring."""
    rung = ranks if queue.spec.strategy in RING_EVERYBODY and not call.away else ranks[:1]
    agents = [queue.members[agent] for _, _, agent in rung]
    for agent in agents:
        queue.took_turn(agent.id, turn.now)
    if call.away and floor.keeper is not None:
        floor.keeper.turn_came(floor, turn, call, agents[0], ranks)
        return
    ring(floor, turn, queue, call, agents, queue.spec.strategy, ranks)
    if queue.away and queue.idle.order:
        _give_way(floor, turn, queue, call.place)


def _give_way(floor: "Floor", turn: Turn, queue: Queue, place: Place) -> None:
    """Whose caller is away and has just been passed by who stood at ``place`` has the next agent, be it in this very moment."""
    passed = sorted(floor.calls[one].place for one in queue.away if one in floor.fresh_calls)
    for before in passed:
        if before < place and floor.calls[before[3]].state is _WAITING:
            _serve(floor, turn, queue, floor.calls[before[3]])


def ring(
    floor: "Floor", turn: Turn, queue: Queue, call: Call, agents: list[Agent], why: str, ranks: list[Rank]
) -> None:
    """Take these agents and the caller for each other, and ring."""
    passed_on = call.state is not _WAITING
    ring_s = queue.spec.ring_s
    offer = reserve(floor, turn, call, agents, ring_s, why, ranks)
    if queue.away and floor.keeper is not None and why != "callback":  # whose agent was reserved long before
        floor.keeper.passed(floor, queue, call)
    decision = call.decisions[-1]
    rung = tuple([agent.device for agent in agents if agent.device is not None])
    turn.ask(Offer(call.id, call.leg, offer.id, rung, ring_s, passed_on, offer.record))
    turn.emit(CallOffered(turn.now, call.id, queue.spec.id, offer.id, decision.chosen))


def reserve(
    floor: "Floor",
    turn: Turn,
    call: Call,
    agents: list[Agent],
    ring_s: int,
    why: str,
    ranks: list[Rank],
) -> LiveOffer:
    """Take these agents and the caller for each other, out of the line if he stands in one."""
    now, queue = turn.now, floor.queues[call.queue]
    phones = {agent.device: agent.id for agent in agents if agent.device is not None}
    name, ends_at = call.next_offer_id(), now + ring_s + OFFER_GUARD_S
    record = taping.name_for(floor, call, name) if floor.recording_on else ""
    offer = LiveOffer(name, now, ring_s, phones, record=record, ends_at=ends_at)
    chosen = tuple([agent.id for agent in agents if agent.device is not None])
    decision = Decision(now, name, why, chosen, tuple(ranks[:DECISION_TERMS]))
    call.decisions = (call.decisions[1 - DECISIONS_KEPT :] if call.decisions else ()) + (decision,)
    if call.state is _WAITING:
        queue.leave(call.place, call.needs)
        queue.offered.add(call.id)
    call.move(_OFFERED, now)
    call.offer = offer
    for agent in agents:
        agent.reserve(call.id, offer.id)
        floor.refresh(agent, turn)
    floor.at(offer.ends_at, "offer", call.id)
    return offer
