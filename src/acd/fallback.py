"""Callers whom the PBX serves by itself, because it has missed the service.

Such a caller stands in his line as before, at his place, and everybody sees him there; he is only not ours to offer, until the
PBX has given him back. If one of its phones answers him, it is a conversation like any other.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acd import calling
from acd import telephony as t
from acd.calls import Call, CallState, LiveOffer
from acd.ids import OfferId
from acd.turn import Turn

if TYPE_CHECKING:
    from acd.floor import Floor

FOUND_OFFER_S = 10.0
"""How long an offer that was not made here may go on before the PBX is asked again; its ring time is not known here."""


HAND_BACK_S = 1.5
"""From the first caller who comes back until we offer any: the PBX lets go of them within a second, in no order."""

HAND_BACK_APART_S = 5.0


def begun(floor: "Floor", turn: Turn, fact: t.FallbackBegan) -> None:
    call = floor.calls.get(fact.call)
    if call is None:
        return
    if call.state is CallState.OFFERED:  # an offer that has not left: it will be refused
        calling.back_to_line(floor, turn, call)
    if call.state is CallState.WAITING:
        leave_alone(call, fact.offer)


def answered(floor: "Floor", turn: Turn, fact: t.FallbackAnswered) -> None:
    call = floor.calls.get(fact.call)
    if call is not None and call.fallback == fact.offer and call.state is CallState.WAITING:
        floor.queues[call.queue].leave(call.place, call.needs)
        offer = resume_offer(floor, turn, call, fact.offer)
        offer.answered, offer.legs = fact.device, {fact.device: fact.leg}


def ended(floor: "Floor", _turn: Turn, fact: t.FallbackEnded) -> None:
    call = floor.calls.get(fact.call)
    if call is not None and call.fallback == fact.offer:
        take_back(floor, call)


def leave_alone(call: Call, offer: OfferId | None) -> None:
    """Offer this caller to nobody. Our next offer to him counts on from the PBX's own."""
    call.fallback = offer or OfferId(f"{call.id}.0")
    call.offers_made = max(call.offers_made, number_of(offer))


def take_back(floor: "Floor", call: Call) -> None:
    """The caller is in our wait loop again; he is offered when those before him had the time to come back as well."""
    call.fallback = None
    state = floor.pbxs.get(call.pbx)
    if state is not None:
        if floor.now > state.back_at + HAND_BACK_APART_S:
            state.back_at = floor.now
        call.hold_off_until = state.back_at + HAND_BACK_S
        floor.at(call.hold_off_until, "hold_off", call.id)


def resume_offer(floor: "Floor", turn: Turn, call: Call, offer: OfferId | None) -> LiveOffer:
    """An offer is out that was not made here, or before a restart; whose phones ring is told by the phones' own state."""
    call.move(CallState.OFFERED, turn.now)
    guard = turn.now + FOUND_OFFER_S
    made = call.offer = LiveOffer(offer or OfferId(f"{call.id}.0"), turn.now, 0, {}, found=True, ends_at=guard)
    call.fallback = None
    if call.visit.outcome is None:
        floor.queues[call.queue].offered.add(call.id)
    floor.at(guard, "offer", call.id)
    return made


def number_of(offer: OfferId | None) -> int:
    """The count that an offer's id ends in, so that new ids go on from there."""
    tail = offer.rpartition(".")[2] if offer is not None else ""
    return int(tail) if tail.isdecimal() else 0


HANDLERS: dict[type, Callable[["Floor", Turn, Any], None]] = {
    t.FallbackBegan: begun,
    t.FallbackAnswered: answered,
    t.FallbackEnded: ended,
}
