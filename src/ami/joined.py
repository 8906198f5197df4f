"""The phone's own attended transfer: it joins the caller and a second conversation of its own, and is out of both.

Asterisk tells it in one event, when the caller is there already. The second conversation may be one of the phone's own making, with
a colleague, or a call of ours: to a queue, answered or waiting. Called by ``ami.course``.
"""

from collections.abc import Callable

from acd.consult_port import CallerTaken
from acd.ids import LegId, OfferId, PbxId
from acd.telephony import TransferAsked
from ami import events as e
from ami.book import AgentLeg, Book, LiveCall
from ami.outputs import Output
from ami.targets import device_of

LONGEST_NUMBER = 15


def follow(pbx: PbxId, book: Book, say: Callable[[Output], None], call: LiveCall, event: e.CallsJoined) -> None:
    """``call`` is that of the leg that passes its party on, or is passed on to."""
    offer = call.offer
    if event.result != "Success" or offer is None or not offer.talking or offer.answered is None:
        return
    first = offer.answered.leg == event.leg
    if not first and offer.answered.leg != event.other_leg:
        return
    other = book.callers.get(LegId(event.other_leg if first else event.leg))
    channel, leg = (event.met_channel, event.met_leg) if first else (event.kept_channel, event.kept_leg)
    call.aside = None
    dialled = event.exten if _is_number(event.exten) else ""
    if leg:
        heir = _heir(pbx, book, call, offer.id, LegId(leg), channel)
        offer.answered = heir
        say(CallerTaken(call.id, heir.device, heir.leg, other.id if other is not None else None, dialled))
    elif other is not None:
        say(CallerTaken(call.id, None, None, other.id))
    elif dialled:
        say(TransferAsked(call.id, call.leg, dialled))


def _is_number(digits: str) -> bool:
    return digits.isdecimal() and digits.isascii() and 2 <= len(digits) <= LONGEST_NUMBER


def _heir(pbx: PbxId, book: Book, call: LiveCall, offer: OfferId, leg: LegId, channel: str) -> AgentLeg:
    """The leg that has the caller now, as one of this call's."""
    known = book.agents.get(leg)
    if known is None:
        known = AgentLeg(leg, channel, device_of(pbx, channel), call.id, offer)
    elif known.call in book.calls:
        book.calls[known.call].legs.discard(leg)
    known.call, known.offer = call.id, offer
    book.add_leg(call, known)
    return known
