"""What the domain wants done becomes actions, with the exact channel names that the tracker has seen.

Pure. A request for a leg that is not there, or that must not be sent, is refused here with its reason and nothing leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from acd.ids import split_device
from acd.telephony import HangUp, Lead, Offer, Place, Request, RequestFailure, ReturnToLine, Withdraw
from ami import actions, names
from ami.book import Book, LiveCall
from ami.tracker import Tracker


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that does not leave."""

    why: RequestFailure


def translate(tracker: Tracker, request: Request) -> Sequence[actions.Action] | Refused:
    """The actions of a request, to be written in one piece; the tracker is told what is on its way."""
    try:
        match request:
            case Offer():
                return _offer(tracker, request)
            case Withdraw():
                return _withdraw(tracker.book, request)
            case HangUp():
                return _hang_up(tracker.book, request)
            case ReturnToLine():
                return _return_to_line(tracker, request)
            case Place():
                return _place(tracker, request)
            case Lead():
                return _lead(tracker, request)
    except actions.ActionRefused:
        pass
    return Refused(RequestFailure.REFUSED)


def _offer(tracker: Tracker, request: Offer) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if call.asked or call.offer is not None:
        # A Redirect would cut off a caller who rings or talks: only one who waits is moved, and once for each offer.
        return Refused(RequestFailure.REFUSED)
    targets = tuple(split_device(target)[1] for target in request.targets)
    made = (
        actions.SetOffer(call.channel, request.offer, targets, request.ring_s),
        actions.Redirect(call.channel, names.OFFER),
    )
    _check(made)
    tracker.offered(call, request.offer, request.targets)
    return made


def _withdraw(book: Book, request: Withdraw) -> Sequence[actions.Action] | Refused:
    made: list[actions.Action] = []
    for leg in request.legs:
        agent = book.agents.get(leg)
        if agent is not None and agent.call == request.call and agent.offer == request.offer:
            agent.by_us = True
            made.append(actions.Hangup(agent.channel))
    return made if made else Refused(RequestFailure.NO_SUCH_LEG)


def _hang_up(book: Book, request: HangUp) -> Sequence[actions.Action] | Refused:
    channel = book.channel_of(request.leg)
    if channel is None:
        return Refused(RequestFailure.NO_SUCH_LEG)
    made = (actions.Hangup(channel, request.cause),)
    _check(made)
    agent = book.agents.get(request.leg)
    if agent is not None:
        agent.by_us = True
    return made


def _return_to_line(tracker: Tracker, request: ReturnToLine) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if call.offer is not None and not call.offer.over:
        return Refused(RequestFailure.REFUSED)  # rings or talks
    made = (actions.Redirect(call.channel, names.WAIT),)
    _check(made)
    tracker.returned(call)
    return made


def _waiting(tracker: Tracker, request: Place | Lead) -> LiveCall | Refused:
    """The caller, if it is one who waits: a Redirect would cut off anybody else."""
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if call.asked or call.offer is not None:
        return Refused(RequestFailure.REFUSED)
    return call


def _place(tracker: Tracker, request: Place) -> Sequence[actions.Action] | Refused:
    call = _waiting(tracker, request)
    if isinstance(call, Refused):
        return call
    visit_ms, place_ms = round(request.visit_at * 1000), round(request.place_at * 1000)
    made: tuple[actions.Action, ...] = (
        actions.SetPlace(call.channel, request.queue, visit_ms, place_ms, request.trail),
    )
    if request.say:
        made = (
            *made,
            actions.SetLead(call.channel, _sounds(request.say)),
            actions.Redirect(call.channel, names.LEAD, "queue"),
        )
    _check(made)
    tracker.placed(call)
    return made


def _lead(tracker: Tracker, request: Lead) -> Sequence[actions.Action] | Refused:
    call = _waiting(tracker, request)
    if isinstance(call, Refused):
        return call
    sounds = _sounds(request.say)
    made = (
        actions.SetLead(
            call.channel, sounds, request.dial, request.ring_s, request.file, request.most_s, request.silence_s
        ),
        actions.Redirect(call.channel, names.LEAD, request.kind),
    )
    _check(made)
    tracker.led(call)
    return made


def _sounds(say: Sequence[str]) -> tuple[str, ...]:
    """Prompts of ours by name; a site's own sounds have a folder of their own. A pause first, while the sound comes up."""
    return tuple(one if "/" in one else f"nobat/{one}" for one in ("pause", *say)) if say else ()


def _check(made: Sequence[actions.Action]) -> None:
    """Raise ``ActionRefused`` before anything is remembered of what must not be sent."""
    for action in made:
        actions.encode(action)
