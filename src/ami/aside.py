"""The course of a consult: what each event means for the three legs that have a part in it.

Each leg says itself what becomes of it (``dialplan/consult.conf``): so nothing here depends on the order between legs more than
``ami.course`` does, which hands over the events of a call while a consult goes on, and all ``ConsultStep``s.
"""

from collections.abc import Callable

from acd.consult_port import (
    CallerAlone,
    ConsultBegan,
    ConsultDialled,
    ConsultMissed,
    ConsultMoved,
    ConsultOver,
    ConsultRinging,
    ConsultStage,
)
from acd.ids import LegId
from acd.telephony import AgentLegGone, Held, MissCause, Resumed
from ami import causes
from ami import events as e
from ami.book import AgentLeg, Aside, Book, LiveCall
from ami.outputs import Output
from ami.verdicts import verdict

Say = Callable[[Output], None]


def follow(book: Book, say: Say, call: LiveCall, aside: Aside, event: e.Event) -> bool:
    """One event of a call with a consult. False where it is not the consult's, and means what it always means."""
    match event:
        case e.DialBegan():
            if event.leg != aside.asker.leg:
                return False
            _rings(book, say, call, aside, LegId(event.dest_leg), event.dest_channel)
        case e.PhonePickedUp():
            if event.offer != aside.id:
                return False
            if aside.rung is None:  # its DialBegin was lost on the way
                _rings(book, say, call, aside, LegId(event.leg), event.channel)
            _picked_up(say, call, aside, LegId(event.leg))
        case e.DialEnded():
            return _dial_ended(book, say, call, aside, event)
        case e.HungUp():
            return _hung_up(book, say, call, aside, event)
        case _:
            return False
    return True


def _rings(book: Book, say: Say, call: LiveCall, aside: Aside, leg: LegId, channel: str) -> None:
    if aside.rung is None and aside.target is not None and leg not in book.agents and not book.is_gone(leg):
        aside.rung = AgentLeg(leg, channel, aside.target, call.id, aside.id)
        book.add_leg(call, aside.rung)
        say(ConsultRinging(call.id, aside.id, aside.target, leg))


def _picked_up(say: Say, call: LiveCall, aside: Aside, leg: LegId) -> None:
    rung = aside.rung
    if rung is not None and rung.leg == leg and aside.stage is ConsultStage.RINGING:
        aside.stage = ConsultStage.TALKING
        say(ConsultBegan(call.id, aside.id, rung.device, leg))


def _dial_ended(book: Book, say: Say, call: LiveCall, aside: Aside, event: e.DialEnded) -> bool:
    agent = book.agents.get(LegId(event.dest_leg))
    if agent is None or agent.offer != aside.id:
        return False
    if event.status == "ANSWER":
        _picked_up(say, call, aside, agent.leg)
    elif event.status == "CANCEL" and not agent.hangup_asked and not agent.by_us:
        agent.cancelled = True  # or it answered 302: ``ami.course``
    elif aside.stage is ConsultStage.RINGING:
        cause = MissCause.REJECTED if agent.cancelled else verdict(agent, causes.of_dial(event.status))
        _missed(say, call, aside, cause)
    return True


def _missed(say: Say, call: LiveCall, aside: Aside, cause: MissCause) -> None:
    """Said once for each target; who waits in line then waits on, any other consult is over."""
    if aside.tried or aside.target is None:
        return
    aside.tried = True
    say(ConsultMissed(call.id, aside.id, aside.target, cause))
    if aside.in_line:
        aside.stage = ConsultStage.WAITING
    else:
        call.aside = None


def _hung_up(book: Book, say: Say, call: LiveCall, aside: Aside, event: e.HungUp) -> bool:
    leg = LegId(event.leg)
    if aside.rung is not None and leg == aside.rung.leg:
        rung = aside.rung
        book.remove_leg(leg)
        if aside.stage is ConsultStage.RINGING:
            _missed(say, call, aside, verdict(rung, causes.of_hangup(event.cause)))
        elif aside.stage is not ConsultStage.WAITING:
            call.aside = None
            say(ConsultOver(call.id, aside.id))
        return True
    return leg == aside.asker.leg and _asker_left(book, say, call, aside, event)


def _asker_left(book: Book, say: Say, call: LiveCall, aside: Aside, event: e.HungUp) -> bool:
    """Whoever was asked has the caller now, if it was picked up."""
    call.aside = None
    agent, heir, offer = aside.asker, aside.rung, call.offer
    if heir is None or offer is None or aside.stage in (ConsultStage.WAITING, ConsultStage.RINGING):
        return False
    book.remove_leg(agent.leg)
    fault = event.cause in causes.FAULTS and not agent.hangup_asked and not agent.by_us
    say(AgentLegGone(call.id, agent.leg, agent.device, event.cause, agent.hangup_asked, fault))
    heir.offer, offer.answered = offer.id, heir
    return True


def step(say: Say, call: LiveCall, event: e.ConsultStep) -> None:
    """One of the legs says what becomes of it."""
    aside = call.aside
    match event.step:
        case "held":
            _hold(say, call, held=True)
            _move(say, call, aside, ConsultStage.TALKING)
        case "back":
            _hold(say, call, held=False)
            _move(say, call, aside, ConsultStage.SWAPPED)
        case "asked":
            _move(say, call, aside, ConsultStage.TALKING)
        case "merged":
            _hold(say, call, held=False)
            _move(say, call, aside, ConsultStage.MERGED)
        case "over" if aside is not None and event.offer == aside.id:
            _dial_over(say, call, aside)
        case "alone" if event.leg == call.leg:
            _alone(say, call)
        case "asks":
            agent = call.offer.answered if call.offer is not None and call.offer.talking else None
            if agent is not None and agent.leg == event.leg and event.to.isdecimal() and event.to.isascii():
                say(ConsultDialled(call.id, agent.leg, event.to))


def _hold(say: Say, call: LiveCall, *, held: bool) -> None:
    if call.held is not held:
        call.held = held
        say(Held(call.id) if held else Resumed(call.id))


def _move(say: Say, call: LiveCall, aside: Aside | None, stage: ConsultStage) -> None:
    picked_up = aside is not None and aside.stage not in (ConsultStage.WAITING, ConsultStage.RINGING)
    if aside is not None and picked_up and aside.stage is not stage:
        aside.stage = stage
        say(ConsultMoved(call.id, aside.id, stage))


def _dial_over(say: Say, call: LiveCall, aside: Aside) -> None:
    """The agent's leg rings nobody any more. A target that was never dialled cannot be reached."""
    if aside.stage is ConsultStage.RINGING:
        _missed(
            say, call, aside, MissCause.UNREACHABLE if aside.rung is None else verdict(aside.rung, MissCause.NO_ANSWER)
        )


def _alone(say: Say, call: LiveCall) -> None:
    call.aside = None
    call.offer, call.held = None, False
    say(CallerAlone(call.id))
