"""What the domain wants done becomes actions, with the exact channel names that the tracker has seen.

Pure. A request for a leg that is not there, or that must not be sent, is refused here with its reason and nothing leaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from acd.callback_port import DialCustomer, StopAttempt
from acd.consult_port import Consult, MoveConsult
from acd.ids import OfferId
from acd.recording_port import ShowRecording, Silence
from acd.supervision_port import EndSupervision, Quieten, RingSupervisor, ShowAgent, Supervise, SupervisorRequest
from acd.surveys import AskCaller
from acd.telephony import (
    Announce,
    HangUp,
    Lead,
    LineVisit,
    Mark,
    Offer,
    Place,
    Request,
    RequestFailure,
    ReturnToLine,
    Withdraw,
)
from ami import actions, callback_actions, consulting, names, recording
from ami.book import LiveCall
from ami.supervisor_actions import ShowName
from ami.targets import target_of
from ami.tracker import Tracker

SETUP_S = 15
"""What a network may need before it rings, for an attempt to call back."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that does not leave."""

    why: RequestFailure


def translate(tracker: Tracker, request: Request) -> Sequence[actions.Action] | Refused:
    """The actions of a request, to be written in one piece; the tracker is told what is on its way."""
    maker = _MAKERS.get(type(request))
    if maker is None:
        return Refused(RequestFailure.REFUSED)
    try:
        made = maker(tracker, request)
    except actions.ActionRefused:
        return Refused(RequestFailure.REFUSED)
    return Refused(made) if isinstance(made, RequestFailure) else made


def _offer(tracker: Tracker, request: Offer) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if call.asked or not _may_be_moved(call, passed_on=request.passed_on):
        # A Redirect would cut off a caller who rings or talks: only one who waits is moved, and once for each offer.
        return Refused(RequestFailure.REFUSED)
    targets = tuple(target_of(target) for target in request.targets)
    made = (
        actions.SetOffer(call.channel, request.offer, targets, request.ring_s, request.record),
        actions.Redirect(call.channel, names.OFFER),
    )
    _check(made)
    tracker.offered(call, request.offer, request.targets)
    return made


def _withdraw(tracker: Tracker, request: Withdraw) -> Sequence[actions.Action] | Refused:
    made: list[actions.Action] = []
    for leg in request.legs:
        agent = tracker.book.agents.get(leg)
        if agent is not None and agent.call == request.call and agent.offer == request.offer:
            agent.by_us = True
            made.append(actions.Hangup(agent.channel))
    return made if made else Refused(RequestFailure.NO_SUCH_LEG)


def _hang_up(tracker: Tracker, request: HangUp) -> Sequence[actions.Action] | Refused:
    channel = tracker.book.channel_of(request.leg)
    if channel is None:
        return Refused(RequestFailure.NO_SUCH_LEG)
    made = (actions.Hangup(channel, request.cause),)
    _check(made)
    agent = tracker.book.agents.get(request.leg)
    if agent is not None:
        agent.by_us = True
    return made


def _return_to_line(tracker: Tracker, request: ReturnToLine) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if not _may_be_moved(call, passed_on=request.passed_on) and not (call.offer is not None and call.offer.over):
        return Refused(RequestFailure.REFUSED)  # rings or talks
    made: tuple[actions.Action, ...] = (actions.Redirect(call.channel, names.WAIT),)
    visit = request.visit
    if visit is not None:
        done = call.offer.id if call.offer is not None else None
        made = (_kept(call, visit, request.says, done), actions.Redirect(call.channel, names.RETURN))
    _check(made)
    tracker.returned(call)
    return made


def _kept(call: LiveCall, visit: LineVisit, says: str = "", done: OfferId | None = None) -> actions.SetVisit:
    """A stay in a line, as the channel keeps it."""
    return actions.SetVisit(
        call.channel, visit.queue, visit.entered_at, visit.since, visit.front, visit.trail, says, done
    )


def _may_be_moved(call: LiveCall, *, passed_on: bool) -> bool:
    """Whether a Redirect of the caller cuts nothing off that is to go on."""
    if call.led:
        return False
    return call.offer is None or (passed_on and (call.offer.talking or call.offer.over))


def _announce(tracker: Tracker, request: Announce) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if call.offer is not None or call.led:
        return Refused(RequestFailure.REFUSED)  # it would be heard after the offer, and be old by then
    made = (actions.SetAnnouncement(call.channel, request.say, request.prompts),)
    _check(made)
    return made


def _ask_caller(tracker: Tracker, request: AskCaller) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    if call.offer is None or not call.offer.over:
        return Refused(RequestFailure.REFUSED)
    made = (actions.Redirect(call.channel, names.SURVEY),)
    _check(made)
    return made


def _of_recording(tracker: Tracker, request: Silence | ShowRecording) -> Sequence[actions.Action] | Refused:
    return recording.actions_of(tracker.book, request) or Refused(RequestFailure.NO_SUCH_LEG)


def _mark(tracker: Tracker, request: Mark) -> Sequence[actions.Action] | Refused:
    call = tracker.book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return Refused(RequestFailure.NO_SUCH_LEG)
    made: list[actions.Action] = []
    if request.language is not None:
        made.append(actions.SetLanguage(call.channel, request.language))
    if request.place_since is not None:
        made.append(actions.SetPlace(call.channel, round(request.place_since * 1000)))
    _check(made)
    return made if made else Refused(RequestFailure.REFUSED)


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
    made: tuple[actions.Action, ...] = (_kept(call, request.visit),)
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


def _dial(tracker: Tracker, request: DialCustomer) -> Sequence[actions.Action]:
    made = (
        callback_actions.DialAttempt(
            request.attempt,
            tracker.epoch,
            request.queue,
            request.dial,
            request.number,
            request.shows,
            request.ring_s,
            request.confirm_s,
            request.confirm_times,
            round(request.since * 1000),
            request.priority,
            request.language or "",
            next(iter(request.forget), ""),
            request.ring_s + SETUP_S,
        ),
    )
    _check(made)
    return made


def _stop(tracker: Tracker, request: StopAttempt) -> Sequence[actions.Action] | Refused:
    leg = tracker.book.attempts.get(request.attempt)
    return (actions.Hangup(leg.channel),) if leg is not None else Refused(RequestFailure.NO_SUCH_LEG)


def _sounds(say: Sequence[str]) -> tuple[str, ...]:
    """Prompts of ours by name; a site's own sounds have a folder of their own. A pause first, while the sound comes up."""
    return tuple(one if "/" in one else f"nobat/{one}" for one in ("pause", *say)) if say else ()


def _check(made: Sequence[actions.Action]) -> None:
    """Raise ``ActionRefused`` before anything is remembered of what must not be sent."""
    for action in made:
        actions.encode(action)


def _supervise(tracker: Tracker, request: SupervisorRequest) -> Sequence[actions.Action] | RequestFailure:
    return tracker.supervisors.translate(request, tracker.book.channel_of)


def _show_agent(tracker: Tracker, request: ShowAgent) -> Sequence[actions.Action] | Refused:
    call, channel = tracker.book.calls.get(request.call), tracker.book.channel_of(request.leg)
    if call is None or channel is None:
        return Refused(RequestFailure.NO_SUCH_LEG)
    name = ": ".join(word for word in map(actions.title_of, request.words) if word)
    made = (ShowName(channel, name, numbered=call.entered is not None and call.entered.number is not None),)
    _check(made)
    return made


_MAKERS: dict[type, Callable[[Tracker, Any], Sequence[actions.Action] | Refused | RequestFailure]] = {
    Offer: _offer,
    Withdraw: _withdraw,
    HangUp: _hang_up,
    ReturnToLine: _return_to_line,
    Place: _place,
    Lead: _lead,
    Announce: _announce,
    Mark: _mark,
    DialCustomer: _dial,
    StopAttempt: _stop,
    Consult: consulting.begin,
    MoveConsult: consulting.move,
    AskCaller: _ask_caller,
    Silence: _of_recording,
    ShowRecording: _of_recording,
    ShowAgent: _show_agent,
    **dict.fromkeys((RingSupervisor, Supervise, Quieten, EndSupervision), _supervise),
}
