"""The course of one call: what each event means for it, and the facts that it makes.

Every handler says a fact once, whatever is repeated, late or of an offer long over, and none looks beyond its own call.
``ami.tracker`` decides which call an event belongs to and when it is its turn.
"""

from collections.abc import Callable
from typing import Any

from acd.ids import DeviceId, LegId, OfferId, PbxId
from acd.recording_port import RecordingKeyed
from acd.surveys import CallerAnswered
from acd.telephony import (
    AgentHungUp,
    AgentLegGone,
    Announced,
    CallerFreed,
    CallGone,
    FallbackAnswered,
    FallbackBegan,
    FallbackEnded,
    Held,
    LeadEnded,
    MissCause,
    OfferAnswered,
    OfferEnded,
    OfferMissed,
    OfferRinging,
    Resumed,
    TalkBegan,
    TransferAsked,
)
from ami import aside, causes, joined
from ami import events as e
from ami.book import AgentLeg, Book, LiveCall, LiveOffer
from ami.outputs import Look, Output, Purpose
from ami.targets import device_of
from ami.verdicts import verdict


def target_of(offer: LiveOffer, device: DeviceId) -> DeviceId:
    """The target of an offer that a leg of ``device`` was dialled for: itself, or the number that was dialled through it.

    ``PJSIP/0912@trunk`` is dialled on a channel of ``PJSIP/trunk``.
    """
    if device in offer.open:
        return device
    endpoint = "@" + device.rpartition("/")[2]
    return next((target for target in offer.open if target.endswith(endpoint)), device)


class Course:
    """The handlers, over the book of one PBX."""

    def __init__(self, pbx: PbxId, book: Book, say: Callable[[Output], None]) -> None:
        self.pbx = pbx
        self.book = book
        self._say = say
        self.eager = True  # off while something on the wire was not to be believed

    def follow(self, call: LiveCall, event: e.Event) -> None:
        """One event of ``call``."""
        if call.aside is not None and aside.follow(self.book, self._say, call, call.aside, event):
            return
        _HANDLERS[type(event)](self, call, event)

    def agent_left(self, call: LiveCall, leg: LegId, *, gone: bool) -> None:
        """Asterisk's word on the agent's leg after a conversation whose end was seen and whose leg's end was not."""
        offer = call.offer
        if offer is None or offer.answered is None or offer.answered.leg != leg:
            return
        if gone and leg in self.book.agents:
            self._agent_gone(call, offer.answered, causes.NORMAL)  # its Hangup was lost, or is late beyond use
        elif offer.over:
            self._free(call, offer)

    def free_if_alone(self, call: LiveCall) -> None:
        """A caller whose conversation was over before a snapshot, whose agent's leg the snapshot does not know any more."""
        offer = call.offer
        if offer is not None and offer.over and offer.answered is None:
            self._free(call, offer)

    def _dial_began(self, call: LiveCall, event: e.DialBegan) -> None:
        offer, leg = call.offer, LegId(event.dest_leg)
        if offer is None or offer.answered:
            return
        device = target_of(offer, device_of(self.pbx, event.dest_channel))
        if device not in offer.open and not offer.fallback:
            return
        if offer.open.get(device) is None and leg not in self.book.agents and not self.book.is_gone(leg):
            self._dial(call, offer, AgentLeg(leg, event.dest_channel, device, call.id, offer.id))

    def _dial(self, call: LiveCall, offer: LiveOffer, agent: AgentLeg) -> None:
        self.book.add_leg(call, agent)
        offer.open[agent.device] = agent.leg
        offer.begun = True
        if not offer.fallback:  # app_queue tries whom it likes, and only who answers is news
            self._say(OfferRinging(call.id, offer.id, agent.device, agent.leg))

    def _dial_ended(self, call: LiveCall, event: e.DialEnded) -> None:
        agent = self.book.agents.get(LegId(event.dest_leg))
        offer = call.offer
        if agent is None or offer is None or agent.offer != offer.id:
            return
        if event.status == "ANSWER":
            self._picked_up(call, offer, agent)
        elif event.status == "CANCEL" and not agent.hangup_asked and not agent.by_us:
            # The caller left or another phone answered, as the next event says; or this phone answered 302, and then a
            # second DialEnd follows.
            agent.cancelled = True
        else:
            cause = MissCause.REJECTED if agent.cancelled else verdict(agent, causes.of_dial(event.status))
            self._missed(call, offer, agent.device, cause)

    def _missed(self, call: LiveCall, offer: LiveOffer, device: DeviceId, cause: MissCause) -> None:
        if device in offer.open:
            del offer.open[device]
            if not offer.fallback:
                self._say(OfferMissed(call.id, offer.id, device, cause))

    def _answered(self, call: LiveCall, event: e.PhonePickedUp) -> None:
        offer, leg = call.offer, LegId(event.leg)
        if offer is None or offer.id != event.offer or offer.answered:
            return
        device = target_of(offer, device_of(self.pbx, event.channel))
        unknown = offer.fallback or device in offer.open
        if leg not in self.book.agents and unknown and offer.open.get(device) is None and not self.book.is_gone(leg):
            # Its DialBegin was lost on the way.
            self._dial(call, offer, AgentLeg(leg, event.channel, device, call.id, offer.id))
        agent = self.book.agents.get(leg)
        if agent is not None and agent.offer == offer.id:
            self._picked_up(call, offer, agent)

    def _picked_up(self, call: LiveCall, offer: LiveOffer, agent: AgentLeg) -> None:
        if offer.answered or agent.device not in offer.open:
            return
        del offer.open[agent.device]
        # Dial tries all phones before it waits for one: who was not dialled by now never will be.
        self._settle(call, offer, MissCause.CANCELLED, MissCause.UNREACHABLE)
        offer.answered = agent
        taken = FallbackAnswered if offer.fallback else OfferAnswered
        self._say(taken(call.id, offer.id, agent.device, agent.leg))
        self._talk_if_bridged(call, offer)

    def _settle(self, call: LiveCall, offer: LiveOffer, rest: MissCause, unreached: MissCause) -> None:
        """Close what is open of an offer. ``unreached`` is for phones that were never dialled."""
        for device, leg in tuple(offer.open.items()):
            agent = self.book.agents.get(leg) if leg is not None else None
            self._missed(call, offer, device, unreached if agent is None else verdict(agent, rest))

    def _bridge_entered(self, call: LiveCall, event: e.BridgeEntered) -> None:
        if event.leg == call.leg and event.bridge != call.left_bridge:
            call.bridge = event.bridge
            if call.offer is not None:
                self._talk_if_bridged(call, call.offer)

    def _bridge_left(self, call: LiveCall, event: e.BridgeLeft) -> None:
        # Not an end: a transfer takes the caller out for a moment.
        if event.leg == call.leg:
            call.bridge, call.left_bridge = None, event.bridge

    def _talk_if_bridged(self, call: LiveCall, offer: LiveOffer) -> None:
        agent = offer.answered
        if agent is not None and (call.bridge is not None or offer.passed_to) and not offer.talking:
            offer.talking = True
            self._say(TalkBegan(call.id, offer.id, agent.device, agent.leg))
            self._tell_hold(call, offer)
            if offer.passed_to:
                self._say(TransferAsked(call.id, call.leg, offer.passed_to))
            self._tell_end(offer)

    def _hold_began(self, call: LiveCall, event: e.HoldBegan) -> None:
        self._hold(call, event, held=True)

    def _hold_ended(self, call: LiveCall, event: e.HoldEnded) -> None:
        self._hold(call, event, held=False)

    def _hold(self, call: LiveCall, event: e.HoldBegan | e.HoldEnded, *, held: bool) -> None:
        agent, offer = self.book.agents.get(LegId(event.leg)), call.offer
        if agent is None or offer is None or (event.at and event.at in agent.holds):
            return
        agent.holds.append(event.at)
        agent.held = held
        if call.aside is None:  # else it holds whoever is asked, or a caller who is on hold anyway
            self._tell_hold(call, offer)

    def _tell_hold(self, call: LiveCall, offer: LiveOffer) -> None:
        """Say what the phone that talks does with the caller, if that is news."""
        if offer.talking and offer.answered is not None and offer.answered.held is not call.held:
            call.held = offer.answered.held
            self._say(Held(call.id) if call.held else Resumed(call.id))

    def _offer_over(self, call: LiveCall, event: e.OfferOver) -> None:
        offer = call.offer
        if offer is None or offer.id != event.offer or event.call != call.id or event.leg != call.leg:
            return
        self._settle(call, offer, MissCause.NO_ANSWER, MissCause.UNREACHABLE)
        self._tell_end(offer)
        call.offer = None
        self._say(FallbackEnded(call.id, offer.id) if offer.fallback else OfferEnded(call.id, offer.id))

    def _left_alone(self, call: LiveCall, event: e.LeftAlone) -> None:
        if call.offer is None and event.call == call.id and event.leg == call.leg:
            call.offer = LiveOffer(OfferId(event.offer), {}, fallback=True)
            self._say(FallbackBegan(call.id, call.offer.id))

    def _talk_over(self, call: LiveCall, event: e.TalkOver) -> None:
        offer = call.offer
        if offer is None or offer.id != event.offer or event.call != call.id or event.leg != call.leg or offer.over:
            return
        self._settle(call, offer, MissCause.CANCELLED, MissCause.UNREACHABLE)
        self._tell_end(offer)
        offer.over = True
        agent = offer.answered
        if agent is not None and agent.leg in self.book.agents:
            # Its Hangup comes within the same millisecond, before or after; the verdict needs its cause.
            self._say(Look(Purpose.STILL_THERE, agent.channel, agent.leg, call.id))
        else:
            self._free(call, offer)

    def _passed_on(self, call: LiveCall, event: e.PassedOn) -> None:
        if event.leg != call.leg or event.call != call.id or call.offer is None:
            return
        if call.offer.talking:
            self._say(TransferAsked(call.id, call.leg, event.to))
        elif not call.offer.over:
            call.offer.passed_to = event.to  # the word of the phone that was picked up is still on its way

    def _calls_joined(self, call: LiveCall, event: e.CallsJoined) -> None:
        joined.follow(self.pbx, self.book, self._say, call, event)

    def _consult_step(self, call: LiveCall, event: e.ConsultStep) -> None:
        if event.call == call.id:
            aside.step(self._say, call, event)

    def _free(self, call: LiveCall, offer: LiveOffer) -> None:
        if not offer.freed:
            offer.freed = True
            self._say(CallerFreed(call.id, offer.id))

    def _lead_over(self, call: LiveCall, event: e.LeadOver) -> None:
        if event.call == call.id and event.leg == call.leg:
            recorded = event.recorded in causes.RECORDED
            self._say(LeadEnded(call.id, event.by == "caller", recorded))

    def _recording_keyed(self, call: LiveCall, event: e.RecordingKey) -> None:
        agent = self.book.agents.get(LegId(event.leg))
        if agent is not None and event.call == call.id:
            self._say(RecordingKeyed(call.id, agent.leg, event.ask))

    def _survey_over(self, call: LiveCall, event: e.SurveyOver) -> None:
        if event.leg == call.leg and event.call == call.id:
            self._say(CallerAnswered(call.id, event.score))

    def _announced(self, call: LiveCall, event: e.AnnouncementBegan) -> None:
        if event.call == call.id and event.leg == call.leg:
            self._say(Announced(call.id, event.say))

    def _hangup_asked(self, call: LiveCall, event: e.HangupAsked) -> None:
        agent = self.book.agents.get(LegId(event.leg))
        if agent is not None:
            first, offer = self.eager and not agent.hangup_asked, call.offer
            if first and offer is not None and offer.answered is agent and offer.talking and not offer.over:
                self._say(AgentHungUp(call.id, agent.leg, agent.device))
            agent.hangup_asked = True
            if agent.refusal is None and event.cause.isdecimal():
                agent.refusal = int(event.cause)

    def _hung_up(self, call: LiveCall, event: e.HungUp) -> None:
        if event.leg == call.leg:
            if call.offer is not None:
                self._settle(call, call.offer, MissCause.CANCELLED, MissCause.CANCELLED)
                self._tell_end(call.offer)
            self.book.remove_call(call)
            self._say(CallGone(call.id, event.cause))
            return
        agent = self.book.agents.get(LegId(event.leg))
        if agent is not None:  # else a look has shown it gone before this was confirmed
            self._agent_gone(call, agent, event.cause)

    def _agent_gone(self, call: LiveCall, agent: AgentLeg, cause: int) -> None:
        self.book.remove_leg(agent.leg)
        offer = call.offer
        if offer is None or agent.offer != offer.id:
            return
        if offer.answered is not agent:
            self._missed(call, offer, agent.device, verdict(agent, causes.of_hangup(cause)))
            return
        fault = cause in causes.FAULTS and not agent.hangup_asked and not agent.by_us
        offer.end = AgentLegGone(call.id, agent.leg, agent.device, cause, agent.hangup_asked, fault)
        if offer.talking or offer.over:
            self._tell_end(offer)
        # Else the caller's own next event says whether there was a conversation, and the end is told after its beginning.
        if offer.over:
            self._free(call, offer)

    def _tell_end(self, offer: LiveOffer) -> None:
        if offer.end is not None:
            self._say(offer.end)
            offer.end = None


_HANDLERS: dict[type, Callable[[Course, LiveCall, Any], None]] = {
    e.DialBegan: Course._dial_began,
    e.DialEnded: Course._dial_ended,
    e.PhonePickedUp: Course._answered,
    e.BridgeEntered: Course._bridge_entered,
    e.BridgeLeft: Course._bridge_left,
    e.HoldBegan: Course._hold_began,
    e.HoldEnded: Course._hold_ended,
    e.OfferOver: Course._offer_over,
    e.LeftAlone: Course._left_alone,
    e.TalkOver: Course._talk_over,
    e.LeadOver: Course._lead_over,
    e.PassedOn: Course._passed_on,
    e.ConsultStep: Course._consult_step,
    e.CallsJoined: Course._calls_joined,
    e.HangupAsked: Course._hangup_asked,
    e.HungUp: Course._hung_up,
    e.AnnouncementBegan: Course._announced,
    e.RecordingKey: Course._recording_keyed,
    e.SurveyOver: Course._survey_over,
}
