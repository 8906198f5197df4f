"""Where customers who are to be called back stand: the entry in the line, made, taken out, and put back after an attempt.

The entry is a ``Call`` without a leg. It is made from the call of whoever was promised the callback, or from what storage has kept.
"""

from typing import TYPE_CHECKING

from acd import joining
from acd.agents import FREE, Agent, Ringing
from acd.calls import Call, CallState, Visit
from acd.ids import CallId, LegId
from acd.turn import Turn
from callback.sessions import Session

if TYPE_CHECKING:
    from acd.floor import Floor


def entry_of(floor: "Floor", session: Session) -> Call | None:
    """The session's entry, if it has one now."""
    found = floor.calls.get(CallId(session.id))
    return found if found is not None and found.away else None


def stand(floor: "Floor", turn: Turn, session: Session, caller: Call | None = None) -> Call:
    """Make the entry and put it where it belongs; ``caller`` is who stood there until now."""
    queue = floor.queues[session.queue]
    entered_at = caller.visit.entered_at if caller is not None else session.since
    front = caller.visit.front if caller is not None else False
    entry = Call(
        id=CallId(session.id),
        leg=LegId(""),
        pbx=session.pbx,
        number=session.number,
        name=session.name,
        priority=session.priority,
        serial=session.serial,
        visit=Visit(session.queue, entered_at, since=session.since, front=front, counts=False),
        state_since=turn.now,
        away=True,
        callback=session.id,
        caller=session.caller,
        language=session.language,
        hold_off_until=session.next_at,
        offers_made=session.next_attempt_number() - 1,
    )
    _know(floor, session, entry, caller)
    floor.calls[entry.id] = entry
    queue.live_calls += 1
    queue.away.add(entry.id)
    joining.settle_in(floor, turn, entry, queue)
    if entry.hold_off_until > turn.now:
        floor.at(entry.hold_off_until, "hold_off", entry.id)
    joining.stand(floor, entry)
    return entry


def _know(floor: "Floor", session: Session, entry: Call, caller: Call | None) -> None:
    """What is known of the customer, and what he needs."""
    if caller is not None:
        entry.own_needs, entry.segment, entry.known_as = caller.own_needs, caller.segment, caller.known_as
        entry.wanted, entry.preferred, entry.held_until = caller.wanted, caller.preferred, caller.held_until
        entry.misses, entry.rejected_by, entry.trail = caller.misses, caller.rejected_by, caller.trail
    else:
        profile = floor.directory.get(session.caller)
        if profile is not None:
            entry.own_needs, entry.segment, entry.known_as = profile.skills, profile.segment, profile.name
    if session.agent is not None:
        entry.preferred, entry.held_until = session.agent, session.expires_at
    if entry.preferred is not None or entry.rejected_by:
        floor.particular[entry.id] = None


def take_out(floor: "Floor", turn: Turn, session: Session) -> Agent | None:
    """The entry is over. Returned, and free: the agent who was reserved for it."""
    entry = entry_of(floor, session)
    if entry is None:
        return None
    queue = floor.queues[entry.queue]
    agent = _let_go(floor, turn, entry)
    if entry.state is CallState.WAITING:
        queue.leave(entry.place, entry.needs)
    queue.offered.discard(entry.id)
    queue.away.discard(entry.id)
    queue.live_calls -= 1
    floor.fresh_calls.pop(entry.id, None)
    floor.particular.pop(entry.id, None)
    del floor.calls[entry.id]
    return agent


def put_back(floor: "Floor", turn: Turn, session: Session) -> None:
    """An attempt has come to nothing: whoever was reserved is free, and the entry stands where it stood."""
    entry = entry_of(floor, session)
    if entry is None:
        stand(floor, turn, session)
        return
    _let_go(floor, turn, entry)
    entry.hold_off_until = session.next_at
    if entry.hold_off_until > turn.now:
        floor.at(entry.hold_off_until, "hold_off", entry.id)
    if entry.state is CallState.OFFERED:
        floor.queues[entry.queue].offered.discard(entry.id)
        entry.move(CallState.WAITING, turn.now)
        joining.stand(floor, entry)


def let_agent_go(floor: "Floor", turn: Turn, entry: Call, agent: Agent) -> None:
    """An agent does not serve any more: he is out of it, and the customer goes on being dialled."""
    if entry.offer is not None:
        for device in [device for device, whose in entry.offer.phones.items() if whose == agent.id]:
            del entry.offer.phones[device]
    _free(floor, turn, entry, agent)


def _let_go(floor: "Floor", turn: Turn, entry: Call) -> Agent | None:
    """Free whoever is reserved for the entry."""
    offer, entry.offer = entry.offer, None
    if offer is None:
        return None
    held = [floor.agents[agent] for agent in offer.phones.values() if agent in floor.agents]
    for agent in held:
        _free(floor, turn, entry, agent)
    return held[0] if held else None


def _free(floor: "Floor", turn: Turn, entry: Call, agent: Agent) -> None:
    if isinstance(agent.engagement, Ringing) and agent.engagement.call == entry.id:
        agent.engagement = FREE
        floor.refresh(agent, turn)
