"""Requests of a consult become actions: which of the three legs goes where. ``ami.translate`` hands them over.

Pure, like it: the channels' names are those that the tracker has seen, and what must not be sent is refused here.
"""

from collections.abc import Sequence

from acd.consult_port import Consult, ConsultAction, ConsultStage, MoveConsult
from acd.telephony import RequestFailure
from ami import actions, names
from ami.book import Aside, LiveCall
from ami.consult_actions import RedirectBoth, SetAsker, SetBy, SetWith
from ami.targets import target_of
from ami.tracker import Tracker


def begin(tracker: Tracker, request: Consult) -> Sequence[actions.Action] | RequestFailure:
    """The caller on hold, and the agent's leg rings or waits in line. One who waits in line already is moved alone."""
    call = tracker.book.calls.get(request.call)
    asker = tracker.book.agents.get(request.agent_leg)
    if call is None or call.leg != request.leg or asker is None or asker.call != call.id:
        return RequestFailure.NO_SUCH_LEG
    offer, before = call.offer, call.aside
    talks = offer is not None and offer.talking and not offer.over and offer.answered is asker
    again = before is not None and before.stage is ConsultStage.WAITING
    if call.asked or not talks or (before is not None and not again):
        return RequestFailure.REFUSED
    targets = (target_of(request.device),) if request.device is not None else ()
    made: list[actions.Action] = [
        SetAsker(
            asker.channel, request.offer, request.asked, targets, request.ring_s, request.in_line, held=call.channel
        )
    ]
    if again:
        made.append(actions.Redirect(asker.channel, names.CONSULT))
    else:
        made.append(SetBy(call.channel, asker.channel))
        made.append(RedirectBoth((call.channel, names.HOLD, "s"), (asker.channel, names.CONSULT, "s")))
    for action in made:
        actions.encode(action)
    stage = ConsultStage.RINGING if request.device is not None else ConsultStage.WAITING
    tracker.consults(call, Aside(request.offer, request.asked, asker, request.device, stage, request.in_line))
    return made


def move(tracker: Tracker, request: MoveConsult) -> Sequence[actions.Action] | RequestFailure:
    """Swap, merge, complete or cancel."""
    call = tracker.book.calls.get(request.call)
    aside = call.aside if call is not None else None
    if call is None or call.leg != request.leg or aside is None or aside.id != request.offer:
        return RequestFailure.NO_SUCH_LEG
    made = _moves(call, aside, request.action)
    if call.asked or made is None:
        return RequestFailure.REFUSED
    for action in made:
        actions.encode(action)
    tracker.consults(call, None if _ends_at_once(aside, request.action) else aside)
    return made


def _ends_at_once(aside: Aside, action: ConsultAction) -> bool:
    """Whether no word of Asterisk's is to be waited for: there was no talk."""
    return action is ConsultAction.CANCEL and aside.stage in (ConsultStage.WAITING, ConsultStage.RINGING)


def _moves(call: LiveCall, aside: Aside, action: ConsultAction) -> list[actions.Action] | None:
    """None for what cannot be done at this stage."""
    asker, rung, stage = aside.asker, aside.rung, aside.stage
    if stage in (ConsultStage.WAITING, ConsultStage.RINGING) or rung is None:
        # Out of its Dial the agent's leg goes, and whoever rings is hung up by that.
        return [actions.Redirect(asker.channel, names.CONSULT, "return")] if action is ConsultAction.CANCEL else None
    match action, stage:
        case ConsultAction.SWAP, ConsultStage.TALKING:
            both = RedirectBoth((asker.channel, names.CONSULT, "with"), (rung.channel, names.CONSULT, "aside"))
            return [SetWith(asker.channel, call.channel), both]
        case ConsultAction.SWAP, ConsultStage.SWAPPED:
            both = RedirectBoth((asker.channel, names.CONSULT, "with"), (call.channel, names.HOLD, "s"))
            return [SetWith(asker.channel, rung.channel), both]
        case ConsultAction.MERGE, ConsultStage.TALKING:
            return [actions.Redirect(call.channel, names.HOLD, "merge")]
        case ConsultAction.MERGE, ConsultStage.SWAPPED:
            return [actions.Redirect(rung.channel, names.CONSULT, "merge")]
        case ConsultAction.COMPLETE, _:
            # The agent's leg goes, and the dialplan gives the caller to whoever was asked.
            asker.by_us = True
            return [actions.Hangup(asker.channel)]
        case ConsultAction.CANCEL, _:
            rung.by_us = True
            return [actions.Hangup(rung.channel)]
        case _:
            return None
