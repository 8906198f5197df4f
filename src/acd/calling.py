"""What the facts of a call mean: entry, offer, conversation, end.

Every handler is idempotent and ignores what is stale (another offer's echo, a call that has ended): a PBX repeats, delays and
loses, and none of that may change the outcome of a visit that is decided.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import announcing, asking, away, consults, joining, overflow, rejoining, returning, taping, wrapup
from acd import telephony as t
from acd.agents import FREE, Agent, Free, Ringing, Status, Talking
from acd.callback_port import DialCustomer
from acd.calls import Call, CallState, LiveOffer, Visit
from acd.events import (
    CallAdopted,
    CallConnected,
    CallEnded,
    CallHeld,
    CallQueued,
    CallRefused,
    CallResumed,
    OfferClosed,
    OfferDeclined,
    OfferNotPlaced,
    TalkEnded,
)
from acd.ids import AgentId, CallId, DeviceId, LegId, OfferId, accepts_by_key, pbx_of
from acd.outcomes import Outcome
from acd.returning import recall, return_to_line, transfer_ended
from acd.statuses import chosen
from acd.talks import Talk, TransferResult
from acd.turn import Turn
from acd.visits import decide

if TYPE_CHECKING:
    from acd.floor import Floor

HOLD_OFF_S = 1.0
"""How long a caller is left alone whose offer the PBX refused: the news of why is on its way."""

DOUBT_S = 0.5
"""How long a phone that has hung up is believed free without the PBX's word."""

LEAST_REST_S = 1.0
"""A phone that refuses at once must not be rung hundreds of times a second, whatever a queue says of its rest."""

ENDED_KEPT = 500
"""Ended calls that can still be read live; history has them all."""

UNALLOCATED_NUMBER = 1  # Q.850
_WAITING, _OFFERED, _TALKING, _AFTER = CallState.WAITING, CallState.OFFERED, CallState.TALKING, CallState.AFTER
_ANSWERED, _ABANDONED = Outcome.ANSWERED, Outcome.ABANDONED
_BLAMED = frozenset({t.MissCause.NO_ANSWER, t.MissCause.BUSY, t.MissCause.REJECTED, t.MissCause.FAILED})


def entered(floor: "Floor", turn: Turn, fact: t.CallEntered) -> None:
    """A caller has joined a line, or dialled a number that is nobody's."""
    if fact.call in floor.calls or fact.call in floor.ended:
        return
    call = admit(floor, turn, fact)
    if call is not None and not returning.called_back(floor, turn, call):
        overflow.settle(floor, turn, call)


def admit(floor: "Floor", turn: Turn, fact: t.CallEntered, *, adopted: bool = False) -> Call | None:
    """Make the call, standing nowhere yet; None and a hang-up if its queue is unknown."""
    queue = floor.queue_by_key(fact.queue_key)
    if queue is None:
        turn.ask(t.HangUp(fact.leg, UNALLOCATED_NUMBER))
        turn.emit(CallRefused(turn.now, fact.call, fact.queue_key))
        return None
    entered_at = min(fact.entered_at, turn.now)
    call = Call(
        id=fact.call,
        leg=fact.leg,
        pbx=pbx_of(fact.call),
        number=fact.number,
        name=fact.name,
        priority=fact.priority,
        serial=fact.serial,
        visit=Visit(queue.spec.id, entered_at),
        state_since=entered_at,
        private=fact.private,
    )
    if adopted:
        recall(floor, call, fact.visit)
        entered_at = call.visit.entered_at
    away.identify(floor, call, fact)
    joining.introduce(floor, turn, call, queue)
    floor.calls[call.id] = call
    queue.live_calls += 1
    if call.visit.outcome is not None:
        turn.emit(CallAdopted(turn.now, call.id, queue.spec.id))
    else:
        whose = (call.id, queue.spec.id, call.leg, entered_at, call.priority, call.number, call.name)
        turn.emit(CallQueued(turn.now, *whose, adopted, call.callback))
    joining.receive(floor, turn, call, queue, fact, adopted=adopted)
    return call


def live_offer(floor: "Floor", call: CallId, offer: OfferId) -> tuple[Call, LiveOffer] | None:
    """The call and its offer, if that offer is the one that is out now."""
    found = floor.calls.get(call)
    if found is None or found.offer is None or found.offer.id != offer or found.state is not _OFFERED:
        return None
    return found, found.offer


def ringing(floor: "Floor", turn: Turn, fact: t.OfferRinging) -> None:
    found = live_offer(floor, fact.call, fact.offer)
    if found is not None:
        call, offer = found
        if offer.found and fact.device not in offer.legs:
            _recognise(floor, turn, call, offer, fact.device)
        offer.legs[fact.device] = fact.leg
        if fact.device in offer.withdrawn:  # the agent left before the phone rang
            turn.ask(t.Withdraw(call.id, offer.id, (fact.leg,)))


def _recognise(floor: "Floor", turn: Turn, call: Call, offer: LiveOffer, device: DeviceId) -> None:
    """A phone of an offer that was made before a restart: its agent is in that offer again."""
    holder = floor.at_device.get(device)
    agent = floor.agents.get(holder) if holder is not None else None
    if agent is not None and isinstance(agent.engagement, Free):
        offer.phones[device] = agent.id
        agent.reserve(call.id, offer.id)
        floor.refresh(agent, turn)


def missed(floor: "Floor", turn: Turn, fact: t.OfferMissed) -> None:
    found = live_offer(floor, fact.call, fact.offer)
    if found is not None:
        call, offer = found
        cause = t.MissCause.CANCELLED if fact.device in offer.withdrawn else fact.cause
        drop_phone(floor, turn, call, offer, fact.device, cause)


def drop_phone(floor: "Floor", turn: Turn, call: Call, offer: LiveOffer, device: DeviceId, cause: t.MissCause) -> None:
    """A phone is out of an offer: free its agent, and rest one who let it ring."""
    holder = offer.phones.pop(device, None)
    if holder is not None:
        not_taken(floor, turn, call, offer.id, device, holder, cause)


def not_taken(
    floor: "Floor", turn: Turn, call: Call, offer: OfferId, device: DeviceId, holder: AgentId, cause: t.MissCause
) -> None:
    """An agent who was rung for a caller, or to be asked in a consult, did not take it."""
    turn.emit(OfferDeclined(turn.now, call.id, call.queue, offer, holder, cause))
    agent = floor.agents[holder]
    elsewhere = accepts_by_key(
        device
    )  # what keeps another network's phone from ringing is never told: it is left in peace
    if cause in _BLAMED or (elsewhere and cause is t.MissCause.UNREACHABLE):
        call.misses = {**call.misses, holder: call.misses.get(holder, 0) + 1}
        if cause is t.MissCause.REJECTED:
            call.rejected_by |= {holder}
            floor.particular[call.id] = None
        agent.rest_until = turn.now + max(LEAST_REST_S, floor.queues[call.queue].spec.rest_s)
        floor.at(agent.rest_until, "rest", agent.id)
        _count_miss(turn, agent, cause, floor.queues[call.queue].spec.misses.limit(cause))
    elif cause is t.MissCause.UNREACHABLE and agent.device == device:
        # Believe the attempt, until the PBX says something newer of the phone.
        floor.devices[device] = agent.device_state = t.DeviceState.UNAVAILABLE
    release(floor, turn, agent, call.id)


def _count_miss(turn: Turn, agent: Agent, cause: t.MissCause, limit: int) -> None:
    """One more in a row; at the limit the agent is set on a break that says why."""
    agent.misses[cause] = agent.misses.get(cause, 0) + 1
    if limit and agent.misses[cause] >= limit and agent.status is Status.AVAILABLE:
        agent.misses.clear()
        agent.choose(Status.BREAK, cause.value, turn.now)
        chosen(turn, agent)


def release(floor: "Floor", turn: Turn, agent: Agent, call: CallId) -> None:
    """Let go of an agent who is reserved for ``call``, if so."""
    if isinstance(agent.engagement, Ringing) and agent.engagement.call == call:
        agent.engagement = FREE
    floor.refresh(agent, turn)


def answered(floor: "Floor", _turn: Turn, fact: t.OfferAnswered) -> None:
    found = live_offer(floor, fact.call, fact.offer)
    if found is not None:
        _, offer = found
        offer.answered = fact.device
        offer.legs[fact.device] = fact.leg


def offer_ended(floor: "Floor", turn: Turn, fact: t.OfferEnded) -> None:
    found = live_offer(floor, fact.call, fact.offer)
    if found is not None:
        back_to_line(floor, turn, found[0])


def back_to_line(floor: "Floor", turn: Turn, call: Call) -> None:
    """No conversation came of the offer: everybody is freed and the caller stands where the caller stood."""
    offer = close_offer(floor, turn, call, t.MissCause.CANCELLED)
    if offer is not None:
        turn.emit(OfferClosed(turn.now, call.id, call.queue, offer.id))
    if call.visit.outcome is not None:
        return_to_line(floor, turn, call, "transfer-failed")
        return
    call.move(_WAITING, turn.now)
    joining.stand(floor, call)
    overflow.came_back(floor, turn, call)


def close_offer(floor: "Floor", turn: Turn, call: Call, cause: t.MissCause) -> LiveOffer | None:
    """Take the offer off the call and free every agent still in it."""
    offer = call.offer
    floor.queues[call.queue].offered.discard(call.id)
    if offer is not None:
        for device in tuple(offer.phones):
            drop_phone(floor, turn, call, offer, device, cause)
        call.offer = None
    return offer


def talk_began(floor: "Floor", turn: Turn, fact: t.TalkBegan) -> None:
    found = live_offer(floor, fact.call, fact.offer)
    if found is not None and not is_being_withdrawn(found[0], fact.device):
        connect(floor, turn, found[0], fact.device, fact.leg, turn.now)


def is_being_withdrawn(call: Call, device: DeviceId | None) -> bool:
    """Whether this phone of the call's offer is being hung up by us.

    Picked up in that moment it makes no conversation, whoever shows it, an event or a look: the caller comes back to the line.
    """
    return call.offer is not None and device in call.offer.withdrawn and device in call.offer.legs


def connect(floor: "Floor", turn: Turn, call: Call, device: DeviceId | None, leg: LegId | None, at: float) -> None:
    """The wait is over: decide the visit and engage the agent whose phone it is."""
    agent = _answering_agent(floor, call, device)
    offer, number = (call.offer.id, call.offer.number) if call.offer is not None else (None, None)
    recording = call.offer.record if call.offer is not None else ""
    if call.offer is not None and device is not None:
        call.offer.phones.pop(device, None)
    close_offer(floor, turn, call, t.MissCause.CANCELLED)
    call.move(_TALKING, turn.now)
    call.talks = (
        *call.talks,
        Talk(call.queue, at, agent.id if agent is not None else None, device, leg, number, offer),
    )
    transfer_ended(turn, call, TransferResult.CONNECTED)
    if agent is not None:
        agent.talk(call.id, call.queue, at)
        floor.served(call.caller, agent.id)
        floor.refresh(agent, turn)
    away.connected(floor, turn, call)
    waited = max(0.0, at - call.visit.entered_at)
    if call.visit.outcome is None:
        turn.emit(CallConnected(turn.now, call.id, call.queue, call.agent, device, waited))
    decide(floor, turn, call, _ANSWERED, at)
    taping.began(floor, turn, call, recording, at)


def _answering_agent(floor: "Floor", call: Call, device: DeviceId | None) -> Agent | None:
    """The agent of an answered phone: by the offer, or by who is signed in there (after a restart)."""
    if device is None:
        return None
    holder: AgentId | None = call.offer.phones.get(device) if call.offer is not None else None
    return floor.agents.get(holder) if holder is not None else agent_at(floor, device)


def agent_at(floor: "Floor", device: DeviceId) -> Agent | None:
    """Whose phone it is: the agent's who is signed in there, or who signed out in mid-call before a restart."""
    holder = floor.at_device.get(device)
    holder = holder or next((one.id for one in floor.agents.values() if one.spec.device == device), None)
    return floor.agents.get(holder) if holder is not None else None


def held(floor: "Floor", turn: Turn, fact: t.Held) -> None:
    call = floor.calls.get(fact.call)
    if call is not None and call.state is _TALKING and call.talks[-1].held_since is None:
        call.talks[-1].held_since = turn.now
        turn.emit(CallHeld(turn.now, call.id, call.queue))


def resumed(floor: "Floor", turn: Turn, fact: t.Resumed) -> None:
    call = floor.calls.get(fact.call)
    if call is not None and call.talk is not None and call.talk.held_since is not None:
        call.talk.resume(turn.now)
        turn.emit(CallResumed(turn.now, call.id, call.queue))


def agent_leg_gone(floor: "Floor", turn: Turn, fact: t.AgentLegGone) -> None:
    call = floor.calls.get(fact.call)
    if call is not None and call.state is _TALKING and call.talks[-1].leg in (None, fact.leg):
        end_talk(floor, turn, call, "fault" if fact.fault else "agent" if fact.hung_up else "caller")


def agent_hung_up(floor: "Floor", turn: Turn, fact: t.AgentHungUp) -> None:
    """The agent's part is over, and the phone is believed free before the PBX says so: a caller waits for it.

    The PBX says so within a millisecond; if it does not, the phone has another call and the belief ends (``floor.doubted``).
    """
    call = floor.calls.get(fact.call)
    if call is None or call.state is not _TALKING or call.talks[-1].leg not in (None, fact.leg):
        return
    known = floor.devices.get(fact.device)
    if known in (t.DeviceState.BUSY, t.DeviceState.IN_USE):
        floor.doubted[fact.device] = known
        floor.at(turn.now + DOUBT_S, "doubt", fact.device)
        floor.believe(turn, fact.device, t.DeviceState.NOT_IN_USE)
    end_talk(floor, turn, call, "agent")


def end_talk(floor: "Floor", turn: Turn, call: Call, ended_by: str) -> None:
    """The agent's part is over: wrap-up begins, and the caller is *after*."""
    if call.consult is not None:
        consults.close(floor, turn, call)
    talk = call.talks[-1]
    talk.end(turn.now)
    taping.ended(turn, call)
    call.ended_by = ended_by
    call.move(_AFTER, turn.now)
    agent = floor.agents.get(talk.agent) if talk.agent is not None else None
    if agent is None:
        return
    turn.emit(
        TalkEnded(turn.now, call.id, call.queue, agent.id, talk.talk_s(turn.now), talk.hold_s, ended_by == "fault")
    )
    if isinstance(agent.engagement, Talking) and agent.engagement.call == call.id:
        wrapup.begin(floor, turn, agent, call)


def caller_freed(floor: "Floor", turn: Turn, fact: t.CallerFreed) -> None:
    """The agent is done and the dialplan waits for a verdict."""
    call = floor.calls.get(fact.call)
    if call is None:
        return
    if call.state is _OFFERED:
        if call.offer is None or call.offer.id != fact.offer:
            return
        # A phone was picked up and lost before caller and agent heard each other: not a conversation.
        if call.visit.outcome is None:
            turn.ask(t.ReturnToLine(call.id, call.leg))
        back_to_line(floor, turn, call)
        call.hold_off_until = turn.now + HOLD_OFF_S
        floor.at(call.hold_off_until, "hold_off", call.id)
        return
    if call.talk is None or call.talk.offer not in (None, fact.offer):
        return  # of an earlier talk
    if call.state is _TALKING:
        if call.third is not None and call.talks[-1].leg == call.third:
            end_talk(floor, turn, call, "supervisor")
            return  # whether he has hung up or was lost is said of his own leg, in this moment
        end_talk(floor, turn, call, "agent")
    if call.state is _AFTER:
        see_off(floor, turn, call)


def see_off(floor: "Floor", turn: Turn, call: Call) -> None:
    """The conversation is over: back to the line if whoever had the caller was lost, else the question or the goodbye."""
    if call.ended_by == "fault" and not call.hang_up_asked:
        return_to_line(floor, turn, call, "back-to-front")
    elif not asking.is_asked(call) and not asking.offered(floor, turn, call):
        turn.ask(t.HangUp(call.leg))


def gone(floor: "Floor", turn: Turn, fact: t.CallGone) -> None:
    call = floor.calls.get(fact.call)
    if call is not None:
        end(floor, turn, call, _ABANDONED, "service" if call.hang_up_asked else "caller")


def end(floor: "Floor", turn: Turn, call: Call, undecided: Outcome, ended_by: str) -> None:
    """The call is over. ``undecided`` becomes the outcome of a visit that has none yet."""
    queue = floor.queues[call.queue]
    rejoining.keep(floor, turn, call, undecided, ended_by)
    away.left(floor, turn, call, undecided, ended_by)
    if call.state is _WAITING:
        queue.leave(call.place, call.needs)
    elif call.state is _OFFERED:
        decide(floor, turn, call, undecided, turn.now)
        close_offer(floor, turn, call, t.MissCause.CANCELLED)
    elif call.state is _TALKING:
        end_talk(floor, turn, call, ended_by)
    decide(floor, turn, call, undecided, turn.now)
    call.move(CallState.ENDED, turn.now)
    call.ended_at = turn.now
    call.ended_by = call.ended_by or ended_by
    queue.live_calls -= 1
    del floor.calls[call.id]
    floor.fresh_calls.pop(call.id, None)
    floor.particular.pop(call.id, None)
    floor.ended[call.id] = call
    while len(floor.ended) > ENDED_KEPT:
        floor.ended.popitem(last=False)
    turn.emit(CallEnded(turn.now, call.id, call.queue, call.visit.outcome or undecided, call.ended_by))


def request_failed(floor: "Floor", turn: Turn, fact: t.RequestFailed) -> None:
    """An offer that was certainly not placed frees its agents; of any other failure the next snapshot tells the truth."""
    announcing.not_said(floor, turn, fact)
    taping.not_silenced(floor, turn, fact)
    asking.not_asked(floor, turn, fact)
    if isinstance(fact.request, DialCustomer):
        away.handle(floor, turn, fact)
    if isinstance(fact.request, t.Withdraw):
        _not_withdrawn(floor, fact.request, fact.why)
    if not isinstance(fact.request, t.Offer) or fact.why is t.RequestFailure.UNKNOWN_OUTCOME:
        return
    found = live_offer(floor, fact.request.call, fact.request.offer)
    if found is not None:
        call, offer = found
        turn.emit(OfferNotPlaced(turn.now, call.id, call.queue, offer.id, fact.why))
        back_to_line(floor, turn, call)
        if (
            fact.why is t.RequestFailure.LINK_DOWN
        ):  # it is the PBX, not the call: those who come meanwhile must wait as well
            floor.pause_offers(call.pbx)
            return
        call.hold_off_until = turn.now + HOLD_OFF_S
        floor.at(call.hold_off_until, "hold_off", call.id)


def _not_withdrawn(floor: "Floor", request: t.Withdraw, why: t.RequestFailure) -> None:
    """Nobody knows whether the phone was hung up: what the next look shows of it holds. A leg that is no more tells by itself."""
    found = live_offer(floor, request.call, request.offer)
    if found is not None and why is not t.RequestFailure.NO_SUCH_LEG:
        offer = found[1]
        offer.withdrawn -= {device for device, leg in offer.legs.items() if leg in request.legs}


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    t.CallEntered: entered,
    t.OfferRinging: ringing,
    t.OfferMissed: missed,
    t.OfferAnswered: answered,
    t.OfferEnded: offer_ended,
    t.TalkBegan: talk_began,
    t.Held: held,
    t.Resumed: resumed,
    t.AgentHungUp: agent_hung_up,
    t.AgentLegGone: agent_leg_gone,
    t.CallerFreed: caller_freed,
    t.CallGone: gone,
    t.RequestFailed: request_failed,
    t.Announced: announcing.announced,
}
